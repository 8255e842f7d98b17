import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
pytest.register_assert_rewrite("places", "server_world", "writers")

from server import Server  # noqa: E402
from server_world import SERVERS, ServerWorld, Source  # noqa: E402


@pytest.fixture(scope="session")
def sources():
    """By kind: a server's database with writers at work, begun when it is first wanted."""
    begun = {}

    def source(kind):
        if kind not in begun:
            begun[kind] = Source(Server(kind)).__enter__()
        return begun[kind]

    yield source
    for each in begun.values():
        each.__exit__(None, None, None)


@pytest.fixture
def world_of(sources, tmp_path):
    """world_of(server, place): a destination and a state of the test's own."""
    worlds = []

    def world(server, place):
        folder = tmp_path / str(len(worlds))
        folder.mkdir()
        worlds.append(ServerWorld(folder, sources(server), place))
        return worlds[-1]

    yield world
    for each in worlds:
        each.__exit__()


@pytest.fixture(params=SERVERS)
def kind(request):
    return request.param
