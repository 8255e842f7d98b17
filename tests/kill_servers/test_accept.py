"""lineitem of TPC-H from each server to a disk and to a bucket, interrupted ten times by SIGKILL and resumed:
by DuckDB over the load's files exactly the server's rows. (With writers at work: test_points.py.)"""

import itertools
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from server import Server
from server_world import PLACES, SERVERS, ServerWorld

SCALE = "0.003"  # 18,000 rows
LINEITEM = """CREATE TABLE lineitem (l_orderkey BIGINT NOT NULL, l_partkey INT NOT NULL, l_suppkey INT NOT NULL,
  l_linenumber INT NOT NULL, l_quantity DECIMAL(15,2) NOT NULL, l_extendedprice DECIMAL(15,2) NOT NULL,
  l_discount DECIMAL(15,2) NOT NULL, l_tax DECIMAL(15,2) NOT NULL, l_returnflag CHAR(1) NOT NULL,
  l_linestatus CHAR(1) NOT NULL, l_shipdate DATE NOT NULL, l_commitdate DATE NOT NULL, l_receiptdate DATE NOT NULL,
  l_shipinstruct CHAR(25) NOT NULL, l_shipmode CHAR(10) NOT NULL, l_comment VARCHAR(44) NOT NULL,
  PRIMARY KEY (l_orderkey, l_linenumber));"""
# Each run dies once, all of them at work on one load.
WAY = ["plan.after-commit", "staged.recorded:4", "upload.half:3", "attempt.begun:5", "upload.staged:6", "staged.recorded:7",
       "publish.frozen", "publish.object:5", "verify.begun", "slot.begun"]


class Lineitem:
    """What ServerWorld wants of a source, and the server's own rows as text."""

    writers = None

    def __init__(self, kind, generated):
        self.server = Server(kind)
        self.server.sql(LINEITEM + f"LOAD DATA LOCAL INFILE '{generated}' INTO TABLE lineitem FIELDS TERMINATED BY '|';")

    def dump(self, path):
        with open(path, "wb") as out:
            subprocess.run([*self.server.client(), "--quick", "-e", "SELECT * FROM lineitem"], stdout=out, check=True)
        return path


@pytest.fixture(scope="module")
def lineitems(tmp_path_factory):
    generated = tmp_path_factory.mktemp("tpch") / "lineitem.tbl"
    with open(generated, "wb") as out:
        subprocess.run([Path(sys.executable).parent / "tpchgen-cli", "-s", SCALE, "-T", "lineitem", "--stdout"],
                       stdout=out, check=True)
    made = {kind: Lineitem(kind, generated) for kind in SERVERS}
    yield made
    for each in made.values():
        each.server.close()


def too_many_and_missing(dump, files):
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("CREATE TABLE found AS SELECT CAST(COLUMNS(*) AS VARCHAR) "
                       "FROM read_parquet(?, hive_partitioning=false)", [[str(path) for path in files]])
    connection.execute("CREATE TABLE wanted AS FROM read_csv(?, delim='\t', header=false, all_varchar=true, quote='', "
                       "escape='', nullstr='NULL')", [str(dump)])
    (found,), = connection.execute("SELECT count(*) FROM found").fetchall()
    assert found > 10_000
    return connection.execute("SELECT (SELECT count(*) FROM (FROM found EXCEPT ALL FROM wanted)), "
                              "(SELECT count(*) FROM (FROM wanted EXCEPT ALL FROM found))").fetchone()


@pytest.mark.parametrize("server, place", [
    pytest.param(*way, marks=pytest.mark.slow if way[1] == "moto" else ()) for way in itertools.product(SERVERS, PLACES)])
def test_ten_kills_and_ten_resumes_give_exactly_the_servers_rows(lineitems, tmp_path, server, place):
    with ServerWorld(tmp_path, lineitems[server], place) as world:
        with world.place.lister():
            for point in WAY:
                done = world.killed(point, "--table", "lineitem")
            done = world.copy("--resume", "--table", "lineitem", "--json").must(0)
        assert len(WAY) == 10
        lake = world.place.lake()
        manifest = lake.only("lineitem", schema=world.server.database)
        assert len(lake.slots(lake.folder("lineitem", world.server.database))) == 1, "one load all the way"
        assert manifest["load"] == done.json["loads"][0]["load"]
        lake.check_load(manifest)
        dump = lineitems[server].dump(tmp_path / "dump.tsv")
        assert too_many_and_missing(dump, lake.files(manifest)) == (0, 0)
        world.gc().must(0)
        world.place.assert_nothing_left()
