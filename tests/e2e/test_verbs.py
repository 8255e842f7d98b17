"""The verbs that only look: they write nothing anywhere, and speak JSON when asked."""

import json
import re
import signal
import subprocess

import pytest
from oracle import Lake, assert_copied
from scene import BINARY

TABLES = ["CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, born DATE)",
          "CREATE TABLE orders (a INT NOT NULL, b TEXT NOT NULL, total DECIMAL(10,2), PRIMARY KEY (a, b))",
          "CREATE TABLE log (line TEXT)", "CREATE VIEW names AS SELECT name FROM customers",
          "INSERT INTO customers VALUES (1, 'a', '2000-01-01'), (2, 'b', NULL)"]


def looks(scene):
    """Every verb that only looks, as arguments."""
    source, destination = f"sqlite://{scene.db}", f"file://{scene.lake}"
    job = scene.job({"customers": {}, "orders": {"where": "a > 1"}})
    state = ["--state", scene.state]
    return {"plan of a job": ["plan", job, *state], "plan of copy's arguments": ["plan", source, destination, *state],
            "discover": ["discover", source], "status": ["status", *state], "version": ["version"]}


def written(scene):
    """Of a -shm file only that it is there: a reader of a WAL database marks its place in it."""
    return {path: facts[:2] if path.endswith("-shm") else facts for path, facts in scene.tree().items()}


@pytest.mark.parametrize("verb", ["plan of a job", "plan of copy's arguments", "discover", "status", "version"])
@pytest.mark.parametrize("when", ["before", "after", "cut short"])
def test_what_only_looks_writes_nothing_anywhere(scene, verb, when):
    scene.sql("PRAGMA journal_mode=WAL" if when == "after" else "PRAGMA journal_mode=DELETE", *TABLES)
    args = looks(scene)[verb]
    if when == "after":
        scene.copy().must(0)
    if when == "cut short":
        done = scene.copy(env={"SLUICE_CRASH_AT": "publish.object"})
        assert done.code == -signal.SIGKILL, done
    before = written(scene)
    done = scene.sluice(*args)
    assert done.code == 0 or (verb == "status" and when == "before" and done.code == 2), done
    assert written(scene) == before
    assert done.out.strip() or done.code


@pytest.mark.parametrize("verb", ["plan of a job", "plan of copy's arguments", "discover", "status", "version"])
def test_what_looks_speaks_json(scene, verb):
    scene.sql(*TABLES)
    scene.copy().must(0)
    done = scene.sluice(*looks(scene)[verb], "--json").must(0)
    assert done.json["command"] == verb.split()[0]
    assert done.json["exit_code"] == 0


def test_discover_shows_tables_keys_and_types_as_they_will_arrive(scene):
    scene.sql(*TABLES)
    done = scene.sluice("discover", f"sqlite://{scene.db}").must(0)
    for word in ("customers", "orders", "log", "id", "date32", "string", "int64", "total"):
        assert word in done.out, done
    text = json.dumps(scene.sluice("discover", f"sqlite://{scene.db}", "--json").must(0).json)
    for word in ("customers", "orders", "log", "date32", '["a", "b"]'):
        assert word in text, text


def test_plan_says_what_would_happen(scene):
    scene.sql(*TABLES)
    done = scene.sluice("plan", f"sqlite://{scene.db}", f"file://{scene.lake}", "--state", scene.state,
                        "--file-size", "3MiB").must(0)
    for word in ("customers", "orders", "log", "3"):
        assert word in done.out, done


def test_plan_shows_where_each_value_came_from(scene):
    scene.sql(*TABLES)
    job = scene.job({"customers": {}}, limits={"memory": "100MiB"})
    done = scene.sluice("plan", job, "--state", scene.state, "--connections", "3").must(0)
    for word in ("memory", "100", "connections", "3"):
        assert word in done.out, done


def test_plan_and_check_refuse_what_a_run_would_refuse(scene):
    scene.sql(*TABLES)
    for verb in ("plan", "check"):
        job = scene.job({"customers": {"where": "nothing = 1"}})
        scene.sluice(verb, job, "--state", scene.state).must(2)
        scene.sluice(verb, scene.job({"nowhere": {}}), "--state", scene.state).must(2)


