"""Bad databases and bad values: the right exit code, a message with the place, a hint where there is an
act to advise, and nothing visible at the destination."""

import os
import random
import signal
import sqlite3
import time

import pytest
from oracle import Lake, assert_copied, read_by_duckdb
from scene import Lock


def refused(done, code, *words, hint=True):
    """What a user sees: the code, the place, what to do."""
    done.must(code)
    for word in words:
        assert str(word) in done.err, f"the message does not say {word!r}\n{done}"
    if hint:
        assert "HINT" in done.err, f"no hint\n{done}"
    assert "error:" not in done.out, f"an error on stdout\n{done}"
    return done


def nothing_visible(scene):
    Lake(scene.lake).assert_nothing_visible()


def small(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')")


def large(scene, *pragmas, table="t", rows=40_000):
    randbytes = random.Random(8).randbytes
    scene.sql(*pragmas, f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, word TEXT, raw BLOB)",
              f"INSERT INTO {table} VALUES (?, ?, ?)",
              rows=[(i, f"word {i}", randbytes(100)) for i in range(rows)])


# --- the file ---


def test_no_such_file(scene):
    refused(scene.copy(), 2, scene.db)
    nothing_visible(scene)
    assert not scene.lake.exists(), "a wrong source makes no folder"
    assert not scene.state.exists(), "nor a state"


def test_no_such_folder(scene):
    refused(scene.sluice("copy", "sqlite:///no/where/a.db", f"file://{scene.lake}", "--state", scene.state),
            2, "/no/where/a.db")


@pytest.mark.parametrize("content", [b"id,name\n1,a\n" * 1000, b"SQLite format 2\0" + bytes(5000), bytes(8192)],
                         ids=["csv", "almost", "zeros"])
def test_not_a_database(scene, content):
    scene.db.write_bytes(content)
    refused(scene.copy(), 2, scene.db)
    nothing_visible(scene)


@pytest.mark.parametrize("content", [b"", b"x"], ids=["nothing", "one byte"])
def test_an_empty_file_is_to_sqlite_a_database_without_tables(scene, content):
    scene.db.write_bytes(content)
    refused(scene.copy(), 2, scene.db, "table", hint=False)
    nothing_visible(scene)


def test_a_folder_in_the_place_of_a_database(scene):
    scene.db.mkdir()
    refused(scene.copy(), 2, scene.db, hint=False)


def test_a_locked_database_is_waited_for_and_its_holder_named(scene):
    small(scene)
    with Lock(scene.db) as lock:
        done = refused(scene.copy(), 5, scene.db, "locked", lock.pid)
    assert 3 < done.seconds < 20, done
    nothing_visible(scene)
    scene.copy().must(0)
    assert_copied(scene, "t")


def test_a_database_that_is_locked_for_a_moment_is_copied(scene):
    small(scene)
    with Lock(scene.db, seconds=1.5):
        scene.copy().must(0)
    assert_copied(scene, "t")


@pytest.mark.parametrize("garbage", [b"\0" * 4096, b"\xff" * 4096, random.Random(1).randbytes(4096)],
                         ids=["zeros", "ones", "noise"])
