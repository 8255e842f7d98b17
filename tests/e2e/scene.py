"""One test's world: a database, a destination, a state, and the program run as a user runs it."""

import ctypes
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
BINARY = Path(os.environ.get("SLUICE_BIN") or REPOSITORY / "build/release/sluice").absolute()
# Sanitizer builds are slower; no test waits this long in a healthy run.
PATIENCE = float(os.environ.get("SLUICE_TEST_PATIENCE", "60"))


_LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def die_with_the_test():
    """In the child: a test that is killed leaves nobody behind, stopped processes least of all."""
    # A shell starts what runs in the background with SIGINT ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def without_rights_over_files():
    """In the child: root is held to a file's permissions, as everybody else is without this."""
    for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        _LIBC.prctl(PR_CAPBSET_DROP, right, 0, 0, 0)


def at_most(what, most):
    """In the child: a limit of `resource`; a file too large is an error then, and no signal."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(what, (most, most))

    return limit


@dataclass
class Finished:
    """A run that has ended."""

    args: list
    code: int  # negative: the signal that killed it
    out: str
    err: str
    seconds: float

    @property
    def json(self):
        """The one result object on stdout."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError(f"stdout is not one JSON object\n{self}") from None

    @property
    def said(self):
        """Everything a user could have read."""
        return self.err + "\n" + self.out

    def must(self, code=0):
        assert self.code == code, f"wanted exit {code}, found {self.code}\n{self}"
        return self

    def __str__(self):
        return (f"$ sluice {' '.join(map(str, self.args))}\nexit {self.code} after {self.seconds:.2f} s\n"
                f"--- stdout\n{self.out[-4000:]}\n--- stderr\n{self.err[-4000:]}")


