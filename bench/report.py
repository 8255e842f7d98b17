"""What the figures say: medians, ratios round by round, a table for people, and the gate."""
import datetime
import importlib.metadata
import json
import os
import sqlite3
import statistics
import subprocess

import report_servers

# What is promised; a test fails only at FACTOR times that, because machines differ.
SPEED_RATIO = 1.4
MEMORY = 200e6
HELP = 0.050
FACTOR = 5

ROWS = {
    "sluice": "sluice copy",
    "duckdb": "DuckDB, its threads by default",
    "sluice-1": "sluice copy --connections 1",
    "duckdb-1": "DuckDB, one thread",
    "sluice-content": "sluice copy --verify content",
    "sluice-keyless": "sluice copy, table without a key",
    "duckdb-keyless": "DuckDB, table without a key",
    "drain": "bare drain, one thread, nothing written",
}
# (what, faster, slower): how many times as fast the first is as the second.
RATIOS = [
    ("sluice to DuckDB", "sluice", "duckdb"),
    ("sluice to DuckDB, one connection and one thread", "sluice-1", "duckdb-1"),
    ("sluice to DuckDB, table without a key", "sluice-keyless", "duckdb-keyless"),
    ("sluice with every row read back to DuckDB without", "sluice-content", "duckdb"),
    ("sluice to a bare drain", "sluice", "drain"),
]


def machine(sluice):
    """The machine and the versions, and nothing that names whose it is."""
    with open("/proc/meminfo") as file:
        kilobytes = int(file.readline().split()[1])
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    said = subprocess.run([sluice, "version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": models[0] if models else "unknown",
        "memory_gib": round(kilobytes / 2**20),
        "load": os.getloadavg()[0],
        "sluice": said.splitlines()[0],
        "duckdb": importlib.metadata.version("duckdb"),
        "duckdb_sqlite": importlib.metadata.version("duckdb-ext-sqlite"),
        "drain_sqlite": sqlite3.sqlite_version,
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(figures):
    """Round by round, so that a slow minute of the machine slows both sides of a fraction."""
    runs = figures["runs"]
    return {what: spread([theirs["wall"] / ours["wall"] for ours, theirs in zip(runs[first], runs[second])])
            for what, first, second in RATIOS if first in runs and second in runs}


def peak(runs):
    return max(run["rss"] for run in runs)


def gate(figures):
    """What is wrong beyond all excuse."""
    ratio = ratios(figures)["sluice to DuckDB"]["median"]
    memory = peak(figures["runs"]["sluice"])
    start = statistics.median(figures["help"])
    failures = []
    if ratio < SPEED_RATIO / FACTOR:
        failures.append(f"wanted {SPEED_RATIO / FACTOR:.2f} times DuckDB's speed, found {ratio:.2f}")
    if memory > MEMORY * FACTOR:
        failures.append(f"wanted at most {MEMORY * FACTOR / 1e6:.0f} MB, found {memory / 1e6:.0f} MB")
    if start > HELP * FACTOR:
        failures.append(f"wanted --help in {HELP * FACTOR * 1e3:.0f} ms, found {start * 1e3:.0f} ms")
    return failures


def _span(values, digits):
    each = spread(values)
    return f"{each['median']:.{digits}f} ({each['min']:.{digits}f}–{each['max']:.{digits}f})"


def _runs_table(figures):
    yield "| | wall, s | CPU, s | peak memory, MB | files, MB |"
    yield "|---|---|---|---|---|"
    for name, words in ROWS.items():
        runs = figures["runs"].get(name)
        if runs:
            size = statistics.median(run["size"] for run in runs) / 1e6
            yield (f"| {words} | {_span([run['wall'] for run in runs], 2)} "
                   f"| {_span([run['cpu'] for run in runs], 2)} | {peak(runs) / 1e6:.0f} "
                   f"| {f'{size:.1f}' if size else '–'} |")
    if big := figures.get("big"):
        yield (f"| sluice copy, {figures['big_rows']:,} rows | {big['wall']:.2f} | {big['cpu']:.2f} "
               f"| {big['rss'] / 1e6:.0f} | {big['size'] / 1e6:.1f} |")


def _claims_table(figures):
    memory = peak(figures["runs"]["sluice"])
    ratio = ratios(figures)["sluice to DuckDB"]["median"]
    start = statistics.median(figures["help"])
    yield "| claim | promised | found |"
    yield "|---|---|---|"
    yield f"| times as fast as DuckDB | ≥ {SPEED_RATIO} | {ratio:.2f} |"
    yield f"| peak memory | ≤ {MEMORY / 1e6:.0f} MB | {memory / 1e6:.0f} MB |"
    if big := figures.get("big"):
        yield f"| peak memory, ten times the rows | the same | {big['rss'] / 1e6:.0f} MB |"
    yield f"| `sluice --help` | ≤ {HELP * 1e3:.0f} ms | {start * 1e3:.0f} ms |"


def _place(m):
    return (f"{m['date']}, {m['cores']} cores ({m['cpu']}), {m['memory_gib']} GiB of memory, load "
            f"{m['load']:.1f} at the start.  ")


def _sqlite(figures):
    m = figures["machine"]
    lines = [
        "## SQLite to a disk",
        "",
        f"{figures['rows']:,} rows of TPC-H lineitem from SQLite to Parquet with zstd on a local disk, "
        f"{figures['rounds']} rounds",
        "in which everybody runs once, in turn. Median, and in brackets the least and the most.",
        "",
        _place(m),
        f"{m['sluice']}; DuckDB {m['duckdb']} with its sqlite extension {m['duckdb_sqlite']}.",
        "",
        *_claims_table(figures),
        "",
        *_runs_table(figures),
        "",
        "| wall, round by round | times as fast |",
        "|---|---|",
    ]
    for what, each in ratios(figures).items():
        lines.append(f"| {what} | {each['median']:.2f} ({each['min']:.2f}–{each['max']:.2f}) |")
    return lines


def text(parts):
    lines = ["# Benchmarks", "", "[bench/README.md](../bench/README.md) says what each row means; "
             "`bench/run --write` wrote this page."]
    if "servers" in parts:
        lines += ["", *report_servers.lines(parts["servers"], _place(parts["servers"]["machine"]))]
    if "sqlite" in parts:
        lines += ["", *_sqlite(parts["sqlite"])]
    return "\n".join(lines) + "\n"


def write(parts, page, record):
    if "sqlite" in parts:
        parts["sqlite"]["ratios"] = ratios(parts["sqlite"])
    if record.exists():
        parts = json.loads(record.read_text()) | parts
    page.write_text(text(parts))
    record.write_text(json.dumps(parts, indent=1) + "\n")
