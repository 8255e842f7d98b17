"""States, destinations and terminals that cannot do what is asked of them."""

import os
import random
import signal
import sqlite3
import subprocess

import pytest
from oracle import Lake, assert_copied
from scene import BINARY, Scene
from test_bad_input import large, nothing_visible, refused, small

# --- the state ---


@pytest.mark.parametrize("content", [random.Random(2).randbytes(9000), b"SQLite format 3\0" + b"\xff" * 9000],
                         ids=["noise", "header only"])
def test_a_corrupt_state(scene, content):
    small(scene)
    scene.state.write_bytes(content)
    refused(scene.copy(), 6, scene.state)
    assert scene.state.read_bytes() == content, "what may be repaired is not overwritten"
    nothing_visible(scene)


def test_a_state_that_is_damaged_in_the_middle(scene):
    small(scene)
    scene.copy().must(0)
    size = scene.state.stat().st_size
    with scene.state.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    refused(scene.copy(), 6, scene.state)


def test_a_database_that_is_not_a_state(scene):
    small(scene)
    other = Scene(scene.folder)
    other.db = scene.state
    small(other)
    before = scene.state.read_bytes()
    done = scene.copy()
    assert done.code in (2, 6), done
    assert str(scene.state) in done.err
    assert scene.state.read_bytes() == before


def test_a_state_of_a_newer_version(scene):
    small(scene)
    scene.copy().must(0)
    with sqlite3.connect(scene.state) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"PRAGMA user_version = {version + 98}")
    connection.close()
    refused(scene.copy(), 2, scene.state, version + 98)


def test_a_state_on_a_read_only_disk(scene, small_disk):
    small(scene)
    disk = small_disk("disk")
    scene.state = disk.path / "state.db"
    scene.copy().must(0)
    first = assert_copied(scene, "t")
    disk.read_only()
    refused(scene.copy(), 8, scene.state)
    assert Lake(scene.lake).only("t") == first
    # What only reads still can.
    scene.sluice("status", "--state", scene.state).must(0)


def test_a_state_that_cannot_be_made_on_a_read_only_disk(scene, small_disk):
    small(scene)
    disk = small_disk("disk")
    disk.read_only()
    scene.state = disk.path / "state.db"
    refused(scene.copy(), 8, scene.state)
    nothing_visible(scene)


def test_a_state_on_a_full_disk(scene, small_disk):
    large(scene, rows=3000)
    disk = small_disk("disk", "400k")
    (disk.path / "filler").write_bytes(bytes(350_000))
    scene.state = disk.path / "state.db"
    refused(scene.copy("--file-size", "1MiB"), 8, scene.state)
    nothing_visible(scene)
    (disk.path / "filler").unlink()
    scene.copy("--file-size", "1MiB").must(0)
    assert_copied(scene, "t")


def test_neither_home_nor_state_home(scene):
    small(scene)
    done = scene.sluice("copy", f"sqlite://{scene.db}", f"file://{scene.lake}", env={"HOME": None})
    refused(done, 2, "--state")
    nothing_visible(scene)


def test_the_state_may_not_be_the_database(scene):
    small(scene)
    before = scene.db.read_bytes()
    scene.state = scene.db
    refused(scene.copy(), 2, hint=False)
    assert scene.db.read_bytes() == before


# --- the destination ---


@pytest.mark.parametrize("suffix", ["", "/", "/deeper", "/../source.db"])
def test_the_destination_is_the_database_itself(scene, suffix):
    small(scene)
    before = scene.db.read_bytes()
    done = scene.sluice("copy", f"sqlite://{scene.db}", f"file://{scene.db}{suffix}", "--state", scene.state)
    refused(done, 2, scene.db, hint=False)
    assert scene.db.read_bytes() == before


def test_the_destination_is_the_database_by_another_name(scene):
    small(scene)
    link = scene.folder / "link"
    link.symlink_to(scene.db)
    refused(scene.sluice("copy", f"sqlite://{scene.db}", link, "--state", scene.state), 2, hint=False)


def test_the_destination_is_a_file(scene):
    small(scene)
    scene.lake.write_text("mine")
    refused(scene.copy(), 7, scene.lake, hint=False)
    assert scene.lake.read_text() == "mine"


@pytest.mark.parametrize("place", ["main", "main/t", "main/t/_sluice"])
def test_a_file_stands_where_a_folder_should_be(scene, place):
    small(scene)
    path = scene.lake / place
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    refused(scene.copy(), 7, place, hint=False)
    assert path.read_text() == "mine"


def test_a_read_only_destination(scene, small_disk):
    small(scene)
    disk = small_disk("disk")
    disk.read_only()
    scene.lake = disk.path / "lake"
    refused(scene.copy(), 7, scene.lake, hint=False)
    assert not scene.lake.exists()


