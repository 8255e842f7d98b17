"""plan and check against real servers: what they explain, what an account may not, what it costs to ask."""

import contextlib
import time
import uuid

import pytest
from test_copy import fill, rows_of
from wire import TO_SERVER, Wire


class CountingWire(Wire):
    """Counts the statements that pass: COM_QUERY, COM_STMT_PREPARE and COM_STMT_EXECUTE."""

    STATEMENTS = {0x03, 0x16, 0x17}

    def __init__(self, host, port):
        self.statements, self._waiting = 0, {}
        super().__init__(host, port)

    def _pass(self, number, data, source, sink, direction):
        if direction == TO_SERVER:
            rest = self._waiting.get(number, b"") + data
            while len(rest) >= 5 and len(rest) >= 4 + (size := int.from_bytes(rest[:3], "little")):
                # A command begins with packet 0, what belongs to the greeting does not.
                if rest[3] == 0 and rest[4] in self.STATEMENTS:
                    self.statements += 1
                rest = rest[4 + size:]
            self._waiting[number] = rest
        return super()._pass(number, data, source, sink, direction)


@contextlib.contextmanager
def account(server, *grants, limits=""):
    """An account of the test's own with these grants: "SELECT ON {db}.orders"."""
    name = "u_" + uuid.uuid4().hex[:12]
    server.sql(f"CREATE USER {name}@'%' IDENTIFIED BY 'secret' {limits};" + "".join(
        f"GRANT {grant.format(db=server.database)} TO {name}@'%';" for grant in grants))
    try:
        yield name
    finally:
        server.sql(f"DROP USER {name}@'%'")


def plan(scene, uri, *args, code=0):
    return scene.sluice("plan", uri, f"file://{scene.lake}", "--state", scene.state, "--json", *args).must(code).json


def stream_of(found, name):
    return next(each for each in found["streams"] if each["stream"] == name)


def findings_of(item):
    return {each["name"]: each for each in item["findings"]}


def test_the_index_is_the_one_the_server_explains(scene, server):
    fill(server, 2000)
    server.sql("ANALYZE TABLE orders; CREATE TABLE bare (id INT PRIMARY KEY);"
               "CREATE TABLE loose (a INT); INSERT INTO loose VALUES (1);"
               "CREATE TABLE kinds (k ENUM('a', 'b') NOT NULL PRIMARY KEY, v INT); INSERT INTO kinds VALUES ('a', 1), ('b', 2);")
    found = plan(scene, server.uri())
    orders = stream_of(found, "orders")
    assert orders["read"]["access"] == "range" and orders["read"]["index"] == "PRIMARY"
    assert 500 < orders["read"]["rows_examined"] < 8000
    assert orders["warnings"] == []
    assert stream_of(found, "loose")["read"]["access"] == "ALL"
    assert stream_of(found, "bare")["warnings"] == []
    # Compared by number, which no index serves: what docs/mysql.md says is what the server says.
    assert stream_of(found, "kinds")["warnings"], stream_of(found, "kinds")


def test_a_where_that_narrows_no_index_is_a_warning(scene, server):
    fill(server, 2000)
    server.sql("ANALYZE TABLE orders;")
    wide = stream_of(plan(scene, server.uri(), "--table", "orders", "--where", "price > 5"), "orders")
    assert any("`where` narrows no index" in each for each in wide["warnings"]), wide
    narrow = stream_of(plan(scene, server.uri(), "--table", "orders", "--where", "tenant = 3"), "orders")
    # MySQL does not tell how many rows of a forced index a condition leaves.
    assert narrow["warnings"] == [] or server.kind == "mysql", narrow


def test_a_table_of_an_engine_without_snapshots_is_a_warning(scene, server):
    server.sql("CREATE TABLE old (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO old VALUES (1), (2);")
    warning, = stream_of(plan(scene, server.uri()), "old")["warnings"]
    assert "MyISAM" in warning


def test_the_consistency_that_is_foretold_is_the_one_that_is_reached(scene, server, copy):
    fill(server, 100)
    with account(server, "SELECT ON {db}.*") as user:
        uri = server.uri(user=user, password="secret")
        for wanted in ("snapshot", "per-chunk"):
            told = plan(scene, uri, "--consistency", wanted, "--connections", "2")["server"]
            copy("--consistency", wanted, "--connections", "2", uri=uri).must(0)
            manifest, _ = rows_of(scene, server, "orders")
            assert manifest["consistency"]["kind"] == told["consistency"]
            assert told["why"]


def test_a_table_that_may_not_be_read_is_named_with_its_grant(scene, server):
    fill(server, 10)
    server.sql("CREATE TABLE secrets (id INT PRIMARY KEY, word TEXT); INSERT INTO secrets VALUES (1, 'x');")
    # A right that shows the table, and not its rows.
    with account(server, "SELECT ON {db}.orders", "INSERT ON {db}.secrets") as user:
        uri = server.uri(user=user, password="secret")
        done = scene.sluice("plan", uri, f"file://{scene.lake}", "--state", scene.state).must(6)
        assert "GRANT SELECT" in done.said and "secrets" in done.said and user in done.said
        assert "2 streams: 1 new load, 1 cannot be copied" in done.out
        done = scene.sluice("check", uri, "--json").must(6)
        source, = done.json["checks"]
        failed = [each for each in source["findings"] if each["level"] == "failed"]
        assert [each["name"] for each in failed] == [f"{server.database}.secrets"]
        assert f"GRANT SELECT ON `{server.database}`.`secrets` TO '{user}'@" in failed[0]["hint"]


