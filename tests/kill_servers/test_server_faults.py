"""What befalls a server while it is read: killed and started again, frozen and thawed, out of connections,
sessions killed, tables altered. Each run ends within a bounded time, with a typed error or with all rows;
nothing half is visible; the next run finishes. The servers are instances of these tests' own."""

import os
import signal
import subprocess
import threading
import time

import pytest
from scene import PATIENCE, REPOSITORY
from server import Server
from server_world import ServerWorld, Source, rows_in, transient_or_done
from writers import TABLES, Gone, Session

POINTS = ["plan.after-commit", "chunk.planned:3", "attempt.begun:4", "upload.half:3", "staged.recorded:4"]


class Instance:
    """A server of one's own, and a database on it."""

    def __init__(self, kind):
        self.kind, self._name = kind, f"kill-servers-{kind}-{os.getpid()}"
        self.source = Source(Server(kind, self("start")))

    def __call__(self, verb):
        done = subprocess.run([REPOSITORY / f"tools/servers/{self.kind}.sh", verb, self._name], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()


@pytest.fixture(scope="module")
def instances():
    started = {}

    def instance(kind):
        if kind not in started:
            started[kind] = Instance(kind)
        return started[kind]

    yield instance
    for each in started.values():
        each("destroy")


@pytest.fixture
def instance(instances, kind):
    each = instances(kind)
    each("start")  # whatever became of it
    return each


@pytest.fixture
def world(instance, tmp_path):
    with ServerWorld(tmp_path, instance.source, "disk") as each:
        each.connections = 1
        yield each


def ends_well(world):
    world.converge()
    world.assert_converged(0)


def stopped(world, point, *args):
    return world.start_copy(*args, env={"SLUICE_STOP_AT": point}).wait_until_stopped()


@pytest.mark.parametrize("point", [
    pytest.param(each, marks=() if each == "attempt.begun:4" else pytest.mark.slow) for each in POINTS])
def test_a_server_killed_and_started_again_in_mid_read(world, instance, point):
    with world.place.lister():
        run = stopped(world, point)
        instance("kill")
        instance("start")
        run.send(signal.SIGCONT)
        transient_or_done(world, run.wait())
        ends_well(world)


def test_a_server_that_stays_away_is_waited_for_and_then_reported(world, instance):
    with world.place.lister():
        run = stopped(world, "upload.half:2")
        instance("kill")
        run.send(signal.SIGCONT)
        done = run.wait()
        transient_or_done(world, done).must(5)
        world.copy().must(5)
        instance("start")
        ends_well(world)


@pytest.mark.parametrize("rounds", [1, pytest.param(15, marks=pytest.mark.slow)])
def test_servers_killed_at_times_nobody_chose(instance, tmp_path, rounds):
    with ServerWorld(tmp_path, instance.source, "disk") as world, world.place.lister():
        for number in range(rounds):
            run = world.start_copy("--restart")
            time.sleep(0.1 + 0.5 * (number + 0.5) / rounds)
            instance("kill")
            transient_or_done(world, run.wait())
            instance("start")
        ends_well(world)


def test_a_freeze_shorter_than_any_timeout_is_not_noticed(world, instance):
    with world.place.lister():
        run = stopped(world, "attempt.begun:2")
        instance("freeze")
        run.send(signal.SIGCONT)
        time.sleep(1.5)
        instance("thaw")
        run.wait().must(0)
        world.assert_converged(0)


def test_a_freeze_longer_than_the_timeout_is_transient(world, instance):
    world.source_uri = world.server.uri(options=f"tls_ca={world.server.tls_ca}&read_timeout=1&connect_timeout=1")
    with world.place.lister():
        run = stopped(world, "attempt.begun:2")
        instance("freeze")
        run.send(signal.SIGCONT)
        try:
            transient_or_done(world, run.wait()).must(5)
            world.copy().must(5)
        finally:
            instance("thaw")
        ends_well(world)


def hold_all_connections(server):
    held = []
    while True:
        session = Session(server)
        held.append(session)
        try:
            session.run("SELECT 1")
        except Gone:
            return held


def once_there_is_room(server, text):
    """Of a client that has gone the server hears a moment later."""
    late = time.monotonic() + PATIENCE
    while True:
        try:
            return server.sql(text)
        except AssertionError as refused:
            if "Too many connections" not in str(refused) or time.monotonic() > late:
                raise
            time.sleep(0.05)


def test_a_server_without_a_connection_left_is_transient(world):
    server = world.server
    before = server.sql("SELECT @@GLOBAL.max_connections")[0][0]
    server.sql("SET GLOBAL max_connections = 12")
    held = hold_all_connections(server)
    try:
        assert "Too many connections" in world.copy().must(5).said
        assert not world.place.lake().parquet()
        # One for a run that wants four.
        held.pop(0).close()
        world.connections = 4
        transient_or_done(world, world.copy())
    finally:
        for each in held:
            each.close()
        once_there_is_room(server, f"SET GLOBAL max_connections = {before}")
    ends_well(world)


def sessions_of(server):
    return [row[0] for row in server.sql(
        f"SELECT id FROM information_schema.processlist WHERE db = '{server.database}' AND id <> CONNECTION_ID()")]


@pytest.mark.parametrize("how", ["KILL", "KILL QUERY"])
def test_a_session_that_an_operator_kills(world, how):
    with world.place.lister():
        run = stopped(world, "attempt.begun:3")
        sessions = sessions_of(world.server)
        assert sessions
        for each in sessions:
            world.server.sql(f"{how} {each}")
        run.send(signal.SIGCONT)
        transient_or_done(world, run.wait())
        ends_well(world)


@pytest.mark.parametrize("which", [0, 1])
def test_one_session_of_two_that_is_killed_hands_its_chunk_to_the_other(world, which):
    world.connections = 2
    with world.place.lister():
        run = stopped(world, "chunk.planned:4")
        sessions = sessions_of(world.server)
        assert len(sessions) == 2, sessions
        world.server.sql(f"KILL {sessions[which]}")
        run.send(signal.SIGCONT)
        run.wait().must(0)
        ends_well(world)


def test_sessions_killed_all_the_time_end_in_bounded_time(world):
    over, world.connections = threading.Event(), 2

    def kill_them():
        while not over.is_set():
            for each in sessions_of(world.server):
                try:
                    world.server.sql(f"KILL {each}")
                except AssertionError:
                    pass  # gone by itself

    killer = threading.Thread(target=kill_them)
    with world.place.lister():
        killer.start()
        try:
            done = world.copy()
        finally:
            over.set()
            killer.join()
        transient_or_done(world, done)
        ends_well(world)


def test_a_read_only_server_is_enough(world):
    world.server.sql("SET GLOBAL read_only = ON")
    world.connections = 3
    try:
        world.copy().must(0)
    finally:
        world.server.sql("SET GLOBAL read_only = OFF")
    world.assert_rows_of_one_moment()


CHANGES = {"altered": "ALTER TABLE {} ADD COLUMN more INT", "altered in place": "ALTER TABLE {} MODIFY l_comment VARCHAR(200)",
           "dropped": "DROP TABLE {}", "truncated": "TRUNCATE TABLE {}",
           "dropped and made anew": "CREATE TABLE other LIKE {0}; DROP TABLE {0}; RENAME TABLE other TO {0}"}


SOME_CHANGES = [pytest.param(each, marks=pytest.mark.slow if each in ("altered in place", "dropped and made anew") else ())
                for each in CHANGES]


@pytest.fixture
def changed(instance, tmp_path):
    """changed(change, point, …): a copy of lines_a alone that is stopped at the point while somebody else changes
    the table. The copy's end, and whether the server let him."""
    source = Source(Server(instance.kind, instance("uri")), count=1)
    with ServerWorld(tmp_path, source, "disk") as world:
        world.connections = 1

        def change_it(change, point, *args):
            with world.place.lister():
                run = stopped(world, point, *args)
                try:
                    world.server.sql("SET lock_wait_timeout = 1; " + CHANGES[change].format(TABLES[0]))
                    let = True
                except AssertionError as error:
                    assert "Lock wait timeout" in str(error), error
                    let = False
                run.send(signal.SIGCONT)
                return world, run.wait(), let

        yield change_it
    source.server.close()


def nothing_of_it(world):
    lake = world.place.lake()
    folder = lake.folder(TABLES[0], world.server.database)
    assert not list(folder.glob("*/*.parquet")) and not lake.current(folder)


@pytest.mark.parametrize("change", SOME_CHANGES)
def test_a_snapshot_lets_nobody_change_the_table_that_is_read(changed, change):
    world, done, let = changed(change, "staged.recorded:3")
    assert not let
    done.must(0)
    world.assert_rows_of_one_moment()


@pytest.mark.parametrize("change", SOME_CHANGES)
def test_a_table_changed_while_it_is_read_chunk_by_chunk_stops_the_run(changed, change):
    world, done, let = changed(change, "staged.recorded:3", "--consistency", "per-chunk")
    assert let
    if change in ("truncated", "dropped and made anew"):
        # With nothing but SELECT nobody can tell them from a DELETE of all rows, and without a snapshot that is one.
        done.must(0)
        lake = world.place.lake()
        found = rows_in(lake.files(lake.only(TABLES[0], schema=world.server.database)))
        # Those that were read before, once.
        assert 0 < len(set(found)) == len(found) < len(world.writers.ledger.at(0)[TABLES[0]])
        return
    done.must(6)
    nothing_of_it(world)


@pytest.mark.parametrize("change", SOME_CHANGES)
def test_a_table_changed_after_the_snapshot_and_before_its_first_row_is_not_taken_for_another(changed, change):
    """At the first point the clock has been copied, and lines_a was not looked at yet."""
    world, done, let = changed(change, "staged.recorded:1")
    # Stopped; or all rows of the snapshot.
    assert done.code in ((6,) if change == "dropped" else (0, 6)), done
    if done.code == 0 and "anew" not in change:
        lake = world.place.lake()
        manifest = lake.only(TABLES[0], schema=world.server.database)
        wanted = world.writers.ledger.at(0)[TABLES[0]].values()
        assert sorted(rows_in(lake.files(manifest))) == sorted(wanted)
    elif done.code:
        nothing_of_it(world)
    assert let or done.code == 0
