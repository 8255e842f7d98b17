"""verify finds what changed since the load was committed: in the files, in the slot, at the source."""

import json
import os
import random
import shutil

import pytest
from oracle import Lake


@pytest.fixture
def copied(scene):
    """A job's committed load of several files; each column is one that a bit may hit."""
    randbytes = random.Random(6).randbytes
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, amount REAL, raw BLOB)",
              "INSERT INTO t VALUES (?, ?, ?, ?)",
              rows=[(i, f"word {i}", i / 3, randbytes(600)) for i in range(6000)])
    scene.the_job = scene.job({"t": {}})
    scene.run(scene.the_job, "--file-size", "1MiB", "--verify", "content").must(0)
    lake = Lake(scene.lake)
    scene.manifest = lake.only("t")
    scene.files = lake.files(scene.manifest)
    scene.slot = lake.folder("t") / "_sluice" / f"{scene.manifest['load']}.json"
    assert len(scene.files) > 1
    return scene


def by_job(scene, *args):
    return scene.sluice("verify", scene.the_job, "--state", scene.state, *args)


def by_slot(scene, *args):
    return scene.sluice("verify", f"file://{scene.slot}", "--state", scene.state, *args)


DEPTHS = pytest.mark.parametrize("depth", ["counts", "content"])
WAYS = pytest.mark.parametrize("way", [by_job, by_slot], ids=["job", "manifest"])


@DEPTHS
@WAYS
def test_an_untouched_load_verifies(copied, way, depth):
    way(copied, "--depth", depth).must(0)


@WAYS
def test_verify_writes_nothing(copied, way):
    before = copied.tree()
    way(copied, "--depth", "content").must(0)
    assert copied.tree() == before


@DEPTHS
@WAYS
@pytest.mark.parametrize("where", ["first", "middle", "footer"])
def test_one_flipped_bit_is_found(copied, way, depth, where):
    path = copied.files[-1]
    data = bytearray(path.read_bytes())
    at = {"first": 10, "middle": len(data) // 2, "footer": len(data) - 40}[where]
    data[at] ^= 0x10
    path.write_bytes(data)
    done = way(copied, "--depth", depth).must(3)
    assert path.name in done.said


@DEPTHS
def test_a_truncated_file_is_found(copied, depth):
    path = copied.files[0]
    path.write_bytes(path.read_bytes()[:-1])
    assert path.name in by_job(copied, "--depth", depth).must(3).said


@DEPTHS
def test_a_longer_file_is_found(copied, depth):
    with copied.files[0].open("ab") as file:
        file.write(b"\0")
    by_job(copied, "--depth", depth).must(3)


@DEPTHS
@WAYS
def test_a_file_that_is_gone_is_found(copied, way, depth):
    copied.files[1].unlink()
    assert copied.files[1].name in way(copied, "--depth", depth).must(3).said


@DEPTHS
def test_a_file_in_the_place_of_another_is_found(copied, depth):
    copied.files[0].write_bytes(copied.files[1].read_bytes())
    by_job(copied, "--depth", depth).must(3)


def edited(scene, edit):
    manifest = json.loads(scene.slot.read_text())
    edit(manifest)
    scene.slot.write_text(json.dumps(manifest))


@WAYS
@pytest.mark.parametrize("what", ["rows of a file", "size", "checksum", "digest", "no files", "rows of a chunk"])
def test_an_edited_slot_is_found(copied, way, what):
    def edit(manifest):
        if what == "rows of a file":
            manifest["objects"][0]["rows"] += 1
        elif what == "size":
            manifest["objects"][0]["size"] -= 1
        elif what == "checksum":
            manifest["objects"][0]["crc32c"] ^= 1
        elif what == "no files":
            manifest["objects"] = manifest["objects"][1:]
        elif what == "rows of a chunk":
            manifest["chunks"][0]["rows"] += 1
        else:
            text = json.dumps(manifest["chunks"][0]["digest"])
            at = max(i for i, letter in enumerate(text) if letter.isdigit())
            text = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1:]
            manifest["chunks"][0]["digest"] = json.loads(text)

    edited(copied, edit)
    done = way(copied, "--depth", "content")
    assert done.code == 3, done


def test_a_slot_that_is_not_json_is_found(copied):
    copied.slot.write_text(copied.slot.read_text()[:-20])
    assert by_slot(copied).code in (3, 6)


def test_a_source_that_moved_is_said_and_is_no_mismatch(copied):
    copied.sql("UPDATE t SET amount = 9 WHERE id = 17")
    by_job(copied, "--depth", "counts").must(0)
    assert "changed since" in by_job(copied, "--depth", "content").must(0).said
    by_job(copied, "--depth", "content", "--strict").must(3)