def test_a_corrupt_page_in_mid_read(scene, garbage):
    large(scene, "PRAGMA page_size=4096")
    with scene.db.open("r+b") as file:
        file.seek(scene.db.stat().st_size // 4096 // 2 * 4096)
        file.write(garbage)
    refused(scene.copy("--file-size", "1MiB"), 6, scene.db, "corrupt", "t")
    nothing_visible(scene)


def test_a_truncated_database(scene):
    large(scene, "PRAGMA page_size=4096")
    with scene.db.open("r+b") as file:
        file.truncate(scene.db.stat().st_size // 2 // 4096 * 4096)
    refused(scene.copy("--file-size", "1MiB"), 6, scene.db, "corrupt")
    nothing_visible(scene)


def test_a_corrupt_schema(scene):
    large(scene, rows=10)
    with sqlite3.connect(scene.db) as connection:
        connection.execute("PRAGMA writable_schema=1")
        connection.execute("UPDATE sqlite_schema SET sql = 'CREATE TABLE t (((' WHERE name = 't'")
    refused(scene.copy(), 6, scene.db)
    nothing_visible(scene)


@pytest.mark.parametrize("suffix", ["", "-journal", "-wal"])
@pytest.mark.parametrize("verb", ["copy", "discover", "plan", "check"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(scene, verb, suffix):
    if suffix:
        small(scene)
    os.mkfifo(f"{scene.db}{suffix}")
    lake = [] if verb == "discover" else [scene.lake]
    refused(scene.sluice(verb, scene.db, *lake, timeout=20), 2, "regular file", hint=False)


def test_a_pipe_in_the_place_of_the_state_or_the_job_file_is_not_waited_for(scene):
    small(scene)
    pipe = scene.folder / "pipe"
    os.mkfifo(pipe)
    for args in (["status", "--state", pipe], ["run", pipe], ["gc", pipe],
                 ["copy", scene.db, scene.lake, "--state", pipe]):
        assert scene.sluice(*args, timeout=20).code == 2, args


# --- the table ---


@pytest.mark.parametrize("name, nearest", [("orderz", "orders"), ("Orders ", "orders"), ("", None), ("nope", None)])
def test_no_such_table(scene, name, nearest):
    large(scene, table="orders", rows=3)
    done = refused(scene.copy(f"--table={name}"), 2, name, hint=nearest is not None)
    assert nearest is None or nearest in done.err
    nothing_visible(scene)


def test_no_such_column(scene):
    small(scene)
    refused(scene.run(scene.job({"t": {"columns": ["id", "vv"]}})), 2, "vv", "v")
    nothing_visible(scene)


ALTERATIONS = {
    "dropped": "DROP TABLE t",
    "a column more": "ALTER TABLE t ADD COLUMN more INT",
    "a column less": "ALTER TABLE t DROP COLUMN word",
    "a column renamed": "ALTER TABLE t RENAME COLUMN word TO verb",
}


def cut(scene, *args):
    done = scene.copy("--table", "t", "--file-size", "1MiB", "--connections", "1", *args,
                      env={"SLUICE_CRASH_AT": "staged.recorded:2"})
    assert done.code == -signal.SIGKILL, done


@pytest.mark.parametrize("change", ALTERATIONS)
def test_a_table_that_changed_between_a_kill_and_its_resume(scene, change):
    large(scene)
    cut(scene)
    scene.sql(ALTERATIONS[change])
    refused(scene.copy("--table", "t", "--file-size", "1MiB"), 6, "t")
    nothing_visible(scene)
    if change != "dropped":
        scene.copy("--table", "t", "--file-size", "1MiB", "--restart").must(0)
        assert_copied(scene, "t")


def test_a_table_dropped_and_made_again_with_other_types(scene):
    large(scene)
    cut(scene)
    scene.sql("DROP TABLE t", "CREATE TABLE t (id INTEGER PRIMARY KEY, word INT, raw BLOB)")
    refused(scene.copy("--table", "t", "--file-size", "1MiB"), 6, "t")
    nothing_visible(scene)


def test_columns_that_are_swapped_between_two_chunks_stop_the_run(scene):
    """Each chunk has the right names, and every value of one of them is in the wrong column."""
    scene.sql("PRAGMA journal_mode=WAL", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT)",
              "INSERT INTO t VALUES (?, ?, ?)", rows=[(i, f"a {i}", f"b {i}") for i in range(3000)])
    run = scene.start_copy("--table", "t", "--consistency", "per-chunk", "--connections", "1",
                           env={"SLUICE_STOP_AT": "staged.recorded:3", "SLUICE_CHUNK_ROWS": "500"})
    run.wait_until_stopped()
    scene.sql("ALTER TABLE t RENAME COLUMN a TO c", "ALTER TABLE t RENAME COLUMN b TO a",
              "ALTER TABLE t RENAME COLUMN c TO b")
    run.send(signal.SIGCONT)
    refused(run.wait(), 6, "t")
    nothing_visible(scene)


@pytest.mark.parametrize("consistency", ["snapshot", "per-chunk"])
@pytest.mark.parametrize("change", ["dropped", "a column renamed"])
def test_a_table_that_changes_while_it_is_read(scene, change, consistency):
    """Under one snapshot the old rows arrive whole; chunk by chunk the run stops. Never half."""
    large(scene, "PRAGMA journal_mode=WAL")
    scene.sql("CREATE TABLE kept AS SELECT * FROM t")
    run = scene.start_copy("--table", "t", "--file-size", "1MiB", "--connections", "1", "--consistency", consistency,
                           env={"SLUICE_STOP_AT": "staged.recorded:2"}).wait_until_stopped()
    scene.sql(ALTERATIONS[change])
    run.send(signal.SIGCONT)
    done = run.wait()
    if done.code == 0:
        lake = Lake(scene.lake)
        manifest = lake.only("t")
        lake.check_load(manifest)
        kept = scene.connect().execute("SELECT * FROM kept ORDER BY id").fetchall()
        assert sorted(read_by_duckdb(lake.files(manifest))) == kept
    else:
        refused(done, 6, "t", hint=False)
        nothing_visible(scene)
    assert consistency == "snapshot" or done.code == 6


# --- the values ---


def test_a_blob_of_50_mb_is_copied(scene):
    blob = random.Random(9).randbytes(50_000_000)
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)", "INSERT INTO t VALUES (?, ?)",
              rows=[(1, b"before"), (2, blob), (3, b"after")])
    scene.copy().must(0)
    manifest = assert_copied(scene, "t")
    assert dict(read_by_duckdb(Lake(scene.lake).files(manifest)))[2] == blob


BIG = 500_000_000


@pytest.mark.big
@pytest.mark.parametrize("table, key", [
    ("t (id INTEGER PRIMARY KEY, name TEXT, picture BLOB)", "42"),
    ("t (id TEXT NOT NULL PRIMARY KEY, name TEXT, picture BLOB)", "'42'"),
    ("t (id INT, name TEXT, picture BLOB)", "42")], ids=["integer key", "text key", "no key"])
def test_a_blob_of_500_mb_is_refused_before_it_is_read(scene, table, key):
    scene.sql(f"CREATE TABLE {table}", f"INSERT INTO t VALUES ({key}, 'x', zeroblob({BIG}))")
    run = scene.start_copy().measure_memory()
    done = refused(run.wait(), 8, "t", "picture", "--memory")
    assert ("rowid" if table.startswith("t (id INT,") else "42") in done.err, done
    assert "500" in done.err or "476" in done.err or str(BIG) in done.err, f"the size is not named\n{done}"
    assert run.peak_bytes < 300 << 20, f"{run.peak_bytes >> 20} MiB"
    nothing_visible(scene)


@pytest.mark.big
def test_the_memory_that_is_advised_for_a_large_row_suffices(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)", "INSERT INTO t VALUES (1, zeroblob(90000000))")
    done = refused(scene.copy(), 8, "--memory")
    advised = done.err.split("--memory", 1)[1].split()[0].strip("=.,;:'`\"")
    scene.copy("--memory", advised).must(0)
    assert_copied(scene, "t")


@pytest.mark.big
def test_a_large_row_of_a_table_without_rowid_is_refused_too(scene):
    scene.sql("CREATE TABLE t (id TEXT PRIMARY KEY, b BLOB) WITHOUT ROWID",
              "INSERT INTO t VALUES ('a', x'00'), ('b', zeroblob(150000000))")
    refused(scene.copy(), 8, "t", "--memory")
    nothing_visible(scene)


@pytest.mark.big
def test_a_row_that_is_large_only_in_sum_is_refused_too(scene):
    columns = [f"b{i}" for i in range(10)]
    scene.sql(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {' BLOB, '.join(columns)} BLOB)",
              f"INSERT INTO t VALUES (1, {', '.join(['zeroblob(10000000)'] * 10)})")
    refused(scene.copy(), 8, "t", "--memory")
    nothing_visible(scene)


