"""What plan and check say before a run is what the run says, and neither waits or asks for more than it needs."""

import signal
import socket
import threading

import pytest

TABLES = ["CREATE TABLE orders (id INTEGER PRIMARY KEY, b TEXT)", "CREATE TABLE customers (id INTEGER PRIMARY KEY)",
          "INSERT INTO orders VALUES (1, 'x'), (2, 'y')"]


def refused(scene):
    """A folder that may not be made: its parent is a file."""
    (scene.folder / "file").write_text("x")
    return f"file://{scene.folder}/file/below"


def test_check_tries_the_destination_of_each_stream(scene):
    scene.sql(*TABLES)
    job = scene.job({"orders": {"destination": refused(scene)}, "customers": {}})
    done = scene.sluice("check", job, "--state", scene.state, "--json")
    places = [each["place"] for each in done.json["checks"] if each["what"] == "destination"]
    assert places == [f"file://{scene.lake}", f"file://{scene.folder}/file/below"]
    assert done.code == scene.run(job).code != 0


def test_plan_shows_the_destination_and_the_probe_of_each_stream(scene):
    scene.sql(*TABLES)
    other = f"file://{scene.folder}/other"
    job = scene.job({"orders": {"destination": other}, "customers": {}})
    scene.run(job).must(0)
    plan = scene.sluice("plan", job, "--state", scene.state)
    assert plan.must(0).out.count("(probed ") == 2 and f"destination  {other}" in plan.out
    streams = scene.sluice("plan", job, "--state", scene.state, "--json").must(0).json["streams"]
    assert {each["stream"]: each["destination"] for each in streams} == {
        "orders": other, "customers": f"file://{scene.lake}"}
    assert all(each["probe"]["detail"] for each in streams)


def test_plan_shows_what_a_stream_says_itself_and_what_overrules_it(scene):
    scene.sql(*TABLES)
    path = "{schema}/{table}/x={load}"
    job = scene.job({"orders": {"compression": "snappy", "file_size": "1MiB", "verify": "content", "keep_versions": 3,
                                "path": path}, "customers": {}}, defaults={"compression": "zstd:5"})
    found = scene.sluice("plan", job, "--state", scene.state, "--json", "--verify", "counts").must(0).json
    settings = {each["stream"]: each["settings"] for each in found["streams"]}
    assert settings["customers"] == {} and found["settings"]["compression"] == {"value": "zstd:5", "origin": "file"}
    assert settings["orders"] == {
        "compression": {"value": "snappy", "origin": "stream"}, "file_size": {"value": "1.0 MiB", "origin": "stream"},
        "verify": {"value": "counts", "origin": "flag"}, "keep_versions": {"value": "3", "origin": "stream"},
        "path": {"value": path, "origin": "stream"}}
    assert "snappy (stream)" in scene.sluice("plan", job, "--state", scene.state).must(0).out


def begun(scene, *args):
    scene.sql(*TABLES)
    assert scene.copy("--table", "orders", *args, env={"SLUICE_CRASH_AT": "staged.recorded"}).code == -signal.SIGKILL


def rows_left(scene):
    scene.sql(*TABLES)
    crash = {"SLUICE_CRASH_AT": "staged.recorded", "SLUICE_CHUNK_ROWS": "1"}
    assert scene.copy("--table", "orders", "--connections", "1", env=crash).code == -signal.SIGKILL


def plan(scene, *args):
    return scene.sluice("plan", f"sqlite://{scene.db}", f"file://{scene.lake}", "--state", scene.state, "--table", "orders",
                        *args)


def test_plan_of_a_run_that_will_stop_is_its_error(scene):
    begun(scene)
    planned = plan(scene, "--compression", "snappy", "--json").must(2).json
    ran = scene.copy("--table", "orders", "--compression", "snappy", "--json").must(2).json
    assert planned["error"]["id"] == ran["error"]["id"] == "run.definition-changed"
    assert planned["streams"][0]["differs"] == ['compression was "zstd:1" and is "snappy:0"']
    assert "--restart" in planned["error"]["hint"]
    assert "compression was" in plan(scene, "--compression", "snappy").must(2).out
    plan(scene).must(0)


def test_plan_of_a_table_that_changed_is_the_runs_exit_code(scene):
    rows_left(scene)
    scene.sql("ALTER TABLE orders ADD COLUMN more TEXT")
    assert "no longer defined" in plan(scene).must(6).out
    assert "resume with" not in scene.copy("--table", "orders").must(6).said


def test_plan_of_a_table_that_changed_after_it_was_read_is_no_error(scene):
    begun(scene)
    scene.sql("ALTER TABLE orders ADD COLUMN more TEXT")
    plan(scene).must(0)
    scene.copy("--table", "orders").must(0)


