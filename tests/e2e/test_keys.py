"""Every kind of key cuts a table into chunks that are disjoint and cover it; where there is no key
that may be trusted, the table is one chunk and nothing is lost all the same."""

import random

import pytest
from oracle import assert_copied

ROWS = 32_000  # a chunk has ten thousand rows at least
NOISE = 80  # bytes a row that do not compress


def noise(seed=1):
    return random.Random(seed).randbytes


def spread(i):
    """Dense around zero, then nothing, then dense near the end of the integers."""
    return i if i % 2 else (1 << 62) + i


def letters(i):
    """Distinct without regard to case, ordered otherwise with it."""
    word = f"key-{i:06d}-of-Somebody"
    return "".join(each.upper() if (i >> at % 13) & 1 else each for at, each in enumerate(word))


def of_any_class(i):
    return (i - ROWS // 2, i + 0.25, f"text {i}", f"{i}x")[i % 4]


# name -> (columns, table constraints, key columns, values of row i, the key that is used, if it must be)
KEYS = {
    "integer primary key": ("k INTEGER PRIMARY KEY", "", ["k"], lambda i: [i + 1], ["k"]),
    "negative and sparse": ("k INTEGER PRIMARY KEY", "", ["k"],
                            lambda i: [(i - ROWS // 2) * 1_000_003_777], ["k"]),
    "two clusters far apart": ("k INTEGER PRIMARY KEY", "", ["k"], lambda i: [spread(i)], ["k"]),
    "both ends of the integers": ("k INTEGER PRIMARY KEY", "", ["k"],
                                  lambda i: [{0: -(1 << 63), 1: (1 << 63) - 1}.get(i, i)], ["k"]),
    "composite": ("a INT NOT NULL, b TEXT NOT NULL", "PRIMARY KEY (a, b)", ["a", "b"],
                  lambda i: [i // 15000, f"b{i % 15000}"], ["a", "b"]),
    "composite, one part descending": ("a TEXT, b INT, c INT", "PRIMARY KEY (a, b DESC, c)) WITHOUT ROWID --",
                                       ["a", "b", "c"],
                                       lambda i: [f"a{i % 3}", i // 100, -i], None),
    "composite whose parts repeat": ("a INT NOT NULL, b INT NOT NULL", "PRIMARY KEY (b, a)", ["a", "b"],
                                     lambda i: [i, i % 2], ["b", "a"]),
    "text without regard to case": ("k TEXT COLLATE NOCASE NOT NULL PRIMARY KEY", "", ["k"],
                                    lambda i: [letters(i)], ["k"]),
    "text, trailing spaces ignored": ("k TEXT COLLATE RTRIM NOT NULL PRIMARY KEY", "", ["k"],
                                      lambda i: [f"{i % 100}" + " " * (i % 3) + f".{i}" + " " * (i % 4)], ["k"]),
    "text without rowid": ("k TEXT PRIMARY KEY", ") WITHOUT ROWID --", ["k"],
                           lambda i: [f"{i * 7919 % ROWS:05d}-ключ-🔑"], ["k"]),
    "bytes": ("k BLOB NOT NULL PRIMARY KEY", "", ["k"],
              lambda i: [(i * 7919 % ROWS).to_bytes(3, "big") + b"\x00\xff"], ["k"]),
    "unique, not null": ("k TEXT NOT NULL UNIQUE", "", ["k"], lambda i: [f"u{i}"], ["k"]),
    "dates": ("k DATE NOT NULL PRIMARY KEY", "", ["k"],
              lambda i: [f"{1700 + i // 336:04d}-{i // 28 % 12 + 1:02d}-{i % 28 + 1:02d}"], ["k"]),
    "every storage class": ("k NOT NULL PRIMARY KEY", ") WITHOUT ROWID --", ["k"],
                            lambda i: [of_any_class(i)], None),
}

NO_KEYS = {
    "nullable primary key": ("k TEXT PRIMARY KEY", "", ["k"], lambda i: [None if i % 3 == 0 else f"k{i}"]),
    "INTEGER PRIMARY KEY DESC, which is no rowid": ("k INTEGER PRIMARY KEY DESC", "", ["k"],
                                                    lambda i: [None if i % 5 == 0 else i]),
    "composite, one part nullable": ("a INT NOT NULL, b INT", "PRIMARY KEY (a, b)", ["a", "b"],
                                     lambda i: [i, None if i % 2 else i]),
    "unique, nullable": ("k INT UNIQUE", "", ["k"], lambda i: [None if i % 4 else i]),
    "unique only in part": ("k INT NOT NULL", "", ["k"], lambda i: [i % 10]),
    "real": ("k REAL NOT NULL PRIMARY KEY", "", ["k"], lambda i: [i * 0.1]),
    "no key, rows that repeat": ("k TEXT", "", ["k"], lambda i: [f"{i % 3}"]),
}


def fill(scene, columns, constraints, names, values):
    """The payload's first four rows repeat, so that keyless rows are true duplicates."""
    randbytes = noise()
    payloads = [randbytes(NOISE) for _ in range(ROWS)]
    payloads[3] = payloads[0]
    tail = f", {constraints}" if constraints and not constraints.startswith(")") else constraints
    scene.sql(f"CREATE TABLE t ({columns}, payload BLOB {tail})",
              f"INSERT INTO t ({', '.join(names)}, payload) VALUES ({', '.join('?' * len(names))}, ?)",
              rows=[(*values(i), payloads[i]) for i in range(ROWS)])


@pytest.mark.parametrize("kind", KEYS)
def test_every_row_arrives_once_in_many_chunks(scene, kind):
    columns, constraints, names, values, key = KEYS[kind]
    fill(scene, columns, constraints, names, values)
    scene.copy("--file-size", "1MiB").must(0)
    manifest = assert_copied(scene, "t")
    if key is not None:
        assert manifest["key"] == key
    if manifest["key"]:
        assert len(manifest["chunks"]) >= 3, "wanted several chunks"


@pytest.mark.parametrize("kind", NO_KEYS)
def test_without_a_key_that_may_be_trusted_the_whole_table_is_one_chunk(scene, kind):
    fill(scene, *NO_KEYS[kind])
    if "only in part" in kind:
        scene.sql("CREATE UNIQUE INDEX part ON t (k, payload) WHERE k < 3")
    scene.copy("--file-size", "1MiB").must(0)
    manifest = assert_copied(scene, "t")
    assert manifest["key"] == []
    assert len(manifest["chunks"]) == 1
    assert manifest["chunks"][0]["upto"] is None
    assert len(manifest["objects"]) >= 2, "wanted several files of one chunk"


def test_a_unique_index_with_a_predicate_is_no_key(scene):
    scene.sql("CREATE TABLE t (k INT NOT NULL, v INT)", "CREATE UNIQUE INDEX u ON t (k) WHERE v = 1",
              "INSERT INTO t VALUES (1, 1), (1, 2), (1, 3), (2, 1), (2, 5)")
    scene.copy().must(0)
    assert assert_copied(scene, "t")["key"] == []


def test_a_unique_index_on_an_expression_is_no_key(scene):
    scene.sql("CREATE TABLE t (k TEXT NOT NULL, v INT)", "CREATE UNIQUE INDEX u ON t (lower(k) || v)",
              "INSERT INTO t VALUES ('a', 1), ('a', 2), ('A', 3), ('b', 1)")
    scene.copy().must(0)
    assert assert_copied(scene, "t")["key"] == []


def test_an_index_in_another_collation_than_its_column_loses_no_row(scene):
    rows = [(letters(i), noise(i)(NOISE)) for i in range(ROWS)]
    scene.sql("CREATE TABLE t (k TEXT NOT NULL, payload BLOB)", "CREATE UNIQUE INDEX u ON t (k COLLATE NOCASE)",
              "INSERT INTO t VALUES (?, ?)", rows=rows)
    scene.copy("--file-size", "1MiB").must(0)
    assert_copied(scene, "t")


def test_a_hundred_thousand_rows_arrive_in_many_chunks_by_several_sessions(scene):
    randbytes = noise(7)
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, amount REAL, payload BLOB)",
              "INSERT INTO t VALUES (?, ?, ?, ?)",
              rows=[(i * 3, f"word {i % 977}", i / 7, randbytes(100)) for i in range(120_000)])
    done = scene.copy("--file-size", "1MiB", "--connections", "4", "--json").must(0)
    manifest = assert_copied(scene, "t")
    assert len(manifest["chunks"]) >= 5
    assert max(int(each["size"]) for each in manifest["objects"]) <= 1 << 20
    assert done.json["loads"][0]["rows"] == 120_000


def test_a_key_column_holding_a_value_that_does_not_fit_is_an_error_that_names_it(scene):
    scene.sql("CREATE TABLE t (k INT NOT NULL PRIMARY KEY, v TEXT)",
              "INSERT INTO t VALUES (1, 'a'), ('no number', 'b')")
    done = scene.copy().must(1)
    for word in ("t", "k", "no number"):
        assert word in done.said
    done = scene.copy("--restart", "--on-type-mismatch", "string").must(0)
    assert_copied(scene, "t", kinds={"k": "any"})