def test_a_column_that_may_not_be_read_is_found_by_the_statement(scene, server):
    fill(server, 10)
    with account(server, "SELECT (tenant, id, note), INSERT ON {db}.orders") as user:
        uri = server.uri(user=user, password="secret")
        plan(scene, uri, "--table", "orders", "--columns", "tenant,id,note")
    with account(server, "SELECT (tenant, id), SHOW VIEW, INSERT ON {db}.orders") as user:
        uri = server.uri(user=user, password="secret")
        done = scene.sluice("plan", uri, f"file://{scene.lake}", "--state", scene.state, "--columns", "tenant,id,note",
                            "--table", "orders")
        assert done.code in (2, 6), done


def test_check_says_how_it_is_connected_and_set(scene, server):
    fill(server, 10)
    source, = scene.sluice("check", server.uri(), "--json").must(0).json["checks"]
    seen = findings_of(source)
    assert {"server", "TLS", "connections", "clock", "sql_mode", "time_zone", "wait_timeout", "net_write_timeout",
            "max_allowed_packet", "consistency"} <= set(seen)
    assert seen["TLS"]["detail"].startswith("TLSv1") and "verified" in seen["TLS"]["detail"]
    assert seen["clock"]["level"] == "ok" and seen["time_zone"]["detail"].startswith("'+00:00'")
    assert server.kind == seen["server"]["detail"].split()[0].lower()
    near, = scene.sluice("check", server.uri(options=f"tls=verify-ca&tls_ca={server.tls_ca}"), "--json").must(0).json["checks"]
    assert "the host's name is not" in findings_of(near)["TLS"]["detail"]


def test_fewer_connections_than_wanted_is_told_before_the_run(scene, server):
    fill(server, 10)
    with account(server, "SELECT ON {db}.*", limits="WITH MAX_USER_CONNECTIONS 3") as user:
        uri = server.uri(user=user, password="secret")
        done = scene.sluice("plan", uri, f"file://{scene.lake}", "--state", scene.state, "--connections", "8").must(2)
        assert "a limit of 3" in done.err and "--connections 3" in done.said


def test_a_view_whose_making_may_not_be_seen_can_still_be_copied(scene, server):
    fill(server, 10)
    server.sql("CREATE VIEW few AS SELECT id FROM orders;")
    with account(server, "SELECT ON {db}.few") as user:
        uri = server.uri(user=user, password="secret")
        stream = stream_of(plan(scene, uri, "--table", "few"), "few")
        assert stream["error"] is None
        assert any("not known" in each for each in stream["warnings"]), stream


def test_discover_tells_views_and_what_cannot_be_copied(scene, server):
    fill(server, 10)
    server.sql("CREATE VIEW few AS SELECT id FROM orders;")
    found = scene.sluice("discover", server.uri(), "--json").must(0).json
    assert {each["table"]: each["kind"] for each in found["tables"]} == {"orders": "table", "few": "view"}


def test_what_readers_may_not_expect_is_marked(scene, server):
    server.sql("CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, old VARCHAR(9) CHARACTER SET latin1, size ENUM('s'), t TIME,"
               " plain VARCHAR(9));")
    columns = stream_of(plan(scene, server.uri()), "t")["columns"]
    notes = {each["name"]: each["notes"] for each in columns}
    assert "unsigned" in notes["id"][0] and notes["old"] == ["converted from latin1"]
    assert notes["size"] == ["its words"] and notes["t"] == ["text"] and notes["plain"] == []


@pytest.mark.parametrize("verb", ["plan", "check", "discover"])
def test_five_hundred_tables_cost_at_most_three_statements_each(scene, server, verb):
    tables = 500
    # A shape's reference system is in its values: one statement more.
    server.sql("".join(f"CREATE TABLE t{i:03} (tenant INT NOT NULL, id INT NOT NULL, word VARCHAR(20)"
                       f"{', shape GEOMETRY' if i % 10 == 0 else ''}, PRIMARY KEY (tenant, id));" for i in range(tables)))
    with account(server, "SELECT ON {db}.*") as user, CountingWire(server.host, server.port) as wire:
        # What is encrypted cannot be counted; a first connection by TLS lets the server know the password.
        scene.sluice("discover", server.uri(user=user, password="secret")).must(0)
        uri = server.uri(user=user, password="secret", port=wire.port, options="tls=disabled")
        args = {"plan": [uri, f"file://{scene.lake}", "--state", scene.state]}.get(verb, [uri])
        began = time.monotonic()
        done = scene.sluice(verb, *args, "--json").must(0)
        seconds = time.monotonic() - began
    found = done.json
    if verb == "plan":
        assert len(found["streams"]) == tables
        # Ten seconds are promised on a machine that does nothing else.
        assert seconds < 50, seconds
    assert 10 < wire.statements <= 3 * tables, wire.statements
    print(f"{verb} of {tables} tables at {server.kind}: {wire.statements} statements, {seconds:.2f} s")