def test_what_looks_back_asks_for_no_secret(scene):
    scene.sql(*TABLES)
    touched = scene.folder / "ran"
    job = scene.folder / "job.yaml"
    job.write_text('version: 1\nsource: mysql://u@h/d\nstreams: {t: {}}\n'
                   f'destination: file://{scene.folder}/lake/${{env:WHERE}}\n'
                   f'secrets: {{source.password: "${{cmd:touch {touched}}}"}}\n')
    for verb in ("status", "log"):
        assert "WHERE" not in scene.sluice(verb, job, "--state", scene.state, "--allow-commands").said
    # Only the destination's references are gc's.
    assert "WHERE" in scene.sluice("gc", job, "--state", scene.state, "--allow-commands").must(2).err
    scene.copy().must(0)
    (scene.folder / "lake" / "x").mkdir()
    scene.sluice("gc", job, "--state", scene.state, "--allow-commands", env={"WHERE": "x"}).must(0)
    assert not touched.exists()


@pytest.fixture
def silent():
    """A port that takes connections and never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken = []

    def take():
        while True:
            try:
                taken.append(listener.accept())
            except OSError:
                return

    threading.Thread(target=take, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()
    for connection, _ in taken:
        connection.close()


def test_check_of_a_store_that_never_answers_ends(scene, silent):
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_EC2_METADATA_DISABLED": "true"}
    done = scene.sluice("check", f"s3://bucket/x?endpoint=http://127.0.0.1:{silent}&region=us-east-1", env=keys, timeout=60)
    assert f"s3://bucket/x?endpoint=http://127.0.0.1:{silent}" in done.must(5).said and done.seconds < 45


def test_a_setting_that_is_misspelt_in_the_environment_is_told(scene):
    scene.sql(*TABLES)
    done = scene.copy(env={"SLUICE_CONECTIONS": "3", "SLUICE_MEMROY": "1GiB", "SLUICE_SHOP_PASSWORD": "x"}).must(0)
    assert "SLUICE_CONNECTIONS?" in done.err and "SLUICE_MEMORY?" in done.err and "SHOP" not in done.err


@pytest.mark.parametrize("variable", ["SLUICE_LEASE_SECONDS", "SLUICE_CHUNK_ROWS", "SLUICE_CONNECTIONS"])
def test_a_variable_that_stops_a_run_stops_plan_and_check(scene, variable):
    scene.sql(*TABLES)
    places = (f"sqlite://{scene.db}", f"file://{scene.lake}", "--state", scene.state)
    for verb in ("copy", "plan", "check"):
        done = scene.sluice(verb, *places, env={variable: "bogus"}).must(2)
        assert f"{variable}" in done.err and f"unset {variable}" in done.err


def test_a_database_in_the_place_of_a_job_file(scene):
    scene.sql(*TABLES)
    assert f"sluice copy {scene.db} FOLDER" in scene.sluice("run", scene.db).must(2).err
    assert f"sluice plan {scene.db} FOLDER" in scene.sluice("plan", scene.db).must(2).err
    assert scene.sluice("run", scene.db, "--json").must(2).json["error"]["id"] == "cli.database"
    scene.lake.mkdir()
    assert "HINT" in scene.sluice("plan", scene.lake).must(2).err


def test_a_job_file_that_is_too_large_says_how_large(scene):
    job = scene.folder / "large.yaml"
    job.write_bytes(b"#" * 5_000_000)
    assert "found 5000000 bytes" in scene.sluice("plan", job).must(2).err


@pytest.mark.parametrize("policies, words", [
    ("{datetme: {zero_date: null}}", "did you mean datetime?"),
    ("{integer: {unsigned: native}}", "the server calls it int"),
    ("{int: {zero_date: null}}", "it goes with date datetime timestamp")])
def test_a_type_policy_without_an_effect_is_told_at_its_place(scene, policies, words):
    job = scene.folder / "job.yaml"
    job.write_text("version: 1\nsource: mysql://u:${env:P}@127.0.0.1:1/d\ndestination: lake\n"
                   f"streams: {{t: {{type_policies: {policies}}}}}\n")
    assert scene.sluice("run", job, "--json", env={"P": "x"}).must(2).json["error"]["id"] == "setting.type"
    for verb in ("run", "plan", "check"):
        done = scene.sluice(verb, job, "--state", scene.state, env={"P": "x"}).must(2)
        assert words in done.err and "job.yaml:4:" in done.err and "^" in done.err


def test_a_wrong_request_is_not_told_to_resume(scene):
    begun(scene)
    assert "resume with" not in scene.copy("--table", "orders", "--compression", "snappy").must(2).said
