"""show.py DATABASE LAKE SCHEMA

Prints the lake's files, one manifest's summary and a query over the Parquet files by DuckDB; fails
unless every table's rows are counted alike by DuckDB in the files and by the database itself. DATABASE
is SQLite's file, or a .tsv file: a line for each table, with the rows its server counted.
"""

import json
import sqlite3
import sys
from pathlib import Path

import duckdb


def current(lake, schema):
    """{table: (path, manifest)} of the committed loads that no other replaced; two of one table are a fault."""
    manifests = {}
    for path in sorted(lake.glob(f"{schema}/*/_sluice/*.json")):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        dropped = path.name.endswith(".dropped.json") or path.with_suffix(".dropped.json").exists()
        if dropped or manifest["outcome"] != "committed":
            continue
        table = path.parent.parent.name
        if table in manifests:
            sys.exit(f"demo: two current loads of {table}")
        manifests[table] = path, manifest
    return manifests


def show_files(lake, manifests):
    paths = {path for path in lake.rglob("*") if path.is_file()}
    shown = {path for path in paths if path.suffix == ".parquet"} | {path for path, _ in manifests.values()}
    for path in sorted(shown):
        print(f"  {path.stat().st_size:>11,}  {path.relative_to(lake)}")
    print(f"  and {len(paths - shown)} notes about versions that were replaced")


def show_manifest(table, manifest):
    print(f"\nThe manifest of {table}, the object that makes the load exist:")
    for name in ("outcome", "load", "key", "rows", "bytes"):
        print(f"  {name:12} {manifest[name]}")
    print(f"  {'consistency':12} {manifest['consistency']['kind']}")
    print(f"  {'chunks':12} {len(manifest['chunks'])}, in {len(manifest['objects'])} files")


def counts_of(database):
    """{table: rows} as the source has them."""
    if database.endswith(".tsv"):
        lines = Path(database).read_text(encoding="utf-8").splitlines()
        return {table: int(rows) for table, rows in (line.split("\t") for line in lines)}
    source = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    tables = [name for (name,) in source.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1")]
    return {table: source.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def compare_counts(database, lake, schema, manifests):
    print("\nRows in the database, rows DuckDB finds in the files:")
    different = []
    for table, wanted in counts_of(database).items():
        (found,) = duckdb.sql(f"SELECT count(*) FROM '{lake}/{schema}/{table}/*/*.parquet'").fetchone()
        right = wanted == found == int(manifests[table][1]["rows"])
        different += [] if right else [table]
        print(f"  {table:9} {wanted:>8,} {found:>8,}  {'equal' if right else 'DIFFERENT'}")
    if different:
        sys.exit(f"demo: the files and the database differ: {', '.join(different)}")


def query(lake, schema):
    print("\nDuckDB over the files: the five carriers with the most flights")
    print(duckdb.sql(f"""
        SELECT name AS carrier, count(*) AS flights, round(avg(dep_delay), 1) AS mean_delay
        FROM '{lake}/{schema}/flights/*/*.parquet' JOIN '{lake}/{schema}/airlines/*/*.parquet' USING (carrier)
        GROUP BY name ORDER BY flights DESC LIMIT 5"""))


def main(database, lake, schema):
    lake = Path(lake)
    manifests = current(lake, schema)
    show_files(lake, manifests)
    show_manifest("flights", manifests["flights"][1])
    compare_counts(database, lake, schema, manifests)
    query(lake, schema)


if __name__ == "__main__":
    main(*sys.argv[1:])
