"""The tables that are copied, made once and kept: lineitem of TPC-H, byte for byte the same everywhere."""
import fcntl
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

ROWS = 2_000_000
BIG_FACTOR = 10
# A little more than ROWS lines; the first ROWS of them are taken.
SCALE_FACTOR = "0.34"

COLUMNS = """\
  l_orderkey BIGINT NOT NULL, l_partkey INTEGER NOT NULL, l_suppkey INTEGER NOT NULL,
  l_linenumber INTEGER NOT NULL, l_quantity DECIMAL(12,2) NOT NULL,
  l_extendedprice DECIMAL(12,2) NOT NULL, l_discount DECIMAL(12,2) NOT NULL,
  l_tax DECIMAL(12,2) NOT NULL, l_returnflag CHAR(1) NOT NULL, l_linestatus CHAR(1) NOT NULL,
  l_shipdate DATE NOT NULL, l_commitdate DATE NOT NULL, l_receiptdate DATE NOT NULL,
  l_shipinstruct CHAR(25) NOT NULL, l_shipmode CHAR(10) NOT NULL, l_comment VARCHAR(44) NOT NULL"""
KEYED = f"CREATE TABLE lineitem (\n{COLUMNS},\n  PRIMARY KEY (l_orderkey, l_linenumber))"
KEYLESS = f"CREATE TABLE lineitem (\n{COLUMNS})"

# What a copy must have too. Any row lost, doubled or exchanged shows in one of them.
SUMS = ("count(*), sum(l_orderkey), sum(l_orderkey * l_linenumber), sum(l_partkey), "
        "sum(length(l_comment))")


class Table:
    def __init__(self, path, sums):
        self.path = path
        self.sums = sums


class Tables:
    """What lies in `folder`; a file that is there is whole, because it is renamed into place."""

    def __init__(self, folder, sources):
        self._folder = folder
        self._sources = sources
        folder.mkdir(parents=True, exist_ok=True)

    def keyed(self):
        return self._table(f"lineitem-{ROWS}", ROWS, self._generate)

    def keyless(self):
        source = self.keyed().path

        def fill(database):
            database.execute(KEYLESS)
            database.execute("ATTACH ? AS source", (str(source),))
            database.execute("INSERT INTO lineitem SELECT * FROM source.lineitem "
                             "ORDER BY l_orderkey, l_linenumber")

        return self._table(f"lineitem-{ROWS}-keyless", ROWS, fill)

    def big(self):
        source = self.keyed().path

        def fill(database):
            database.execute(KEYED)
            database.execute("ATTACH ? AS source", (str(source),))
            (last,) = database.execute("SELECT max(l_orderkey) FROM source.lineitem").fetchone()
            names = [row[1] for row in database.execute("PRAGMA source.table_info(lineitem)")]
            rest = ", ".join(names[1:])
            for at in range(BIG_FACTOR):
                database.execute(f"INSERT INTO lineitem SELECT l_orderkey + ?, {rest} "
                                 "FROM source.lineitem ORDER BY l_orderkey, l_linenumber",
                                 (at * last,))

        return self._table(f"lineitem-{ROWS * BIG_FACTOR}", ROWS * BIG_FACTOR, fill)

    def drain(self):
        return self._compiled("drain", ["-lsqlite3"])

    def drain_mysql(self):
        flags = subprocess.run(["mariadb_config", "--include", "--libs"], check=True, stdout=subprocess.PIPE,
                               text=True).stdout.split()
        return self._compiled("drain_mysql", [*flags, "-pthread"])

    def _compiled(self, name, flags):
        """A bare drain, compiled again when its source is newer."""
        program, source = self._folder / name, self._sources / f"{name}.cc"
        with self._locked():
            if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
                fresh = self._folder / f"{name}.tmp"
                subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-O2", source, *flags, "-o", fresh],
                               check=True)
                fresh.rename(program)
        return program

    @staticmethod
    def _generate(database):
        database.execute(KEYED)
        generator = subprocess.Popen(
            [Path(sys.executable).parent / "tpchgen-cli", "-s", SCALE_FACTOR, "-T", "lineitem", "--stdout"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        with generator:
            lines = (line.rstrip("|\n").split("|") for _, line in zip(range(ROWS), generator.stdout))
            database.executemany(f"INSERT INTO lineitem VALUES ({', '.join('?' * 16)})", lines)
            generator.kill()

    def _table(self, name, rows, fill):
        path, note = self._folder / f"{name}.db", self._folder / f"{name}.json"
        with self._locked():
            if not (path.exists() and note.exists()):
                fresh = self._folder / f"{name}.tmp"
                fresh.unlink(missing_ok=True)
                with closing(sqlite3.connect(fresh)) as database:
                    database.execute("PRAGMA journal_mode = OFF")
                    database.execute("PRAGMA synchronous = OFF")
                    fill(database)
                    database.commit()
                    sums = database.execute(f"SELECT {SUMS} FROM lineitem").fetchone()
                if sums[0] != rows:
                    sys.exit(f"bench: wanted a table of {rows} rows, made one of {sums[0]}: {fresh}")
                note.write_text(json.dumps(sums))
                fresh.rename(path)
        return Table(path, json.loads(note.read_text()))

    @contextmanager
    def _locked(self):
        with open(self._folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
