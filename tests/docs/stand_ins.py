"""What the example names of the pages stand for while their commands are run."""

import os
import re
import shutil
import urllib.request
import uuid
from urllib.parse import parse_qs, urlsplit

import shell
from scene import BINARY


class World:
    """A folder and an environment for one page, and the names that are replaced in it."""

    def __init__(self, folder):
        self.folder, self.names, self._databases = folder, {}, []
        programs = folder / ".bin"
        programs.mkdir(parents=True)
        (programs / "sluice").symlink_to(BINARY)
        venv = os.environ.get("SLUICE_VENV")
        self.environment = {
            "PATH": f"{programs}:{venv + '/bin:' if venv else ''}{os.environ['PATH']}",
            "HOME": str(folder / ".home"), "LANG": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true", "TERM": "dumb",
        }
        (folder / ".home").mkdir()

    def add_mysql(self):
        """db.example is the server; its database shop and the account reader are this test's alone."""
        parts = urlsplit(os.environ["SLUICE_TEST_MYSQL"])
        shutil.copy(parse_qs(parts.query)["tls_ca"][0], self.folder / "ca.pem")
        tail = uuid.uuid4().hex[:8]
        self.names |= {"db.example:3306": f"127.0.0.1:{parts.port}", "db.example": f"127.0.0.1:{parts.port}",
                       "shop": f"shop_{tail}", "reader": f"reader_{tail}"}
        client = self.folder / ".bin/mysql"
        # Whatever the page's client is told of host and account: it works as the server's administrator.
        client.write_text(
            f"#!/bin/sh\nexec mariadb --no-defaults --protocol=tcp -h127.0.0.1 -P{parts.port} -u{parts.username} "
            f"-p{parts.password} --ssl-ca={self.folder}/ca.pem\n")
        client.chmod(0o755)
        self._databases.append(f"DROP DATABASE IF EXISTS shop_{tail}; DROP USER IF EXISTS reader_{tail}")

    def add_s3(self):
        """s3.example is the server, with a bucket example-lake of this test's own."""
        endpoint = parse_qs(urlsplit(os.environ["SLUICE_TEST_MOTO"]).query)["endpoint"][0]
        bucket = f"lake-{uuid.uuid4().hex[:12]}"
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{bucket}", method="PUT"))
        self.names |= {"https://s3.example": endpoint, "example-lake": bucket}
        self.environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "testsecret"}

    def substitute(self, text):
        return self._replace(text, self.names)

    def restore(self, text):
        """What was printed, in the names of the page."""
        return self._replace(text, {stands: name for name, stands in reversed(self.names.items())})

    @staticmethod
    def _replace(text, names):
        if not names:
            return text
        longest_first = sorted(names, key=len, reverse=True)
        words = "|".join(rf"(?<![\w]){re.escape(name)}(?![\w])" for name in longest_first)
        return re.sub(words, lambda found: names[found.group(0)], text)

    def write(self, name, lines):
        path = self.folder / self.substitute(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.substitute("\n".join(lines) + "\n"))

    def run(self, steps):
        ended = shell.run(steps, self.folder, self.environment, self.substitute)
        return [(code, [self.restore(line) for line in said]) for code, said in ended]

    def close(self):
        for statement in self._databases:
            shell.subprocess.run([self.folder / ".bin/mysql"], input=statement.encode(), check=True)


# Pages whose examples need more than a folder.
SERVERS = {
    "guide-mysql.md": (World.add_mysql,),
    "guide-s3.md": (World.add_s3,),
    "troubleshooting.md": (World.add_mysql, World.add_s3),
}
