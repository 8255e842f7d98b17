"""copy: tables of every shape arrive as they are. What arrived is judged by oracle.py alone."""

import datetime
import json
import math
import random

import pyarrow.parquet as pq
import pytest
from oracle import Lake, assert_copied, read_by_duckdb, read_by_pyarrow

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1


def test_values_at_the_edges_of_their_types_arrive_unchanged(scene):
    ints = [0, 1, -1, INT64_MIN, INT64_MAX, *[s * (1 << n) + d for n in (7, 8, 15, 16, 31, 32, 53, 62)
                                              for s in (1, -1) for d in (-1, 0, 1)]]
    floats = [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, math.inf,
              -math.inf, 0.1, 1e22, 9007199254740993.0, 1 / 3]
    texts = ["", " ", "a\0b", "\0", "line\nbreak\r\n\t", "ü", "🎈" * 50, "e\u0301", "\u202e", "\ufeff", "\uffff",
             "\U0010ffff", "NULL", "'; DROP TABLE t; --", "x" * 100_000]
    blobs = [b"", b"\0", bytes(range(256)), b"PAR1", random.Random(3).randbytes(70_000)]
    rows = [(number % 50 if number % 9 else None, ints[number % len(ints)], floats[number % len(floats)],
             texts[number % len(texts)], blobs[number % len(blobs)]) for number in range(400)]
    scene.sql("CREATE TABLE t (n TINYINT, i BIGINT UNSIGNED, f DOUBLE PRECISION, s VARCHAR(10), b BLOB)",
              "INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows=rows)
    scene.copy().must(0)
    assert_copied(scene, "t")


def test_dates_times_booleans_and_numbers_without_a_type(scene):
    scene.sql(
        "CREATE TABLE t (b BOOLEAN, d DATE, at DATETIME, stamp TIMESTAMP, n NUMERIC, m DECIMAL(10,2), x)",
        "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)",
        rows=[(0, "1970-01-01", "1970-01-01 00:00:00", "2038-01-19 03:14:08", 1, "1.50x", 12),
              (1, "9999-12-31", "9999-12-31 23:59:59.999999", "2000-02-29T12:30:00", 0.1, 2.25, "text"),
              (None, None, None, None, None, None, None),
              (1, "0001-01-01", "1900-02-28 00:00:00.1", "1969-12-31 23:59:59.999999", INT64_MAX, INT64_MIN, -0.0),
              (0, "2024-02-29", "2024-12-31 23:59:59.123", "2024-03-31 02:30:00", 1e300, 5e-324, "")])
    scene.copy().must(0)
    assert_copied(scene, "t")


def test_a_table_without_rows_gives_one_file_with_the_schema(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, amount REAL, raw BLOB, day DATE)")
    scene.copy().must(0)
    manifest = assert_copied(scene, "t")
    assert len(manifest["objects"]) == 1
    assert manifest["rows"] == 0


def test_a_predicate_without_rows_gives_one_file_with_the_schema(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO t VALUES (1, 'a')")
    scene.copy("--table", "t", "--where", "id > 100").must(0)
    assert len(assert_copied(scene, "t", where="id > 100")["objects"]) == 1


def test_a_database_without_tables_says_so_and_writes_nothing(scene):
    scene.sql("CREATE TABLE t (a)", "DROP TABLE t")
    done = scene.copy()
    assert done.code in (0, 2), done
    assert "table" in done.said
    Lake(scene.lake).assert_nothing_visible()


def test_two_thousand_columns_arrive_in_their_order(scene):
    names = [f"c{i}" for i in range(2000)]
    scene.sql(f"CREATE TABLE wide ({', '.join(f'{n} INT' for n in names)})",
              f"INSERT INTO wide VALUES ({', '.join('?' * 2000)})",
              rows=[[None if (r + c) % 7 == 0 else r * 2000 + c for c in range(2000)] for r in range(30)])
    scene.copy().must(0)
    assert_copied(scene, "wide")


NAMES = ["plain", "with space", 'quo"te', "apos'trophe", "back`tick", "[brackets]", "semi;colon", "a.b", "a..b",
         ".hidden", "_underscore", "per%cent", "slash/es", "back\\slash", "new\nline", "tab\tstop", "emoji 🎈",
         "Ä", "ä", "select", "table", "order", "--comment", "/*", "?", "*", "a=b", "a:b", "a|b", "<a>", "~", "#",
         "{load}", "-flag", "ñ" * 150, "n" * 300, "main", "日本語", "e\u0301", "%2F", "..", "."]


def test_tables_with_any_name_arrive_each_in_a_folder_of_its_own(scene):
    for number, name in enumerate(NAMES):
        quoted = name.replace('"', '""')
        scene.sql(f'CREATE TABLE "{quoted}" (id INTEGER PRIMARY KEY, v INT)',
                  f'INSERT INTO "{quoted}" VALUES ({number}, {number * 7})')
    done = scene.copy("--json").must(0)
    for name in NAMES:
        assert assert_copied(scene, name)["rows"] == 1
    lake = Lake(scene.lake)
    assert len(lake.tables()) == len(NAMES) == len(done.json["loads"])
    # Nothing escaped the destination.
    assert {path.name for path in scene.folder.iterdir()} >= {"lake", "source.db"}
    assert all(path.resolve().is_relative_to(scene.lake.resolve()) for path in lake.parquet())


@pytest.mark.parametrize("name", ["a.b", 'quo"te', "new\nline", "select", "-flag", "emoji 🎈", "*", "a*"])
def test_one_table_with_an_odd_name_is_found_by_exactly_that_name(scene, name):
    quoted = name.replace('"', '""')
    scene.sql(f'CREATE TABLE "{quoted}" (a INT)', f'INSERT INTO "{quoted}" VALUES (1)',
              "CREATE TABLE abc (a INT)", "INSERT INTO abc VALUES (2)")
    scene.copy(f"--table={name}").must(0)
    assert_copied(scene, name)
    assert len(Lake(scene.lake).tables()) == 1


def test_a_table_may_be_named_with_its_schema(scene):
    scene.sql("CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
    scene.copy("--table", "main.t").must(0)
    assert_copied(scene, "t")


def test_columns_with_any_name_arrive_under_that_name(scene):
    names = [name for name in NAMES if name]
    columns = ", ".join('"' + name.replace('"', '""') + '" INT' for name in names)
    scene.sql(f"CREATE TABLE t ({columns})",
              f"INSERT INTO t VALUES ({', '.join(str(i) for i in range(len(names)))})")
    scene.copy().must(0)
    assert_copied(scene, "t")


def test_generated_columns_arrive_with_their_values(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, twice INT AS (a * 2) VIRTUAL, "
              "word TEXT GENERATED ALWAYS AS ('w' || a) STORED)",
              "INSERT INTO t (a) VALUES (?)", rows=[(i,) for i in range(100)])
    scene.copy().must(0)
    manifest = assert_copied(scene, "t")
    assert [field["name"] for field in manifest["schema"]] == ["id", "a", "twice", "word"]


def test_strict_tables_keep_their_types(scene):
    scene.sql("CREATE TABLE t (i INT, r REAL, s TEXT, b BLOB) STRICT",
              "INSERT INTO t VALUES (1, 2, 'x', x'00ff'), (NULL, NULL, NULL, NULL), (-5, -0.5, '', x'')")
    scene.copy().must(0)
    assert_copied(scene, "t")


def test_views_are_copied_when_named_and_not_otherwise(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)",
              "CREATE VIEW doubled AS SELECT id, v, id * 2 AS twice FROM t WHERE id > 1")
    scene.copy().must(0)
    lake = Lake(scene.lake)
    assert [folder.name for folder in lake.tables()] == ["t"]
    scene.copy("--table", "doubled").must(0)
    manifest = lake.only("doubled")
    lake.check_load(manifest)
    rows = sorted(tuple(map(int, row)) for row in read_by_duckdb(lake.files(manifest)))
    assert rows == [(2, 20, 4), (3, 30, 6)]
    assert manifest["key"] == []


def test_columns_are_copied_in_the_order_they_are_asked_for(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b REAL, c BLOB)",
              "INSERT INTO t VALUES (1, 'x', 1.5, x'01'), (2, 'y', 2.5, x'02')")
    scene.run(scene.job({"t": {"columns": ["b", "id"]}})).must(0)
    assert_copied(scene, "t", columns="b, id")


def test_columns_without_the_key_lose_no_row(scene):
    randbytes = random.Random(5).randbytes
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, raw BLOB)", "INSERT INTO t VALUES (?, ?, ?)",
              rows=[(i, f"{i % 10}", randbytes(500)) for i in range(9000)])
    scene.run(scene.job({"t": {"columns": ["a", "raw"]}}), "--file-size", "1MiB").must(0)
    assert_copied(scene, "t", columns="a, raw")


