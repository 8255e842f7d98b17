"""What a MySQL or MariaDB server can be in or say, each with the id and the exit code that the catalogue promises
(docs/errors.md). What no shared server can be brought into is said by one in front of it (answering.py)."""

import json
import re
import resource
import signal
import sqlite3

import pytest
from answering import COM_QUERY, COM_STMT_EXECUTE, COM_STMT_PREPARE, AnsweringServer, refusal
from scene import at_most


def refused(done, code, wanted):
    error = done.json["error"]
    assert (done.code, done.json["exit_code"], error["id"]) == (code, code, wanted), done
    assert error["hint"], done
    return error


@pytest.fixture
def orders(server):
    server.sql("CREATE TABLE orders (id INT PRIMARY KEY, total INT); INSERT INTO orders VALUES (1, 10), (2, 20);")
    return server


@pytest.fixture
def account(server):
    """account("IDENTIFIED BY …") makes one that may read the test's database, and is gone after it."""
    made = []

    def make(how, grant="SELECT"):
        name = f"u{len(made)}_{server.database[2:12]}"
        server.sql(f"CREATE USER {name} {how}; GRANT {grant} ON {server.database}.* TO {name};")
        made.append(name)
        return name

    yield make
    for name in made:
        server.sql(f"DROP USER {name}", database="")


def reads(command):
    """Is it that command of the statement by which rows are read?"""
    return lambda asked, text: asked == command and "`total`" in text


def greets(asked, _):
    return asked is None


# When the server answers, with which code; the exit code and the id it ends as.
CONDITIONS = [
    (greets, 1040, 5, "source.too-many-connections"),
    (greets, 1129, 2, "source.host-refused"),
    (greets, 1130, 2, "source.host-refused"),
    (greets, 1251, 2, "source.auth-plugin"),
    (reads(COM_STMT_PREPARE), 1461, 5, "source.too-many-statements"),
    (reads(COM_STMT_EXECUTE), 1317, 5, "source.query-killed"),
    (reads(COM_STMT_EXECUTE), 3024, 5, "source.timeout"),
    (reads(COM_STMT_EXECUTE), 1969, 5, "source.timeout"),
    (reads(COM_STMT_EXECUTE), 1290, 5, "source.read-only"),
    (reads(COM_STMT_EXECUTE), 1114, 6, "source.exhausted"),
    (reads(COM_STMT_EXECUTE), 1153, 6, "source.packet"),
    (reads(COM_STMT_EXECUTE), 1064, 1, "source.sql-refused"),
    (reads(COM_STMT_EXECUTE), 1105, 1, "mysql.failed"),
]


@pytest.mark.parametrize("when, said, code, wanted", CONDITIONS, ids=[f"{said}-{wanted}" for _, said, _, wanted in CONDITIONS])
def test_a_servers_condition_has_its_id(orders, copy, when, said, code, wanted):
    heard = []

    def answer(command, text):
        if not when(command, text):
            return None
        heard.append(text)
        return refusal(said)

    with AnsweringServer(orders, answer) as proxy:
        error = refused(copy("--json", uri=orders.uri(port=proxy.port, options="tls=disabled")), code, wanted)
    assert heard and str(said) in error["message"]


def test_a_connection_without_a_number(orders, copy):
    def answer(command, text):
        return text.replace("CONNECTION_ID()", "'none'") if command == COM_QUERY and "CONNECTION_ID()" in text else None

    with AnsweringServer(orders, answer) as proxy:
        done = copy("--json", uri=orders.uri(port=proxy.port, options="tls=disabled"))
    assert "found none" in refused(done, 1, "mysql.connection-id")["message"]


def test_a_server_of_another_protocol(orders, copy):
    """Version 9 was MySQL 3.20's; what else the library alone says, nobody has thought about either."""
    with AnsweringServer(orders, lambda command, _: b"\x093.20\0" if command is None else None) as proxy:
        done = copy("--json", uri=orders.uri(port=proxy.port, options="tls=disabled"))
    refused(done, 1, "mysql.client")


def test_an_answer_larger_than_the_memory_there_is(orders, copy):
    """What is asked of the catalogue is held whole: here it becomes 800 MB."""
    def answer(command, text):
        if command != COM_QUERY or "CONNECTION_ID()" not in text:
            return None
        return text.replace("CONNECTION_ID()", "REPEAT('x', 4000000)") + " FROM information_schema.COLLATIONS LIMIT 200"

    with AnsweringServer(orders, answer) as proxy:
        done = copy("--json", uri=orders.uri(port=proxy.port, options="tls=disabled"),
                    before=at_most(resource.RLIMIT_AS, 700 << 20))
    refused(done, 8, "mysql.memory")


def test_an_answering_server_that_says_nothing_of_its_own_changes_nothing(orders, copy):
    with AnsweringServer(orders, lambda *_: None) as proxy:
        done = copy("--json", uri=orders.uri(port=proxy.port, options="tls=disabled")).must(0)
    assert done.json["loads"][0]["rows"] == 2


@pytest.mark.parametrize("server", ["mysql"], indirect=True)  # MariaDB has no such plugin
def test_a_password_is_not_sent_in_the_clear(orders, account, copy):
    user = account("IDENTIFIED WITH sha256_password BY 'hushhush'")
    done = copy("--json", uri=orders.uri(user=user, password="hushhush", options="tls=disabled"))
    refused(done, 2, "source.auth-plugin")
    assert "hushhush" not in done.said
    copy(uri=orders.uri(user=user, password="hushhush")).must(0)


def test_a_view_whose_table_is_gone(server, copy):
    server.sql("CREATE TABLE t (id INT PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t; DROP TABLE t;")
    refused(copy("--table", "v", "--json"), 6, "source.broken-view")


def test_a_load_that_another_version_began(orders, scene, copy):
    """The state is edited by hand: another version would have described the table in other words."""
    assert copy(env={"SLUICE_CRASH_AT": "attempt.begun"}).code == -signal.SIGKILL
    with sqlite3.connect(scene.state) as state:
        columns = [(table, column) for table, in state.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
                   for _, column, *_ in state.execute(f"PRAGMA table_info({table})").fetchall()]
        changed = sum(state.execute(f"UPDATE {table} SET {column} = replace({column}, 'key_columns', 'keys') "
                                    f"WHERE instr({column}, 'key_columns')").rowcount for table, column in columns)
        assert changed == 1
    state.close()
    assert "--restart" in refused(copy("--json"), 6, "source.other-version")["hint"]
    copy("--restart").must(0)


def test_a_policy_of_a_column_that_is_not_there(orders, scene):
    path = scene.folder / "job.yaml"
    path.write_text(json.dumps({
        "version": 1, "source": orders.uri().replace(f":{orders.password}@", "@", 1), "destination": f"file://{scene.lake}",
        "secrets": {"source.password": "${env:PW}"}, "streams": {"orders": {"column_policies": {"totl": {"zero_date": "null"}}}}}))
    error = refused(scene.run(path, "--json", env={"PW": orders.password}), 2, "job.no-such-column")
    assert "total" in error["hint"] and re.search(r"job\.yaml", error["message"] + error["hint"])
