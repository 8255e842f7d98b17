"""The program with a real S3 server: copied, verified, killed and resumed, collected."""

import json
import signal

import duckdb
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

ROWS = [(i, f"word {i % 97}", i / 3) for i in range(6_000)]
POINTS = ["plan.after-commit", "chunk.planned", "attempt.begun", "upload.half", "upload.staged",
          "staged.recorded", "publish.frozen", "publish.object", "publish.all", "publish.recorded",
          "verify.recorded", "slot.written", "slot.recorded"]
SMALL = {"SLUICE_CHUNK_ROWS": "1500"}


@pytest.fixture
def orders(scene):
    scene.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, word TEXT, amount REAL)",
              "INSERT INTO orders VALUES (?, ?, ?)", rows=ROWS)
    return scene


def copy(scene, uri, *args, env=None):
    return scene.sluice("copy", f"sqlite://{scene.db}", uri, "--table", "orders", "--state", scene.state, *args,
                        env={**SMALL, **(env or {})})


def test_a_table_arrives_whole_and_verifies(orders, bucket):
    done = copy(orders, bucket.uri(), "--json").must(0).json
    assert sorted(bucket.rows()) == ROWS
    assert bucket.uploads() == []
    assert sorted(bucket.files()) == bucket.parts()
    orders.sluice("verify", done["loads"][0]["manifest"]).must(0)
    status = orders.sluice("status", "--state", orders.state, "--json").must(0)
    assert "committed" in status.out or "cleaned" in status.out
    again = copy(orders, bucket.uri()).must(0)
    assert sorted(bucket.rows()) == ROWS, again
    assert len(bucket.parts()) == len(bucket.files()), "the load it replaced is still there"
    orders.sluice("gc", bucket.uri(), "--state", orders.state).must(0)


def test_pyarrow_and_duckdb_read_it_in_place(orders, bucket, tmp_path):
    copy(orders, bucket.uri()).must(0)
    store = pyarrow.fs.S3FileSystem(access_key="test", secret_key="testsecret", endpoint_override=bucket.endpoint,
                                    region="us-east-1")
    paths = [f"{bucket.name}/{key}" for key in bucket.files()]
    table = pq.read_table(paths, filesystem=store)
    assert sorted(map(tuple, (row.values() for row in table.to_pylist()))) == ROWS
    for key in bucket.files():
        (tmp_path / key.replace("/", "_")).write_bytes(bucket.request("GET", key))
    count = duckdb.sql(f"SELECT count(*), sum(id) FROM read_parquet('{tmp_path}/*.parquet')").fetchone()
    assert count == (len(ROWS), sum(row[0] for row in ROWS))


def test_the_probe_passes_one_and_finds_the_other_out(scene, moto, versitygw):
    kept = scene.sluice("check", moto.uri(), "--json").must(0).json["checks"][0]["probe"]
    assert (kept["create_only"], kept["atomic"]) == (True, True), kept
    raced = scene.sluice("check", versitygw.uri(), "--json").must(0).json["checks"][0]["probe"]
    assert (raced["create_only"], raced["atomic"]) == (True, False), raced
    for bucket in (moto, versitygw):
        assert bucket.keys() == [] and bucket.uploads() == []


def test_where_conditions_race_names_carry_their_attempt(orders, moto, versitygw):
    copy(orders, moto.uri()).must(0)
    assert all(key.count(".") == 1 for key in moto.parts()), moto.parts()
    done = copy(orders, versitygw.uri()).must(0)
    assert all(key.rsplit("/", 1)[1].count(".") == 2 for key in versitygw.parts()), versitygw.parts()
    assert "attempt" in done.said


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_there_loses_nothing_and_leaves_nothing(orders, bucket, point):
    killed = copy(orders, bucket.uri(), env={"SLUICE_CRASH_AT": point})
    assert killed.code == -signal.SIGKILL, f"never passed {point}\n{killed}"
    copy(orders, bucket.uri()).must(0)
    assert sorted(bucket.rows()) == ROWS
    orders.sluice("gc", bucket.uri(), "--state", orders.state).must(0)
    assert bucket.uploads() == []
    assert sorted(bucket.files()) == bucket.parts()


def test_what_a_killed_run_left_is_collected_when_it_is_abandoned(orders, bucket):
    copy(orders, bucket.uri(), env={"SLUICE_CRASH_AT": "staged.recorded:2"})
    assert len(bucket.uploads()) >= 1 and bucket.parts() == []
    status = orders.sluice("status", "--state", orders.state, "--json").must(0).json
    load = json.dumps(status).split('"load": "')[1].split('"')[0]
    orders.sluice("gc", bucket.uri(), "--state", orders.state, "--abandon", load).must(0)
    assert bucket.uploads() == [] and bucket.parts() == []


@pytest.mark.parametrize("point", ["staged.recorded:2", "publish.object:2", "slot.recorded", "clean-up.half"])
def test_below_a_template_nothing_is_lost_or_left_either(orders, bucket, point):
    path = ("--path", "{schema}/{table}/dt={date}/load={load}")
    copy(orders, bucket.uri(), *path).must(0)
    killed = copy(orders, bucket.uri(), *path, env={"SLUICE_CRASH_AT": point})
    assert killed.code == -signal.SIGKILL, f"never passed {point}\n{killed}"
    copy(orders, bucket.uri(), *path).must(0)
    assert sorted(bucket.rows()) == ROWS
    assert all("/dt=" in key and "/load=" in key for key in bucket.parts())
    orders.sluice("gc", bucket.uri(), "--state", orders.state).must(0)
    assert bucket.uploads() == []
    assert sorted(bucket.files()) == bucket.parts()


def test_what_is_left_below_a_template_is_collected_when_it_is_abandoned(orders, bucket):
    """And counted: before one of them is published, only the state knows of them."""
    path = ("--path", "{schema}/{table}/{year}/{load}", "--connections", "1")
    copy(orders, bucket.uri(), *path, env={"SLUICE_CRASH_AT": "staged.recorded:2"})
    assert len(bucket.uploads()) == 2 and bucket.parts() == []
    status = orders.sluice("status", "--state", orders.state, "--json").must(0).json
    load = json.dumps(status).split('"load": "')[1].split('"')[0]
    gc = ("gc", bucket.uri(), "--state", orders.state, "--abandon", load, "--json")
    would, = orders.sluice(*gc, "--dry-run").must(0).json["collected"]
    done = orders.sluice(*gc).must(0).json
    assert bucket.uploads() == [] and bucket.parts() == []
    assert would["leftovers"] == 2 and done["removed"] == done["collected"][0]["removed"] == 2, done


def test_gc_leaves_alone_what_another_root_within_made(orders, bucket):
    outer = bucket.uri()
    inner = outer.replace(bucket.prefix, bucket.prefix + "/raw")
    copy(orders, inner).must(0)
    cut = copy(orders, inner, env={"SLUICE_CRASH_AT": "publish.object"})
    assert cut.code == -signal.SIGKILL
    kept = bucket.keys(), bucket.uploads()
    orders.sluice("gc", outer, "--older-than", "0s", "--state", orders.folder / "other.db").must(0)
    assert (bucket.keys(), bucket.uploads()) == kept
