"""duck.py copy DATABASE FILE [THREADS] | duck.py sums FOLDER

DuckDB in a process of its own, so that its time and memory are its alone. `copy` says how long the
statement took: Python's start and the loading of the extension are not DuckDB's.
"""
import json
import os
import sys
import time
from pathlib import Path

import duckdb

from tables import SUMS


def extension():
    """The file in the duckdb_ext package: INSTALL would fetch one from the internet."""
    import duckdb_ext

    for folder in duckdb_ext.__path__:
        for file in Path(folder).glob(f"extensions/v{duckdb.__version__}/*/sqlite_scanner.duckdb_extension"):
            return file
    sys.exit(f"duck.py: no sqlite extension for DuckDB {duckdb.__version__} in duckdb_ext")


def copy(database, file, threads=None):
    settings = {"allow_unsigned_extensions": "true"}
    if threads:
        settings["threads"] = threads
    with duckdb.connect(config=settings) as connection:
        connection.execute(f"LOAD '{extension()}'")
        connection.execute(f"ATTACH '{database}' AS source (TYPE sqlite, READ_ONLY)")
        started = time.perf_counter()
        connection.execute(f"COPY (SELECT * FROM source.lineitem) TO '{file}' "
                           "(FORMAT parquet, COMPRESSION zstd)")
        print(json.dumps({"seconds": time.perf_counter() - started}))


def sums(folder):
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT {SUMS} FROM read_parquet('{folder}/**/*.parquet')").fetchone()
    print(json.dumps([int(each) for each in row]))


if __name__ == "__main__":
    {"copy": copy, "sums": sums}[sys.argv[1]](*sys.argv[2:])
    sys.stdout.flush()
    # Without the interpreter's tidying up, which is not DuckDB's either.
    os._exit(0)
