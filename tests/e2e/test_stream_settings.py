"""What a stream may have of its own: a query, a path, versions, a destination; and the rate of a run."""

import datetime
import json
import shutil
import signal
import sqlite3

import duckdb
import pytest
from oracle import Lake, assert_copied

ROWS = 3_000


def fill(scene, table="orders", rows=ROWS):
    scene.sql(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, day DATE, price REAL, note TEXT)",
              f"INSERT INTO {table} VALUES (?, ?, ?, ?)",
              rows=[(i, f"2024-01-{i % 28 + 1:02}", i / 4, None if i % 5 == 0 else f"note {i}") for i in range(rows)])


def rows_of(lake, manifest):
    files = [str(path) for path in lake.files(manifest)]
    return duckdb.sql(f"SELECT * FROM read_parquet({files}) ORDER BY ALL").fetchall()


# --- sql ---


def test_a_query_arrives_as_its_rows(scene):
    fill(scene)
    query = "SELECT day AS d, min(id) AS first, note IS NULL AS empty -- by day\nFROM orders GROUP BY day, empty"
    path = scene.job({"days": {"sql": query}, "orders": {}}, verify="content")
    scene.run(path).must(0)
    lake = Lake(scene.lake)
    manifest = lake.only("days")
    assert manifest["sql"] == query
    assert manifest["key"] == [] and len(manifest["chunks"]) == 1
    assert [(f["name"], f["type"]) for f in manifest["schema"]] == [
        ("d", "date32[day]"), ("first", "string"), ("empty", "string")]
    with sqlite3.connect(scene.db) as there:
        wanted = sorted((datetime.date.fromisoformat(d), str(first), str(empty))
                        for d, first, empty in there.execute(query))
    assert rows_of(lake, manifest) == wanted
    assert_copied(scene, "orders")
    scene.sluice("verify", path, "--depth", "content", "--state", scene.state).must(0)


def test_a_query_without_rows_gives_one_file_with_the_schema(scene):
    fill(scene, rows=3)
    scene.run(scene.job({"none": {"sql": "SELECT id, note FROM orders WHERE id > 100"}})).must(0)
    lake = Lake(scene.lake)
    manifest = lake.only("none")
    assert len(manifest["objects"]) == 1 and manifest["rows"] == 0
    described = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{lake.files(manifest)[0]}')").fetchall()
    assert [(name, kind) for name, kind, *_ in described] == [("id", "BIGINT"), ("note", "VARCHAR")]


@pytest.mark.parametrize("query,hint", [
    ("SELECT id, id FROM orders", "AS name"),
    ("DELETE FROM orders", "SELECT"),
    ("SELECT datetime('now') AS t", "literal"),
])
def test_a_query_that_will_not_do_says_what_would(scene, query, hint):
    fill(scene, rows=3)
    told = scene.run(scene.job({"q": {"sql": query}})).must(2)
    assert hint in told.said
    Lake(scene.lake).assert_nothing_visible()


def test_a_query_is_resumed_only_as_what_it_was(scene):
    fill(scene)
    path = scene.job({"q": {"sql": "SELECT * FROM orders"}})
    assert scene.run(path, env={"SLUICE_CRASH_AT": "attempt.begun"}).code == -signal.SIGKILL
    scene.sql("ALTER TABLE orders ADD COLUMN more TEXT")
    told = scene.run(path).must(6)
    assert "--restart" in told.said
    scene.run(path, "--restart").must(0)
    assert [f["name"] for f in Lake(scene.lake).only("q")["schema"]][-1] == "more"


# --- path ---


def test_files_lie_where_the_template_says(scene):
    fill(scene)
    path = scene.job({"orders": {"path": "{schema}/{table}/dt={date}/load={load}"}})
    done = scene.run(path, "--json", env={"SLUICE_CHUNK_ROWS": "700"}).must(0)
    load = done.json["loads"][0]
    manifest = Lake(scene.lake).only("orders")
    made = datetime.datetime.fromtimestamp(int(load["load"][:8] + load["load"][9:13], 16) / 1000, datetime.UTC)
    folder = scene.lake / f"main/orders/dt={made:%Y-%m-%d}/load={load['load']}"
    assert load["location"].endswith(str(folder))
    assert sorted(folder.iterdir()) == Lake(scene.lake).parquet() and len(manifest["objects"]) == 5
    by_hive = duckdb.sql(f"SELECT count(*), min(dt) FROM read_parquet('{scene.lake}/main/orders/dt=*/*/*.parquet', "
                         "hive_partitioning = true)").fetchall()
    assert by_hive == [(ROWS, made.date())]
    for verb in (["verify", path, "--depth", "content"], ["status", path], ["gc", path]):
        scene.sluice(*verb, "--state", scene.state).must(0)
    assert len(Lake(scene.lake).parquet()) == 5


