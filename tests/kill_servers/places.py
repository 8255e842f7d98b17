"""Where a copy goes, as others see it: a folder, or a bucket that is fetched into one. Both are judged by
the same reader (oracle.Lake) and watched by a lister."""

import threading
import time
import uuid
from pathlib import Path

from bucket import KEYS, PART, Bucket
from kill_world import Lister
from oracle import Lake

PROBES = "_sluice/probe/"


class Folder:
    """A folder of the test's own."""

    environment = {}
    raced = False  # creating a name is atomic

    def __init__(self, folder):
        self.root = Path(folder) / "lake"

    def uri(self):
        return f"file://{self.root}"

    def lake(self):
        return Lake(self.root)

    def names(self):
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())

    def lister(self):
        return Lister(self.root)

    def assert_nothing_left(self):
        self.lake().assert_nothing_left()


class InBucket:
    """A prefix of the test's own in a bucket of the server `kind`."""

    environment = KEYS

    def __init__(self, folder, kind):
        self.bucket, self._folder = Bucket.of(kind), Path(folder)
        self.raced = kind == "versitygw"

    def uri(self, **more):
        return self.bucket.uri(**more)

    def lake(self):
        """Every object, fetched by a plain GET."""
        root = self._folder / uuid.uuid4().hex
        root.mkdir()
        for key in self.bucket.keys():
            name = key.removeprefix(self.bucket.prefix + "/")
            # What a killed probe left, a later one removes after an hour: docs/s3.md.
            if name.startswith(PROBES):
                continue
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.bucket.request("GET", key))
        return Lake(root)

    def names(self):
        """Objects, and what is staged."""
        return [key for key in self.bucket.keys() if PROBES not in key] + self.uploads()

    def lister(self):
        return BucketLister(self)

    def uploads(self):
        """What is staged, outside of probes."""
        return [key for key in self.bucket.uploads() if PROBES not in key]

    def assert_nothing_left(self):
        self.lake().assert_nothing_left()
        assert self.uploads() == [], "uploads that nobody will complete"


def place(kind, folder):
    return Folder(folder) if kind == "disk" else InBucket(folder, kind)


class BucketLister:
    """Lists the prefix while the program works and dies. A data object must be whole when it is first
    seen and stay what it is; of one part of a chunk there is one, where names are created atomically."""

    def __init__(self, where):
        self._where, self._bucket = where, where.bucket
        self.wrong, self.seen, self.rounds = [], {}, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()
        if error[0] is None:
            assert self.wrong == [], "the lister saw:\n" + "\n".join(self.wrong[:10])
            assert self.rounds > 0

    def _run(self):
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                for each in self._bucket.objects():
                    self._look(each["Key"], (each["ETag"], each["Size"]))
            except Exception as error:  # a lister that died saw nothing: that is a failure too
                self.wrong.append(f"the lister itself failed: {error!r}")
                return
            self.rounds += 1
            # A server of one thread has others to serve.
            self._stop.wait(4 * (time.monotonic() - begun))

    def _look(self, key, mark):
        if self.seen.get(key, mark) != mark:
            self.wrong.append(f"{key}: was {self.seen[key]}, is {mark}")
        if key in self.seen or not key.endswith(".parquet"):
            return
        self.seen[key] = mark
        data = self._bucket.request("GET", key, wanted=(200, 404))
        part = PART.search(key)
        if "/_sluice/" in key or not part:
            self.wrong.append(f"{key}: not a data file's place or name")
            return
        dropped = b"<Code>NoSuchKey" in data
        if not dropped and (len(data) != int(mark[1]) or data[:4] != b"PAR1" or data[-4:] != b"PAR1"):
            self.wrong.append(f"{key}: partial, {len(data)} of {mark[1]} bytes")
        twins = [other for other in self.seen if other != key and other.startswith(key[:part.end(2)])]
        if twins and not self._where.raced:
            self.wrong.append(f"two objects for one part of a chunk: {key} and {twins}")
