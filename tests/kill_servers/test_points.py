"""SIGKILL at every named point, from each server to each kind of place, with writers at work. The next
start converges; gc leaves nothing uncommitted, no upload either."""

import itertools

import pytest
from kill_world import named_points
from server_world import PLACES, SERVERS
from writers import TABLES

# Where an unfinished load is thrown away: reached by --restart only.
OF_DISCARD = {"discard.slot", "discard.half"}
# Passed once per chunk, batch or object.
OF_CHUNKS = {"chunk.planned", "attempt.begun", "upload.half", "upload.staged", "staged.recorded", "publish.object"}
WAYS = list(itertools.product(SERVERS, PLACES))
# The slow one of the places has its turn less often.
ROUND = [*WAYS, ("mysql", "versitygw"), ("mariadb", "disk"), ("mariadb", "versitygw")]


def cases():
    """Each point at its first and at a later passage, with each server and place. Bounded: each point once,
    going round servers, places and passages."""
    for number, point in enumerate(named_points()):
        passages = (1, 5) if point in OF_CHUNKS else (1, 2)
        chosen = (ROUND[number % len(ROUND)], passages[number // 2 % 2])
        for way, passage in itertools.product(WAYS, passages):
            marks = () if (way, passage) == chosen else pytest.mark.slow
            yield pytest.param(*way, point, passage, marks=marks, id=f"{way[0]}-{way[1]}-{point}:{passage}")


def test_the_bounded_set_has_every_point_every_server_and_every_place():
    usual = [case.values for case in cases() if not case.marks]
    assert sorted(case[2] for case in usual) == sorted(named_points())
    assert {case[:2] for case in usual} == set(WAYS)


def leave_unfinished_loads(world):
    """For --restart: of the first table some objects are visible, of the second some are staged. Table by
    table: how far the second is when a point of the first is passed is a matter of time."""
    for point, table in zip(("publish.object:3", "staged.recorded:3"), TABLES):
        world.killed(point, "--table", table)


@pytest.mark.parametrize("server, place, point, passage", list(cases()))
def test_a_kill_there_loses_nothing_and_doubles_nothing(world_of, server, place, point, passage):
    world = world_of(server, place)
    with world.place.lister():
        # A load to be replaced, so that clean-up has something to do.
        world.converge()
        world.assert_rows_of_one_moment()
        first = world.writers.clock()
        if point in OF_DISCARD:
            leave_unfinished_loads(world)
        world.killed(f"{point}:{passage}", *(["--restart"] if point in OF_DISCARD else []))
        world.converge()
        world.assert_converged(first)


@pytest.mark.parametrize("server, place", [
    pytest.param(*way, marks=() if way == ("mariadb", "disk") else pytest.mark.slow)
    for way in WAYS])
def test_one_death_after_the_other_still_ends_well(world_of, server, place):
    """The way of one load: each death a step further than the last."""
    world = world_of(server, place)
    way = ["plan.after-commit", "chunk.planned", "upload.half", "upload.staged", "staged.recorded:3", "publish.object:2",
           "publish.all", "verify.begun", "slot.begun", "slot.written"]
    first = world.writers.clock()
    with world.place.lister():
        for point in way:
            world.killed(point)
        world.converge()
        world.assert_converged(first)