def test_a_destination_that_becomes_read_only_in_mid_run(scene, small_disk):
    large(scene)
    disk = small_disk("disk", "40m")
    scene.lake = disk.path / "lake"
    run = scene.start_copy("--file-size", "1MiB", "--connections", "1",
                           env={"SLUICE_STOP_AT": "staged.recorded:2"}).wait_until_stopped()
    disk.read_only()
    run.send(signal.SIGCONT)
    refused(run.wait(), 7, hint=False)
    nothing_visible(scene)
    disk.read_only(False)
    scene.copy("--file-size", "1MiB", "--connections", "1").must(0)
    assert_copied(scene, "t")


def test_a_full_destination_and_after_room_was_made(scene, small_disk):
    large(scene)
    disk = small_disk("disk", "3m")
    if not disk.mounted:
        pytest.fail("a small disk needs root: this test cannot be run as another user")
    scene.lake = disk.path / "lake"
    refused(scene.copy("--file-size", "1MiB"), 7, scene.lake, hint=False)
    nothing_visible(scene)
    disk.grow("40m")
    scene.copy("--file-size", "1MiB").must(0)
    assert_copied(scene, "t")


def test_a_destination_that_vanishes_in_mid_run(scene, small_disk):
    large(scene)
    disk = small_disk("disk", "40m")
    if not disk.mounted:
        pytest.fail("a disk that vanishes needs root: this test cannot be run as another user")
    scene.lake = disk.path / "lake"
    run = scene.start_copy("--file-size", "1MiB", "--connections", "1",
                           env={"SLUICE_STOP_AT": "staged.recorded:2"}).wait_until_stopped()
    subprocess.run(["umount", "-l", str(disk.path)], check=True)
    disk.mounted = False
    run.send(signal.SIGCONT)
    done = run.wait()
    assert done.code in (5, 7), done
    nothing_visible(scene)


def test_staging_that_somebody_removed_is_said_and_nothing_is_lost(scene):
    large(scene)
    done = scene.copy("--file-size", "1MiB", "--connections", "1", env={"SLUICE_CRASH_AT": "publish.frozen"})
    assert done.code == -signal.SIGKILL
    Lake(scene.lake).staged()[0].unlink()
    refused(scene.copy("--file-size", "1MiB", "--connections", "1"), 5, "staged")
    nothing_visible(scene)
    scene.copy("--file-size", "1MiB", "--connections", "1").must(0)
    assert_copied(scene, "t")


def test_staging_that_somebody_shortened_is_a_mismatch_and_never_committed(scene):
    large(scene)
    done = scene.copy("--file-size", "1MiB", "--connections", "1", env={"SLUICE_CRASH_AT": "publish.frozen"})
    assert done.code == -signal.SIGKILL
    victim = Lake(scene.lake).staged()[0]
    os.truncate(victim, victim.stat().st_size - 1)
    done = scene.copy("--file-size", "1MiB", "--connections", "1")
    assert done.code in (3, 5, 7), done
    nothing_visible(scene)
    scene.copy("--file-size", "1MiB", "--connections", "1").must(0)
    assert_copied(scene, "t")


def test_a_byte_that_turned_in_a_published_file_is_found_before_the_commit(scene):
    large(scene)
    done = scene.copy("--file-size", "1MiB", "--connections", "1", env={"SLUICE_CRASH_AT": "publish.recorded"})
    assert done.code == -signal.SIGKILL
    victim = Lake(scene.lake).parquet()[0]
    with victim.open("r+b") as file:
        file.seek(1000)
        byte = file.read(1)
        file.seek(1000)
        file.write(bytes([byte[0] ^ 1]))
    refused(scene.copy("--file-size", "1MiB", "--connections", "1"), 3, victim.name, hint=False)
    nothing_visible(scene)
    scene.copy("--file-size", "1MiB", "--connections", "1").must(0)
    assert_copied(scene, "t")


# --- the terminal ---


def closed(scene, redirection):
    """Runs copy from a shell that closed or filled some of its streams; files must not get their numbers."""
    command = f'exec "$0" "$@" {redirection}'
    return subprocess.run(["/bin/sh", "-c", command, str(BINARY), *map(str, scene.copy_args("--json"))],
                          env=scene.environment(), cwd=scene.folder, timeout=60, capture_output=True)


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(scene, redirection):
    small(scene)
    done = closed(scene, redirection)
    assert done.returncode in ((0,) if redirection in ("2>&-", "<&-") else (0, 1)), done
    assert_copied(scene, "t")
    # Nothing was printed into a file that got the number of a closed stream.
    with sqlite3.connect(scene.state) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    scene.copy().must(0)
    assert_copied(scene, "t")


def test_a_full_disk_under_stdout_does_not_undo_the_copy(scene):
    small(scene)
    done = closed(scene, ">/dev/full")
    assert done.returncode in (0, 1), done
    assert_copied(scene, "t")


def test_a_reader_that_went_away_does_not_kill_the_run(scene):
    small(scene)
    reading, writing = os.pipe()
    os.close(reading)
    done = scene.sluice(*scene.copy_args("--json"), stdout=writing)
    os.close(writing)
    assert done.code in (0, 1), done
    assert_copied(scene, "t")
