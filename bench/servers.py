"""The servers of the bench: MySQL and MariaDB with the workloads in them, and an S3 server.

tools/servers starts them, under names with our process id. The data folder is kept between benches, in
the servers' cache: a table is made where it is not there yet, and a run only reads. One bench at a time
has it.
"""
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import workloads

TOOLS = Path(__file__).resolve().parent.parent / "tools/servers"
BUFFER = "3G"
DATABASE, MANY, FEW = "test", "many", "few"
USER = PASSWORD = "test"


def _folder_of_all():
    return Path(subprocess.run(["bash", "-c", f'. "{TOOLS}/lib.sh"; echo "$SLUICE_SERVERS"'], check=True,
                               stdout=subprocess.PIPE, text=True).stdout.strip())


class Server:
    """`kind` is mysql or mariadb. With `with`: started at the beginning, gone at the end."""

    def __init__(self, kind, bin_folder, scratch, say):
        self.kind = kind
        self._bin = bin_folder
        self._scratch = scratch
        self._say = say
        self._name = f"bench-{kind}-{os.getpid()}"
        folder = _folder_of_all()
        self._run = folder / "run" / self._name
        self._kept = folder / f"cache/bench-{kind}"
        self._lock = None

    def __enter__(self):
        self._kept.mkdir(parents=True, exist_ok=True)
        self._kept.chmod(0o755)
        self._lock = open(self._kept / "lock", "w", encoding="ascii")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # A bench that was killed left its server, which has the data.
        last = self._kept / "instance"
        if last.exists():
            self._script("destroy", last.read_text())
        last.write_text(self._name)
        fresh = not (self._kept / "data").exists()
        if not fresh:
            self._run.mkdir(parents=True)
            (self._run / "data").symlink_to(self._kept / "data")
        self._start()
        if fresh:
            self._script("stop", self._name)
            shutil.move(self._run / "data", self._kept / "data")
            (self._run / "data").symlink_to(self._kept / "data")
            self._start()
        self._sql("CREATE TABLE IF NOT EXISTS made (name VARCHAR(60) PRIMARY KEY, fingerprint VARCHAR(16), sums TEXT)")
        return self

    def __exit__(self, *unused):
        self._script("destroy", self._name)
        (self._kept / "instance").unlink(missing_ok=True)
        self._lock.close()

    def table(self, workload):
        """The workload's table is there, in memory as far as it fits; gives its sums."""
        known = self._sql(f"SELECT fingerprint, sums FROM made WHERE name = '{workload.table}'").split("\t")
        if known[0] == workload.fingerprint:
            return json.loads(known[1])
        self._say(f"{self.kind}: making {workload.table}, {workload.rows:,} rows")
        rows = self._scratch / f"{workload.table}.tsv"
        workload.make(self._bin, rows)
        self._forget(workload.table)
        self._sql(f"CREATE TABLE {workload.table} (\n{workload.columns}) DEFAULT CHARSET utf8mb4")
        self._load(rows, workload.table)
        rows.unlink()
        return self._remember(workload, workload.table)

    def big(self):
        """BIG_FACTOR times lineitem, with shifted keys."""
        source = workloads.LINEITEM_FULL
        workload = workloads.lineitem("lineitem_big", source.rows * workloads.BIG_FACTOR)
        known = self._sql("SELECT fingerprint, sums FROM made WHERE name = 'lineitem_big'").split("\t")
        if known[0] == workload.fingerprint:
            return workload, json.loads(known[1])
        self.table(source)
        self._say(f"{self.kind}: making lineitem_big, {workload.rows:,} rows")
        self._forget("lineitem_big")
        self._sql(f"CREATE TABLE lineitem_big (\n{workload.columns}) DEFAULT CHARSET utf8mb4")
        last = int(self._sql("SELECT max(l_orderkey) FROM lineitem"))
        rest = self._sql("SELECT group_concat(column_name ORDER BY ordinal_position) FROM "
                         "information_schema.columns WHERE table_schema = database() AND table_name = 'lineitem' "
                         "AND ordinal_position > 1")
        for at in range(workloads.BIG_FACTOR):
            self._sql(f"SET sql_log_bin = 0; INSERT INTO lineitem_big SELECT l_orderkey + {at * last}, {rest} "
                      "FROM lineitem ORDER BY l_orderkey, l_linenumber")
        return workload, self._remember(workload, "lineitem_big")

    def empty_tables(self, database, count):
        """A database of `count` tables without rows."""
        if self._sql(f"SELECT count(*) FROM information_schema.tables WHERE table_schema = '{database}'") == str(count):
            return
        self._say(f"{self.kind}: making {count:,} empty tables")
        self._sql(f"DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}")
        self._sql("SET sql_log_bin = 0;" + "".join(
            f"CREATE TABLE {database}.t{at:04} (id BIGINT NOT NULL PRIMARY KEY, at DATETIME, note VARCHAR(40));"
            for at in range(count)))

    @property
    def port(self):
        return int((self._run / "port").read_text())

    @property
    def pid(self):
        return int((self._run / "pid").read_text())

    @property
    def version(self):
        return self._sql("SELECT version()")

    def uri(self, database=DATABASE):
        """Without TLS, for everybody alike."""
        return f"mysql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}?tls=disabled"

    def bounds(self, workload, parts):
        """The smallest keys of `parts` equal ranges, and one more than the last."""
        low, high = map(int, self._sql(f"SELECT min({workload.key}), max({workload.key}) "
                                       f"FROM {workload.table}").split("\t"))
        return [low + (high + 1 - low) * at // parts for at in range(parts + 1)]

    def _start(self):
        extra = {
            "mariadb": f"--innodb-buffer-pool-size={BUFFER}",
            "mysql": "--explain-format=TRADITIONAL",  # or mydumper does not find where to cut a table
        }[self.kind]
        self._script("start", self._name, DB=DATABASE, USER_=USER, PASS=PASSWORD, BUFFER=BUFFER, EXTRA=extra)

    def _script(self, verb, name, **settings):
        done = subprocess.run([TOOLS / f"{self.kind}.sh", verb, name], env=os.environ | settings, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit(f"bench: {self.kind}.sh {verb} {name} failed:\n{done.stderr}")

    def _client(self):
        return ["mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", f"-P{self.port}", f"-u{USER}",
                f"-p{PASSWORD}", "--local-infile=1", "--batch", "--skip-column-names", DATABASE]

    def _sql(self, statements):
        done = subprocess.run(self._client(), input=statements, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        if done.returncode != 0:
            sys.exit(f"bench: {self.kind}: {done.stderr}")
        return done.stdout.strip("\n")

    def _load(self, rows, table):
        """In two sessions, each with half of the file: the rows are in the order of the key."""
        half = f"{rows}.half"
        subprocess.run(["split", "-n", "l/2", rows, f"{half}."], check=True)
        loads = []
        for part in sorted(rows.parent.glob(f"{Path(half).name}.*")):
            load = (f"SET sql_log_bin = 0; LOAD DATA LOCAL INFILE '{part}' INTO TABLE {table} "
                    "CHARACTER SET utf8mb4")
            loads.append((part, subprocess.Popen([*self._client(), "-e", load])))
        for part, load in loads:
            if load.wait() != 0:
                sys.exit(f"bench: {self.kind}: {table} could not be loaded")
            part.unlink()

    def _forget(self, table):
        self._sql(f"DELETE FROM made WHERE name = '{table}'; DROP TABLE IF EXISTS {table}")

    def _remember(self, workload, table):
        sums = [int(each) for each in self._sql(
            f"SELECT {workload.sums.format(length='char_length')} FROM {table}").split("\t")]
        if sums[0] != workload.rows:
            sys.exit(f"bench: {self.kind}: wanted {workload.rows} rows of {table}, made {sums[0]}")
        self._sql(f"ANALYZE TABLE {table}; "
                  f"INSERT INTO made VALUES ('{table}', '{workload.fingerprint}', '{json.dumps(sums)}')")
        return sums


class Bucket:
    """versitygw over a folder, where what was put can be read as files."""

    ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "testsecret",
                   "AWS_EC2_METADATA_DISABLED": "true"}

    def __init__(self):
        self._name = f"bench-{os.getpid()}"
        self._script = TOOLS / "versitygw.sh"
        self.uri = None

    def __enter__(self):
        self.uri = subprocess.run([self._script, "start", self._name], check=True, stdout=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL, text=True).stdout.strip()
        return self

    def __exit__(self, *unused):
        subprocess.run([self._script, "destroy", self._name], check=True)

    @property
    def pid(self):
        return int((self._home() / "pid").read_text())

    @property
    def folder(self):
        return self._home() / "data" / urlsplit(self.uri).netloc

    def empty(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()

    def _home(self):
        cache = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME") or "build") / ".cache"
        return Path(cache) / "sluice/servers/versitygw" / self._name
