"""What cannot be copied, and what is said about it: exit code, a message that names the thing, an act to advise."""

import os
import signal
import socket
import struct
import threading

import pytest
from oracle import Lake


def nothing_visible(scene):
    Lake(scene.lake).assert_nothing_visible()


@pytest.fixture
def orders(server):
    server.sql("CREATE TABLE orders (id INT PRIMARY KEY, note TEXT); INSERT INTO orders VALUES (1, 'a'), (2, 'b');")
    return server


def test_an_unreachable_server_is_transient(scene, orders, copy):
    told = copy(uri=orders.uri(port=1)).must(5)
    assert "127.0.0.1:1" in told.said
    nothing_visible(scene)


def test_an_unknown_host_is_usage(scene, orders, copy):
    copy(uri=orders.uri(host="no-such-host.invalid")).must(2)


def test_a_wrong_password_is_usage_and_is_not_shown(scene, orders, copy):
    told = copy(uri=orders.uri(password="sesame-open")).must(2)
    assert "sesame-open" not in told.said
    for path in scene.folder.rglob("*"):
        assert not path.is_file() or b"sesame-open" not in path.read_bytes(), path


def test_the_right_password_is_kept_nowhere(scene, orders, copy):
    orders.sql(f"CREATE USER 'p{orders.database[2:12]}'@'%' IDENTIFIED BY 'open-sesame';"
               f"GRANT SELECT ON {orders.database}.* TO 'p{orders.database[2:12]}'@'%';")
    uri = orders.uri(user=f"p{orders.database[2:12]}", password="open-sesame")
    for args in ([], ["--json"], ["--verbose"], ["--verbose", "--log-format", "json"], ["--progress", "json"]):
        assert "open-sesame" not in copy(*args, uri=uri).must(0).said
    failed = copy("--progress", "json", "--verbose", uri=uri, env={"SLUICE_CRASH_AT": "publish.frozen"})
    assert failed.code == -signal.SIGKILL and "open-sesame" not in failed.said
    for verb in ("log", "status"):
        told = scene.sluice(verb, "--state", scene.state).must(0)
        assert "open-sesame" not in told.said and ":***@" in told.said, told
    for path in scene.folder.rglob("*"):
        assert not path.is_file() or b"open-sesame" not in path.read_bytes(), path
    orders.sql(f"DROP USER 'p{orders.database[2:12]}'@'%'")


def test_unknown_database_table_and_column_are_usage(scene, orders, copy):
    copy(uri=orders.uri(database="no_such_database")).must(2)
    assert "did you mean orders" in copy("--table", "order").must(2).said
    assert "did you mean note" in copy("--table", "orders", "--columns", "notes").must(2).said


def test_a_missing_privilege_is_told_with_its_grant(scene, orders, copy):
    user = f"m{orders.database[2:12]}"
    orders.sql(f"CREATE TABLE other (id INT); CREATE USER '{user}'@'%' IDENTIFIED BY 'x1';"
               f"GRANT SELECT ON {orders.database}.other TO '{user}'@'%';")
    told = scene.sluice("copy", orders.uri(user=user, password="x1"), f"file://{scene.lake}", "--state", scene.state,
                        "--table", "orders")
    told.must(6)
    assert f"GRANT SELECT ON `{orders.database}`.`orders` TO '{user}'@" in told.said
    orders.sql(f"DROP USER '{user}'@'%'")


def test_columns_that_may_not_be_read_are_not_left_out(scene, orders, copy):
    user = f"c{orders.database[2:12]}"
    orders.sql(f"CREATE USER '{user}'@'%' IDENTIFIED BY 'x1'; GRANT SELECT (id) ON {orders.database}.orders TO '{user}'@'%';")
    some = ["copy", orders.uri(user=user, password="x1"), f"file://{scene.lake}", "--state", scene.state, "--table", "orders"]
    told = scene.sluice(*some).must(6)
    assert "GRANT SELECT" in told.said and "source.missing-grant" in scene.sluice(*some, "--json").must(6).out
    nothing_visible(scene)
    scene.sluice(*some, "--columns", "id").must(0)
    orders.sql(f"DROP USER '{user}'@'%'")


def test_a_wrong_ca_and_refused_tls_are_usage(scene, orders, copy, tmp_path):
    other = tmp_path / "other.pem"
    other.write_text(open("/etc/ssl/certs/ca-certificates.crt").read())
    assert "tls" in copy(uri=orders.uri(options=f"tls_ca={other}")).must(2).said
    copy(uri=orders.uri(host="db.example", options="tls=disabled")).must(2)
    told = copy(uri=orders.uri(options="tls=sometimes")).must(2)
    assert "disabled, preferred, required, verify-ca or verify-identity" in told.said
    copy(uri=orders.uri(options="nonsense=1")).must(2)


