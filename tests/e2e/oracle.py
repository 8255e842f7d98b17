"""What a reader finds at a destination, without the program: slots are read as JSON, files by DuckDB
and by pyarrow, the source by Python's sqlite3. A reader follows the slots only:

    current = committed - replaced - dropped

and one stream of one job has exactly one current load."""

import datetime
import hashlib
import json
import re
import sqlite3
import struct
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

PART = re.compile(r"part-(\d{6,})-(\d{3,})(\.[0-9A-Za-z_-]+)?\.parquet$")
# Beyond this a checksum in Python takes too long; sizes are always compared.
CHECKSUM_BYTES_MAX = 1 << 20
ROWS_TWICE_MAX = 20_000


# --- names and sums, from the documentation, not from the program ---


def path_segment(name):
    """A table's name as a folder."""
    if not name:
        return "%"
    segment, cut = "", ""
    for at, letter in enumerate(name):
        if ord(letter) > 0x7F:
            segment += letter
        elif ord(letter) <= 0x20 or ord(letter) == 0x7F or letter in '%/\\=:*?"<>|~' or (
                at == 0 and letter in "_."):
            segment += f"%{ord(letter):02X}"
        else:
            segment += letter
        if len(segment.encode()) <= 200 - 17:
            cut = segment
    if len(segment.encode()) <= 200:
        return segment
    return cut + "~" + hashlib.sha256(name.encode()).hexdigest()[:16]


def _crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283


def number(value):
    """Integers beyond 2^53 are strings in JSON."""
    return int(value)


# --- the destination ---


class Lake:
    def __init__(self, root):
        self.root = Path(root)

    def folder(self, table, schema="main"):
        return self.root / path_segment(schema) / path_segment(table)

    def tables(self):
        return sorted(path.parent for path in self.root.glob("*/*/_sluice"))

    def slots(self, folder):
        """load -> what its slot says."""
        return {path.stem: json.loads(path.read_text("utf-8"))
                for path in (folder / "_sluice").glob("*.json")
                if not path.name.endswith(".dropped.json")}

    def dropped(self, folder):
        return {path.name.removesuffix(".dropped.json")
                for path in (folder / "_sluice").glob("*.dropped.json")}

    def current(self, folder, job=None):
        """The loads a reader takes, as manifests."""
        committed = {load: slot for load, slot in self.slots(folder).items()
                     if slot["outcome"] == "committed"}
        replaced = {load for slot in committed.values() for load in slot["replaces"]}
        taken = committed.keys() - replaced - self.dropped(folder)
        return [committed[load] for load in sorted(taken)
                if job is None or committed[load]["job"] == job]

    def only(self, table, job=None, schema="main"):
        """The manifest of the one current load of a table."""
        folder = self.folder(table, schema)
        current = self.current(folder, job)
        assert len(current) == 1, (
            f"{table}: wanted one current load, found {[m['load'] for m in current]} in {folder}")
        return current[0]

    def files(self, manifest):
        return [self.root / each["path"] for each in manifest["objects"]]

    def parquet(self):
        return sorted(self.root.rglob("*.parquet"))

    def staged(self):
        return sorted(path for path in self.root.glob("*/*/_sluice/staging/**/*") if path.is_file())

    def undecided(self):
        """Load folders, and staging folders that hold something, without a slot."""
        found = []
        for folder in self.tables():
            slots = self.slots(folder)
            for place in (folder, folder / "_sluice" / "staging"):
                if place.is_dir():
                    found += [each for each in place.iterdir()
                              if each.is_dir() and each.name != "_sluice" and each.name not in slots
                              and any(each.rglob("*"))]
        return found

    def assert_nothing_visible(self):
        """As if the failed run had never been: no data file, no committed slot."""
        assert self.parquet() == []
        for folder in self.tables():
            for load, slot in self.slots(folder).items():
                assert slot["outcome"] != "committed", f"{load} of {folder} is committed"

    def assert_nothing_left(self):
        """After gc: no staged file, nothing that no slot decides, no data but of committed loads."""
        assert self.staged() == []
        assert self.undecided() == []
        for folder in self.tables():
            slots, dropped = self.slots(folder), self.dropped(folder)
            for path in folder.glob("*/*"):
                if path.parent.name == "_sluice":
                    continue
                load = path.parent.name
                assert slots[load]["outcome"] == "committed" and load not in dropped, path

    def check_load(self, manifest):
        """The manifest against the bytes: exactly these files, each as it says."""
        folder = self.folder_of(manifest)
        listed = self.files(manifest)
        found = sorted(path for path in (folder / manifest["load"]).rglob("*") if path.is_file())
        assert sorted(listed) == found, "the manifest's files are not the folder's files"
        assert len(listed) == len(set(listed)) > 0
        schemas = set()
        for entry, path in zip(manifest["objects"], listed):
            size, rows = number(entry["size"]), number(entry["rows"])
            assert path.stat().st_size == size, path
            if size <= CHECKSUM_BYTES_MAX:
                assert crc32c(path.read_bytes()) == number(entry["crc32c"]), path
            footer = pq.read_metadata(path)
            assert footer.num_rows == rows, path
            assert manifest["load"].encode() in b"\n".join(footer.metadata.values()), (
                f"{path}: the file does not say which load it is of: {footer.metadata}")
            schemas.add(str(pq.read_schema(path).remove_metadata()))
        assert len(schemas) == 1, f"files of one load differ in schema: {schemas}"
        assert sum(number(entry["rows"]) for entry in manifest["objects"]) == number(manifest["rows"])
        assert sum(number(entry["size"]) for entry in manifest["objects"]) == number(manifest["bytes"])
        self._check_chunks(manifest, listed)

    def folder_of(self, manifest):
        """Of the table: the files' grandfather."""
        folders = {path.parent.parent for path in self.files(manifest)}
        assert len(folders) == 1, folders
        return folders.pop()

    @staticmethod
    def _check_chunks(manifest, listed):
        """Dense ordinals; bounds that meet, so that they are disjoint and cover everything."""
        chunks = manifest["chunks"]
        assert [number(chunk["ordinal"]) for chunk in chunks] == list(range(1, len(chunks) + 1))
        assert chunks[0]["after"] is None
        for before, after in zip(chunks, chunks[1:]):
            assert before["upto"] is not None and before["upto"] == after["after"]
        assert sum(number(chunk["rows"]) for chunk in chunks) == number(manifest["rows"])
        named = Counter(int(PART.search(path.name).group(1)) for path in listed)
        assert set(named) == {number(chunk["ordinal"]) for chunk in chunks}


