"""run, and what a second start does with what the first one left: resume, restart, refuse."""

import os
import random
import signal

import pytest
from oracle import Lake, assert_copied

ROWS = 40_000  # at ten thousand or less a chunk
CUT = {"SLUICE_CRASH_AT": "staged.recorded:2"}


def fill(scene, table="t", rows=ROWS, seed=2):
    randbytes = random.Random(seed).randbytes
    scene.sql(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, word TEXT, raw BLOB)",
              f"INSERT INTO {table} VALUES (?, ?, ?)",
              rows=[(i, f"word {i % 100}", randbytes(100)) for i in range(rows)])


def cut(scene, *args):
    """A copy that dies with some chunks staged and others not."""
    done = scene.copy("--table", "t", "--file-size", "1MiB", "--connections", "1", *args, env=CUT)
    assert done.code == -signal.SIGKILL, done
    assert Lake(scene.lake).staged()


def again(scene, *args):
    return scene.copy("--table", "t", "--file-size", "1MiB", "--connections", "1", *args)


def staged_inodes(scene):
    return {os.stat(path).st_ino for path in Lake(scene.lake).staged()}


# --- run ---


def test_a_job_file_runs(scene):
    fill(scene, "orders", 100)
    fill(scene, "customers", 50)
    job = scene.job({"orders": {"where": "id < 60", "columns": ["id", "word"]}, "customers": {}},
                    limits={"memory": "128MiB", "connections": 2})
    done = scene.run(job, "--json").must(0)
    assert_copied(scene, "orders", columns="id, word", where="id < 60")
    assert_copied(scene, "customers")
    assert {load["stream"] for load in done.json["loads"]} == {"orders", "customers"}
    assert Lake(scene.lake).only("orders")["job"] == "job"


def test_a_job_is_called_as_it_says_or_as_its_file(scene):
    fill(scene, "t", 3)
    scene.run(scene.job({"t": {}}, name="file-stem")).must(0)
    assert Lake(scene.lake).only("t")["job"] == "file-stem"
    path = scene.folder / "named.yaml"
    path.write_text(f"version: 1\nname: nightly\nsource: sqlite://{scene.db}\n"
                    f"destination: file://{scene.lake}\nstreams:\n  t: {{}}\n")
    scene.run(path).must(0)
    assert_copied(scene, "t", job="nightly")


def test_globs_take_the_tables_they_match(scene):
    for table in ("log_a", "log_b", "other"):
        fill(scene, table, 5)
    scene.run(scene.job({"log_*": {}})).must(0)
    assert [folder.name for folder in Lake(scene.lake).tables()] == ["log_a", "log_b"]


