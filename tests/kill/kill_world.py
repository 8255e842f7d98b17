"""A copy that is killed again and again, what watches the destination meanwhile, and what must be true
in the end: every row once by DuckDB, one current load per table, nothing uncommitted after gc."""

import io
import os
import random
import re
import signal
import threading
import time
from collections import defaultdict
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from oracle import PART, Lake, number
from scene import REPOSITORY, Scene

HEADER = REPOSITORY / "src/base/crash_point.h"


def named_points():
    """The points of the program, from the one place that lists them."""
    text = HEADER.read_text("utf-8").split("define SLUICE_CRASH_POINTS", 1)[1].split("enum class", 1)[0]
    points = re.findall(r'X\(\w+,\s*"([^"]+)"', text)
    assert len(points) >= 10, text
    return points


class Lister:
    """Lists the destination as fast as it can while the program works and dies. Every data file is
    opened at the moment it is seen: it must be whole then, and stay what it is."""

    def __init__(self, root):
        self.root = Path(root)
        self.wrong = []
        self.seen = {}  # path -> (inode, size)
        self.rounds = 0
        self._attempts = defaultdict(set)  # (load folder, chunk, number) -> names
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()
        if error[0] is None:
            self.check()

    def _run(self):
        while not self._stop.is_set():
            try:
                self._walk(self.root, False)
            except Exception as error:  # a lister that died saw nothing: that is a failure too
                self.wrong.append(f"the lister itself failed: {error!r}")
                return
            self.rounds += 1
            time.sleep(0.002)

    def _walk(self, folder, control):
        try:
            entries = list(os.scandir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                self._walk(entry.path, control or entry.name == "_sluice")
            elif entry.name.endswith(".parquet"):
                self._look(entry, control)
            elif not control:
                self.wrong.append(f"{entry.path}: not a data file, and outside of _sluice")

    def _look(self, entry, control):
        path = entry.path
        if control:
            self.wrong.append(f"{path}: a data file's name within _sluice")
        known = self.seen.get(path)
        try:
            info = entry.stat()
            if known == (info.st_ino, info.st_size):
                return
            if known is not None:
                self.wrong.append(f"{path}: was (inode, size) {known}, is {(info.st_ino, info.st_size)}")
            with open(path, "rb") as file:
                info = os.fstat(file.fileno())
                data = file.read()
        except FileNotFoundError:
            return  # dropped since it was listed
        self.seen[path] = (info.st_ino, info.st_size)
        if len(data) != info.st_size or data[:4] != b"PAR1" or data[-4:] != b"PAR1":
            self.wrong.append(f"{path}: partial, {len(data)} of {info.st_size} bytes, "
                              f"{data[:4]!r} … {data[-4:]!r}")
            return
        try:
            pq.read_metadata(io.BytesIO(data))
        except Exception as error:
            self.wrong.append(f"{path}: unreadable when it was first seen: {error}")
        part = PART.search(path)
        if not part:
            self.wrong.append(f"{path}: not a name of a chunk's file")
            return
        names = self._attempts[os.path.dirname(path), part.group(1), part.group(2)]
        names.add(os.path.basename(path))
        if len(names) > 1:
            self.wrong.append(f"two objects for one part of a chunk: {sorted(names)} in {os.path.dirname(path)}")

    def check(self):
        assert self.wrong == [], "the lister saw:\n" + "\n".join(self.wrong[:10])
        assert self.rounds > 0
        # Of a committed load nothing was ever seen but what its manifest names.
        lake = Lake(self.root)
        for folder in lake.tables():
            for load, slot in lake.slots(folder).items():
                if slot["outcome"] != "committed":
                    continue
                named = {str(self.root / each["path"]): number(each["size"]) for each in slot["objects"]}
                for path, (_, size) in self.seen.items():
                    if path.startswith(f"{folder}/{load}/"):
                        assert named.get(path) == size, f"{path} of {size} bytes is not in the manifest"


class KillWorld(Scene):
    """Tables of several chunks each, and their rows as DuckDB must find them."""

    def __init__(self, folder, tables=2, rows=25_000, width=110, seed=1):
        super().__init__(folder)
        self.connections = 2
        self.tables = [f"t{i}" for i in range(tables)]
        self.expected = {}
        self._reader = duckdb.connect(config={"threads": 2})
        randbytes = random.Random(seed).randbytes
        for table in self.tables:
            data = [(i * 2, f"word {i % 97}", i / 3, randbytes(width)) for i in range(rows)]
            self.sql(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, word TEXT, amount REAL, raw BLOB)",
                     f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows=data)
            self.expect(table, data)

    def expect(self, table, data):
        columns = dict(zip(("id", "word", "amount", "raw"), zip(*data)))
        self._reader.register(f"expected_{table}", pa.table(columns))
        self.expected[table] = self._digest(f"expected_{table}", [])

    def _digest(self, rows, parameters):
        """Of a multiset of rows, by DuckDB."""
        return self._reader.execute(
            f"SELECT count(*), sum(hash(r)::HUGEINT), bit_xor(hash(r)) FROM {rows} r", parameters).fetchone()

    def copy_args(self, *args):
        return super().copy_args("--file-size", "1MiB", "--connections", self.connections, *args)

    def killed(self, point, *args):
        done = self.copy(*args, env={"SLUICE_CRASH_AT": point})
        assert done.code == -signal.SIGKILL, f"never passed {point}\n{done}"
        return done

    def converge(self, *args):
        """The very next start finishes, whatever the last one left."""
        return self.copy(*args).must(0)

    def assert_rows_once(self):
        lake = Lake(self.lake)
        for table, expected in self.expected.items():
            manifest = lake.only(table)
            files = [str(path) for path in lake.files(manifest)]
            found = "read_parquet(?, hive_partitioning=false)"
            digest = self._digest(found, [files])
            if digest != expected:
                query = (f"SELECT (SELECT count(*) FROM (FROM {found} EXCEPT ALL FROM expected_{table})), "
                         f"(SELECT count(*) FROM (FROM expected_{table} EXCEPT ALL FROM {found}))")
                counts = self._reader.execute(query, [files] * 2).fetchone()
                raise AssertionError(f"{table}: {digest[0]} rows, wanted {expected[0]}; (too many, missing) = {counts}")
            on_disk = sorted((lake.folder(table) / manifest["load"]).iterdir())
            assert on_disk == sorted(lake.files(manifest)), "files of the load that no manifest names"

    def assert_converged(self):
        self.gc().must(0)
        lake = Lake(self.lake)
        lake.assert_nothing_left()
        self.assert_rows_once()
        for folder in lake.tables():
            slots = lake.slots(folder).values()
            assert {slot["outcome"] for slot in slots} <= {"committed", "discarded"}