def test_where_picks_rows_whatever_its_operators(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, s TEXT)", "INSERT INTO t VALUES (?, ?, ?)",
              rows=[(i, i % 10, f"s{i % 3}") for i in range(5000)])
    where = "a < 2 OR s = 's1' -- or anything"
    done = scene.copy("--table", "t", "--where", where)
    if done.code == 0:
        assert_copied(scene, "t", where="a < 2 OR s = 's1'")
    else:
        done.must(2)
    scene.copy("--table", "t", "--where", "a < 2 OR s = 's1'", "--restart").must(0)
    manifest = assert_copied(scene, "t", where="a < 2 OR s = 's1'")
    assert manifest["predicate"] == "a < 2 OR s = 's1'"


@pytest.mark.parametrize("where", ["id > date('now')", "random() > 0", "id = 1; DROP TABLE t", "id = 1) OR (1 = 1",
                                   "nothing_like_it = 1", "id >", "s > datetime()", "s < CURRENT_TIMESTAMP",
                                   "s > strftime('%s', 'now')"])
def test_a_where_that_is_wrong_or_not_repeatable_is_refused(scene, where):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    done = scene.copy("--table", "t", "--where", where).must(2)
    assert len(done.err.strip()) > 10
    Lake(scene.lake).assert_nothing_visible()
    assert scene.connect().execute("SELECT count(*) FROM t").fetchone() == (2,)


