"""log and status: what the state remembers of runs, and what is to be done next."""

import json
import signal
import socket
import sqlite3

from scene import Lock

TABLES = ["CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO customers VALUES (1, 'a'), (2, 'b')",
          "CREATE TABLE \"odd name\" (id INTEGER PRIMARY KEY)"]


def log(scene, *args, code=0):
    return scene.sluice("log", "--state", scene.state, *args).must(code)


def test_log_shows_runs_newest_first_with_what_was_read(scene):
    scene.sql(*TABLES)
    job = scene.job({"customers": {"columns": ["id"], "where": "id > 1"}, "odd name": {}}, name="nightly")
    first = scene.run(job, "--json").must(0).json
    second = scene.run(job, "--json").must(0).json
    text = log(scene).out
    assert text.index(second["run"]) < text.index(first["run"])
    for words in ("nightly", "exit 0", f"sluice run {job}", "customers  1 rows  1 file", "SELECT id FROM main.customers WHERE (id > 1)",
                  'SELECT * FROM main."odd name"', first["loads"][0]["load"]):
        assert words in text, f"{words}\n{text}"
    runs = log(scene, "--json").json["runs"]
    assert [run["run"] for run in runs] == [second["run"], first["run"]]
    run = runs[0]
    assert run["exit_code"] == 0 and run["job"] == "nightly" and run["seconds"] >= 0 and run["consistency"] == "snapshot"
    customers, = [load for load in run["loads"] if load["stream"] == "customers"]
    assert customers["rows"] == 1 and customers["files"] == 1 and customers["bytes"] > 0 and customers["seconds"] >= 0
    assert customers["statement"] == "SELECT id FROM main.customers WHERE (id > 1)"


def test_log_says_on_which_host_a_run_was(scene):
    """Of those that ended, that were killed, and that failed before they had begun."""
    scene.sql(*TABLES)
    job = scene.job({"customers": {}})
    scene.run(job).must(0)
    assert scene.run(job, env={"SLUICE_CRASH_AT": "publish.frozen"}).code == -signal.SIGKILL
    scene.db.rename(scene.folder / "away.db")
    scene.run(job).must(2)
    runs = log(scene, "--json").json["runs"]
    assert [run["exit_code"] for run in runs] == [2, None, 0]
    assert [run["host"] for run in runs] == [socket.gethostname()] * 3


def test_log_of_one_job_or_one_run_and_with_a_limit(scene):
    scene.sql(*TABLES)
    one, other = (scene.job({"customers": {}}, name=name) for name in ("one", "other"))
    for job in (one, one, one, other):
        scene.run(job).must(0)
    assert len(log(scene, "--json").json["runs"]) == 4
    assert {run["job"] for run in log(scene, one, "--json").json["runs"]} == {"one"}
    assert len(log(scene, "one", "--limit", "2", "--json").json["runs"]) == 2
    wanted = log(scene, "--json").json["runs"][2]["run"]
    assert [run["run"] for run in log(scene, "--run", wanted, "--json").json["runs"]] == [wanted]
    assert "sluice log lists" in log(scene, "--run", "ffffffff", code=2).err
    assert "whole number" in log(scene, "--limit", "many", code=2).err
    assert "whole number" in log(scene, "--limit", "0", code=2).err


def test_log_of_failed_and_killed_runs(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE)", "INSERT INTO t VALUES (1, 'no date')",
              "CREATE TABLE u (id INTEGER PRIMARY KEY)", "INSERT INTO u VALUES (1), (2), (3)")
    assert scene.run(scene.job({"t": {}}, name="bad")).code == 1
    assert scene.run(scene.job({"u": {}}, name="dead"), env={"SLUICE_CRASH_AT": "publish.frozen"}).code == -signal.SIGKILL
    text = log(scene).out
    assert "exit 1" in text and "error: " in text and "did not end (killed?)" in text, text
    dead, = log(scene, "dead", "--json").json["runs"]
    assert dead["ended"] is None and dead["exit_code"] is None
    assert dead["loads"][0]["rows"] == 3 and dead["loads"][0]["statement"] == "SELECT * FROM main.u"


def test_log_before_the_first_run(scene):
    assert "no run yet" in log(scene).out
    assert log(scene, "--json").json["runs"] == []
    assert not scene.state.exists()


def test_log_reads_a_state_whose_runs_say_less(scene):
    """As versions before this one left it."""
    scene.sql(*TABLES)
    scene.copy().must(0)
    with sqlite3.connect(scene.state) as state:
        summary = json.loads(state.execute("SELECT summary FROM runs").fetchone()[0])
        for load in summary["loads"]:
            for name in ("source", "seconds", "resumed", "coerced", "chunks", "rows_read"):
                load.pop(name)
        state.execute("UPDATE runs SET definition = '', summary = ?", (json.dumps({"loads": summary["loads"]}),))
    state.close()
    assert "customers  2 rows" in log(scene).out
    with sqlite3.connect(scene.state) as state:
        state.execute("UPDATE runs SET definition = 'no json', summary = '[1, 2'")
    state.close()
    assert "exit 0" in log(scene).out
    scene.sluice("status", "--state", scene.state).must(0)


def test_status_names_the_command_that_resumes(scene):
    scene.sql(*TABLES)
    job = scene.job({"customers": {}}, name="nightly")
    assert scene.run(job, env={"SLUICE_CRASH_AT": "publish.frozen"}).code == -signal.SIGKILL
    text = scene.sluice("status", "--state", scene.state).must(0).out
    assert f"next  resume with: sluice run {job} --state {scene.state}   (in {scene.folder})" in text, text
    assert "not running" in text
    scene.run(job).must(0)
    text = scene.sluice("status", "--state", scene.state).must(0).out
    assert "next" not in text, text
    assert scene.sluice("status", "--state", scene.state, "--json").must(0).json["jobs"][0]["next"] == ""


