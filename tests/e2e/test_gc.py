"""gc takes what no reader and no resumed run can miss, and nothing else."""

import random
import signal

import pytest
from oracle import Lake, assert_copied


def fill(scene):
    randbytes = random.Random(4).randbytes
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, raw BLOB)", "INSERT INTO t VALUES (?, ?)",
              rows=[(i, randbytes(100)) for i in range(40_000)])


def cut(scene, point="staged.recorded:2"):
    done = scene.copy("--file-size", "1MiB", "--connections", "1", env={"SLUICE_CRASH_AT": point})
    assert done.code == -signal.SIGKILL, done


def the_load(scene):
    """Of the load that was cut short."""
    names = {path.parent.name for path in Lake(scene.lake).staged()}
    assert len(names) == 1, names
    return names.pop()


def test_an_unfinished_load_of_this_state_is_left_alone(scene):
    fill(scene)
    cut(scene)
    before = scene.tree(scene.lake)
    scene.gc().must(0)
    scene.gc("--older-than", "0").must(0)
    assert scene.tree(scene.lake) == before
    scene.copy("--file-size", "1MiB").must(0)
    assert_copied(scene, "t")


def test_an_abandoned_load_is_discarded_and_collected(scene):
    fill(scene)
    cut(scene)
    load = the_load(scene)
    scene.gc("--abandon", load).must(0)
    lake = Lake(scene.lake)
    assert lake.slots(lake.folder("t"))[load]["outcome"] == "discarded"
    lake.assert_nothing_left()
    scene.copy("--file-size", "1MiB").must(0)
    assert assert_copied(scene, "t")["load"] != load


@pytest.mark.parametrize("point", ["publish.object:2", "publish.all", "verify.recorded"])
def test_an_abandoned_load_that_was_partly_visible_vanishes(scene, point):
    fill(scene)
    cut(scene, point)
    lake = Lake(scene.lake)
    assert lake.parquet()
    scene.gc("--abandon", lake.parquet()[0].parent.name).must(0)
    lake.assert_nothing_visible()
    lake.assert_nothing_left()


def test_a_committed_load_cannot_be_abandoned(scene):
    fill(scene)
    scene.copy("--file-size", "1MiB").must(0)
    manifest = assert_copied(scene, "t")
    scene.gc("--abandon", manifest["load"])
    assert assert_copied(scene, "t")["load"] == manifest["load"]


def test_a_load_nobody_knows_is_not_abandoned_in_silence(scene):
    fill(scene)
    scene.copy("--file-size", "1MiB").must(0)
    done = scene.gc("--abandon", "01900000-0000-7000-8000-000000000000").must(2)
    assert "01900000-0000-7000-8000-000000000000" in done.err
    assert_copied(scene, "t")


def test_dry_run_says_what_would_go_and_removes_nothing(scene):
    fill(scene)
    cut(scene)
    load = the_load(scene)
    before = scene.tree(scene.lake)
    done = scene.gc("--abandon", load, "--dry-run").must(0)
    assert load in done.said
    assert scene.tree(scene.lake) == before


def test_a_load_of_an_unknown_state_goes_only_when_it_is_old_enough(scene):
    fill(scene)
    cut(scene)
    load = the_load(scene)
    mine, scene.state = scene.state, scene.folder / "other.db"
    scene.copy("--table", "t", "--where", "id < 3").must(0)
    before = scene.tree(scene.lake)
    scene.gc().must(0)
    assert scene.tree(scene.lake) == before, "younger than seven days"
    scene.gc("--older-than", "0").must(0)
    lake = Lake(scene.lake)
    assert lake.slots(lake.folder("t"))[load]["outcome"] == "discarded"
    lake.assert_nothing_left()
    scene.state = mine
    # Whoever had it begins anew and says so.
    scene.copy("--file-size", "1MiB").must(0)
    assert_copied(scene, "t")