def test_invalid_utf8_in_a_text_column(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)",
              "INSERT INTO t VALUES (1, 'fine'), (7, CAST(x'61ff62' AS TEXT)), (8, CAST(x'c3' AS TEXT)), "
              "(9, CAST(x'eda080' AS TEXT))")
    refused(scene.copy(), 1, "t", "s", "7", "UTF-8")
    nothing_visible(scene)
    scene.copy("--on-type-mismatch", "null", "--restart").must(0)
    lake = Lake(scene.lake)
    manifest = lake.only("t")
    assert sorted(read_by_duckdb(lake.files(manifest))) == [(1, "fine"), (7, None), (8, None), (9, None)]
    assert manifest["coerced"] == {"s": 3}


@pytest.mark.parametrize("declared, value, found", [
    ("INTEGER", "'12abc'", "TEXT"), ("INT", "9223372036854775808", "REAL"), ("INT", "1.5", "REAL"),
    ("INT", "x'01'", "BLOB"), ("INT", "9e999", "REAL"), ("REAL", "'much'", "TEXT"), ("BOOLEAN", "2", "INTEGER"),
    ("DATE", "'2024-02-30'", "TEXT"), ("DATE", "20240101", "INTEGER"), ("DATE", "'yesterday'", "TEXT"),
    ("TIMESTAMP", "'2024-01-01 25:00:00'", "TEXT"), ("DATETIME", "1714560000", "INTEGER"),
    ("TEXT", "x'414243'", "BLOB"), ("BLOB", "'text'", "TEXT"), ("BLOB", "5", "INTEGER")])
