"""Shared by the end-to-end suites (e2e*/) and the crash suites (kill*/): where modules are found, what
a test is given, and that no test leaves a process behind."""

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
for folder in ("e2e", "kill", "e2e_servers"):
    sys.path.insert(0, str(TESTS / folder))
sys.dont_write_bytecode = True

pytest.register_assert_rewrite("oracle", "scene", "terminal", "kill_world", "bucket", "server")

from scene import BINARY, Scene  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: minutes, not seconds; `make test-kill` runs it")
    config.addinivalue_line("markers", "big: writes hundreds of megabytes")


def pytest_report_header():
    return f"sluice: {BINARY}"


def pytest_sessionstart(session):
    if not session.config.option.collectonly and not os.access(BINARY, os.X_OK):
        pytest.exit(f"no program at {BINARY}: `make build` makes it, SLUICE_BIN names another", 2)


@pytest.fixture
def scene(tmp_path):
    """A folder of the test's own with a database, a destination and a state; see scene.py."""
    with Scene(tmp_path) as each:
        yield each


@pytest.fixture
def small_disk(tmp_path):
    """make(name, size="2m") mounts a disk of that size; .read_only() and .grow() on what it gives."""
    from scene import SmallDisk

    disks = []

    def make(name, size="2m"):
        disk = SmallDisk(tmp_path / name, size)
        disks.append(disk)
        return disk

    yield make
    for disk in disks:
        disk.close()
