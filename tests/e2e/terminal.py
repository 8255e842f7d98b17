"""A real terminal: tmux, with a shell in it that a test types into, and screens that must stay as they were."""

import difflib
import os
import re
import subprocess
import time
import uuid
from pathlib import Path

SCREENS = Path(__file__).resolve().parent / "screens"
PATIENCE = 20

# What differs from run to run, or from machine to machine.
CHANGING = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"\b(\d+:)?\d\d:\d\d\b", "MM:SS"),
    (r"\b[1-9]\d*(\.\d)? (B|KiB|MiB)\b", "SIZE"),
    (r"copy-[0-9a-f]+", "copy-HASH"),
]
# Of a summary besides: numbers that decide how its columns stand.
CHANGING_AT_THE_END = [(r"\b\d+(\.\d)? s\b", "SECONDS"), (r"\b[\d,]+ rows/s", ""), (r"(?<=\S)  +", "  "),
                       (r"snapshot at \S+( \S+)*", "snapshot at POSITION")]


class Terminal:
    """`columns` by `rows`, an interactive bash at a prompt. Everything is of the terminal's own: server, socket."""

    def __init__(self, folder, env, columns=100, rows=24):
        self.folder = folder
        self._tmux_name = "sluice-" + uuid.uuid4().hex[:12]
        self._env = {**env, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "TMUX": ""}
        settings = folder / "terminal.bashrc"
        settings.write_text("PS1='$ '\nset +o history\n")
        self._tmux("-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", str(columns), "-y", str(rows),
                   f"exec bash --noprofile --rcfile '{settings}' -i")
        self._tmux("set-option", "-g", "status", "off")
        self._tmux("resize-window", "-t", "t", "-x", str(columns), "-y", str(rows))
        try:
            self.until(lambda text: "$" in text, "no prompt")
        except AssertionError:
            self.close()
            raise

    def _tmux(self, *args):
        done = subprocess.run(["tmux", "-u", "-L", self._tmux_name, *args], env=self._env, cwd=self.folder,
                              capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, f"tmux {args}: {done.stderr}"
        return done.stdout

    def close(self):
        subprocess.run(["tmux", "-L", self._tmux_name, "kill-server"], capture_output=True, timeout=PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def press(self, *keys):
        """Keys by tmux's names: "C-c", "Enter"; anything else is typed."""
        self._tmux("send-keys", "-t", "t", *keys)

    def enter(self, line):
        self.press(line, "Enter")

    def resize(self, columns, rows):
        self._tmux("resize-window", "-t", "t", "-x", str(columns), "-y", str(rows))

    def text(self, joined=False):
        """What is to be seen, without trailing blanks and blank lines below. `joined`: lines that wrapped as one."""
        capture = ["capture-pane", "-p", "-t", "t", *(["-J"] if joined else [])]
        lines = [line.rstrip() for line in self._tmux(*capture).split("\n")]
        return "\n".join(lines).rstrip("\n") + "\n"

    def scrolled(self):
        """What has left the screen at its top."""
        return self._tmux("capture-pane", "-p", "-t", "t", "-S", "-", "-E", "-1")

    def cursor_is_visible(self):
        return self._tmux("display-message", "-p", "-t", "t", "#{cursor_flag}").strip() == "1"

    def until(self, holds, what, joined=False):
        deadline = time.monotonic() + PATIENCE
        while True:
            text = self.text(joined)
            if holds(text):
                return text
            assert time.monotonic() < deadline, f"{what}; the screen is\n{text}"
            time.sleep(0.05)

    def looks_like(self, name, at_the_end=False):
        """Waits until the screen is the golden one. SLUICE_UPDATE_GOLDEN=1 writes it, once the screen stands still."""
        path = SCREENS / f"{name}.txt"
        if os.environ.get("SLUICE_UPDATE_GOLDEN"):
            time.sleep(7)  # Rates are of the last five seconds.
            path.write_text(self._normal(self.text(at_the_end), at_the_end))
            return
        wanted = path.read_text()
        seen = []

        def same(text):
            seen[:] = [self._normal(text, at_the_end)]
            return seen[0] == wanted

        try:
            self.until(same, "another screen", at_the_end)
        except AssertionError:
            diff = difflib.unified_diff(wanted.splitlines(), seen[0].splitlines(), path.name, "seen", lineterm="")
            raise AssertionError("\n".join(diff)) from None

    def _normal(self, text, at_the_end):
        if at_the_end:  # How much is left above depends on how often a path wraps.
            text = text[max(text.rfind("$ ./go"), 0):]
        text = text.replace(str(self.folder), "FOLDER")
        for pattern, word in CHANGING + (CHANGING_AT_THE_END if at_the_end else []):
            text = re.sub(pattern, word, text)
        return "\n".join(line.rstrip() for line in text.split("\n"))