def test_a_value_that_does_not_fit_its_column(scene, declared, value, found):
    """The message says what kind of value it was; texts and bytes stay out of it."""
    scene.sql(f"CREATE TABLE t (id INTEGER PRIMARY KEY, value_here {declared})",
              f"INSERT INTO t VALUES (1, NULL), (4711, {value})")
    done = refused(scene.copy(), 1, "t", "value_here", "4711")
    assert found in done.err
    assert not any(word in done.err for word in ("12abc", "much", "yesterday", "ABC"))
    nothing_visible(scene)


def test_a_value_that_does_not_fit_in_a_table_without_a_key(scene):
    scene.sql("CREATE TABLE t (amount INT)", "INSERT INTO t VALUES (1), ('none')")
    refused(scene.copy(), 1, "t", "amount")
    nothing_visible(scene)


def test_infinities_arrive_and_nan_is_what_sqlite_makes_of_it(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, f REAL)", "INSERT INTO t VALUES (?, ?)",
              rows=[(1, float("inf")), (2, float("-inf")), (3, float("nan")), (4, -0.0)])
    scene.copy().must(0)
    assert_copied(scene, "t")


# --- the command ---


@pytest.mark.parametrize("args, words", [
    (["cpoy", "a", "b"], ["cpoy", "copy"]), (["verfiy"], ["verify"]), (["frobnicate"], ["frobnicate"])])
def test_an_unknown_verb(scene, args, words):
    done = scene.sluice(*args).must(2)
    assert all(word in done.err for word in words), done


@pytest.mark.parametrize("flag, nearest", [("--tabel", "--table"), ("--fiel-size", "--file-size"),
                                           ("--jason", "--json"), ("--nothing-like-it", None)])
def test_an_unknown_flag(scene, flag, nearest):
    small(scene)
    done = scene.copy(flag, "x").must(2)
    assert flag in done.err and (nearest is None or nearest in done.err.replace(flag, "")), done
    nothing_visible(scene)


@pytest.mark.parametrize("args", [[], ["copy"], ["copy", "a.db"], ["run"], ["verify"], ["copy", "a", "b", "c"]])
def test_a_missing_or_superfluous_argument(scene, args):
    done = scene.sluice(*args).must(2)
    assert len(done.err.strip()) > 10