BAD_VALUES = "INSERT INTO t VALUES (1, 10), (2, 'not a number'), (3, 1.5), (4, NULL), (5, x'00')"


def test_a_value_that_does_not_fit_is_an_error_naming_table_key_and_column(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, amount INT)", BAD_VALUES)
    done = scene.copy().must(1)
    for word in ("t", "amount", "2", "on-type-mismatch"):
        assert word in done.err
    assert "HINT" in done.err
    Lake(scene.lake).assert_nothing_visible()


def test_a_value_that_does_not_fit_becomes_null_and_is_counted(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, amount INT)", BAD_VALUES)
    scene.copy("--on-type-mismatch", "null").must(0)
    manifest = Lake(scene.lake).only("t")
    assert sorted(read_by_duckdb(Lake(scene.lake).files(manifest))) == [
        (1, 10), (2, None), (3, None), (4, None), (5, None)]
    assert manifest["coerced"] == {"amount": 3}


def test_a_column_with_values_that_do_not_fit_becomes_text_in_every_file(scene):
    randbytes = random.Random(11).randbytes
    rows = [(i, i, randbytes(400)) for i in range(9000)] + [(9000, "not a number", b""), (9001, 1.5, b"")]
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, amount INT, raw BLOB)", "INSERT INTO t VALUES (?, ?, ?)",
              rows=rows)
    scene.copy("--on-type-mismatch", "string", "--file-size", "1MiB").must(0)
    manifest = assert_copied(scene, "t", kinds={"amount": "any"})
    assert len(manifest["objects"]) > 1


def test_a_column_whose_values_all_fit_keeps_its_type_under_any_policy(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, amount INT)", "INSERT INTO t VALUES (1, 1), (2, NULL)")
    for policy in ("error", "null", "string"):
        scene.copy("--on-type-mismatch", policy).must(0)
        assert_copied(scene, "t")


def test_a_second_full_load_replaces_the_first(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    scene.copy().must(0)
    first = assert_copied(scene, "t")
    scene.sql("DELETE FROM t WHERE id = 1", "INSERT INTO t VALUES (3, 3)")
    scene.copy().must(0)
    second = assert_copied(scene, "t")
    lake = Lake(scene.lake)
    assert second["replaces"] == [first["load"]]
    assert not any(path.exists() for path in lake.files(first))
    assert lake.slots(lake.folder("t"))[first["load"]] == first, "a slot is never rewritten"
    assert lake.dropped(lake.folder("t")) == {first["load"]}


def test_compressions_are_as_asked(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)", "INSERT INTO t VALUES (?, ?)",
              rows=[(i, "same words " * 10) for i in range(5000)])
    for wanted, found in (("zstd", "ZSTD"), ("zstd:9", "ZSTD"), ("snappy", "SNAPPY"), ("none", "UNCOMPRESSED")):
        scene.copy("--compression", wanted).must(0)
        manifest = assert_copied(scene, "t")
        group = pq.read_metadata(Lake(scene.lake).files(manifest)[0]).row_group(0)
        assert {group.column(i).compression for i in range(2)} == {found}


