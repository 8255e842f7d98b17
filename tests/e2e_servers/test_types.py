"""Every type case of tests/types, out of the file: by pyarrow's reader and by DuckDB, which share nothing with the
writer's side but the file."""

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oracle import Lake
from server import VARIABLES, Server

TYPES = Path(__file__).resolve().parent.parent / "types"


def cases(path):
    """(name, setup, policy, arrow type, rows) of every expectation that is rows."""
    name, setup, expectation = "", "", None
    for line in path.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("== "):
            name, setup, expectation = line[3:], "", None
        elif line.startswith("-> "):
            expectation = line[3:].split(" ", 1)
        elif expectation is None:
            setup += line + "\n"
        elif line.startswith("["):
            yield name, setup, expectation[0], expectation[1], json.loads(line)


def all_cases():
    for folder, kinds in (("mysql", ("mysql", "mariadb")), ("mariadb", ("mariadb",))):
        for path in sorted((TYPES / folder).glob("*.case")):
            for kind in kinds:
                if kind == "mariadb" and path.stem.startswith("only_mysql"):
                    continue
                for name, setup, policy, arrow_type, rows in cases(path):
                    yield pytest.param(kind, setup, policy, arrow_type, rows,
                                       id=f"{kind}-{path.stem}-{name}-{policy}")


def flags(policy):
    """"error,unsigned=native" as the program is told."""
    mismatch, *others = policy.split(",")
    said = ["--on-type-mismatch", mismatch]
    for name, word in (other.split("=") for other in others):
        if name != "uuid":
            said += ["--" + name.replace("_", "-"), word]
        elif word == "fixed":
            said += ["--uuid", "v"]
    return said


def shown(value, arrow_type):
    """A value of pyarrow's reader as the cases write it."""
    if value is None:
        return None
    if pa.types.is_decimal(arrow_type):
        text = format(value, "f")
        return "1E-30" if text.lstrip("-") == "0.000000000000000000000000000001" else text
    if pa.types.is_timestamp(arrow_type):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0") + ("Z" if arrow_type.tz else "")
    if pa.types.is_date(arrow_type):
        return value.isoformat()
    if pa.types.is_binary(arrow_type) or pa.types.is_fixed_size_binary(arrow_type):
        return value.hex()
    if pa.types.is_time(arrow_type):
        return value.isoformat(timespec="microseconds")
    if pa.types.is_list(arrow_type):
        return [shown(each, arrow_type.value_type) for each in value]
    if pa.types.is_floating(arrow_type):
        return "-0.0" if str(value) == "-0.0" else value
    return value


@pytest.mark.parametrize("kind,setup,policy,arrow_type,rows", all_cases())
def test_what_arrives_is_what_the_case_says(scene, kind, setup, policy, arrow_type, rows):
    server = Server(kind)
    try:
        server.sql(setup)
        scene.sluice("copy", server.uri(), f"file://{scene.lake}", "--state", scene.state, "--table", "t",
                     *flags(policy), "--verify", "content").must(0)
        lake = Lake(scene.lake)
        folder = lake.folder("t", server.database)
        manifest, = lake.current(folder)
        path, = lake.files(manifest)
        table = pq.read_table(path)
        order = sorted(range(len(table)), key=lambda i: table.column("k")[i].as_py())
        column = table.column("v")
        assert str(column.type) == arrow_type
        found = [shown(column[i].as_py(), column.type) for i in order]
        assert found == rows
        if pa.types.is_decimal256(column.type):
            return  # DuckDB ends at 38 digits.
        # Of instants the microseconds: for a zone DuckDB wants a module of Python that is not here.
        is_time = pa.types.is_timestamp(column.type)
        by_duckdb = [v for v, in duckdb.sql(
            f"SELECT {'epoch_us(v)' if is_time else 'v'} FROM read_parquet('{path}') ORDER BY k").fetchall()]
        assert [v if is_time else shown(v, column.type) for v in by_duckdb] == \
            [column[i].value if is_time else found[n] for n, i in enumerate(order)]
    finally:
        server.close()


@pytest.mark.parametrize("kind", sorted(VARIABLES))
def test_a_policy_that_concerns_another_type_is_refused(scene, kind):
    server = Server(kind)
    try:
        server.sql("CREATE TABLE t (k INT PRIMARY KEY, v VARBINARY(16)); INSERT INTO t VALUES (1, 'a')")
        told = scene.sluice("copy", server.uri(), f"file://{scene.lake}", "--state", scene.state, "--table", "t",
                            "--uuid", "v", "--json").must(2)
        assert '"source.policy"' in told.out and "column v" in told.out
    finally:
        server.close()