def test_zero_dates_and_broken_text_fail_unless_a_policy_says_otherwise(scene, server, copy):
    server.sql("""SET sql_mode = ''; CREATE TABLE d (id INT PRIMARY KEY, d DATE); INSERT INTO d VALUES (7, '0000-00-00');""")
    told = copy().must(1)
    assert "id=7" in told.said and "column d" in told.said and "0000-00-00" in told.said
    nothing_visible(scene)
    copy("--on-type-mismatch", "null", "--restart").must(0)


NINE = ("CREATE TABLE nine (id INT PRIMARY KEY, s TEXT); INSERT INTO nine (id) VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9);")


@pytest.mark.parametrize("change", ["ALTER TABLE nine ADD COLUMN more INT", "DROP TABLE nine"])
def test_a_table_altered_or_dropped_in_mid_run_stops_it(scene, server, change):
    server.sql(NINE)
    # Under a snapshot no ALTER can begin on a table that was read.
    run = scene.start("copy", server.uri(), f"file://{scene.lake}", "--state", scene.state, "--consistency", "per-chunk",
                      "--connections", "1", env={"SLUICE_CHUNK_ROWS": "2", "SLUICE_STOP_AT": "staged.recorded:2"})
    run.wait_until_stopped()
    server.sql(change)
    run.send(signal.SIGCONT)
    run.wait().must(6)
    nothing_visible(scene)


def test_a_table_altered_between_two_runs_stops_the_resumed_one(scene, server, copy):
    server.sql(NINE)
    killed = copy(env={"SLUICE_CHUNK_ROWS": "2", "SLUICE_CRASH_AT": "staged.recorded:2"})
    assert killed.code == -9, killed
    server.sql("ALTER TABLE nine MODIFY s LONGTEXT")
    copy().must(6)
    nothing_visible(scene)


class Rogue:
    """Greets as a server does, and then asks for what it should not get."""

    def __init__(self, ask):
        self.ask, self.heard = ask, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    @staticmethod
    def packet(sequence, payload):
        return struct.pack("<I", len(payload))[:3] + bytes([sequence]) + payload

    def read(self, peer):
        head = peer.recv(4)
        if len(head) < 4:
            return None
        size = int.from_bytes(head[:3], "little")
        payload = b""
        while len(payload) < size:
            more = peer.recv(size - len(payload))
            if not more:
                return None
            payload += more
        self.heard += payload
        return payload

    def serve(self):
        peer, _ = self.listener.accept()
        with peer:
            peer.settimeout(10)
            flags = 0x00000001 | 0x00000200 | 0x00008000 | 0x00080000 | 0x00000008 | 0x00000080 | 0x00000004
            greeting = (b"\x0a8.0.99\x00" + struct.pack("<I", 7) + b"12345678\x00" + struct.pack("<H", flags & 0xffff)
                        + b"\x2d\x02\x00" + struct.pack("<H", flags >> 16) + bytes([21]) + b"\x00" * 10
                        + b"901234567890\x00" + b"mysql_native_password\x00")
            peer.sendall(self.packet(0, greeting))
            try:
                if self.read(peer) is None:
                    return
                self.ask(self, peer)
            except OSError:
                pass


def asks_for_the_clear_password(rogue, peer):
    peer.sendall(rogue.packet(2, b"\xfemysql_clear_password\x00"))
    rogue.read(peer)


def asks_for_a_file(rogue, peer):
    peer.sendall(rogue.packet(2, b"\x00\x00\x00\x02\x00\x00\x00"))
    rogue.read(peer)
    peer.sendall(rogue.packet(1, b"\xfb" + os.fsencode(rogue.file)))
    rogue.read(peer)
    rogue.read(peer)


def test_a_rogue_server_gets_no_clear_password(scene):
    rogue = Rogue(asks_for_the_clear_password)
    told = scene.sluice("copy", f"mysql://u:open-sesame@127.0.0.1:{rogue.port}/d?tls=disabled", f"file://{scene.lake}",
                        "--state", scene.state)
    assert told.code == 2, told
    assert b"open-sesame" not in rogue.heard


def test_a_rogue_server_gets_no_file(scene, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the contents of a file")
    rogue = Rogue(asks_for_a_file)
    rogue.file = secret
    told = scene.sluice("copy", f"mysql://u:open-sesame@127.0.0.1:{rogue.port}/d?tls=disabled", f"file://{scene.lake}",
                        "--state", scene.state)
    assert told.code != 0, told
    assert b"the contents" not in rogue.heard


def test_a_server_without_tls_gets_no_login_where_tls_is_wanted(scene, orders):
    rogue = Rogue(lambda *_: None)
    told = scene.sluice("copy", f"mysql://u:open-sesame@127.0.0.1:{rogue.port}/d?tls_ca={orders.tls_ca}",
                        f"file://{scene.lake}", "--state", scene.state)
    assert told.code == 2, told
    assert rogue.heard == b""