@pytest.mark.parametrize("flags", [
    ["--memory", "1MiB"], ["--memory", "lots"], ["--file-size", "10"], ["--connections", "0"],
    ["--connections", "many"], ["--compression", "zip"], ["--compression", "zstd:99"], ["--verify", "hope"],
    ["--consistency", "eventual"], ["--on-type-mismatch", "guess"]])
def test_a_setting_out_of_bounds(scene, flags):
    small(scene)
    done = scene.copy(*flags).must(2)
    assert flags[1].split(":")[-1] in done.err, done
    nothing_visible(scene)


@pytest.mark.parametrize("uri", ["oracle://h/d", "sqlit:///x.db", "sqlite://host/x.db", "", "sqlite:///x.db?mode=rw"])
def test_a_source_of_an_unknown_kind(scene, uri):
    done = scene.sluice("copy", uri, f"file://{scene.lake}", "--state", scene.state).must(2)
    assert len(done.err.strip()) > 10


@pytest.mark.parametrize("uri", ["s4://bucket/x", "ftp://x/y", "file://host/dir"])
def test_a_destination_of_an_unknown_kind(scene, uri):
    small(scene)
    done = scene.sluice("copy", f"sqlite://{scene.db}", uri, "--state", scene.state).must(2)
    assert uri.split(":")[0] in done.err


@pytest.mark.parametrize("uri", ["sqlite://bob:hunter2@host/x.db", "sqlite://bob:hunter2@host"])
def test_a_user_of_a_file_is_refused_and_the_password_not_repeated(scene, uri):
    for args in (["copy", uri, f"file://{scene.lake}"], ["discover", uri],
                 ["copy", f"sqlite://{scene.db}", uri.replace("sqlite", "file")]):
        done = refused(scene.sluice(*args), 2, "user")
        assert "hunter2" not in done.said, done


def test_control_characters_of_a_name_do_not_reach_the_terminal(scene):
    scene.sql('CREATE TABLE "a\x1b[2J\x07b" (id INTEGER PRIMARY KEY)')
    for args in (scene.copy_args(), ["discover", scene.db], ["plan", scene.db, scene.lake]):
        done = scene.sluice(*args).must(0)
        assert "\x1b" not in done.said and "\x07" not in done.said, done


def test_a_where_that_is_not_utf8_is_refused(scene):
    small(scene)
    refused(scene.copy("--table", "t", "--where", os.fsdecode(b"v = '\xff'")), 2, "UTF-8", hint=False)
    nothing_visible(scene)


def test_a_table_whose_name_is_not_utf8_is_refused_by_name(scene):
    small(scene)
    with scene.connect() as connection:
        connection.execute("PRAGMA writable_schema=1")
        connection.execute("INSERT INTO sqlite_schema VALUES ('table', CAST(x'61ff' AS TEXT), CAST(x'61ff' AS TEXT), "
                           "(SELECT max(rootpage) FROM sqlite_schema), CAST(x'435245415445205441424c45202261ff222028"
                           "7820494e5429' AS TEXT))")
    done = scene.copy()
    refused(done, 2, "UTF-8", "ALTER TABLE")


def test_an_unknown_crash_point_is_refused(scene):
    small(scene)
    done = scene.copy(env={"SLUICE_CRASH_AT": "no.such.point"}).must(2)
    assert "no.such.point" in done.err
    nothing_visible(scene)


def test_json_says_the_same_as_the_message(scene):
    scene.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    done = scene.copy("--table", "orderz", "--json").must(2)
    error = done.json["error"]
    assert done.json["exit_code"] == 2 and done.json["command"] == "copy"
    assert "orderz" in error["message"] and "orders" in error["hint"] and "." in error["id"]


def test_time_is_not_lost_on_bad_input(scene):
    started = time.monotonic()
    scene.copy().must(2)
    assert time.monotonic() - started < 5
