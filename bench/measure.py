"""What a process takes: of itself, and of the servers that work for it meanwhile."""
import os
import subprocess
import sys
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    """User and system time so far of a process that is no child of ours."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(command, environment=None, servers=None):
    """({wall, cpu, rss} and `server: its CPU` for each of `servers`, {name: pid}; what was said).
    wait4 is of this child alone, RUSAGE_CHILDREN is not. A failure ends the bench."""
    before = {name: cpu_of(pid) for name, pid in (servers or {}).items()}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaint:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=complaint,
                                 env=os.environ | (environment or {}))
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        complaint.seek(0)
        if child.returncode != 0:
            sys.exit(f"bench: {' '.join(map(str, command))}: exit code {child.returncode}\n"
                     f"{complaint.read().decode()}")
        said = out.read()
    run = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss * 1024}
    return run | {name: cpu_of(pid) - before[name] for name, pid in (servers or {}).items()}, said
