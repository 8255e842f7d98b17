"""Two processes on one job: one works, the other is refused and told who holds it. One that is stopped
past its lease and wakes changes nothing any more, at a bucket either."""

import itertools
import signal
import time

import pytest
from server_world import PLACES, SERVERS

LEASE = {"SLUICE_LEASE_SECONDS": "2"}
POINTS = ["plan.before-commit", "chunk.planned:2", "attempt.begun:2", "upload.half:2", "upload.staged:2", "staged.recorded:2",
          "publish.frozen", "publish.object:2", "publish.all", "publish.recorded", "verify.recorded", "slot.begun",
          "slot.written", "slot.recorded", "clean-up.half"]
WAYS = list(itertools.product(SERVERS, PLACES))
USUAL = {"upload.half:2": ("mysql", "versitygw"), "publish.object:2": ("mariadb", "versitygw"),
         "slot.begun": ("mysql", "versitygw"), "clean-up.half": ("mariadb", "disk")}


@pytest.mark.parametrize("point, server, place", [
    pytest.param(point, *way, marks=() if USUAL.get(point) == way else pytest.mark.slow)
    for point in POINTS for way in WAYS])
def test_a_zombie_that_wakes_after_its_work_was_taken_over_changes_nothing(world_of, point, server, place):
    world = world_of(server, place)
    world.connections = 1  # nobody else may be in a transaction of the state when it stops
    with world.place.lister():
        world.converge()
        first = world.writers.clock()
        zombie = world.start_copy(env={**LEASE, "SLUICE_STOP_AT": point}).wait_until_stopped()
        time.sleep(2.3)
        world.copy(env=LEASE).must(0)
        current = {table: manifest["load"] for table, manifest in world.manifests(world.place.lake()).items()}
        zombie.send(signal.SIGCONT)
        done = zombie.wait()
        assert done.code == 4, done
        assert {table: manifest["load"] for table, manifest in world.manifests(world.place.lake()).items()} == current
        world.assert_converged(first)
        # And the next run is none the worse.
        world.converge()
        world.assert_rows_of_one_moment()


@pytest.mark.parametrize("server, place", [("mysql", "moto"), ("mariadb", "versitygw"), ("mariadb", "disk")])
def test_the_second_is_refused_and_told_who_holds_the_job(world_of, server, place):
    world = world_of(server, place)
    world.connections = 1
    with world.place.lister():
        holder = world.start_copy(env={"SLUICE_STOP_AT": "staged.recorded:2"}).wait_until_stopped()
        before = world.place.names()
        second = world.copy("--json").must(4)
        assert second.json["error"]["id"] == "state.held"
        assert str(holder.pid) in second.json["error"]["message"], second
        world.copy("--restart").must(4)
        assert world.place.names() == before, "the refused one touched the destination"
        holder.send(signal.SIGCONT)
        holder.wait().must(0)
        world.assert_rows_of_one_moment()
        world.assert_converged(0)


@pytest.mark.parametrize("server, place", [
    ("mysql", "versitygw"), pytest.param("mariadb", "moto", marks=pytest.mark.slow)])
def test_two_at_once_never_both_work(world_of, server, place):
    world = world_of(server, place)
    with world.place.lister():
        refused = 0
        for _ in range(2):
            first = world.writers.clock()
            codes = sorted(process.wait().code for process in [world.start_copy(), world.start_copy()])
            assert codes in ([0, 4], [0, 0]), codes
            refused += codes == [0, 4]
        assert refused, "the two never met"
        world.assert_converged(first)
