"""One page in one shell: its commands in their order, in a folder of its own."""

import os
import re
import signal
import subprocess
import uuid

MARK = "@@" + uuid.uuid4().hex


def script(steps):
    """A bash script that says after each step how it ended."""
    parts = ["exec 2>&1"]
    for step in steps:
        parts += [f"{step.command}", f'printf "\\n%s %s\\n" {MARK} $?']
    return "\n".join(parts) + "\n"


def run(steps, folder, environment, substitute=lambda text: text, seconds=120):
    """[(exit code, lines printed)] of each step; fewer where the shell ended early."""
    text = substitute(script(steps))
    # A group of its own: what a page leaves in the background ends with it.
    shell = subprocess.Popen(["bash", "-c", text], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, start_new_session=True)
    try:
        out = shell.communicate(timeout=seconds)[0].decode(errors="replace")
    finally:
        try:
            os.killpg(shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        shell.wait()
    pieces = re.split(rf"\n{MARK} (\d+)\n", out)
    return [(int(code), said.split("\n")) for said, code in zip(pieces[::2], pieces[1::2])]


def pattern(line):
    return ".*".join(re.escape(part) for part in line.rstrip().split("…"))


def matches(expected, said):
    """Whether the lines are those that the page shows: "…" stands for any text, alone for any lines."""
    whole = "\n".join(line.rstrip() for line in said).strip("\n")
    parts = [r"(?:.*\n)*?(?:.*(?:\n|$))?" if line.strip() == "…" else pattern(line) + r"(?:\n|$)" for line in expected]
    return re.fullmatch("".join(parts), whole) is not None