def test_an_old_version_goes_from_its_folder_and_a_copy_beside_it_stays(scene):
    fill(scene)
    path = scene.job({"orders": {"path": "{schema}/{table}/{year}/{load}"}})
    scene.run(path).must(0)
    first, = Lake(scene.lake).parquet()
    copy = scene.lake / "main/orders/saved" / first.parent.name
    shutil.copytree(first.parent, copy)
    scene.run(path).must(0)
    scene.sluice("gc", path, "--state", scene.state).must(0)
    assert not first.exists()
    assert (copy / first.name).exists()
    assert Lake(scene.lake).only("orders")["load"] != first.parent.name


def test_what_a_killed_run_left_below_a_template_is_resumed_or_collected(scene):
    fill(scene)
    path = scene.job({"orders": {"path": "{schema}/{table}/{job}/{load}"}})
    cut = {"SLUICE_CHUNK_ROWS": "700", "SLUICE_CRASH_AT": "publish.object:2"}
    assert scene.run(path, env=cut).code == -signal.SIGKILL
    assert Lake(scene.lake).parquet()
    scene.run(path).must(0)
    assert_copied(scene, "orders")
    kept = set(Lake(scene.lake).parquet())
    assert scene.run(path, env=cut).code == -signal.SIGKILL
    load, = {part.parent.name for part in Lake(scene.lake).parquet()} - {part.parent.name for part in kept}
    # Nobody knows the load any more but by the paths of its files.
    scene.sluice("gc", f"file://{scene.lake}", "--state", scene.folder / "other.db", "--older-than", "0s").must(0)
    assert set(Lake(scene.lake).parquet()) == kept
    assert Lake(scene.lake).staged() == []
    assert json.loads((scene.lake / f"main/orders/_sluice/{load}.json").read_text())["outcome"] == "discarded"


def test_a_template_that_loses_loads_is_refused_before_anything_is_written(scene):
    fill(scene, rows=3)
    for wrong in ("{schema}/{table}", "{table}/{load}", "{schema}/{table}/../{load}", "{schema}/{table}/x{load}"):
        scene.run(scene.job({"orders": {"path": wrong}})).must(2)
    assert not scene.lake.exists() or not any(scene.lake.rglob("*.parquet"))


# --- versions, places, rate ---


def test_as_many_versions_stay_as_the_stream_keeps(scene):
    fill(scene, "orders", 10)
    fill(scene, "items", 10)
    path = scene.job({"orders": {"keep_versions": 3}, "items": {}})
    for run in range(1, 6):
        scene.run(path).must(0)
        lake = Lake(scene.lake)
        assert len(lake.current(lake.folder("orders"))) == min(run, 3)
        assert len(lake.current(lake.folder("items"))) == 1
    assert len(lake.parquet()) == 4
    assert len(lake.slots(lake.folder("orders"))) == 5
    scene.run(scene.job({"orders": {"keep_versions": 0}})).must(2)


def test_each_stream_goes_to_its_own_destination(scene):
    fill(scene, "orders", 100)
    fill(scene, "items", 50)
    other = scene.folder / "elsewhere"
    path = scene.job({"orders": {}, "items": {"destination": f"file://{other}"}})
    for _ in range(2):
        done = scene.run(path, "--json").must(0)
    places = {load["stream"]: load["location"] for load in done.json["loads"]}
    assert str(other) in places["items"] and str(scene.lake) in places["orders"]
    assert [folder.name for folder in Lake(scene.lake).tables()] == ["orders"]
    assert [folder.name for folder in Lake(other).tables()] == ["items"]
    assert len(rows_of(Lake(other), Lake(other).only("items"))) == 50
    assert len(Lake(other).parquet()) == 1
    scene.sluice("verify", path, "--depth", "content", "--state", scene.state).must(0)
    scene.sluice("gc", path, "--state", scene.state).must(0)


def test_a_run_keeps_to_its_rate(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, raw BLOB)", "INSERT INTO t VALUES (?, ?)",
              rows=[(i, bytes(1000)) for i in range(3000)])
    quick = scene.run(scene.job({"t": {}})).must(0)
    slow = scene.run(scene.job({"t": {}}, limits={"rate": "1MiB/s"})).must(0)
    # Three megabytes, less the second that is saved up.
    assert 1.5 < slow.seconds - quick.seconds < 6
    assert_copied(scene, "t")
