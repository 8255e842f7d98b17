"""S3 over TLS: the server's certificate is checked, always; which authority is believed can be said."""

import signal
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

ROWS = [(i, f"word {i % 97}", i / 3) for i in range(6_000)]
LIB = Path(__file__).parents[2] / "tools/servers/lib.sh"


class TlsEnd:
    """Takes TLS on a port of its own and passes on what comes to `endpoint`."""

    def __init__(self, endpoint, folder, certificate="server"):
        host, port = endpoint.split("://")[1].split(":")
        self._there = (host, int(port))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / f"{certificate}-cert.pem", folder / f"{certificate}-key.pem")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.versions = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        try:
            near = self._context.wrap_socket(near, server_side=True)
        except (ssl.SSLError, OSError):
            near.close()  # the client did not believe us
            return
        self.versions.add(near.version())
        far = socket.create_connection(self._there)
        threading.Thread(target=self._pump, args=(far, near), daemon=True).start()
        self._pump(near, far)

    @staticmethod
    def _pump(source, sink):
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority (ca.pem), a server's certificate for localhost, and one for another host."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["bash", "-c", f'''. "{LIB}"; make_tls "{folder}"; cd "{folder}"
        openssl req -newkey rsa:2048 -nodes -subj /CN=elsewhere.example -keyout other-key.pem -out other.csr
        printf 'subjectAltName=DNS:elsewhere.example\\n' > ext
        openssl x509 -req -in other.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 30 -extfile ext \\
            -out other-cert.pem'''], check=True, capture_output=True)
    return folder


@pytest.fixture
def orders(scene):
    scene.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, word TEXT, amount REAL)",
              "INSERT INTO orders VALUES (?, ?, ?)", rows=ROWS)
    return scene


def copy(scene, uri, *args, env=None):
    return scene.sluice("copy", f"sqlite://{scene.db}", uri, "--table", "orders", "--state", scene.state, *args,
                        env={"SLUICE_CHUNK_ROWS": "1500", **(env or {})})


@pytest.mark.parametrize("said", ["option", "environment"])
def test_a_table_goes_through_tls_killed_and_resumed(orders, bucket, certificates, said):
    authority = certificates / "ca.pem"
    with TlsEnd(bucket.endpoint, certificates) as tls:
        uri = bucket.uri(f"https://localhost:{tls.port}", ca=authority if said == "option" else None)
        env = {} if said == "option" else {"AWS_CA_BUNDLE": authority}
        cut = copy(orders, uri, "--connections", "1", env={"SLUICE_CRASH_AT": "publish.object", **env})
        assert cut.code == -signal.SIGKILL, cut
        done = copy(orders, uri, "--json", env=env).must(0).json
        # A manifest's URI says where it is, not by what means this machine gets there.
        manifest = done["loads"][0]["manifest"] + (f"&ca={authority}" if said == "option" else "")
        orders.sluice("verify", manifest, env=env).must(0)
        assert tls.versions and tls.versions <= {"TLSv1.2", "TLSv1.3"}
    assert sorted(bucket.rows()) == ROWS
    assert bucket.uploads() == []


def test_an_authority_nobody_knows_is_not_believed(orders, bucket, certificates):
    with TlsEnd(bucket.endpoint, certificates) as tls:
        done = copy(orders, bucket.uri(f"https://localhost:{tls.port}"), "--json").must(7)
    assert done.json["error"]["id"] == "http.untrusted"
    assert "AWS_CA_BUNDLE" in done.err and "ca=FILE" in done.err, done
    assert bucket.keys() == []


def test_the_certificate_of_another_host_is_not_believed(orders, bucket, certificates):
    with TlsEnd(bucket.endpoint, certificates, "other") as tls:
        done = copy(orders, bucket.uri(f"https://localhost:{tls.port}", ca=certificates / "ca.pem"))
    assert done.code == 7, done
    assert "localhost" in done.err, done
    assert bucket.keys() == []


def test_an_endpoint_without_tls_that_is_called_https_is_refused(orders, bucket):
    done = copy(orders, bucket.uri(bucket.endpoint.replace("http://", "https://")), "--json").must(2)
    assert done.json["error"]["id"] == "http.no-tls"
    assert "without it" in done.err and "HINT: write http://" in done.err, done
    assert bucket.keys() == []
