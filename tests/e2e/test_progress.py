"""Progress without a terminal, the summary at the end, and the log: what programs and tickets get."""

import json
import re
import signal
import time

import pytest

ROWS = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
        "INSERT INTO {} SELECT i, 'value ' || i FROM n")
TABLES = [sql for table, rows in (("customers", 300), ("orders", 10000))
          for sql in (f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, v TEXT)", ROWS.format(rows, table))]


def lines_of(process_or_done):
    err = process_or_done.err if hasattr(process_or_done, "err") else process_or_done._text(process_or_done._err)
    return [json.loads(line) for line in err.splitlines() if line.endswith("}")]


def held(scene, *args, at="attempt.begun:5"):
    """A copy that is held at a point until the file is gone."""
    hold = scene.folder / "hold"
    hold.write_text("")
    env = {"SLUICE_CHUNK_ROWS": "1000", "SLUICE_HOLD_AT": at, "SLUICE_HOLD_FILE": hold}
    return scene.start_copy("--connections", "1", *args, env=env), hold


def until(holds, what):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_progress_as_json_has_an_object_a_second_and_one_an_event(scene):
    scene.sql(*TABLES)
    run, hold = held(scene, "--json", "--progress", "json")
    until(lambda: sum(line.get("event") == "progress" for line in lines_of(run)) >= 3, "no progress")
    hold.unlink()
    done = run.wait().must(0)
    assert done.json["exit_code"] == 0
    lines = lines_of(done)
    assert len(lines) == len(done.err.splitlines()), "nothing but objects"
    for line in lines:
        assert {"time", "level", "run", "message", "event"} <= set(line), line
        assert line["run"] == done.json["run"]
    events = [line["event"] for line in lines]
    assert events[0] == "run-started" and events[-1] == "run-finished" and lines[-1]["exit_code"] == 0
    assert events.count("stream-started") == events.count("stream-finished") == 2
    loads = {load["stream"]: load["load"] for load in done.json["loads"]}
    for line in lines:
        if line["event"] in ("stream-started", "phase", "stream-finished"):
            assert line["load"] == loads[line["stream"]], line
    stands = [line for line in lines if line["event"] == "progress" and line["at_work"]][-1]
    assert stands["streams"] == 2 and stands["finished"] == 1 and stands["rows"] == 3300, stands
    orders, = stands["at_work"]
    assert orders["stream"] == "orders" and orders["phase"] == "copy" and orders["rows"] == 3000, orders
    assert orders["chunks_staged"] == 3 and orders["chunks_in_hand"] == 1 and not orders["resumed"]
    assert orders["load"] == loads["orders"]
    finished = [line for line in lines if line["event"] == "stream-finished" and line["stream"] == "orders"]
    assert finished[0]["rows"] == 10000


def test_progress_as_json_says_what_was_resumed(scene):
    scene.sql(*TABLES)
    killed = scene.copy("--connections", "1", env={"SLUICE_CHUNK_ROWS": "1000", "SLUICE_CRASH_AT": "staged.recorded:5"})
    assert killed.code == -signal.SIGKILL
    done = scene.copy("--progress=json", env={"SLUICE_CHUNK_ROWS": "1000"}).must(0)
    started = {line["stream"]: line for line in lines_of(done) if line["event"] == "stream-started"}
    assert started["orders"]["resumed"] and started["orders"]["rows"] == 4000
    assert started["orders"]["chunks_staged"] == 4


@pytest.mark.parametrize("args, shown", [
    ([], True), (["--progress"], True), (["--progress", "plain"], True), (["--progress=live"], True),
    (["--quiet"], False), (["--json"], False), (["--progress=none"], False), (["--no-progress"], False),
    (["--json", "--progress"], True), (["--quiet", "--progress=plain"], True)])
def test_who_sees_progress(scene, args, shown):
    scene.sql(*TABLES)
    done = scene.copy(*args).must(0)
    assert ("orders: started" in done.err) == shown, done
    assert "\x1b" not in done.err


def test_a_progress_of_no_known_kind_is_refused_before_anything_begins(scene):
    scene.sql(*TABLES)
    done = scene.copy("--progress=loud").must(2)
    assert "auto plain live json none" in done.err
    assert not scene.state.exists() and not scene.lake.exists()


def test_plain_progress_says_that_it_stops(scene):
    scene.sql(*TABLES)
    run, hold = held(scene, "--progress", "plain")
    until(lambda: "orders: started" in run._text(run._err), "not begun")
    time.sleep(0.5)
    run.send(signal.SIGINT)
    until(lambda: "stopping: finishing 1 chunk; Ctrl-C again" in run._text(run._err), "says nothing")
    hold.unlink()
    run.wait().must(130)


def test_the_summary_can_be_pasted_into_a_ticket(scene):
    scene.sql(*TABLES)
    text = scene.copy().must(0).out
    for words in (r"orders +10,000 rows +1 file +\S+ KiB +\S+ s +[\d,]+ rows/s +main/orders/",
                  r"2 streams: 10,300 rows, 2 files", r"\nrun +[0-9a-f-]{36}\n", r"\njob +copy-", r"\nconsistency +snapshot",
                  rf"\nsource +sqlite://{re.escape(str(scene.db))}\n", rf"\ndestination +file://{re.escape(str(scene.lake))}\n",
                  rf"\nstate +{re.escape(str(scene.state))}\n"):
        assert re.search(words, text), f"{words}\n{text}"
    assert "exit" not in text and "resume with" not in text


def test_the_summary_of_a_failure_says_what_it_means_and_how_to_go_on(scene):
    scene.sql(*TABLES)
    run, hold = held(scene)
    time.sleep(0.5)
    until(lambda: "orders: started" in run._text(run._err), "not begun")
    run.send(signal.SIGTERM)
    hold.unlink()
    done = run.wait().must(143)
    assert done.out == ""
    assert re.search(r"\nexit +143, stopped by a signal\n", done.err), done
    command = re.search(r"\nresume with +sluice (.*)\n", done.err)[1]
    again = scene.sluice(*command.split(), env={"SLUICE_CHUNK_ROWS": "1000"}).must(0)
    assert ", resumed: " in again.out, again


def test_each_line_of_the_log_has_the_ids_it_belongs_to(scene):
    scene.sql(*TABLES)
    done = scene.copy("--verbose", "--log-format", "json", "--json", env={"SLUICE_CHUNK_ROWS": "1000"}).must(0)
    loads = {load["stream"]: load["load"] for load in done.json["loads"]}
    lines = lines_of(done)
    assert all(line["run"] == done.json["run"] for line in lines), "a line without its run"
    of_streams = [line for line in lines if "stream" in line]
    assert len(of_streams) >= len(lines) - 3
    for line in of_streams:
        assert line["load"] == loads[line["stream"]], line
    chunks = [line for line in lines if line["message"] == "planned" or line["message"].startswith("staged")]
    assert len(chunks) >= 20 and all(isinstance(line["chunk"], int) for line in chunks)


def test_no_value_of_a_row_is_in_the_log(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (?, ?)",
              rows=[(987654321 + i, f"sesame{i}") for i in range(3000)])
    done = scene.copy("--verbose", env={"SLUICE_CHUNK_ROWS": "1000"}).must(0)
    assert "sesame" not in done.said and "98765" not in done.said


def test_a_warning_has_the_ids_of_its_load(scene):
    scene.sql(*TABLES)
    killed = scene.copy("--connections", "1", env={"SLUICE_CHUNK_ROWS": "1000", "SLUICE_CRASH_AT": "staged.recorded:3"})
    assert killed.code == -signal.SIGKILL
    scene.sql("UPDATE customers SET v = 'other'")
    done = scene.copy("--log-format", "json", "--json", env={"SLUICE_CHUNK_ROWS": "1000"}).must(0)
    warning, = [line for line in lines_of(done) if line["level"] == "warning"]
    assert warning["stream"] == "orders" and warning["load"] and warning["run"] == done.json["run"], warning


def test_a_password_in_an_argument_is_nowhere_to_be_read(scene):
    """A server that is not there: every message of a failing run, and what it leaves behind."""
    for args in ([], ["--json"], ["--verbose"], ["--verbose", "--log-format", "json", "--json"], ["--progress", "json"]):
        done = scene.sluice("copy", "mysql://reader:op3n-s3same@127.0.0.1:1/shop", f"file://{scene.lake}",
                            "--state", scene.state, *args)
        assert done.code == 5, done
        assert "op3n-s3same" not in done.said, done
    for path in scene.folder.rglob("*"):
        assert not path.is_file() or b"op3n-s3same" not in path.read_bytes(), path