def test_leftovers_of_a_decided_load_go_at_once(scene):
    fill(scene)
    cut(scene, "slot.recorded")
    scene.gc().must(0)
    assert_copied(scene, "t")
    Lake(scene.lake).assert_nothing_left()


def test_what_is_not_ours_is_left_alone(scene):
    fill(scene)
    scene.copy("--file-size", "1MiB").must(0)
    foreign = [scene.lake / "readme.txt", scene.lake / "main/t/notes.txt", scene.lake / "main/other/data.parquet",
               scene.lake / "main/t/_sluice/notes.txt", scene.lake / "deep/er/and/deeper.parquet"]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    scene.gc("--older-than", "0").must(0)
    for path in foreign:
        assert path.read_text() == "mine"
    assert_copied(scene, "t")


def test_gc_of_an_empty_or_absent_destination_removes_nothing(scene):
    assert scene.gc().code in (0, 2, 7)
    assert not scene.lake.exists()
    scene.lake.mkdir()
    scene.gc().must(0)


def test_gc_takes_a_job_too(scene):
    fill(scene)
    job = scene.job({"t": {}})
    done = scene.run(job, "--file-size", "1MiB", env={"SLUICE_CRASH_AT": "slot.recorded"})
    assert done.code == -signal.SIGKILL, done
    scene.sluice("gc", job, "--state", scene.state).must(0)
    assert_copied(scene, "t", job="job")
    Lake(scene.lake).assert_nothing_left()


@pytest.mark.parametrize("folder, name", [
    ("export-2024", "part-000000.parquet"), ("export-2024", "part-000001-000.parquet"),
    ("01900000-0000-7000-8000-000000000001", "part-0.parquet"),
    ("01900000-0000-4000-8000-000000000001", "part-000001-000.parquet")])
def test_parquet_files_of_others_beside_ours_are_left_alone(scene, folder, name):
    """Spark and others call their files part-… too."""
    fill(scene)
    scene.copy("--file-size", "1MiB").must(0)
    foreign = scene.lake / "main/t" / folder / name
    foreign.parent.mkdir()
    foreign.write_text("mine")
    scene.gc("--older-than", "0")
    assert foreign.read_text() == "mine"
    assert_copied(scene, "t")


def test_a_part_that_the_manifest_does_not_name_is_a_leftover(scene):
    """As a store leaves it that does not enforce create-only: the file of an attempt that lost."""
    fill(scene)
    scene.copy("--file-size", "1MiB").must(0)
    files = Lake(scene.lake).files(Lake(scene.lake).only("t"))
    loser = files[0].with_name(files[0].name.replace(".parquet", ".0a1b2c3d4e5f6071.parquet"))
    loser.write_bytes(files[0].read_bytes())
    assert "leftovers" in scene.gc("--dry-run").must(0).said
    assert loser.exists()
    scene.gc().must(0)
    assert not loser.exists()
    assert_copied(scene, "t")


def test_an_old_load_that_is_still_being_staged_is_young(scene):
    """Its id is of last year; somebody with another state wrote a chunk a moment ago."""
    fill(scene)
    cut(scene)
    old = "01900000-0000-7000-8000-000000000001"
    staging = scene.lake / "main/t/_sluice/staging"
    (staging / the_load(scene)).rename(staging / old)
    scene.state = scene.folder / "other.db"
    done = scene.gc().must(0)
    assert old in done.said
    assert list((staging / old).iterdir())
    scene.gc("--older-than", "0").must(0)
    assert not (staging / old).exists()


def test_half_a_slot_of_a_decided_load_goes(scene):
    """As a kill leaves it between writing the manifest and giving it its name."""
    fill(scene)
    scene.copy("--file-size", "1MiB").must(0)
    staging = scene.lake / "main/t/_sluice/staging" / Lake(scene.lake).only("t")["load"]
    staging.mkdir(parents=True)
    (staging / "put-0123456789abcdef.tmp").write_text("{")
    scene.gc().must(0)
    assert not staging.exists()
    assert_copied(scene, "t")
