"""What the figures of MySQL and MariaDB say. Every time is over D1's: one connection, SELECT *, thrown away."""
import statistics

WALL = 1.15
CLIENT = 1.05
MEMORY = 200e6
SERVER = 1.1
MANY_SECONDS = 60

FLOOR = "drain-1"
ROWS = {
    "drain-1": "D1: drain, one connection, text",
    "drain-2": "drain, two connections",
    "drain-4": "drain, four connections",
    "drain-binary-1": "drain, one connection, binary protocol",
    "s3-1": "sluice copy to S3, --connections 1",
    "s3-2": "sluice copy to S3, --connections 2",
    "s3-4": "sluice copy to S3, --connections 4",
    "disk-2": "sluice copy to a disk, --connections 2",
    "duckdb": "DuckDB to a disk, tuned",
    "duckdb-default": "DuckDB to a disk, default settings",
    "mydumper-1": "mydumper -t 1, SQL text on a disk",
    "mydumper-2": "mydumper -t 2, SQL text on a disk",
    "connectorx": "connectorx and pyarrow, two partitions",
    "pandas": "pandas, SQLAlchemy, PyMySQL",
}
KINDS = {"mysql": "MySQL", "mariadb": "MariaDB"}


def over_floor(runs, name, what, floor="wall"):
    """Round by round, so that a slow minute of the machine slows both sides of a fraction."""
    return [run[what] / least[floor] for run, least in zip(runs[name], runs[FLOOR])]


def span(values):
    low, high = min(values), max(values)
    median = statistics.median(values)
    return f"{median:.2f} ({low:.2f}–{high:.2f})" if len(values) > 1 else f"{median:.2f}"


def _peak(runs):
    return max(run["rss"] for run in runs)


def claims(figures):
    """[(what, promised, found, whether it is so)] of the first table, W1 in MySQL."""
    runs = figures["tables"][0]["runs"]

    def median(what, floor="wall"):
        return statistics.median(over_floor(runs, "s3-2", what, floor))

    wall, client, server = median("wall"), median("cpu"), median("server", "server")
    duckdb = statistics.median(theirs["wall"] / ours["wall"] for ours, theirs in zip(runs["s3-2"], runs["duckdb"]))
    many = figures["many"]
    found = [
        ("wall, two connections", f"≤ {WALL} × D1", f"{wall:.2f}", wall <= WALL),
        ("client CPU per row", f"≤ {CLIENT} × D1's wall per row", f"{client:.2f}", client <= CLIENT),
        ("server CPU", f"≤ {SERVER} × D1's", f"{server:.2f}", server <= SERVER),
        ("times as fast as tuned DuckDB", "> 1", f"{duckdb:.2f}", duckdb > 1),
    ]
    memory = [("peak memory", _peak(runs["s3-2"]))]
    if big := figures.get("big"):
        memory.append((f"peak memory, {big['rows']:,} rows", _peak(big["runs"]["s3-2"])))
    found += [(what, f"≤ {MEMORY / 1e6:.0f} MB", f"{size / 1e6:.0f} MB", size <= MEMORY) for what, size in memory]
    return found + [(f"{many['tables']:,} empty tables in one run", f"< {MANY_SECONDS} s", f"{many['wall']:.1f} s",
                     many["wall"] < MANY_SECONDS)]


def _table(table):
    runs = table["runs"]
    per_row = 1e6 / table["rows"]
    yield ("| | wall, s | wall ÷ D1 | client CPU, µs a row | ÷ D1's wall | server CPU, µs a row | ÷ D1's "
           "| peak memory, MB | rounds |")
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, words in ROWS.items():
        if not (mine := runs.get(name)):
            continue
        yield (f"| {words} | {statistics.median(run['wall'] for run in mine):.2f} "
               f"| {span(over_floor(runs, name, 'wall'))} "
               f"| {statistics.median(run['cpu'] for run in mine) * per_row:.2f} "
               f"| {span(over_floor(runs, name, 'cpu'))} "
               f"| {statistics.median(run['server'] for run in mine) * per_row:.2f} "
               f"| {span(over_floor(runs, name, 'server', 'server'))} | {_peak(mine) / 1e6:.0f} | {len(mine)} |")


def lines(figures, place):
    kinds = ", ".join(f"{KINDS[kind]} {version}" for kind, version in figures["kinds"].items())
    written = [
        "## MySQL and MariaDB to S3",
        "",
        "Everything on one machine: the server, a local S3 server, and who copies. In a round everybody runs once, "
        "in turn;",
        "fractions are of one round. Median, and in brackets the least and the most.",
        "",
        place,
        f"{figures['machine']['sluice']}; {kinds}.",
        *(["", figures["remark"]] if "remark" in figures else []),
        "",
        "| claim | promised | found | |",
        "|---|---|---|---|",
        *(f"| {what} | {promised} | {found} | {'yes' if right else '**no**'} |"
          for what, promised, found, right in claims(figures)),
    ]
    for table in figures["tables"]:
        written += ["", f"### {table['title']}, {KINDS[table['kind']]}, {table['rows']:,} rows", "", *_table(table)]
    if big := figures.get("big"):
        written += ["", f"### W1 lineitem, MySQL, {big['rows']:,} rows", "", *_table(big)]
    return written
