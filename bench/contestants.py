"""Who runs, how, and what is taken down of each run."""
import json
import os
import shutil
import sys
from pathlib import Path

from measure import measure

DUCK = Path(__file__).resolve().parent / "duck.py"


class Arena:
    # name: (table, who, options)
    CONTESTANTS = {
        "sluice": ("keyed", "sluice", []),
        "duckdb": ("keyed", "duckdb", []),
        "sluice-1": ("keyed", "sluice", ["--connections", "1"]),
        "duckdb-1": ("keyed", "duckdb", ["1"]),
        "sluice-content": ("keyed", "sluice", ["--verify", "content"]),
        "sluice-keyless": ("keyless", "sluice", []),
        "duckdb-keyless": ("keyless", "duckdb", []),
        "drain": ("keyed", "drain", []),
    }

    def __init__(self, folder, sluice, drain):
        self._folder = folder
        self._sluice = sluice
        self._drain = drain

    def warm(self, tables):
        """Every page of the sources is in the cache before the first measured run."""
        for table in tables:
            measure([self._drain, table.path])

    def run(self, name, tables):
        """One run into a new folder with a new state: {wall, cpu, rss, size}. Ends the bench if what
        was written is not the table."""
        which, who, options = self.CONTESTANTS[name]
        table = tables[which]
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        out = self._folder / "out"
        # Nobody pays for pages that somebody else left to be written.
        os.sync()
        if who == "sluice":
            run, _ = measure([self._sluice, "copy", table.path, out, "--state",
                                    self._folder / "state.db", "--json", *options])
        elif who == "duckdb":
            out.mkdir()
            run, said = measure([sys.executable, DUCK, "copy", table.path, out / "x.parquet", *options])
            run["process_wall"], run["wall"] = run["wall"], json.loads(said)["seconds"]
        else:
            run, said = measure([self._drain, table.path])
            self._expect(name, [int(said)], table.sums[:1])
            return run | {"size": 0}
        _, said = measure([sys.executable, DUCK, "sums", out])
        self._expect(name, json.loads(said), table.sums)
        return run | {"size": sum(file.stat().st_size for file in out.rglob("*.parquet"))}

    def help_times(self, count):
        return [measure([self._sluice, "--help"])[0]["wall"] for _ in range(count)]

    def close(self):
        shutil.rmtree(self._folder, ignore_errors=True)

    @staticmethod
    def _expect(name, found, wanted):
        if list(found) != list(wanted):
            sys.exit(f"bench: {name} made a wrong copy: wanted sums {wanted}, found {found}")
