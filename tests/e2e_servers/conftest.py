import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
pytest.register_assert_rewrite("bucket")

from bucket import KEYS, Bucket  # noqa: E402


def _server(variable):
    uri = os.environ.get(variable)
    assert uri, f"{variable} names no bucket: tools/test servers starts the server"
    return Bucket(uri)


@pytest.fixture(params=["SLUICE_TEST_MOTO", "SLUICE_TEST_VERSITYGW"], ids=["moto", "versitygw"])
def bucket(request, monkeypatch):
    """A place of the test's own, once on each server."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return _server(request.param)


@pytest.fixture
def moto(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return _server("SLUICE_TEST_MOTO")


@pytest.fixture
def versitygw(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return _server("SLUICE_TEST_VERSITYGW")
