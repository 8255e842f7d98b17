"""Every uninterrupted run shows exactly the rows of one moment: the copied clock says which, the ledger
what was there then; and the sum that every transaction leaves as it was, over both tables, is whole."""

import pytest


@pytest.mark.parametrize("connections", [3, *(pytest.param(each, marks=pytest.mark.slow) for each in (1, 2, 8))])
@pytest.mark.parametrize("place", ["disk", pytest.param("moto", marks=pytest.mark.slow),
                                   pytest.param("versitygw", marks=pytest.mark.slow)])
def test_each_of_many_runs_shows_exactly_one_moment(world_of, kind, place, connections):
    world = world_of(kind, place)
    world.connections = connections
    moments = []
    for _ in range(3 if place == "disk" else 10):
        before = world.writers.clock()
        world.converge()
        moment = world.assert_rows_of_one_moment()
        assert before <= moment <= world.writers.clock(), "not a moment of this run"
        moments.append(moment)
    assert len(set(moments)) == len(moments), "no writer was at work"


def test_every_kind_of_transaction_was_there(sources, kind):
    counted = sources(kind).writers.kinds()
    assert all(counted[each] > 10 for each in ("short", "long", "rolled back")), counted
