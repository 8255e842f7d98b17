"""show.py DATABASE LAKE

Prints the lake's files, one manifest's summary and a query over the Parquet files by DuckDB; fails
unless every table's rows are counted alike by DuckDB in the files and by SQLite in the database.
"""

import json
import sqlite3
import sys
from pathlib import Path

import duckdb


def current(lake):
    """{table: (path, manifest)} of the committed loads that no other replaced; two of one table are a fault."""
    manifests = {}
    for path in sorted(lake.glob("main/*/_sluice/*.json")):
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


def compare_counts(database, lake, manifests):
    print("\nRows in SQLite, rows DuckDB finds in the files:")
    source = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    tables = [name for (name,) in source.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1")]
    different = []
    for table in tables:
        (wanted,) = source.execute(f"SELECT count(*) FROM {table}").fetchone()
        (found,) = duckdb.sql(f"SELECT count(*) FROM '{lake}/main/{table}/*/*.parquet'").fetchone()
        right = wanted == found == int(manifests[table][1]["rows"])
        different += [] if right else [table]
        print(f"  {table:9} {wanted:>8,} {found:>8,}  {'equal' if right else 'DIFFERENT'}")
    if different:
        sys.exit(f"demo: the files and the database differ: {', '.join(different)}")


def query(lake):
    print("\nDuckDB over the files: the five carriers with the most flights")
    print(duckdb.sql(f"""
        SELECT name AS carrier, count(*) AS flights, round(avg(dep_delay), 1) AS mean_delay
        FROM '{lake}/main/flights/*/*.parquet' JOIN '{lake}/main/airlines/*/*.parquet' USING (carrier)
        GROUP BY name ORDER BY flights DESC LIMIT 5"""))


def main(database, lake):
    lake = Path(lake)
    manifests = current(lake)
    show_files(lake, manifests)
    show_manifest("flights", manifests["flights"][1])
    compare_counts(database, lake, manifests)
    query(lake)


if __name__ == "__main__":
    main(*sys.argv[1:])
