"""Who runs against the servers, how, and what is taken down of each run."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import workloads
from measure import measure
from servers import DATABASE, PASSWORD, USER

PEERS = Path(__file__).resolve().parent / "peers.py"

# name: (who, where to or how, connections)
CONTESTANTS = {
    "drain-1": ("drain", "text", 1),
    "drain-2": ("drain", "text", 2),
    "drain-4": ("drain", "text", 4),
    "drain-binary-1": ("drain", "binary", 1),
    "s3-1": ("sluice", "s3", 1),
    "s3-2": ("sluice", "s3", 2),
    "s3-4": ("sluice", "s3", 4),
    "disk-2": ("sluice", "disk", 2),
    "duckdb": ("peer", "duckdb", None),
    "duckdb-default": ("peer", "duckdb-default", None),
    "mydumper-1": ("mydumper", "sql", 1),
    "mydumper-2": ("mydumper", "sql", 2),
    "connectorx": ("peer", "connectorx", 2),
    "pandas": ("peer", "pandas", 1),
}


class Ring:
    """One server and a bucket; every run leaves them as it found them."""

    def __init__(self, server, bucket, programs, folder):
        self._server = server
        self._bucket = bucket
        self._programs = programs  # sluice, drain, python
        self._folder = folder

    def warm(self, workload):
        measure(self._drain(workload, "text", 1))

    def run(self, name, workload, sums):
        """{wall, cpu, rss, server, bucket, size}, of a copy that was counted; a wrong one ends the bench."""
        who, how, connections = CONTESTANTS[name]
        self._clear()
        out = self._folder / "out"
        if who == "drain":
            run, said = self._measured(self._drain(workload, how, connections))
            self._expect(name, [int(said.split()[0])], sums[:1])
            return run | {"size": 0, "received": int(said.split()[1])}
        if who == "sluice":
            to = self._bucket.uri if how == "s3" else out
            run, _ = self._measured(self._sluice(to, connections, "--table", workload.table))
            out = self._bucket.folder if how == "s3" else out
        elif who == "mydumper":
            run, _ = self._measured([
                "mydumper", "-h", "127.0.0.1", "-P", str(self._server.port), "-u", USER, "-p", PASSWORD, "-B", DATABASE,
                "-T", workload.table, "-t", str(connections), "-r", str(workload.rows // 8), "-o", out])
            self._expect(name, [self._rows_of_sql(out, workload.table)], sums[:1])
            return run | {"size": self._size(out, "*.sql")}
        else:
            out.mkdir()
            run, said = self._measured([self._programs["python"], PEERS, how, str(self._server.port),
                                        workload.table, workload.key, out / "x.parquet"])
            run["process_wall"], run["wall"] = run["wall"], json.loads(said)["seconds"]
        said = subprocess.run([self._programs["python"], PEERS, "sums", out, workload.sums], check=True,
                              stdout=subprocess.PIPE).stdout
        self._expect(name, json.loads(said), sums)
        return run | {"size": self._size(out, "*.parquet")}

    def many(self, database, count):
        """One run over `count` empty tables, to the bucket: a file with the schema of each."""
        self._clear()
        run, said = self._measured(self._sluice(self._bucket.uri, 2, database=database))
        self._expect("many", [len(json.loads(said)["loads"]), len(list(self._bucket.folder.rglob("*.parquet")))],
                     [count, count])
        return run | {"tables": count}

    def close(self):
        shutil.rmtree(self._folder, ignore_errors=True)

    def _clear(self):
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._bucket.empty()
        # Nobody pays for pages that somebody else left to be written.
        os.sync()

    def _measured(self, command):
        return measure(command, self._bucket.ENVIRONMENT,
                       {"server": self._server.pid, "bucket": self._bucket.pid})

    def _sluice(self, to, connections, *options, database=DATABASE):
        return [self._programs["sluice"], "copy", self._server.uri(database), to, "--connections", str(connections),
                "--state", self._folder / "state.db", "--json", *options]

    def _drain(self, workload, protocol, connections):
        statements = [f"SELECT * FROM {workload.table}"]
        if connections > 1:
            bounds = self._server.bounds(workload, connections)
            statements = [f"{statements[0]} WHERE {workload.key} >= {low} AND {workload.key} < {high}"
                          for low, high in zip(bounds, bounds[1:])]
        return [self._programs["drain"], protocol, "127.0.0.1", str(self._server.port), USER, PASSWORD, DATABASE,
                *statements]

    @staticmethod
    def _rows_of_sql(folder, table):
        """mydumper begins a line with each row."""
        return sum(line.startswith((b"(", b",(")) for file in folder.glob(f"{DATABASE}.{table}.*sql")
                   for line in file.open("rb"))

    @staticmethod
    def _size(folder, pattern):
        return sum(file.stat().st_size for file in folder.rglob(pattern))

    @staticmethod
    def _expect(name, found, wanted):
        if list(found) != list(wanted):
            raise SystemExit(f"bench: {name} made a wrong copy: wanted {wanted}, found {found}")


def plan(quick, claims):
    """[(server, workload, {contestant: rounds})]: in a round everybody runs who has one left, in turn."""
    if claims:
        return [
            ("mysql", workloads.LINEITEM_FULL, {"drain-1": 5, "s3-2": 5, "duckdb": 5, "s3-1": 3, "mydumper-2": 3}),
            ("mariadb", workloads.LINEITEM_FULL, {"drain-1": 3, "s3-2": 3, "duckdb": 3}),
        ]
    if quick:
        lineitem, rounds = workloads.LINEITEM_QUICK, 3
        return [
            ("mysql", lineitem, {"drain-1": rounds, "s3-1": rounds, "s3-2": rounds, "drain-2": 1, "duckdb": rounds,
                                 "mydumper-2": 1, "connectorx": 1}),
            ("mariadb", lineitem, {"drain-1": rounds, "s3-2": rounds, "duckdb": rounds}),
        ]
    others = {"drain-1": 3, "drain-binary-1": 3, "s3-2": 3, "duckdb": 3}
    return [
        ("mysql", workloads.LINEITEM_FULL, {
            "drain-1": 5, "s3-2": 5, "duckdb": 5, "s3-1": 5, "drain-2": 3, "s3-4": 3, "drain-4": 3, "disk-2": 3,
            "drain-binary-1": 3, "mydumper-1": 2, "mydumper-2": 3, "connectorx": 2, "duckdb-default": 1}),
        # One of these takes as long as ten of the others.
        ("mysql", workloads.LINEITEM_QUICK, {"drain-1": 1, "pandas": 1}),
        ("mysql", workloads.TAXI_TABLE, others),
        ("mysql", workloads.SYSBENCH_TABLE, others),
        ("mysql", workloads.WIDE_TABLE, others),
        ("mariadb", workloads.LINEITEM_FULL, {"drain-1": 5, "s3-2": 5, "duckdb": 5, "s3-1": 3, "drain-2": 3,
                                              "mydumper-2": 3}),
    ]