def test_a_manifest_is_compared_with_the_source_it_is_given(copied):
    source = ["--source", f"sqlite://{copied.db}"]
    by_slot(copied, *source, "--depth", "content", "--strict").must(0)
    copied.sql("UPDATE t SET amount = 9 WHERE id = 17")
    assert "changed since" in by_slot(copied, *source, "--depth", "content").must(0).said
    by_slot(copied, *source, "--depth", "content", "--strict").must(3)


def test_a_source_whose_rows_were_deleted_is_said_and_is_no_mismatch(copied):
    copied.sql("DELETE FROM t WHERE id % 2 = 0")
    assert "changed since" in by_job(copied).must(0).said
    by_job(copied, "--strict").must(3)


def test_a_source_that_moved_elsewhere_is_no_mismatch_even_when_strict_about_rows(copied):
    copied.sql("CREATE TABLE unrelated (a)", "INSERT INTO unrelated VALUES (1)")
    by_job(copied, "--depth", "content").must(0)


def test_bytes_that_do_not_agree_win_over_a_source_that_moved(copied):
    copied.sql("UPDATE t SET amount = 9 WHERE id = 17")
    copied.files[0].unlink()
    by_job(copied).must(3)


def test_a_source_changed_behind_its_change_counter_is_found_by_content(copied):
    """The position says nothing changed, the rows say otherwise: this is a mismatch, not a move."""
    at = copied.db.read_bytes().find(b"word 4321")
    assert at > 0
    before = copied.db.stat()
    with copied.db.open("r+b") as file:
        file.seek(at)
        file.write(b"Word")
    os.utime(copied.db, ns=(before.st_atime_ns, before.st_mtime_ns))
    by_job(copied, "--depth", "content").must(3)


def test_verify_of_what_was_never_copied_is_a_usage_error(scene):
    scene.sql("CREATE TABLE t (a)")
    job = scene.job({"t": {}})
    done = scene.sluice("verify", job, "--state", scene.state).must(2)
    assert len(done.err.strip()) > 10
    scene.sluice("verify", scene.folder / "main/t/_sluice/nothing.json").must(2)


def test_verify_speaks_json(copied):
    done = by_job(copied, "--json").must(0)
    assert done.json["command"] == "verify" and done.json["exit_code"] == 0
    copied.files[0].unlink()
    done = by_job(copied, "--json").must(3)
    assert done.json["exit_code"] == 3 and done.json["error"]["message"]


@DEPTHS
@pytest.mark.parametrize("name", ["part-000099-000.parquet", "extra.parquet", "deeper/extra.parquet"])
def test_a_file_in_the_folder_that_the_slot_does_not_name_is_found(copied, depth, name):
    """A reader that globs the folder would have read it."""
    stranger = copied.files[0].parent / name
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(copied.files[0].read_bytes())
    done = by_slot(copied, "--depth", depth).must(3)
    assert stranger.name in done.said


def test_rows_beyond_the_last_chunk_at_an_equal_position_are_a_mismatch(copied):
    """The position says that nothing changed; then there cannot be a row that was not copied."""
    slot = json.loads(copied.slot.read_text())
    last = slot["chunks"][-1]
    # The load as it would be had its last chunk never been planned.
    slot["chunks"] = slot["chunks"][:-1]
    paths = {entry["path"] for entry in slot["objects"]}
    gone = [path for path in paths if f"part-{last['ordinal']:06}-" in path]
    slot["objects"] = [entry for entry in slot["objects"] if entry["path"] not in gone]
    slot["rows"] -= last["rows"]
    slot["bytes"] = sum(entry["size"] for entry in slot["objects"])
    copied.slot.write_text(json.dumps(slot))
    for path in gone:
        (copied.slot.parent.parent / path).unlink(missing_ok=True)
        (copied.slot.parent.parent / slot["load"] / path).unlink(missing_ok=True)
    by_job(copied, "--depth", "content").must(3)


@WAYS
@DEPTHS
def test_a_lake_that_was_copied_or_restored_verifies(copied, way, depth):
    """Other inodes, the same bytes."""
    moved = copied.lake.with_name("moved")
    shutil.copytree(copied.lake, moved)
    shutil.rmtree(copied.lake)
    moved.rename(copied.lake)
    way(copied, "--depth", depth).must(0)
    data = bytearray(copied.files[0].read_bytes())
    data[100] ^= 1
    copied.files[0].write_bytes(data)
    way(copied, "--depth", depth).must(3)