def test_status_of_a_failed_run_names_the_command_too(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE)", "INSERT INTO t VALUES (1, 'no date')")
    assert scene.copy().code == 1
    text = scene.sluice("status", "--state", scene.state).must(0).out
    assert "next  " in text and f"sluice copy sqlite://{scene.db} file://{scene.lake}" in text, text


def test_status_of_a_run_at_work_says_who_where_and_since_when(scene):
    scene.sql(*TABLES)
    run = scene.start("run", scene.job({"customers": {}}, name="busy"), "--state", scene.state,
                      env={"SLUICE_STOP_AT": "publish.frozen"}).wait_until_stopped()
    holder = scene.sluice("status", "--state", scene.state, "--json").must(0).json["jobs"][0]["holder"]
    assert holder["pid"] == run.pid and holder["host"] and holder["since"].startswith("20")
    text = scene.sluice("status", "--state", scene.state).must(0).out
    assert f"busy  running: process {run.pid} on {holder['host']}" in text and f"since {holder['since']}" in text, text
    assert "next  wait for the run" in text, text
    run.send(signal.SIGCONT)
    run.wait().must(0)


def test_a_state_that_is_locked_is_transient_and_says_what_to_do(scene):
    scene.sql(*TABLES)
    scene.copy().must(0)
    with sqlite3.connect(scene.state) as state:
        state.execute("PRAGMA journal_mode=WAL")
    state.close()
    with Lock(scene.state, "BEGIN IMMEDIATE"):
        done = scene.copy(timeout=30)
    assert done.code == 5 and str(scene.state) in done.err and "HINT" in done.err, done


def test_status_and_log_say_where_and_when_it_last_went_well(scene):
    scene.sql(*TABLES)
    job = scene.job({"customers": {}}, name="nightly")
    bad = scene.job({"customers": {"columns": ["none"]}}, name="bad")
    scene.run(job).must(0)
    scene.run(bad).must(2)
    text = scene.sluice("status", "--state", scene.state).must(0).out
    assert "nightly  not running, last success just now" in text and "bad  not running, no run has succeeded yet" in text, text
    assert f"committed  2 rows in 1 chunk  file://{scene.lake}" in text and "cleaned" not in text, text
    shown = {each["job"]: each for each in scene.sluice("status", "--state", scene.state, "--json").must(0).json["jobs"]}
    assert shown["bad"]["last_success"] is None and shown["nightly"]["last_success"]["exit_code"] == 0
    load, = shown["nightly"]["loads"]
    assert load["phase"] == "cleaned" and load["destination"] == f"file://{scene.lake}"
    text = log(scene, job).out
    assert f"to file://{scene.lake}" in text and "committed  load" in text and "cleaned" not in text, text
    assert log(scene, job, "--json").json["runs"][0]["destination"] == f"file://{scene.lake}"


def test_a_copy_whose_last_run_says_no_command_is_told_an_earlier_one(scene):
    scene.sql(*TABLES)
    scene.copy().must(0)
    scene.copy(env={"SLUICE_CRASH_AT": "publish.frozen"})
    with sqlite3.connect(scene.state) as state:
        state.execute("UPDATE runs SET definition = '' WHERE number = (SELECT max(number) FROM runs)")
    state.close()
    text = scene.sluice("status", "--state", scene.state).must(0).out
    assert f"next  resume with: sluice copy sqlite://{scene.db}" in text and "run job copy-" not in text, text


def test_a_run_that_fails_before_it_begins_is_remembered(scene):
    scene.sql(*TABLES)
    job = scene.job({"customers": {}}, name="nightly")
    scene.run(job).must(0)
    scene.job({"customers": {}}, name="nightly", source="mysql://reader@127.0.0.1:1/shop",
              secrets={"source.password": "${env:SHOP_PASSWORD}"})
    unset = scene.run(job, "--json").must(2).json
    unreachable = scene.run(job, "--json", env={"SHOP_PASSWORD": "hunter2"}).must(5).json
    runs = log(scene, "nightly", "--json").json["runs"]
    assert [(run["run"], run["exit_code"]) for run in runs[:2]] == [(unreachable["run"], 5), (unset["run"], 2)]
    assert runs[0]["source"] == "mysql://127.0.0.1:1/shop" and runs[0]["destination"] == f"file://{scene.lake}"
    assert "SHOP_PASSWORD is not set" in runs[1]["error"] and "wanted a MySQL server" in runs[0]["error"]
    text = scene.sluice("status", job, "--state", scene.state).must(0).out
    assert "exit 5" in text and "exit 2" in text and f"next  run again with: sluice run {job}" in text, text
    assert "hunter2" not in log(scene, job).out


def test_a_request_that_is_wrong_makes_no_state_to_remember_it_in(scene):
    scene.sql(*TABLES)
    assert scene.run(scene.job({"none": {}}), "--json").must(2).json["run"] is None
    assert not scene.state.exists()


def test_a_run_that_fails_early_beside_one_at_work_leaves_that_alone(scene):
    scene.sql(*TABLES)
    job = scene.job({"customers": {}}, name="busy")
    run = scene.start("run", job, "--state", scene.state, env={"SLUICE_STOP_AT": "publish.frozen"}).wait_until_stopped()
    assert scene.run(job, "--stream", "none", "--json").must(2).json["run"] is None
    run.send(signal.SIGCONT)
    run.wait().must(0)
