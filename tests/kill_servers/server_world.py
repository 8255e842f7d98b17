"""A copy from a server, with writers at work, that is killed again and again; and what must be true in
the end. Judged by the writers' ledger and by DuckDB over the files that the slots name."""

import re
import signal

import duckdb
from places import place
from scene import REPOSITORY, Scene
from writers import CLOCK, COLUMNS, TABLES, Writers

SERVERS = ("mysql", "mariadb")
PLACES = ("disk", "moto", "versitygw")
CHUNK_ROWS = 400


def rows_in(files):
    """As text, sorted."""
    connection = duckdb.connect(config={"threads": 1})
    return connection.execute(
        f"SELECT {', '.join(f'CAST({name} AS VARCHAR)' for name in COLUMNS)} "
        "FROM read_parquet(?, hive_partitioning=false) ORDER BY l_orderkey, l_linenumber",
        [[str(path) for path in files]]).fetchall()


def listed_ids():
    """Error id -> its exit codes, from the documentation."""
    page = (REPOSITORY / "docs/errors.md").read_text()
    sections = re.findall(r"^### ([\w.-]+)\n\nExit ([\d, ]+)\.", page, re.M)
    assert len(sections) > 100, "docs/errors.md looks otherwise now"
    return {name: {int(code) for code in codes.split(",")} for name, codes in sections}


def typed(done):
    """It failed, with an error of a kind: a listed id that goes with the exit code."""
    ids = re.findall(r'"id": ?"([\w.-]+)"', done.out)
    assert done.code > 0 and any(done.code in listed_ids().get(each, ()) for each in ids), done
    return done


def nothing_half(world):
    """What is visible belongs to streams that are done, by their slots."""
    lake = world.place.lake()
    for folder in lake.tables():
        for path in folder.glob("*/*.parquet"):
            assert lake.slots(folder)[path.parent.name]["outcome"] == "committed", path


def transient_or_done(world, done, codes=(5,)):
    """It did not hang, said what befell it, and left nothing half."""
    if done.code:
        assert done.code in codes, done
        typed(done)
        nothing_half(world)
    return done


class Source:
    """A server's database with writers at work; one for many tests."""

    def __init__(self, server, **more):
        self.server, self.writers = server, Writers(server, **more)

    def __enter__(self):
        self.writers.__enter__()
        return self

    def __exit__(self, *error):
        self.writers.__exit__(*error)
        self.server.close()


class ServerWorld(Scene):
    """`source` is copied to the place of that kind."""

    def __init__(self, folder, source, kind):
        super().__init__(folder)
        self.server, self.writers = source.server, source.writers
        self.place = place(kind, folder)
        self.connections = 2
        self.source_uri, self.destination_uri = self.server.uri(), self.place.uri()

    def environment(self, more=None):
        return super().environment({**self.place.environment, "SLUICE_CHUNK_ROWS": CHUNK_ROWS, **(more or {})})

    def copy_args(self, *args):
        return ["copy", self.source_uri, self.destination_uri, "--state", self.state,
                "--connections", self.connections, *(() if "--json" in args else ("--json",)), *args]

    def gc(self, *args):
        return self.sluice("gc", self.destination_uri, "--state", self.state, *args)

    def killed(self, point, *args):
        done = self.copy(*args, env={"SLUICE_CRASH_AT": point})
        assert done.code == -signal.SIGKILL, f"never passed {point}\n{done}"
        return done

    def converge(self, *args):
        """The very next start finishes, whatever the last one left."""
        return self.copy(*args).must(0)

    # --- what must be true ---

    def manifests(self, lake):
        return {table: lake.only(table, schema=self.server.database) for table in (*TABLES, CLOCK)}

    def assert_rows_of_one_moment(self):
        """Of an uninterrupted run: exactly the rows of the moment that the copied clock shows."""
        lake = self.place.lake()
        manifests = self.manifests(lake)
        positions = {tuple(manifest["consistency"]["positions"]) for manifest in manifests.values()}
        assert len(positions) == 1 and len(positions.pop()) == 1, "streams of more than one position"
        (clock,), = duckdb.sql(f"SELECT n FROM read_parquet('{lake.files(manifests[CLOCK])[0]}')").fetchall()
        self.writers.clock()  # all that is committed is in the ledger
        wanted, total = self.writers.ledger.at(clock), 0
        for table in TABLES:
            manifest = manifests[table]
            assert manifest["consistency"]["kind"] == "snapshot" and not manifest["consistency"]["mixed"]
            lake.check_load(manifest)
            found = rows_in(lake.files(manifest))
            assert found == sorted(wanted[table].values(), key=lambda row: (int(row[0]), int(row[1]))), (
                f"{table}: not the rows after {clock} transactions")
            total += sum(round(float(row[2]) * 100) for row in found)
        assert total == self.writers.total, "the sum over both tables is not what every transaction left"
        return clock

    def assert_rows_once(self, first):
        """Of loads begun when `first` transactions had been committed, or later: each row that lived
        throughout, once; no key twice; no row that was never committed."""
        lake = self.place.lake()
        between = self.writers.ledger.between(first, self.writers.clock())
        for table, manifest in self.manifests(lake).items():
            lake.check_load(manifest)
            if table == CLOCK:
                continue
            found = rows_in(lake.files(manifest))
            rows, throughout = between[table]
            keys = [(int(row[0]), int(row[1])) for row in found]
            assert len(keys) == len(set(keys)), f"{table}: a key twice"
            assert throughout <= set(keys), f"{table}: lost {sorted(throughout - set(keys))[:5]}"
            assert set(found) <= rows, f"{table}: never committed in that time {sorted(set(found) - rows)[:5]}"

    def assert_converged(self, first):
        self.gc().must(0)
        self.place.assert_nothing_left()
        self.assert_rows_once(first)
