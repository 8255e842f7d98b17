"""A process that is stopped past its lease, wakes, and finds that its work was taken over: it changes
nothing any more and exits 4. Before its lease ran out nobody takes anything from it."""

import signal
import time

import pytest
from kill_world import KillWorld, Lister
from oracle import Lake
from scene import Lock

LEASE = {"SLUICE_LEASE_SECONDS": "2"}
POINTS = ["plan.before-commit", "plan.after-commit", "chunk.planned:2", "attempt.begun:2", "upload.half:2",
          "upload.staged:2", "staged.recorded:2", "publish.frozen", "publish.object:2", "publish.all",
          "publish.recorded", "verify.begun", "verify.recorded", "slot.begun", "slot.written", "slot.recorded", "clean-up.half"]


class Stopped:
    """A world of its own whose copy has stopped at a point."""

    def __init__(self, folder, point):
        folder.mkdir()
        self.world = KillWorld(folder, tables=1, rows=25_000, width=60)
        # Nobody else of the process may be in a transaction of the state when it stops.
        self.world.connections = 1
        self.world.converge()  # so that there is something to replace
        self.process = self.world.start_copy(env={**LEASE, "SLUICE_STOP_AT": point}).wait_until_stopped()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """All of them stop at once, so that their leases run out together."""
    folder = tmp_path_factory.mktemp("zombies")
    all_of_them = {}
    try:
        for number, point in enumerate(POINTS):
            all_of_them[point] = Stopped(folder / str(number), point)
        time.sleep(2.5)
        yield all_of_them
    finally:
        for each in all_of_them.values():
            each.world.__exit__()


@pytest.mark.parametrize("point", POINTS)
def test_a_zombie_that_wakes_after_its_work_was_done_changes_nothing(stopped, point):
    world, zombie = stopped[point].world, stopped[point].process
    with Lister(world.lake):
        world.copy(env=LEASE).must(0)
        world.assert_rows_once()
        current = Lake(world.lake).only("t0")["load"]
        zombie.send(signal.SIGCONT)
        done = zombie.wait()
        assert done.code == 4, done
        assert "HINT" in done.err or "took over" in done.err or "taken over" in done.err, done
        world.assert_rows_once()
        assert Lake(world.lake).only("t0")["load"] == current
        world.assert_converged()
        # And the next run is none the worse.
        world.converge()
        world.assert_converged()


@pytest.mark.parametrize("point, then", [("upload.half:2", "verify.begun"), ("publish.object:2", "verify.begun"),
                                         ("verify.recorded", "slot.written")])
def test_a_zombie_that_wakes_while_its_successor_works_changes_nothing(tmp_path, point, then):
    with KillWorld(tmp_path, tables=1, rows=25_000, width=60) as world, Lister(world.lake):
        world.connections = 1
        zombie = world.start_copy(env={**LEASE, "SLUICE_STOP_AT": point}).wait_until_stopped()
        time.sleep(2.3)
        successor = world.start_copy(env={"SLUICE_STOP_AT": then}).wait_until_stopped()
        zombie.send(signal.SIGCONT)
        assert zombie.wait().code == 4, zombie.wait()
        successor.send(signal.SIGCONT)
        successor.wait().must(0)
        world.assert_converged()


def test_before_the_lease_runs_out_the_second_is_refused_and_told_who_holds_it(tmp_path):
    with KillWorld(tmp_path, tables=1, rows=25_000, width=60) as world, Lister(world.lake):
        world.connections = 1  # as below
        first = world.start_copy(env={"SLUICE_STOP_AT": "staged.recorded:2"}).wait_until_stopped()
        before = world.tree(world.lake)
        second = world.copy().must(4)
        assert str(first.pid) in second.err, second
        assert second.seconds < 10
        assert world.tree(world.lake) == before, "the refused one touched the destination"
        world.copy("--restart").must(4)
        first.send(signal.SIGCONT)
        first.wait().must(0)
        world.assert_converged()


def test_a_stopped_holder_that_is_killed_makes_way_at_once(tmp_path):
    with KillWorld(tmp_path, tables=1, rows=25_000, width=60) as world, Lister(world.lake):
        # A second worker may be stopped in a transaction of the state: that is another case, exit 5.
        world.connections = 1
        first = world.start_copy(env={"SLUICE_STOP_AT": "staged.recorded:2"}).wait_until_stopped()
        world.copy().must(4)
        first.kill()
        first.wait()
        assert world.converge().seconds < 15
        world.assert_converged()


def test_a_lease_is_renewed_while_the_holder_works(tmp_path):
    """At work for three times its lease, held up by a lock on the source: nobody may take it over."""
    with KillWorld(tmp_path, tables=1) as world, Lister(world.lake):
        world.connections = 1
        run = world.start_copy("--consistency", "per-chunk",
                               env={"SLUICE_LEASE_SECONDS": "1", "SLUICE_STOP_AT": "staged.recorded:1"})
        run.wait_until_stopped()
        load = Lake(world.lake).undecided()[0].name
        with Lock(world.db):
            run.send(signal.SIGCONT)
            time.sleep(3)
            assert str(run.pid) in world.gc("--abandon", load).must(4).err
        run.wait().must(0)
        world.assert_converged()


def test_two_at_once_on_one_job_never_both_work(tmp_path):
    refused = 0
    with KillWorld(tmp_path, tables=2, rows=30_000, width=100) as world, Lister(world.lake):
        for _ in range(4):
            codes = sorted(process.wait().code for process in [world.start_copy(), world.start_copy()])
            assert codes in ([0, 4], [0, 0]), codes
            refused += codes == [0, 4]
            world.assert_rows_once()
        assert refused >= 2, "the two never met"
        world.assert_converged()


def test_gc_leaves_the_work_of_a_living_holder_alone(tmp_path):
    with KillWorld(tmp_path, tables=1, rows=25_000, width=60) as world, Lister(world.lake):
        run = world.start_copy(env={"SLUICE_STOP_AT": "publish.object:2"}).wait_until_stopped()
        load = Lake(world.lake).undecided()[0].name
        before = world.tree(world.lake)
        world.gc("--older-than", "0")
        assert world.gc("--abandon", load).must(4)
        assert world.tree(world.lake) == before
        run.send(signal.SIGCONT)
        run.wait().must(0)
        world.assert_converged()
