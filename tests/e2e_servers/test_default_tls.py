"""A URI as a first user types it: no option, a server on this machine."""

import pytest
from scene import Scene
from server import VARIABLES, Server


@pytest.mark.parametrize("kind", sorted(VARIABLES))
def test_tls_without_an_authority_of_its_own(kind, tmp_path):
    """Where the client looks for the system's authorities, the system's OpenSSL must be whole."""
    server = Server(kind)
    try:
        server.sql("CREATE TABLE orders (id INT PRIMARY KEY); INSERT INTO orders VALUES (1), (2)")
        with Scene(tmp_path) as scene:
            for options in ("", "tls=required", "tls=preferred", "tls=disabled"):
                scene.sluice("check", server.uri(options=options)).must()
            scene.sluice("copy", server.uri(options=""), "lake").must()
            # The system's authorities have not signed this server's certificate.
            refused = scene.sluice("check", server.uri(options="tls=verify-identity"), "--json").must(2)
            assert "source.tls" in refused.said
    finally:
        server.close()