def test_verify_and_gc_look_at_every_place_of_a_job(scene):
    for table in ("here", "there"):
        fill(scene, table)
    other = scene.folder / "other"
    job = scene.job({"here": {}, "there": {"destination": f"file://{other}", "file_size": "1MiB"}},
                    limits={"connections": 1})
    scene.run(job).must(0)
    loads = scene.sluice("verify", job, "--json").must(0).json["loads"]
    assert [load["stream"] for load in loads] == ["here", "there"]
    assert loads[1]["manifest"].startswith(f"file://{other}/")
    only = scene.sluice("verify", job, "--stream", "there", "--json").must(0).json["loads"]
    assert [load["stream"] for load in only] == ["there"]
    damaged = max((other / "main/there").rglob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert scene.sluice("verify", job, "--depth", "content").code == 3

    killed = scene.run(job, "--stream", "there", env=CUT)
    assert killed.code == -signal.SIGKILL and Lake(other).staged()
    kept = scene.sluice("gc", job, "--state", scene.state, "--json").must(0).json["collected"]
    assert [entry["act"] for entry in kept] == ["keep-open"]
    load = kept[0]["load"]
    assert load in str(Lake(other).staged()[0])
    elsewhere = scene.gc("--abandon", load)
    assert elsewhere.code == 2 and Lake(other).staged()
    scene.sluice("gc", job, "--state", scene.state, "--abandon", load).must(0)
    assert not Lake(other).staged()


def test_a_load_that_shows_nothing_yet_is_given_up_where_it_goes(scene):
    fill(scene, "there")
    other = scene.folder / "other"
    job = scene.job({"there": {"destination": f"file://{other}"}})
    killed = scene.run(job, env={"SLUICE_CRASH_AT": "plan.after-commit"})
    assert killed.code == -signal.SIGKILL
    load = scene.sluice("status", job, "--state", scene.state, "--json").must(0).json["jobs"][0]["loads"][-1]["load"]
    scene.lake.mkdir(exist_ok=True)
    elsewhere = scene.gc("--abandon", load)
    assert elsewhere.code == 2 and str(other) in elsewhere.err, elsewhere
    scene.sluice("gc", job, "--state", scene.state, "--abandon", load).must(0)
    assert [path.name for path in (other / "main/there/_sluice").iterdir()] == [f"{load}.json"]

def test_gc_leaves_alone_what_another_root_within_made(scene):
    """raw/main/t/LOAD of the outer root is main/t/LOAD of the inner one."""
    fill(scene, "t", 20)
    inner, other = scene.lake / "raw", scene.folder / "other.db"
    scene.sluice("copy", f"sqlite://{scene.db}", f"file://{inner}", "--state", scene.state).must(0)
    scene.copy("--table", "t", "--path", "{schema}/{table}/{date}/{load}").must(0)
    kept = scene.tree()
    for root in (scene.lake, inner, scene.lake / "main"):
        scene.sluice("gc", f"file://{root}", "--older-than", "0s", "--state", other).must(0)
    assert scene.tree() == kept


def test_a_load_below_the_jobs_destination_is_given_up_as_what_it_is(scene):
    fill(scene, "t", 20)
    inner = scene.lake / "archive"
    job = scene.job({"t": {"destination": f"file://{inner}"}})
    assert scene.run(job, env={"SLUICE_CRASH_AT": "slot.written"}).code == -signal.SIGKILL
    load = Lake(inner).only("t")["load"]
    scene.sluice("gc", job, "--abandon", load, "--state", scene.state).must(0)
    scene.run(job).must(0)
    manifest = Lake(inner).only("t")
    Lake(inner).check_load(manifest)


def test_one_stream_of_a_job_runs_alone(scene):
    for table in ("a", "b"):
        fill(scene, table, 5)
    scene.run(scene.job({"a": {}, "b": {}}), "--stream", "b").must(0)
    assert [folder.name for folder in Lake(scene.lake).tables()] == ["b"]


def test_two_jobs_share_a_destination_and_leave_each_other_alone(scene):
    fill(scene, "t", 50)
    one, two = scene.job({"t": {}}, name="one"), scene.job({"t": {"where": "id < 10"}}, name="two")
    for _ in range(2):
        scene.run(one).must(0)
        scene.run(two).must(0)
    assert_copied(scene, "t", job="one")
    assert_copied(scene, "t", job="two", where="id < 10")
    assert len(Lake(scene.lake).current(Lake(scene.lake).folder("t"))) == 2


def test_of_several_streams_one_that_fails_does_not_stop_the_others(scene):
    fill(scene, "a", 20)
    fill(scene, "z", 20)
    scene.sql("CREATE TABLE m (id INTEGER PRIMARY KEY, n INT)", "INSERT INTO m VALUES (1, 'none')")
    done = scene.copy("--json").must(1)
    for table in ("a", "z"):
        assert_copied(scene, table)
    assert Lake(scene.lake).current(Lake(scene.lake).folder("m")) == []
    assert {load["stream"]: load["phase"] for load in done.json["loads"]}["m"] == "copying"
    assert done.json["error"]["message"]


@pytest.mark.parametrize("text, place, word", [
    ("version: 1\nsorce: x\n", "2:1", "source"),
    ("version: 1\nsource: a.db\ndestination: d\nstreams:\n  t:\n    wehre: x\n", "6:5", "where"),
    ("version: 2\n", "1:10", "version"),
    ("version: 1\nsource: a.db\ndestination: d\nstreams:\n  t: {mode: incremental}\n", "5:13", "not in this version"),
    ("version: 1\nsource: [\n", "", "job"),
    ("version: 1\nsource: a.db\ndestination: d\nstreams: {t: {}}\nlimits: {memory: much}\n", "5:18", "size"),
])
def test_a_mistake_in_a_job_file_is_named_with_its_place(scene, text, place, word):
    path = scene.folder / "job.yaml"
    path.write_text(text)
    done = scene.run(path).must(2)
    assert f"job.yaml:{place}" in done.err
    assert word in done.err


# --- a second start ---


def test_a_rerun_resumes_what_a_killed_run_left(scene):
    fill(scene)
    cut(scene)
    inodes = staged_inodes(scene)
    done = again(scene, "--json").must(0)
    manifest = assert_copied(scene, "t")
    published = {os.stat(path).st_ino for path in Lake(scene.lake).files(manifest)}
    assert inodes <= published, "what was staged is published, not read again"
    assert len(Lake(scene.lake).slots(Lake(scene.lake).folder("t"))) == 1
    assert done.json["loads"][0]["load"] == manifest["load"]


def test_resume_insists_that_there_is_something_to_resume(scene):
    fill(scene, rows=10)
    done = again(scene, "--resume").must(2)
    assert "resume" in done.err and "HINT" in done.err
    Lake(scene.lake).assert_nothing_visible()
    again(scene).must(0)
    again(scene, "--resume").must(2)


def test_resume_finishes_an_unfinished_load(scene):
    fill(scene)
    cut(scene)
    again(scene, "--resume").must(0)
    assert_copied(scene, "t")


def test_restart_discards_the_unfinished_load_and_begins_anew(scene):
    fill(scene)
    cut(scene)
    lake = Lake(scene.lake)
    again(scene, "--restart").must(0)
    manifest = assert_copied(scene, "t")
    slots = lake.slots(lake.folder("t"))
    assert sorted(slot["outcome"] for slot in slots.values()) == ["committed", "discarded"]
    assert lake.staged() == []
    assert len(slots) == 2 and slots[manifest["load"]]["outcome"] == "committed"


def test_resume_and_restart_together_are_refused(scene):
    fill(scene, rows=3)
    again(scene, "--resume", "--restart").must(2)


@pytest.mark.parametrize("change, word", [
    (["--where", "id < 100"], "where"), (["--compression", "snappy"], "compression"),
    (["--on-type-mismatch", "null"], "mismatch")])
def test_a_definition_that_changed_in_between_stops_and_says_what_differs(scene, change, word):
    fill(scene)
    cut(scene)
    inodes = staged_inodes(scene)
    done = again(scene, *change).must(2)
    assert word in done.err and "HINT" in done.err and "--restart" in done.err
    assert staged_inodes(scene) == inodes, "nothing was lost by the refusal"
    Lake(scene.lake).assert_nothing_visible()
    again(scene, *change, "--restart").must(0)
    Lake(scene.lake).only("t")


def test_what_does_not_change_bytes_may_change_in_between(scene):
    fill(scene)
    cut(scene)
    scene.copy("--table", "t", "--file-size", "1MiB", "--connections", "3", "--memory", "200MiB").must(0)
    assert_copied(scene, "t")


def test_rows_added_in_between_make_the_load_mixed_and_say_so(scene):
    fill(scene)
    cut(scene)
    scene.sql("INSERT INTO t VALUES (1000000, 'late', x'00')")
    done = again(scene).must(0)
    assert "mixed" in done.said
    lake = Lake(scene.lake)
    manifest = lake.only("t")
    lake.check_load(manifest)
    assert manifest["consistency"]["mixed"] is True and len(manifest["consistency"]["positions"]) == 2
    # Its last key was fixed before its first row was read.
    assert int(manifest["rows"]) == ROWS


def test_a_strict_snapshot_begins_anew_when_the_database_moved(scene):
    fill(scene)
    cut(scene, "--consistency", "snapshot-strict")
    scene.sql("INSERT INTO t VALUES (1000000, 'late', x'00')")
    again(scene, "--consistency", "snapshot-strict").must(0)
    assert assert_copied(scene, "t")["rows"] == ROWS + 1
    assert len(Lake(scene.lake).slots(Lake(scene.lake).folder("t"))) == 2


def test_the_state_is_in_the_users_state_folder_unless_told_otherwise(scene):
    fill(scene, rows=5)
    source, destination = f"sqlite://{scene.db}", f"file://{scene.lake}"
    scene.sluice("copy", source, destination, env={"XDG_STATE_HOME": scene.folder / "xdg"}).must(0)
    assert (scene.folder / "xdg/sluice/state.db").is_file()
    scene.sluice("copy", source, destination).must(0)
    assert (scene.folder / "home/.local/state/sluice/state.db").is_file()


def test_a_second_state_takes_a_load_of_its_own(scene):
    fill(scene, rows=5)
    scene.copy().must(0)
    scene.sluice("copy", f"sqlite://{scene.db}", f"file://{scene.lake}", "--state", scene.folder / "b.db").must(0)
    assert_copied(scene, "t")


def test_a_load_of_another_job_is_not_replaced_and_is_said(scene):
    fill(scene, "t", 10)
    scene.run(scene.job({"t": {}}, name="nightly")).must(0)
    done = scene.run(scene.job({"t": {}}, name="weekly")).must(0)
    assert "nightly" in done.err and "two current loads" in done.err, done
    assert_copied(scene, "t", job="nightly")
    assert_copied(scene, "t", job="weekly")
    # Each goes on with its own.
    scene.run(scene.folder / "nightly.yaml").must(0)
    assert_copied(scene, "t", job="nightly")


def test_another_database_under_the_name_of_the_first_is_another_snapshot(scene):
    """As many changes, the same size: only the file itself tells."""
    fill(scene, seed=3)
    twin = scene.db.with_suffix(".twin")
    scene.db.rename(twin)
    fill(scene, seed=2)
    cut(scene)
    twin.replace(scene.db)
    done = again(scene).must(0)
    assert "mixed" in done.err, done
    assert Lake(scene.lake).only("t")["consistency"]["mixed"] is True


def test_strict_consistency_begins_anew_when_the_database_is_another(scene):
    fill(scene, seed=3)
    twin = scene.db.with_suffix(".twin")
    scene.db.rename(twin)
    fill(scene, seed=2)
    cut(scene, "--consistency", "snapshot-strict")
    twin.replace(scene.db)
    again(scene, "--consistency", "snapshot-strict").must(0)
    manifest = assert_copied(scene, "t")
    assert manifest["consistency"]["mixed"] is False


def two_sources(scene):
    """The same job file for two databases, as from two folders."""
    fill(scene, seed=3)
    first, scene.db = scene.db, scene.folder / "other.db"
    fill(scene, seed=2)
    other, scene.db = scene.db, first
    job = scene.job({"t": {}}, name="nightly")
    return job, job.read_text().replace("source.db", "other.db"), other


def test_a_load_is_not_resumed_from_another_database(scene):
    job, edited, other = two_sources(scene)
    done = scene.run(job, "--file-size", "1MiB", "--connections", "1", env=CUT)
    assert done.code == -signal.SIGKILL, done
    job.write_text(edited)
    done = scene.run(job, "--file-size", "1MiB").must(2)
    assert "source was" in done.err and "--restart" in done.err, done
    Lake(scene.lake).assert_nothing_visible()
    scene.run(job, "--file-size", "1MiB", "--restart").must(0)
    scene.db = other
    assert_copied(scene, "t", job="nightly")


def test_a_committed_load_that_is_no_longer_asked_for_is_finished_and_another_begins(scene):
    fill(scene, rows=100)
    job = scene.job({"t": {}})
    for edited, more in (({"where": "id < 10"}, ()), ({"where": "id < 20"}, ()), ({"where": "id < 20"}, ("--restart",))):
        for point in ("slot.written", "slot.recorded"):
            scene.run(job).must(0)
            assert scene.run(job, env={"SLUICE_CRASH_AT": point}).code == -signal.SIGKILL
            scene.job({"t": edited})
            done = scene.run(job, *more, "--json").must(0)
            assert "had been committed" in done.err, done
            assert done.json["loads"][0]["rows_read"] > 0
            assert_copied(scene, "t", where=edited["where"], job="job")
            if not more:
                scene.job({"t": {}})


@pytest.mark.parametrize("restart", [(), ("--restart",)])
def test_a_load_is_not_decided_at_another_destination(scene, restart):
    fill(scene, rows=100)
    job = scene.job({"t": {}})
    assert scene.run(job, env={"SLUICE_CRASH_AT": "slot.written"}).code == -signal.SIGKILL
    load = Lake(scene.lake).only("t")["load"]
    elsewhere = scene.folder / "elsewhere"
    scene.job({"t": {"destination": f"file://{elsewhere}"}})
    done = scene.run(job, *restart).must(2)
    assert f"sluice gc file://{scene.lake} --abandon {load}" in done.err, done
    assert not list(elsewhere.rglob("*.json"))
    scene.job({"t": {}})
    scene.run(job).must(0)
    assert Lake(scene.lake).only("t")["load"] == load


def test_a_committed_load_stays_where_it_is_when_the_destination_changes(scene):
    fill(scene, rows=100)
    job = scene.job({"t": {}})
    assert scene.run(job, env={"SLUICE_CRASH_AT": "slot.recorded"}).code == -signal.SIGKILL
    first, elsewhere = Lake(scene.lake).only("t"), scene.folder / "elsewhere"
    scene.job({"t": {"destination": f"file://{elsewhere}"}})
    done = scene.run(job).must(0)
    assert "clean-up there is left undone" in done.err, done
    assert Lake(scene.lake).only("t") == first
    manifest = Lake(elsewhere).only("t")
    assert manifest["load"] != first["load"]
    Lake(elsewhere).check_load(manifest)


def test_a_job_of_the_same_name_in_another_state_keeps_its_load(scene):
    job, edited, other = two_sources(scene)
    scene.run(job).must(0)
    kept = Lake(scene.lake).only("t")
    job.write_text(edited)
    done = scene.sluice("run", job, "--state", scene.folder / "second-state.db").must(0)
    assert "it stays" in done.err, done
    assert kept["load"] in {path.parent.name for path in scene.lake.rglob("*.parquet")}


def test_a_load_of_another_database_is_replaced_and_that_is_said(scene):
    job, edited, other = two_sources(scene)
    scene.run(job).must(0)
    job.write_text(edited)
    done = scene.run(job).must(0)
    assert "another source" in done.err, done
    scene.db = other
    assert_copied(scene, "t", job="nightly")
