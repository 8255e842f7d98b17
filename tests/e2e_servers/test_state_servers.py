"""The state in a schema of a server: `--state mysql://…`."""

import pytest
from oracle import Lake

ROWS = 2000
CHUNKS = {"SLUICE_CHUNK_ROWS": "200"}


@pytest.fixture
def shop(scene, server):
    """source.db with a table t; the state is in the server's database, its password in a variable."""
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)", "INSERT INTO t VALUES (?, ?)",
              rows=[(i, f"note {i}") for i in range(1, ROWS + 1)])
    scene.password = "p@ss/w:rd?&#%"
    scene.user = "s_" + server.database[2:12]
    server.sql(f"CREATE USER {scene.user} IDENTIFIED BY '{scene.password}';"
               f"GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON {server.database}.* TO {scene.user};")
    scene.state = server.uri(user=scene.user, password="${env:STATE_PASSWORD}")
    yield scene
    server.sql(f"DROP USER {scene.user}", database="")


def go(shop, verb, *args, env=None):
    return shop.sluice(verb, *args, "--state", shop.state, env={"STATE_PASSWORD": shop.password, **(env or {})})


def copy(shop, *args, env=None):
    return go(shop, "copy", f"sqlite://{shop.db}", f"file://{shop.lake}", *args, env={**CHUNKS, **(env or {})})


def test_a_killed_copy_is_resumed_from_the_state_in_a_server(shop, server):
    assert "there is no state at " in go(shop, "status").must(0).out
    assert go(shop, "log", "--json").must(0).json["runs"] == []
    assert server.sql("SHOW TABLES") == []
    assert copy(shop, env={"SLUICE_CRASH_AT": "staged.recorded:4"}).code == -9
    staged = "SELECT COUNT(*) FROM _sluice_ledger_attempts WHERE state = 'staged'"
    before = int(server.sql(staged)[0][0])
    assert before >= 4
    status = go(shop, "status", "--json").must(0)
    assert status.json["state"].endswith(f":{server.port}/{server.database}") and "@" not in status.json["state"]
    job, = status.json["jobs"]
    assert job["job"] and shop.password not in status.said
    done = copy(shop, "--resume").must(0)
    assert shop.password not in done.said and "p%40ss" not in done.said, done
    assert int(server.sql(staged)[0][0]) == ROWS // 200
    lake = Lake(shop.lake)
    manifest, = lake.current(lake.folder("t"))
    assert manifest["rows"] == ROWS
    runs = go(shop, "log", "--json").must(0).json["runs"]
    assert [run["exit_code"] for run in runs] == [0, None] and shop.password not in str(runs)
    for table in ("jobs", "loads", "runs"):
        assert "p@ss" not in str(server.sql(f"SELECT * FROM _sluice_ledger_{table}"))


@pytest.mark.parametrize("point", ["plan.after-commit", "attempt.begun", "publish.frozen", "publish.recorded",
                                   "verify.recorded", "slot.written", "slot.recorded", "clean-up.half"])
def test_at_each_step_a_kill_costs_nothing(shop, server, point):
    copy(shop).must(0)
    shop.sql("INSERT INTO t VALUES (5000, 'one more')")
    assert copy(shop, env={"SLUICE_CRASH_AT": point}).code == -9
    copy(shop).must(0)
    lake = Lake(shop.lake)
    manifest, = lake.current(lake.folder("t"))
    assert manifest["rows"] == ROWS + 1
    assert server.sql("SELECT COUNT(*) FROM _sluice_ledger_loads WHERE phase <> 'cleaned'") == [["0"]]


def test_two_runs_of_one_job_meet_in_the_server(shop):
    gate = shop.folder / "gate"
    gate.touch()
    held = {"SLUICE_HOLD_AT": "attempt.begun", "SLUICE_HOLD_FILE": gate, "STATE_PASSWORD": shop.password, **CHUNKS}
    first = shop.start("copy", f"sqlite://{shop.db}", f"file://{shop.lake}", "--state", shop.state, env=held)
    for _ in range(200):
        if go(shop, "log", "--json").must(0).json["runs"]:
            break
    refused = copy(shop).must(4)
    assert "is held by host" in refused.err, refused
    gate.unlink()
    first.wait().must(0)


def test_a_whole_database_is_copied_without_the_ledger_in_it(scene, server):
    server.sql("CREATE TABLE orders (id INT PRIMARY KEY); INSERT INTO orders VALUES (1);")
    for _ in range(2):
        scene.sluice("copy", server.uri(), f"file://{scene.lake}", "--state", server.uri()).must(0)
    assert {row[0] for row in server.sql("SELECT DISTINCT stream FROM _sluice_ledger_loads")} == {"orders"}
    found = scene.sluice("discover", server.uri(), "--json").must(0).json
    assert [table["table"] for table in found["tables"]] == ["orders"]


def test_what_a_state_cannot_be_is_told_without_its_password(shop, server):
    shop.state = f"mysq://u:hush-hush@{server.host}/x"
    assert "hush-hush" not in copy(shop).must(2).said
    shop.state = server.uri(user=shop.user, password="wr0ng-one")
    done = copy(shop).must(2)
    assert "Access denied" in done.err and "wr0ng-one" not in done.said, done
    shop.state = server.uri(user=shop.user, password="${env:STATE_PASSWORD}", port=1)
    assert copy(shop).must(5).err.count("run again") >= 1
    shop.state = server.uri(user=shop.user, password="${env:STATE_PASSWORD}")
    server.sql(f"REVOKE CREATE ON {server.database}.* FROM {shop.user}")
    done = copy(shop).must(6)
    assert f"GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON `{server.database}`.* TO '{shop.user}'" in done.err, done
