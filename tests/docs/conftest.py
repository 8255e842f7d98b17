import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
pytest.register_assert_rewrite("shell", "stand_ins")

from stand_ins import SERVERS, World  # noqa: E402


@pytest.fixture
def world(tmp_path, request):
    """Where the page that the test is about is run."""
    each = World(tmp_path / "page")
    for add in SERVERS.get(request.getfixturevalue("page").name, ()):
        add(each)
    yield each
    each.close()
