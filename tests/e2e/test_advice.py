"""What somebody who failed is told to do: it fits the way they work, and it helps."""

import json

import pytest

MISFIT = ["CREATE TABLE t (id INTEGER PRIMARY KEY, d DATE)", "INSERT INTO t VALUES (1, 'no date')"]
TABLE = ["CREATE TABLE orders (id INTEGER PRIMARY KEY)", "INSERT INTO orders VALUES (1), (2)"]


def test_a_value_that_does_not_fit_names_the_key_of_the_job_file(scene):
    scene.sql(*MISFIT)
    job = scene.job({"main.t": {}}, name="nightly")
    done = scene.run(job).must(1)
    advised = "streams: {\"main.t\": {on_type_mismatch: null}} in " + str(job)
    assert f"HINT: {advised}" in done.err and "--restart" in done.err and "--on-type-mismatch" not in done.err, done
    assert "resume with" not in done.err and "fails again until the value or the policy is changed" in done.err, done
    assert advised in scene.run(job, "--json").must(1).json["loads"][0]["error"]["hint"]
    status = scene.sluice("status", "--state", scene.state).must(0).out
    assert "resume with" not in status and "mend what the last run reported" in status, status
    scene.job({"main.t": {"on_type_mismatch": None}}, name="nightly")
    scene.run(job, "--restart").must(0)


def test_copy_is_told_of_its_flag(scene):
    scene.sql(*MISFIT)
    done = scene.copy().must(1)
    assert "HINT: --on-type-mismatch null makes" in done.err and "resume with" not in done.err, done
    scene.copy("--on-type-mismatch", "null", "--restart").must(0)


def test_plan_of_another_definition_says_how_to_go_on(scene):
    scene.sql(*TABLE)
    scene.copy(env={"SLUICE_CRASH_AT": "publish.frozen"})
    done = scene.sluice("plan", f"sqlite://{scene.db}", f"file://{scene.lake}", "--state", scene.state,
                        "--compression", "snappy").must(2)
    assert "stops: the definition" in done.out and "--restart discards" in done.said, done
    assert "HINT" in done.said, done


def test_a_tilde_is_no_home(scene):
    scene.sql(*TABLE)
    for place in ("~/lake", "file:~/lake", "~"):
        done = scene.sluice("copy", scene.db, place, "--state", scene.state).must(2)
        assert "~ is not expanded" in done.err and "file://${env:HOME}" in done.err, done
    done = scene.run(scene.job({"orders": {}}, destination="~/lake")).must(2)
    assert "job.yaml:" in done.err and "file://${env:HOME}/lake" in done.err, done
    assert "~ is not expanded" in scene.sluice("copy", scene.db, "lake", "--state=~/state.db").must(2).err
    assert not list(scene.folder.glob("~*"))
    home = {"HOME": scene.folder}
    scene.sluice("copy", scene.db, "file://${env:HOME}/lake", "--state", scene.state, env=home).must(0)
    assert scene.lake.is_dir()
    scene.sluice("copy", scene.db, "./~", "--state", scene.state).must(0)
    assert (scene.folder / "~").is_dir()


def test_a_job_file_that_is_made_does_not_depend_on_the_folder(scene):
    scene.sql(*TABLE)
    path = scene.folder / "shop.yaml"
    text = scene.sluice("job", "init", scene.db, "-o", path).must(0) and path.read_text()
    assert f'destination: "file://{scene.lake}"  # replace it' in text, text


def test_check_leaves_no_folder_behind(scene):
    scene.sql(*TABLE)
    for place in (scene.lake, scene.folder / "new/deep/lake"):
        scene.sluice("check", f"file://{place}").must(0)
    assert not scene.lake.exists() and not (scene.folder / "new").exists()
    scene.lake.mkdir()
    (scene.lake / "mine").mkdir()
    scene.sluice("check", f"file://{scene.lake}").must(0)
    assert [path.name for path in scene.lake.iterdir()] == ["mine"]


