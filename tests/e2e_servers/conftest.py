import pytest
from bucket import KEYS, Bucket
from server import VARIABLES, Server


@pytest.fixture(params=["moto", "versitygw"])
def bucket(request, monkeypatch):
    """A place of the test's own, once on each server."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return Bucket.of(request.param)


@pytest.fixture
def moto(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return Bucket.of("moto")


@pytest.fixture
def versitygw(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return Bucket.of("versitygw")


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
