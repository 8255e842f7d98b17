"""SIGKILL at every named point of the program, at the first passage and at a later one. The next start
converges; a lister never saw a partial or a double object; gc leaves nothing uncommitted."""

import signal

import pytest
from kill_world import KillWorld, Lister, named_points
from oracle import Lake

# Where an unfinished load is thrown away: reached by --restart only.
OF_DISCARD = {"discard.slot", "discard.half"}
# Passed once per chunk, batch or object, so more often than there are tables.
OF_CHUNKS = {"chunk.planned", "attempt.begun", "upload.half", "upload.staged", "staged.recorded", "publish.object"}
# Points that a copy between a SQLite file and a local disk cannot reach, each with its reason.
UNREACHABLE = {}

POINTS = named_points()


def passages(point):
    return (1, 5) if point in OF_CHUNKS else (1, 2)


CASES = [(point, n) for point in POINTS if point not in UNREACHABLE for n in passages(point)]
names = [f"{point}:{n}" for point, n in CASES]


def test_every_point_has_its_case_or_its_reason():
    assert OF_DISCARD | OF_CHUNKS | UNREACHABLE.keys() <= set(POINTS)
    assert {point for point, _ in CASES} | UNREACHABLE.keys() == set(POINTS)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """One database for all cases: none of them changes it."""
    with KillWorld(tmp_path_factory.mktemp("named")) as world:
        yield world


@pytest.fixture
def world(filled, tmp_path):
    filled.lake, filled.state = tmp_path / "lake", tmp_path / "state.db"
    return filled


def leave_unfinished_loads(world):
    """For --restart: of the first table some files are visible, of the second some are staged."""
    world.killed("publish.object:3", "--table", "t0")
    world.killed("staged.recorded:3", "--table", "t1")


@pytest.mark.parametrize("point, n", [case for case in CASES if case[0] not in OF_DISCARD],
                         ids=[name for name, case in zip(names, CASES) if case[0] not in OF_DISCARD])
def test_a_kill_there_loses_nothing_and_doubles_nothing(world, point, n):
    with Lister(world.lake):
        # A load to be replaced, so that clean-up has something to do.
        world.converge()
        before = {table: Lake(world.lake).only(table)["load"] for table in world.tables}
        world.killed(f"{point}:{n}")
        # What a reader had, it has, or the new version whole.
        world.assert_rows_once()
        world.converge()
        for table in world.tables:
            assert Lake(world.lake).only(table)["load"] != before[table]
        world.assert_converged()


@pytest.mark.parametrize("point, n", [case for case in CASES if case[0] in OF_DISCARD],
                         ids=[name for name, case in zip(names, CASES) if case[0] in OF_DISCARD])
def test_a_kill_while_a_load_is_thrown_away_brings_none_of_it_back(world, point, n):
    with Lister(world.lake):
        leave_unfinished_loads(world)
        unfinished = {path.name for path in Lake(world.lake).undecided()}
        assert len(unfinished) == 2
        world.killed(f"{point}:{n}", "--restart")
        world.converge()
        lake = Lake(world.lake)
        thrown = {load for folder in lake.tables() for load, slot in lake.slots(folder).items()
                  if slot["outcome"] == "discarded"}
        assert thrown and thrown <= unfinished
        world.assert_converged()


@pytest.mark.parametrize("point", ["plan.before-commit", "chunk.planned", "upload.half", "upload.staged", "publish.object"])
def test_the_same_point_again_and_again_still_ends_well(world, point):
    with Lister(world.lake):
        for _ in range(4):
            world.killed(point)
        world.converge()
        world.assert_converged()


def test_different_points_one_after_the_other_still_end_well(world):
    """The way of one load: each death a step further than the last."""
    way = ["plan.after-commit", "chunk.planned", "attempt.begun", "upload.half", "upload.staged", "staged.recorded",
           "publish.frozen", "publish.object", "publish.all", "publish.recorded", "verify.begun", "verify.recorded",
           "slot.begun", "slot.written", "slot.recorded"]
    with Lister(world.lake):
        for point in way:
            world.killed(point, "--table", "t0")
        lake = Lake(world.lake)
        assert len(lake.slots(lake.folder("t0"))) == 1, "one load all the way"
        world.converge()
        world.assert_converged()


def test_a_rerun_after_a_kill_does_not_wait_for_the_lease(world):
    world.killed("staged.recorded:2")
    done = world.converge()
    assert done.seconds < 15, done


def test_a_kill_by_the_kernel_while_two_tables_are_done_keeps_both(world):
    world.converge()
    process = world.start_copy(env={"SLUICE_STOP_AT": "verify.begun:2"}).wait_until_stopped()
    process.send(signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    world.assert_rows_once()
    world.converge()
    world.assert_converged()
