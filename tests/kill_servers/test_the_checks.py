"""The checks of this folder can fail: each is shown what it must find."""

import pytest
import server_world
from bucket import PART
from server_world import nothing_half, rows_in, typed
from writers import TABLES


@pytest.fixture(params=["disk", pytest.param("versitygw", marks=pytest.mark.slow)])
def copied(world_of, request):
    world = world_of("mysql", request.param)
    world.first = world.writers.clock()
    world.converge()
    world.assert_rows_of_one_moment()
    world.assert_converged(world.first)
    return world


def data_file(world, number=0):
    """(its bytes, take it away, put another in its place)"""
    if hasattr(world.place, "bucket"):
        bucket = world.place.bucket
        key = [each for each in bucket.keys() if PART.search(each) and "/lines_a/" in each][number]
        return key, bucket.request("GET", key), lambda: bucket.request("DELETE", key), (
            lambda name, data: bucket.request("PUT", name, body=data))
    path = sorted(world.place.root.glob("*/lines_a/*/*.parquet"))[number]

    def put(name, data):
        type(path)(name).parent.mkdir(parents=True, exist_ok=True)
        type(path)(name).write_bytes(data)

    return str(path), path.read_bytes(), path.unlink, put


def test_a_file_that_is_missing_is_found(copied):
    _, _, remove, _ = data_file(copied)
    remove()
    with pytest.raises(AssertionError, match="not the folder's files"):
        copied.assert_rows_once(copied.first)
    with pytest.raises(AssertionError, match="not the folder's files"):
        copied.assert_rows_of_one_moment()


def test_a_file_in_the_place_of_another_is_found(copied):
    name, _, _, put = data_file(copied)
    put(name, data_file(copied, 1)[1])
    with pytest.raises(AssertionError):
        copied.assert_rows_once(copied.first)


def test_a_file_too_many_is_found(copied):
    name, data, _, put = data_file(copied)
    put(name.replace("part-000001", "part-000099"), data)
    with pytest.raises(AssertionError, match="not the folder's files"):
        copied.assert_rows_once(copied.first)


ROWS = {"a row lost": (lambda rows: rows[1:], "lost"), "a row twice": (lambda rows: rows[:1] + rows, "a key twice"),
        "a row nobody committed": (lambda rows: [(*rows[0][:4], "never")] + rows[1:], "never committed")}


@pytest.mark.parametrize("wrong", ROWS)
def test_wrong_rows_are_found(copied, monkeypatch, wrong):
    spoil, said = ROWS[wrong]
    # The first row is an order that no writer touches: order 3 of 6.
    untouched = lambda files: sorted(rows_in(files), key=lambda row: int(row[0]) // 4 % 6 != 5)
    monkeypatch.setattr(server_world, "rows_in", lambda files: spoil(untouched(files)))
    with pytest.raises(AssertionError, match=said):
        copied.assert_rows_once(copied.first)
    with pytest.raises(AssertionError, match="not the rows after"):
        copied.assert_rows_of_one_moment()


def test_rows_of_two_moments_are_found(world_of, monkeypatch):
    """A run that was resumed shows two moments: taken for a snapshot, it is found out by its rows."""
    world = world_of("mariadb", "disk")
    world.killed("staged.recorded:4")
    at = world.writers.clock()
    while world.writers.clock() < at + 100:
        pass
    world.converge("--consistency", "snapshot")
    with pytest.raises(AssertionError, match="more than one position|mixed"):
        world.assert_rows_of_one_moment()
    manifests = world.manifests

    def as_if_one(lake):
        return {table: {**manifest, "consistency": {"kind": "snapshot", "mixed": False, "positions": ["here"]}}
                for table, manifest in manifests(lake).items()}

    monkeypatch.setattr(world, "manifests", as_if_one)
    with pytest.raises(AssertionError, match="not the rows after"):
        world.assert_rows_of_one_moment()


def test_what_is_left_is_found(copied):
    copied.killed("staged.recorded:3")
    with pytest.raises(AssertionError):
        copied.place.assert_nothing_left()
    copied.converge()
    copied.gc().must(0)
    copied.place.assert_nothing_left()
    name, data, _, put = data_file(copied)
    load = name.rsplit("/", 2)[1]
    put(name.replace(load, "0" * len(load)), data)
    with pytest.raises((AssertionError, KeyError)):
        copied.place.assert_nothing_left()
    with pytest.raises((AssertionError, KeyError)):
        nothing_half(copied)


@pytest.mark.parametrize("wrong", ["partial", "changed", "another name", "not a name"])
def test_the_lister_sees_what_comes_and_goes(copied, wrong):
    if copied.place.raced and wrong == "another name":
        copied.place.raced = False
    name, data, remove, put = data_file(copied)
    names = {"partial": name.replace("part-000001", "part-000077"), "changed": name, "not a name": f"{name}.txt.parquet",
             "another name": name.replace(".parquet", ".0123456789abcdef.parquet")}
    with pytest.raises(AssertionError, match="the lister saw"):
        with copied.place.lister() as lister:
            at = lister.rounds
            while lister.rounds < at + 2:
                pass
            put(names[wrong], data[:-9] if wrong in ("partial", "changed") else data)
            at = lister.rounds
            while lister.rounds < at + 2 and not lister.wrong:
                pass


def test_an_error_without_a_kind_is_found(copied):
    done = copied.copy("--table", "nowhere")
    typed(done)
    done.out = done.out.replace("no-such-table", "something")
    with pytest.raises(AssertionError):
        typed(done)


def test_a_transaction_that_is_not_in_the_ledger_is_found(world_of):
    world = world_of("mysql", "disk")
    ledger = world.writers.ledger
    clock = world.writers.clock()
    kept = ledger._changes.pop(0)
    try:
        with pytest.raises(AssertionError, match="not the order of commits"):
            ledger.at(clock)
    finally:
        ledger._changes.append(kept)
    assert set(ledger.at(clock)) == set(TABLES)