def test_a_wal_database_with_an_open_writer_gives_what_is_committed(scene):
    scene.sql("PRAGMA journal_mode=WAL", "CREATE TABLE t (id INTEGER PRIMARY KEY, v INT)",
              "INSERT INTO t VALUES (1, 1), (2, 2)")
    writer = scene.connect()
    writer.execute("INSERT INTO t VALUES (3, 3)")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t SELECT id + 10, v FROM t")
    scene.copy().must(0)
    assert assert_copied(scene, "t")["rows"] == 3
    writer.execute("COMMIT")
    writer.close()
    scene.copy().must(0)
    assert assert_copied(scene, "t")["rows"] == 6


def test_a_rollback_journal_database_with_an_open_writer_gives_what_is_committed(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    writer = scene.connect()
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (3, 3)")
    scene.copy().must(0)
    assert assert_copied(scene, "t")["rows"] == 2
    writer.close()


def test_the_source_is_not_changed_by_a_copy(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1)")
    before = scene.db.read_bytes()
    scene.copy().must(0)
    assert scene.db.read_bytes() == before
    assert not list(scene.folder.glob("source.db-*"))


def test_the_database_may_be_in_another_encoding(scene):
    scene.sql("PRAGMA encoding = 'UTF-16le'", "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)",
              "INSERT INTO t VALUES (1, 'grün 🎈'), (2, '')")
    scene.copy().must(0)
    assert_copied(scene, "t")


@pytest.mark.parametrize("source, destination", [
    ("sqlite:source.db", "file:lake"), ("source.db", "lake"), ("./source.db", "./lake")])
def test_relative_and_bare_paths_begin_where_the_user_stands(scene, source, destination):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    scene.sluice("copy", source, destination, "--state", scene.state).must(0)
    assert_copied(scene, "t")


def test_the_manifest_says_what_was_done(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE)", "INSERT INTO t VALUES (1, '2024-05-01')")
    before = datetime.datetime.now(datetime.timezone.utc)
    done = scene.copy("--json", "--verify", "content").must(0)
    manifest = assert_copied(scene, "t")
    load = done.json["loads"][0]
    assert (load["load"], load["stream"], load["phase"]) == (manifest["load"], manifest["stream"], "cleaned")
    assert (load["rows"], load["files"], load["bytes"]) == (1, 1, manifest["bytes"])
    assert done.json["run"] == manifest["run"]
    for name in ("sluice_manifest", "outcome", "load", "job", "run", "stream", "mode", "schema", "types", "key",
                 "sql", "consistency", "chunks", "objects", "predicate", "clock", "coerced", "rows", "bytes",
                 "replaces", "timings", "version"):
        assert name in manifest, name
    assert manifest["mode"] == "full" and manifest["types"] == 1
    assert manifest["consistency"]["kind"] == "snapshot" and manifest["consistency"]["positions"]
    chunk = manifest["chunks"][0]
    assert chunk["digest_kind"] == "client" and chunk["digest"]
    milliseconds = int(manifest["load"].replace("-", "")[:12], 16)
    assert abs(milliseconds / 1000 - before.timestamp()) < 60, "a load's id sorts by time"
    assert json.dumps(manifest).count(str(scene.folder / "home")) == 0


def test_a_large_text_and_many_rows_agree_between_readers(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)", "INSERT INTO t VALUES (?, ?)",
              rows=[(i, "ä" * (i * 37 % 5000)) for i in range(3000)])
    scene.copy("--file-size", "1MiB").must(0)
    manifest = assert_copied(scene, "t")
    files = Lake(scene.lake).files(manifest)
    assert sorted(read_by_duckdb(files)) == sorted(read_by_pyarrow(files))