class Process:
    """A run under way. Its output goes to files: nobody has to read for it to go on."""

    def __init__(self, args, env, cwd, stdout=None, before=None):
        self.args = list(args)
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self._started = time.monotonic()
        self._popen = subprocess.Popen(
            [str(BINARY), *map(str, args)], env=env, cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=self._out if stdout is None else stdout, stderr=self._err,
            preexec_fn=lambda: (die_with_the_test(), before and before()))
        self.pid = self._popen.pid
        self._finished = None
        self.peak_bytes = 0

    def measure_memory(self):
        """Follows the high water mark in peak_bytes. (That of getrusage begins with the test's own.)"""
        def follow():
            mark = Path(f"/proc/{self.pid}/status")
            while self._finished is None:
                try:
                    lines = [line for line in mark.read_text().splitlines() if line.startswith("VmHWM:")]
                except OSError:
                    return
                self.peak_bytes = max([self.peak_bytes, *(int(line.split()[1]) * 1024 for line in lines)])
                time.sleep(0.002)

        threading.Thread(target=follow, daemon=True).start()
        return self

    def send(self, which):
        os.kill(self.pid, which)

    def kill(self):
        if self._finished is None:
            self.send(signal.SIGKILL)

    def wait(self, timeout=PATIENCE):
        if self._finished is not None:
            return self._finished
        too_late = threading.Event()

        def stop():
            too_late.set()
            os.kill(self.pid, signal.SIGKILL)

        timer = threading.Timer(timeout, stop)
        timer.start()
        _, status = os.waitpid(self.pid, 0)
        timer.cancel()
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        self._finished = Finished(
            self.args, self._popen.returncode, self._text(self._out), self._text(self._err),
            time.monotonic() - self._started)
        assert not too_late.is_set(), f"not done after {timeout} s\n{self._finished}"
        return self._finished

    def wait_until_stopped(self, timeout=PATIENCE):
        """Until it stopped itself (SLUICE_STOP_AT); fails when it ends instead."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
            if pid and os.WIFSTOPPED(status):
                return self
            if pid:
                self._popen.returncode = os.waitstatus_to_exitcode(status)
                self._finished = Finished(self.args, self._popen.returncode, self._text(self._out),
                                          self._text(self._err), 0)
                raise AssertionError(f"ended, and never passed the point to stop at\n{self._finished}")
            time.sleep(0.002)
        self.kill()
        raise AssertionError(f"did not stop within {timeout} s\n{self.wait()}")

    @staticmethod
    def _text(file):
        # The program writes where the file's position is, and shares it: reading must not move it.
        return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode("utf-8", "replace")


class Scene:
    """`source.db` is copied into `lake`; what is remembered is in `state.db`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.db = self.folder / "source.db"
        self.lake = self.folder / "lake"
        self.state = self.folder / "state.db"
        self._processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes:
            if process._finished is None:
                process.kill()
                process.wait()

    # --- the program ---

    def environment(self, more=None):
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("SLUICE_", "XDG_"))}
        env["HOME"] = str(self.folder / "home")
        for name, value in (more or {}).items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = str(value)
        return env

    def start(self, *args, env=None, stdout=None, before=None):
        """`before` is called in the child, to take from it what it may use."""
        process = Process(args, self.environment(env), self.folder, stdout, before)
        self._processes.append(process)
        return process

    def sluice(self, *args, env=None, timeout=PATIENCE, stdout=None, before=None):
        return self.start(*args, env=env, stdout=stdout, before=before).wait(timeout)

    def copy_args(self, *args):
        return ["copy", f"sqlite://{self.db}", f"file://{self.lake}", "--state", self.state, *args]

    def copy(self, *args, env=None, timeout=PATIENCE):
        """copy source.db lake, with more arguments."""
        return self.sluice(*self.copy_args(*args), env=env, timeout=timeout)

    def start_copy(self, *args, env=None):
        return self.start(*self.copy_args(*args), env=env)

    def job(self, streams, name="job", **more):
        """Writes a job file of this scene; JSON is YAML."""
        text = {"version": 1, "source": f"sqlite://{self.db}", "destination": f"file://{self.lake}",
                "streams": streams, **more}
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps({key: value for key, value in text.items() if value is not None}))
        return path

    def run(self, job, *args, env=None, timeout=PATIENCE):
        return self.sluice("run", job, "--state", self.state, *args, env=env, timeout=timeout)

    def gc(self, *args):
        return self.sluice("gc", f"file://{self.lake}", "--state", self.state, *args)

    # --- the database ---

    def connect(self):
        """To source.db; text that is not UTF-8 comes back with surrogates, so nothing is hidden."""
        connection = sqlite3.connect(self.db, isolation_level=None)
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        return connection

    def sql(self, *statements, rows=()):
        """Runs statements; the last one once per row if there are rows."""
        with self.connect() as connection:
            connection.execute("PRAGMA synchronous=OFF")
            for statement in statements[:-1] if rows else statements:
                connection.execute(statement)
            if rows:
                connection.execute("BEGIN")
                connection.executemany(statements[-1], rows)
                connection.execute("COMMIT")
        connection.close()

    def tree(self, folder=None):
        """path -> (size, inode, modified) of every file below the scene's folder."""
        folder = Path(folder or self.folder)
        return {str(path.relative_to(folder)): (info.st_size, info.st_ino, info.st_mtime_ns)
                for path in sorted(folder.rglob("*")) if path.is_file() and (info := path.stat())}


class Lock:
    """Another process, a Python, that holds a transaction on a database."""

    def __init__(self, db, begin="BEGIN EXCLUSIVE", seconds=60):
        script = ("import sqlite3,sys,time\n"
                  "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
                  "c.execute(sys.argv[2]); print('held', flush=True); time.sleep(float(sys.argv[3]))\n"
                  "c.execute('ROLLBACK')\n")
        self._popen = subprocess.Popen([sys.executable, "-c", script, str(db), begin, str(seconds)],
                                       stdout=subprocess.PIPE)
        assert self._popen.stdout.readline() == b"held\n"
        self.pid = self._popen.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._popen.kill()
        self._popen.wait()
        self._popen.stdout.close()


class SmallDisk:
    """A file system of a few megabytes of its own (tmpfs, so root only; others get a chmod)."""

    def __init__(self, path, size):
        self.path = Path(path)
        self.path.mkdir()
        self.mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(self.path)],
            capture_output=True).returncode == 0

    def read_only(self, wanted=True):
        if self.mounted:
            option = "remount,ro" if wanted else "remount,rw"
            subprocess.run(["mount", "-o", option, str(self.path)], check=True)
        else:
            for folder in [self.path, *(p for p in self.path.rglob("*") if p.is_dir())]:
                folder.chmod(0o500 if wanted else 0o700)

    def grow(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.path)], check=True)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.path)], check=True)
        else:
            self.read_only(False)