def test_check_tries_the_destination_and_leaves_no_trace_there(scene):
    scene.sql(*TABLES)
    job = scene.job({"customers": {}})
    done = scene.sluice("check", job, "--state", scene.state).must(0)
    assert done.out.strip()
    assert [path for path in scene.lake.rglob("*") if path.is_file()] == []
    scene.sluice("check", f"sqlite://{scene.db}", "--state", scene.state).must(0)


def test_check_of_a_database_that_is_not_there(scene):
    done = scene.sluice("check", f"sqlite://{scene.db}", "--state", scene.state).must(2)
    assert str(scene.db) in done.err


def test_status_shows_what_ran_and_what_was_left(scene):
    scene.sql(*TABLES)
    scene.run(scene.job({"customers": {}}, name="nightly")).must(0)
    done = scene.run(scene.job({"orders": {}}, name="broken"), env={"SLUICE_CRASH_AT": "publish.frozen"})
    assert done.code == -signal.SIGKILL
    text = scene.sluice("status", "--state", scene.state).must(0).out
    for word in ("nightly", "broken", "customers", "orders"):
        assert word in text, text
    text = json.dumps(scene.sluice("status", "--state", scene.state, "--json").must(0).json)
    for word in ("nightly", "broken", "publishing"):
        assert word in text, text


def test_status_of_a_run_under_way_says_who_holds_it(scene):
    scene.sql(*TABLES)
    run = scene.start(*["run", scene.job({"customers": {}}, name="busy"), "--state", scene.state],
                      env={"SLUICE_STOP_AT": "publish.frozen"}).wait_until_stopped()
    text = scene.sluice("status", "--state", scene.state).must(0).out
    assert "busy" in text and str(run.pid) in text, text
    run.send(signal.SIGCONT)
    run.wait().must(0)


def test_version_and_help_go_to_stdout(scene):
    assert scene.sluice("version").must(0).out.strip()
    assert scene.sluice("--version").must(0).out.strip()
    text = scene.sluice("--help").must(0).out
    for verb in ("copy", "run", "verify", "status", "gc", "discover", "plan", "check", "version"):
        assert verb in text
        page = scene.sluice(verb, "--help").must(0).out
        assert verb in page and "--help" in page


def test_copy_without_a_terminal_prints_plain_lines(scene):
    scene.sql(*TABLES)
    done = scene.copy().must(0)
    assert "\x1b" not in done.said and "\r" not in done.said
    assert_copied(scene, "customers")
    assert "customers" in done.said


def test_quiet_says_nothing_when_all_is_well(scene):
    scene.sql(*TABLES)
    done = scene.copy("--quiet").must(0)
    assert done.err.strip() == ""


def test_logs_go_to_stderr_as_json_when_asked(scene):
    scene.sql(*TABLES)
    done = scene.copy("--json", "--log-format", "json").must(0)
    assert done.json["command"] == "copy"
    for line in done.err.splitlines():
        assert isinstance(json.loads(line), dict)


def test_json_has_the_documented_shape(scene):
    scene.sql(*TABLES)
    result = scene.copy("--json").must(0).json
    assert result["command"] == "copy" and result["exit_code"] == 0 and result["run"]
    assert {load["stream"] for load in result["loads"]} == {"customers", "orders", "log"}
    for load in result["loads"]:
        for name in ("stream", "load", "phase", "rows", "bytes", "files", "manifest", "location"):
            assert name in load, load
        manifest = load["manifest"].removeprefix("file://")
        assert (scene.lake / manifest).is_file(), manifest
        assert list((scene.lake / load["location"].removeprefix("file://")).glob("*.parquet"))


def test_a_terminal_gets_a_live_display_and_no_color_is_honoured(scene):
    scene.sql(*TABLES)
    script = ["script", "-qec", " ".join(f"'{word}'" for word in map(str, [BINARY, *scene.copy_args()])), "/dev/null"]
    shown = subprocess.run(script, env=scene.environment({"TERM": "xterm", "NO_COLOR": "1"}), timeout=60,
                           capture_output=True, stdin=subprocess.DEVNULL)
    assert shown.returncode == 0, shown
    assert not re.search(rb"\x1b\[[0-9;]*m", shown.stdout), "colours in spite of NO_COLOR"
    assert_copied(scene, "customers")
    assert Lake(scene.lake).staged() == []