def test_a_load_of_another_job_is_told_before_the_run(scene):
    scene.sql(*TABLE)
    scene.run(scene.job({"orders": {}}, name="nightly")).must(0)
    other = scene.job({"orders": {}}, name="weekly")
    for verb in ("plan", "check"):
        done = scene.sluice(verb, other, "--state", scene.state).must(0)
        assert "by job nightly" in done.out and f"HINT: name: nightly in {other}" in done.out, done
        assert "1 warning" in done.out, done
        mine = scene.sluice(verb, scene.folder / "nightly.yaml", "--state", scene.state).must(0)
        assert "by job" not in mine.out and "0 warnings" in mine.out, mine
    found, = scene.sluice("plan", other, "--state", scene.state, "--json").json["destination_findings"]
    assert found["name"] == "orders" and found["level"] == "warning"
    text = json.loads(other.read_text())
    other.write_text(json.dumps({**text, "name": "nightly"}))
    assert "by job" not in scene.sluice("plan", other, "--state", scene.state).must(0).out


@pytest.mark.parametrize("password", ["p@ss/w", "hunter2/x", "hunter2?x", "hunter2#x", "a/b@hunter2"])
def test_a_password_that_is_not_encoded_is_explained_and_not_shown(scene, password):
    uri = f"mysql://reader:{password}@127.0.0.1:1/shop"
    for typed in (["discover", uri], ["copy", uri, f"file://{scene.lake}", "--state", scene.state]):
        done = scene.sluice(*typed).must(2)
        assert "write @ as %40, / as %2F" in done.err, done
        for part in ("p@ss", "ss/w", "hunter2", "a/b"):
            assert part not in done.said, done


def test_what_an_option_holds_is_no_account(scene):
    done = scene.sluice("discover", "mysql://reader:x@127.0.0.1:1/shop?tls_ca=/no/such/ca@home.pem", "--json").must(2)
    assert done.json["error"]["id"] == "uri.tls-ca" and "/no/such/ca@home.pem" in done.err, done


@pytest.mark.parametrize("place, hint", [
    ("s3:/lake/raw", "write s3://lake/raw"), ("s3:lake", "write s3://lake"), ("s3://My_Bucket/raw", "small letters"),
    ("s3://-lake", "begins and ends"), ("s3://localhost:9000/lake", "?endpoint=http://host:port"),
    ("C:\\data", "under WSL drive C is /mnt/c"), ("c:/data", "path of Windows")])
def test_a_destination_that_cannot_be_one(scene, place, hint):
    scene.sql(*TABLE)
    done = scene.sluice("copy", scene.db, place, "--state", scene.state).must(2)
    assert hint in done.err, done


def test_a_source_and_a_destination_in_each_others_place(scene):
    job = scene.job({"orders": {}}, source=f"file://{scene.lake}", destination="mysql://reader@db/shop",
                    secrets={"source.password": "${env:SHOP_PASSWORD}"})
    done = scene.run(job, "--json").must(2)
    assert done.json["error"]["id"] == "uri.wrong-role" and "is a destination, not a source" in done.err, done


def test_a_variable_that_cron_does_not_have(scene):
    job = scene.job({"orders": {}}, source="mysql://reader@db/shop", secrets={"source.password": "${env:SHOP_PASSWORD}"})
    done = scene.run(job).must(2)
    assert "HINT: set SHOP_PASSWORD where sluice is started; cron" in done.err and "read -rs" not in done.err, done


def test_small_slips(scene):
    scene.sql(*TABLE)
    job = scene.folder / "list.yaml"
    job.write_text(f"version: 1\nsource: {scene.db}\ndestination: {scene.lake}\nstreams:\n  - customers\n")
    assert "write each table as a key, not in a list: customers: {}" in scene.run(job).must(2).err
    assert "write 1KiB (powers of 1024) or 1kB" in scene.copy("--memory", "1k").must(2).err
    assert "sluice --version" in scene.sluice("-v").must(2).err


def test_resume_with_nothing_to_resume_is_said_once(scene):
    scene.sql(*TABLE, "CREATE TABLE lines (id INTEGER PRIMARY KEY)")
    done = scene.copy("--resume", "--quiet").must(2)
    assert len(done.err.splitlines()) == 2 and "none of 2 streams has an unfinished load" in done.err, done
    done = scene.copy("--table", "orders", "--resume", "--no-progress").must(2)
    assert len(done.err.splitlines()) == 2 and "stream orders has no unfinished load" in done.err, done
