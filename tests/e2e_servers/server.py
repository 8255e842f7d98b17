"""A server that SLUICE_TEST_MYSQL or SLUICE_TEST_MARIADB names, spoken to by the mariadb client: it shares no code
with the connector but the library below it."""

import os
import subprocess
import uuid
from urllib.parse import parse_qs, unquote, urlsplit

VARIABLES = {"mysql": "SLUICE_TEST_MYSQL", "mariadb": "SLUICE_TEST_MARIADB"}


class Server:
    def __init__(self, kind, address=None):
        self.kind = kind
        address = address or os.environ.get(VARIABLES[kind])
        assert address, f"{VARIABLES[kind]} names no server: `tools/test servers` starts them"
        parts = urlsplit(address)
        self.user, self.password = unquote(parts.username), unquote(parts.password)
        self.host, self.port = parts.hostname, parts.port
        self.tls_ca = parse_qs(parts.query)["tls_ca"][0]
        self.database = "e_" + uuid.uuid4().hex[:16]
        self.sql(f"CREATE DATABASE {self.database} CHARACTER SET utf8mb4", database="")

    def close(self):
        self.sql(f"DROP DATABASE {self.database}", database="")

    def client(self, database=None):
        name = self.database if database is None else database
        return ["mariadb", "--no-defaults", "--local-infile=1", "--protocol=tcp", f"-h{self.host}", f"-P{self.port}", f"-u{self.user}",
                f"-p{self.password}", f"--ssl-ca={self.tls_ca}", "--default-character-set=utf8mb4", "-N", "-B",
                "--max-allowed-packet=1G", *([name] if name else [])]

    def sql(self, text, database=None):
        ran = subprocess.run(self.client(database), input=text.encode(), capture_output=True)
        assert ran.returncode == 0, f"{text[:500]}\n{ran.stderr.decode(errors='replace')}"
        return [line.split("\t") for line in ran.stdout.decode(errors="surrogateescape").splitlines()]

    def uri(self, user=None, password=None, database=None, host=None, port=None, options=None):
        options = f"tls_ca={self.tls_ca}" if options is None else options
        return (f"{self.kind}://{user or self.user}:{password or self.password}@{host or self.host}:{port or self.port}/"
                f"{database or self.database}{'?' + options if options else ''}")
