"""The tables of the servers' part, W1 to W5: what they look like, and how their rows are made.

The rows are the same on every machine: TPC-H's generator, or DuckDB's hash of the row's number.
"""
import hashlib
import subprocess
from dataclasses import dataclass

from tables import COLUMNS, SUMS

ROWS = 4_000_000
QUICK_ROWS = 1_000_000
BIG_FACTOR = 10
MANY = 2_000
FEW = 200

LINEITEM = f"{COLUMNS},\n  PRIMARY KEY (l_orderkey, l_linenumber)"

TAXI_DOUBLES = ("trip_distance", "fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount",
                "improvement_surcharge", "total_amount", "congestion_surcharge")
TAXI = f"""\
  id BIGINT NOT NULL PRIMARY KEY, vendor_id INT NOT NULL, pickup DATETIME NOT NULL,
  dropoff DATETIME NOT NULL, passengers INT, rate_code INT, store_flag CHAR(1),
  pickup_zone INT NOT NULL, dropoff_zone INT NOT NULL, payment_type INT NOT NULL,
  {', '.join(f'{name} DOUBLE' for name in TAXI_DOUBLES)}"""

SYSBENCH = """\
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL,
  pad CHAR(60) NOT NULL, KEY k_1 (k)"""

WIDE_COLUMNS = 50
WIDE = "  id BIGINT NOT NULL PRIMARY KEY, " + ", ".join(f"c{at} VARCHAR(40)" for at in range(WIDE_COLUMNS))


def _of(salt, modulus):
    return f"hash(i * 1000 + {salt}) % {modulus}"


def _taxi_query(rows):
    seconds = f"TIMESTAMP '2024-01-01' + INTERVAL (({_of(1, 31_000_000)})::BIGINT) SECOND"
    # Cents as a double has them, 2.3 or 17.85; distances with more digits than a decimal would give.
    doubles = ["(" + _of(20, 2_000_000) + ") / 7.0 / 10000"]
    doubles += [f"({_of(21 + at, 9_000)}) / 100.0" for at in range(len(TAXI_DOUBLES) - 1)]
    return (f"SELECT i + 1, {_of(2, 2)} + 1, {seconds}, {seconds} + INTERVAL (({_of(3, 3_600)})::BIGINT) SECOND, "
            f"CASE WHEN {_of(4, 20)} = 0 THEN NULL ELSE {_of(5, 6)} END, "
            f"CASE WHEN {_of(4, 20)} = 0 THEN NULL ELSE {_of(6, 5)} + 1 END, "
            f"CASE WHEN {_of(4, 20)} = 0 THEN NULL WHEN {_of(7, 100)} = 0 THEN 'Y' ELSE 'N' END, "
            f"{_of(8, 265)} + 1, {_of(9, 265)} + 1, {_of(10, 4)} + 1, {', '.join(doubles)} FROM range({rows}) t(i)")


def _sysbench_query(rows):
    def groups(count, salt):
        return " || '-' || ".join(f"lpad(({_of(salt + at, 10**11)})::VARCHAR, 11, '0')" for at in range(count))

    return f"SELECT i + 1, {_of(1, rows)} + 1, {groups(10, 10)}, {groups(5, 30)} FROM range({rows}) t(i)"


def _wide_query(rows):
    words = "['Straße', 'naïve', 'plain', '数据', 'łódź', 'table', 'Ωmega', 'copy', '🚲', 'row']"

    def column(at):
        word = f"{words}[({_of(100 + at, 10)} + 1)::BIGINT]"
        return (f"CASE WHEN {_of(200 + at, 5)} = 0 THEN NULL "
                f"ELSE {word} || ' ' || ({_of(300 + at, 10**12)})::VARCHAR END")

    return f"SELECT i, {', '.join(column(at) for at in range(WIDE_COLUMNS))} FROM range({rows}) t(i)"


@dataclass
class Workload:
    """`sums` is what a copy must have too, with {length} for the function that counts characters."""
    table: str
    title: str
    columns: str
    rows: int
    sums: str
    key: str
    query: object = None  # rows -> DuckDB's SQL that makes them; without it lineitem's generator

    @property
    def fingerprint(self):
        said = f"{self.columns}|{self.rows}|{self.sums}|{self.query(self.rows) if self.query else 'lineitem'}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def make(self, bin_folder, path):
        """The rows as LOAD DATA takes them: tabs, \\N for NULL."""
        if not self.query:
            with open(path, "wb") as out:
                # A little more than is wanted: 6 million rows a unit of the scale.
                generator = subprocess.Popen(
                    [bin_folder / "tpchgen-cli", "-s", f"{self.rows / 5_970_000:.2f}", "-T", "lineitem", "--stdout"],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                subprocess.run(["sed", "-e", rf"s/|$//; s/|/\t/g; {self.rows}q"], stdin=generator.stdout,
                               stdout=out, check=True)
                generator.stdout.close()
                generator.wait()
            return
        copy = (f"COPY ({self.query(self.rows)}) TO '{path}' "
                "(FORMAT csv, DELIMITER '\t', NULLSTR '\\N', QUOTE '', ESCAPE '', HEADER false)")
        script = "import sys, duckdb; duckdb.execute('SET enable_progress_bar = false'); duckdb.execute(sys.argv[1])"
        subprocess.run([bin_folder / "python", "-c", script, copy], check=True)


def lineitem(table, rows):
    return Workload(table, "W1 lineitem", LINEITEM, rows, SUMS.replace("length", "{length}"), "l_orderkey")


LINEITEM_FULL = lineitem("lineitem", ROWS)
LINEITEM_QUICK = lineitem("lineitem_quick", QUICK_ROWS)
TAXI_TABLE = Workload("taxi", "W2 taxi, 9 doubles of 19", TAXI, 1_000_000,
                      "count(*), sum(id), sum(pickup_zone * dropoff_zone), count(passengers)", "id", _taxi_query)
SYSBENCH_TABLE = Workload("sbtest", "W3 sysbench", SYSBENCH, 1_000_000,
                          "count(*), sum(id), sum(id * (k % 1000)), sum({length}(c)), sum({length}(pad))", "id",
                          _sysbench_query)
WIDE_TABLE = Workload("wide", "W4 50 texts, NULLs", WIDE, 200_000,
                      "count(*), sum(id), " + ", ".join(f"count(c{at}), sum({{length}}(c{at}))" for at in (0, 24, 49)),
                      "id", _wide_query)
