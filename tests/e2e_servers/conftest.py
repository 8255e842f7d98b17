import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
pytest.register_assert_rewrite("bucket", "server")

from bucket import KEYS, Bucket  # noqa: E402
from server import VARIABLES, Server  # noqa: E402


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


@pytest.fixture(params=sorted(VARIABLES))
def server(request):
    """A database of the test's own on each of the servers."""
    each = Server(request.param)
    yield each
    each.close()


@pytest.fixture
def copy(scene, server):
    """copy("--table", …): the server's database into the scene's lake."""

    def run(*args, uri=None, **more):
        return scene.sluice("copy", uri or server.uri(), f"file://{scene.lake}", "--state", scene.state, *args, **more)

    return run
