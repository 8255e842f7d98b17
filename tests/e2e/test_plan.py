"""plan and check of a SQLite file: what is read how, what it comes to, what a run would stumble over."""

import signal


TABLES = ["CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
          "CREATE TABLE orders (a INT NOT NULL, b TEXT NOT NULL, total INT, PRIMARY KEY (a, b))",
          "CREATE TABLE log (line TEXT)",
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
          "INSERT INTO orders SELECT i, 'b', i FROM n",
          "INSERT INTO customers SELECT a, b FROM orders", "INSERT INTO log VALUES ('x')", "ANALYZE"]


def plan(scene, *args, code=0):
    done = scene.sluice("plan", f"sqlite://{scene.db}", f"file://{scene.lake}", "--state", scene.state, "--json", *args)
    found = done.must(code).json
    return {each["stream"]: each for each in found["streams"]}


def plan_text(scene, *args):
    return scene.sluice("plan", f"sqlite://{scene.db}", f"file://{scene.lake}", "--state", scene.state, *args).must(0).out


def test_the_index_is_the_one_that_sqlite_explains(scene):
    scene.sql(*TABLES)
    streams = plan(scene)
    assert streams["customers"]["read"] == {"access": "SEARCH", "index": "INTEGER PRIMARY KEY", "rows_examined": 300}
    assert streams["orders"]["read"]["access"] == "SEARCH"
    assert streams["orders"]["read"]["index"] == "sqlite_autoindex_orders_1"
    assert streams["log"]["read"]["access"] == "SCAN"
    assert all(each["warnings"] == [] for each in streams.values())


def test_a_where_that_makes_it_read_everything_is_a_warning(scene):
    scene.sql(*TABLES)
    warning, = plan(scene, "--table", "orders", "--where", "total = 7")["orders"]["warnings"]
    assert "where" in warning and "all rows are read" in warning
    assert plan_text(scene, "--table", "orders", "--where", "total = 7").endswith(
        "1 stream: 1 new load; 1 warning\n")


def test_what_was_never_run_has_no_time_and_what_was_run_has_its_own(scene):
    scene.sql(*TABLES)
    before = plan(scene)["orders"]["forecast"]
    assert before["basis"] == "statistics" and before["rows"] == 300
    assert before["seconds"] is None and before["files"] is None
    assert "files and time unknown" in plan_text(scene)
    scene.copy().must(0)
    after = plan(scene)["orders"]["forecast"]
    assert after["basis"] == "last load" and after["rows"] == 300 and after["files"] == 1
    assert after["seconds"] > 0 and after["file_bytes"] > 0
    other = plan(scene, "--table", "orders", "--where", "total = 7")["orders"]["forecast"]
    assert other["basis"] == "unknown" and other["rows"] is None


def test_the_last_line_counts_what_would_happen(scene):
    scene.sql(*TABLES)
    assert plan_text(scene).endswith("3 streams: 3 new loads; 0 warnings\n")
    done = scene.copy("--connections", "1", env={"SLUICE_CRASH_AT": "publish.frozen"})
    assert done.code == -signal.SIGKILL, done
    assert plan_text(scene, "--connections", "1").endswith("3 streams: 2 new loads, 1 resumes; 0 warnings\n")


GOLDEN = """\
orders
  next  a new load
  rows  about 300 rows, 7.3 KiB in the source, by its statistics; files and time unknown
  key   a, b
  read  SEARCH by sqlite_autoindex_orders_1, about 300 rows examined
    a      INT   -> int64 not null   key
    b      TEXT  -> string not null  key
    total  INT   -> int64

in all about 300 rows, time unknown
1 stream: 1 new load; 0 warnings
"""


def test_the_text_of_a_stream(scene):
    scene.sql(*TABLES)
    text = plan_text(scene, "--table", "orders")
    assert "one snapshot: read transactions of one state of the file" in text
    assert text.endswith(GOLDEN), text


def test_policies_and_coercions_are_marked_at_their_column(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, day DATE)", "INSERT INTO t VALUES (1, 'no date')")
    stream = plan(scene, "--table", "t", "--on-type-mismatch", "string")["t"]
    assert stream["policies"] == ["on_type_mismatch: string"]
    notes = {column["name"]: column["notes"] for column in stream["columns"]}
    assert notes["id"] == [] and "text" in notes["day"]


def test_check_says_what_the_disk_and_the_file_are(scene):
    scene.sql("PRAGMA journal_mode=WAL", *TABLES)
    done = scene.sluice("check", f"sqlite://{scene.db}", f"file://{scene.lake}", "--state", scene.state, "--json").must(0)
    source, destination, state = done.json["checks"]
    assert [each["what"] for each in (source, destination, state)] == ["source", "destination", "state"]
    seen = {each["name"]: each for each in source["findings"] + destination["findings"]}
    assert seen["journal_mode"]["detail"].startswith("wal")
    assert {"consistency", "filesystem", "free space", "permissions"} <= set(seen)
    assert seen["permissions"]["level"] == "ok"
    text = scene.sluice("check", f"file://{scene.lake}").must(0).out
    assert text.splitlines()[-1].startswith("0 failed, ")


def test_a_disk_in_memory_and_almost_full_is_a_warning(scene, small_disk):
    disk = small_disk("small")
    done = scene.sluice("check", f"file://{disk.path}", "--json").must(0)
    item, = done.json["checks"]
    levels = {each["name"]: each["level"] for each in item["findings"]}
    assert levels["free space"] == "warning"
    assert item["level"] == "warning" and item["ok"]
