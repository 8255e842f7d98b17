"""SIGINT and SIGTERM drain: what is under way is finished and staged, and the next run reads only the
rest. A second signal ends the run at once. Nothing is visible either way."""

import os
import signal
import sqlite3

import pytest
from kill_world import KillWorld, Lister
from oracle import Lake

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def world(tmp_path):
    with KillWorld(tmp_path, tables=2, rows=40_000) as world:
        world.connections = 1
        yield world


def stopped_at(world, point):
    """Signals sent to a stopped process arrive together when it goes on: no race with its work."""
    return world.start_copy(env={"SLUICE_STOP_AT": point}).wait_until_stopped()


def go_on(process, *signals):
    for each in signals:
        process.send(each)
    process.send(signal.SIGCONT)
    return process.wait()


def attempts_per_chunk(world):
    with sqlite3.connect(f"file:{world.state}?mode=ro", uri=True) as connection:
        return dict(connection.execute("SELECT load || ' ' || ordinal, count(*) FROM attempts GROUP BY 1"))


@pytest.mark.parametrize("which", CODES)
def test_a_signal_drains_and_the_next_run_reads_only_the_rest(world, which):
    with Lister(world.lake):
        done = go_on(stopped_at(world, "attempt.begun:2"), which)
        assert done.code == CODES[which], done
        assert "not drained" not in done.err
        lake = Lake(world.lake)
        lake.assert_nothing_visible()
        staged = {os.stat(path).st_ino for path in lake.staged()}
        assert len(staged) >= 2, "the chunk under way was finished"
        attempts = attempts_per_chunk(world)
        assert set(attempts.values()) == {1}
        world.converge()
        published = {os.stat(path).st_ino for table in world.tables for path in lake.files(lake.only(table))}
        assert staged <= published, "a staged chunk was read again"
        world.assert_converged()


@pytest.mark.parametrize("which", CODES)
def test_a_second_signal_ends_the_run_at_once_and_says_that_it_did_not_drain(world, which):
    with Lister(world.lake):
        other = next(each for each in CODES if each != which)
        done = go_on(stopped_at(world, "attempt.begun:2"), which, other)
        assert done.code in CODES.values(), done
        assert "not drained" in done.err, done
        Lake(world.lake).assert_nothing_visible()
        world.converge()
        world.assert_converged()


@pytest.mark.parametrize("point", ["publish.object:2", "publish.recorded", "verify.recorded"])
def test_a_signal_after_the_last_chunk_leaves_something_a_rerun_finishes(world, point):
    with Lister(world.lake):
        done = go_on(stopped_at(world, point), signal.SIGTERM)
        assert done.code in (0, 143), done
        world.converge()
        world.assert_converged()


def test_a_signal_between_two_tables_keeps_the_first(world):
    done = go_on(stopped_at(world, "slot.written"), signal.SIGINT)
    assert done.code == 130, done
    lake = Lake(world.lake)
    first = lake.only("t0")
    assert lake.tables() == [lake.folder("t0")], "the second table was not begun"
    world.converge()
    world.assert_converged()
    assert first["outcome"] == "committed"


def test_a_drained_run_says_how_to_go_on(world):
    done = go_on(stopped_at(world, "attempt.begun:2"), signal.SIGINT)
    assert "resume" in done.err, done
    world.copy("--resume", "--table", "t0").must(0)


def test_a_drained_run_frees_the_job_at_once(world):
    go_on(stopped_at(world, "attempt.begun:2"), signal.SIGTERM)
    assert world.converge().seconds < 15


def test_a_closed_terminal_is_like_a_request_to_stop_or_nothing_at_all(world):
    """SIGHUP: whatever it does, it does not leave half a load visible."""
    with Lister(world.lake):
        done = go_on(stopped_at(world, "publish.object:2"), signal.SIGHUP)
        assert done.code in (0, -signal.SIGHUP, 129, 130, 143), done
        world.converge()
        world.assert_converged()