# --- values ---


def kind_of(declared):
    """What a declaration in SQLite means, by types: 1."""
    word = (declared or "").upper()
    for kind, marks in (("int", ("INT",)), ("text", ("CHAR", "CLOB", "TEXT")), ("bytes", ("BLOB",)),
                        ("float", ("REAL", "FLOA", "DOUB")), ("bool", ("BOOL",)),
                        ("timestamp", ("DATETIME", "TIMESTAMP")), ("date", ("DATE",))):
        if any(mark in word for mark in marks):
            return kind
    return "any"


ARROW = {"int": pa.int64(), "float": pa.float64(), "text": pa.string(), "bytes": pa.binary(),
         "bool": pa.bool_(), "timestamp": pa.timestamp("us"), "date": pa.date32(), "any": pa.string()}
REAL_TEXT = re.compile(r"[+-]?(\d+\.\d*|\d*\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?$|[+-]?(inf|nan)", re.I)


def bits(value):
    return struct.pack(">d", value).hex()


def expected(kind, value):
    """A stored value as (type, value), as it should arrive in a column of this kind."""
    if value is None:
        return None
    if kind == "bool":
        return ("bool", bool(value))
    if kind == "date":
        return ("date", datetime.date.fromisoformat(value))
    if kind == "timestamp":
        return ("datetime", datetime.datetime.fromisoformat(value.replace("Z", "")))
    if kind == "any" and isinstance(value, int):
        return ("str", str(value))
    if kind == "any" and isinstance(value, float):
        return ("real", bits(value))
    return arrived(kind, value)


def arrived(kind, value):
    """A value a reader delivers, as (type, value)."""
    if value is None:
        return None
    if isinstance(value, float):
        return ("float", bits(value))
    if kind == "any" and isinstance(value, str) and REAL_TEXT.match(value):
        return ("real", bits(float(value)))
    return (type(value).__name__, value)


def stored_rows(db, table, columns="*", where="1", kinds=None):
    """Rows of SQLite as they should arrive; kinds: column -> kind, where a policy changed it."""
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    quoted = '"' + table.replace('"', '""') + '"'
    cursor = connection.execute(f"SELECT {columns} FROM {quoted} WHERE {where}")
    names = [each[0] for each in cursor.description]
    declared = {row[1]: kind_of(row[2]) for row in connection.execute(f"PRAGMA table_xinfo({quoted})")}
    declared.update(kinds or {})
    of_column = [declared[name] for name in names]
    rows = Counter(tuple(map(expected, of_column, row)) for row in cursor)
    connection.close()
    return names, of_column, rows


def read_by_duckdb(files):
    connection = duckdb.connect(config={"threads": 2})
    return connection.execute("SELECT * FROM read_parquet(?, hive_partitioning=false)",
                              [[str(path) for path in files]]).fetchall()


def read_by_pyarrow(files):
    rows = []
    for path in files:
        table = pq.ParquetFile(path).read()
        rows += zip(*(column.to_pylist() for column in table.columns))
    return rows


def assert_same(found, wanted, by):
    if found == wanted:
        return
    missing, extra = wanted - found, found - wanted
    raise AssertionError(
        f"by {by}: {sum(missing.values())} rows missing, {sum(extra.values())} too many\n"
        f"missing: {list(missing.items())[:3]}\ntoo many: {list(extra.items())[:3]}")


def assert_copied(scene, table, columns="*", where="1", kinds=None, job=None):
    """The table arrived: same rows, same types, once, by every reader. Returns the manifest."""
    lake = Lake(scene.lake)
    manifest = lake.only(table, job)
    lake.check_load(manifest)
    names, of_column, wanted = stored_rows(scene.db, table, columns, where, kinds)
    files = lake.files(manifest)
    schema = pq.read_schema(files[0])
    assert schema.names == names
    for name, kind, arrow_type in zip(names, of_column, schema.types):
        assert arrow_type == ARROW[kind], f"{name}: wanted {ARROW[kind]}, found {arrow_type}"
    readers = [("DuckDB", read_by_duckdb)]
    if number(manifest["rows"]) <= ROWS_TWICE_MAX:
        readers.append(("pyarrow", read_by_pyarrow))
    for by, read in readers:
        found = Counter(tuple(map(arrived, of_column, row)) for row in read(files))
        assert_same(found, wanted, by)
    assert number(manifest["rows"]) == sum(wanted.values())
    return manifest
