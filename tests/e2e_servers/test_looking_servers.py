"""check, plan and discover of a server: what they say agrees with the run, and nobody waits long for it."""

import contextlib
import subprocess

import pytest
from test_plan_servers import account


@contextlib.contextmanager
def locked(server, table):
    """Another session that holds the table."""
    holder = subprocess.Popen(server.client() + ["--unbuffered"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdin.write(f"LOCK TABLES {table} WRITE; SELECT 'held';\n".encode())
    holder.stdin.flush()
    assert holder.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        holder.stdin.close()
        holder.wait(30)


def test_a_locked_table_is_told_and_not_waited_for(scene, server):
    server.sql("CREATE TABLE held (id INT PRIMARY KEY); INSERT INTO held VALUES (1), (2)")
    with locked(server, "held"):
        for verb in (["check", server.uri()], ["plan", server.uri(), f"file://{scene.lake}"], ["discover", server.uri()]):
            done = scene.sluice(*verb, *([] if verb[0] == "discover" else ["--state", scene.state]), timeout=60)
            assert done.seconds < 40, done
            if verb[0] == "discover" and done.code == 0:
                continue  # A server whose lists need no lock.
            assert "source.locked" in scene.sluice(*verb, "--json", timeout=60).must(5).out and "held" in done.said


def test_the_grant_is_for_the_account_that_is_there(scene, server):
    server.sql("CREATE TABLE open (id INT PRIMARY KEY); CREATE TABLE secrets (id INT PRIMARY KEY)")
    with account(server, "SELECT ON {db}.open", "INSERT ON {db}.secrets") as user:
        uri = server.uri(user, "secret")
        for done in (scene.sluice("check", uri), scene.sluice("plan", uri, f"file://{scene.lake}", "--state", scene.state),
                     scene.sluice("copy", uri, f"file://{scene.lake}", "--state", scene.state)):
            grant = f"GRANT SELECT ON `{server.database}`.`secrets` TO '{user}'@'%';"
            assert grant in done.must(6).said
        server.sql(grant)  # It is pasted as it was printed.
        scene.sluice("check", uri).must(0)


def test_a_grant_of_columns_is_told_and_these_are_copied(scene, server):
    server.sql("CREATE TABLE t (id INT PRIMARY KEY, total INT)")
    with account(server, "SELECT (id) ON {db}.t") as user:
        copy = ["copy", server.uri(user, "secret"), f"file://{scene.lake}", "--state", scene.state]
        assert f"TO '{user}'@'%';" in scene.sluice(*copy).must(6).said
        scene.sluice(*copy, "--table", "t", "--columns", "id").must(0)


def test_a_broken_view_is_a_warning_where_nobody_asked_for_it(scene, server):
    server.sql("CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE gone (id INT PRIMARY KEY);"
               "CREATE VIEW broken AS SELECT * FROM gone; DROP TABLE gone")
    done = scene.sluice("check", server.uri()).must(0)
    assert "warning" in done.out and "broken" in done.out
    scene.sluice("check", server.uri(), f"file://{scene.lake}", "--state", scene.state).must(0)
    job = scene.job({"broken": {}})
    job.write_text(job.read_text().replace(f"sqlite://{scene.db}", server.uri(password="${env:PW}")))
    scene.sluice("check", job, "--state", scene.state, env={"PW": server.password}).must(6)


@pytest.mark.parametrize("verb", ["check", "plan", "copy"])
def test_too_few_connections_are_one_error_of_all(scene, server, verb):
    server.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    with account(server, "SELECT ON {db}.*", limits="WITH MAX_USER_CONNECTIONS 1") as user:
        places = [server.uri(user, "secret"), f"file://{scene.lake}", "--state", scene.state]
        done = scene.sluice(verb, *places, "--json").must(2)
        assert done.json["error"]["id"] == "source.connection-limit"
        assert f"ALTER USER '{user}'@'%'" in done.json["error"]["hint"]
