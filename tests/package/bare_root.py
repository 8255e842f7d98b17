"""A root folder with a Debian package's dependencies and nothing else, in which programs are run."""

import re
import shutil
import subprocess
from pathlib import Path


def output(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def names_in(depends):
    """The first choice of each dependency: "libc6 (>= 2.34), a | b" -> libc6, a."""
    return [re.split(r"[ (:|]", each.strip())[0] for each in depends.split(",") if each.strip()]


def providers():
    """{name: the installed package that is or provides it}."""
    lines = output("dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${Provides}\n").splitlines()
    installed = [line.split("\t")[1:] for line in lines if line.startswith("installed")]
    provided = {name: package for package, provides in installed for name in names_in(provides)}
    return provided | {package: package for package, _ in installed}


def closure(names):
    """These packages and what they depend on, as this machine has them installed."""
    known, found, waiting = providers(), set(), list(names)
    while waiting:
        name = known[waiting.pop()]
        if name in found:
            continue
        found.add(name)
        waiting += names_in(output("dpkg-query", "-W", "-f", "${Pre-Depends},${Depends}\n", name).split("\n")[0])
    return found


class BareRoot:
    """Files of packages, copied from this machine; no /dev, no /etc but theirs."""

    def __init__(self, folder, depends):
        self.folder = Path(folder)
        for name in ("usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "tmp", "root", "proc/self"):
            (self.folder / name).mkdir(parents=True)
        for name in ("bin", "lib", "lib64", "sbin"):
            (self.folder / name).symlink_to(f"usr/{name}")
        self.packages = {name for name in closure(names_in(depends)) if not name.startswith(("debconf", "dpkg"))}
        for name in sorted(self.packages):
            for path in output("dpkg-query", "-L", name).splitlines():
                self._copy(Path(path))

    def _copy(self, path):
        target = self.folder / path.relative_to("/")
        if (not path.is_symlink() and not path.is_file()) or path.is_relative_to("/usr/share"):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() and not target.is_symlink():
            shutil.copy2(path, target, follow_symlinks=False)

    def run(self, *command, code=0):
        """In this root with an empty environment: who looks for anything else finds nothing."""
        # All of /proc that there is: the loader asks it where the program lies, for $ORIGIN.
        origin = self.folder / "proc/self/exe"
        origin.unlink(missing_ok=True)
        origin.symlink_to(command[0])
        done = subprocess.run(
            ["unshare", "--map-root-user", f"--root={self.folder}", "--wd=/tmp", *command],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, env={"HOME": "/root", "LANG": "C.UTF-8"})
        assert done.returncode == code, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


def needed(path):
    """The libraries a program asks for, in the order in which they are searched."""
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", path))


def run_paths(path):
    return [each for found in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", output("readelf", "-d", path))
            for each in found.split(":")]
