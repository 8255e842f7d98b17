"""What a secret must never reach: the process list, the summary, the history, the state, a caret's line."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
from scene import BINARY

SECRET = "Zq7 'S\"E<C>RETzq"
# Nobody listens at the first port.
URI = f"mysql://u:{SECRET}@127.0.0.1:1/shop"


def hidden(text):
    return "Zq7" not in text and "RETzq" not in text


@pytest.mark.parametrize("source, env", [(URI, None), ("${env:DBURL}", {"DBURL": URI}), ("${env:DBURL}", {"DBURL": URI + "#x"})])
def test_a_password_of_any_characters_is_shown_nowhere(scene, source, env):
    done = scene.sluice("copy", source, f"file://{scene.lake}", "--state", scene.state, env=env)
    assert done.code != 0 and hidden(done.said), done
    for verb in (["log"], ["status"], ["log", "--json"], ["status", "--json"]):
        assert hidden(scene.sluice(*verb, "--state", scene.state).said)
    for path in [path for path in scene.folder.rglob("*") if path.is_file()]:
        assert b"Zq7" not in path.read_bytes(), path


def test_a_password_of_any_characters_is_wiped_from_the_process_list(scene):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"mysql://u:{SECRET}@127.0.0.1:{silent.getsockname()[1]}/shop"
        process = subprocess.Popen([BINARY, "copy", uri, scene.lake, "--state", scene.state],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=scene.folder)
        try:
            silent.settimeout(20)
            silent.accept()[0].close()  # It asks, so it has read its arguments.
            line = Path(f"/proc/{process.pid}/cmdline").read_text()
            assert hidden(line) and "mysql://u:***" in line, line
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize("args", [
    ["copy", "s3://AKIA:Zq7RETzq@bucket/raw", "lake"], ["copy", "shop.db", "s3://AKIA:Zq7RETzq@bucket/raw"],
    ["copy", "shop.db", "s3://AKIA:Zq7/RETzq@bucket/raw"], ["copy", "shop.db", "lake", "-pZq7RETzq"], ["-pZq7RETzq"],
    ["copy", "mysql://u:my Zq7RETzq", "lake"], ["copy", "a", "b", URI]])
def test_what_is_refused_is_not_repeated_with_its_secret(scene, args):
    for flags in ([], ["--json"]):
        done = scene.sluice(*args, *flags).must(2)
        assert hidden(done.said), done


@pytest.mark.parametrize("line", [
    "pass: Zq7", "credentials: Zq7", "passwords: [Zq7]", "password: my Zq7 phrase", "secret: {source.password: Zq7}",
    "secrets: Zq7:y", "secrets: {Zq7: source.password}", 'secrets: {source.password: "${env:Zq7!}"}',
    "source: mysql://u:my Zq7@h/db", "sourc: mysql://u:my Zq7@h/db", "name: [mysql://u:my Zq7@h/db"])
def test_a_line_with_a_mistake_keeps_its_secret(scene, line):
    job = scene.folder / "job.yaml"
    job.write_text(f"version: 1\nsource: mysql://u@h/db\ndestination: lake\n{line}\nstreams: {{a: {{}}}}\n")
    for verb in ("run", "plan"):
        done = scene.sluice(verb, job, "--state", scene.state).must(2)
        assert hidden(done.said), done


def test_a_draft_holds_no_part_of_a_password(scene):
    done = scene.sluice("job", "init", "mysql://u:my${env:PX}@127.0.0.1:1/d", env={"PX": "Zq7"}).must(2)
    assert "HINT" in done.err and hidden(done.said) and "only in part" in done.err, done


def test_a_command_that_does_not_end_is_ended_with_what_it_started(scene):
    """Of a minute's patience the test has none: the command is stopped by the program that gives up its output."""
    job = scene.folder / "job.yaml"
    job.write_text("version: 1\nsource: mysql://u@127.0.0.1:1/d\ndestination: lake\nstreams: {a: {}}\n"
                   "secrets: {source.password: '${cmd:sh -c \"head -c 2000000 /dev/zero; sleep 4242\"}'}\n")
    scene.sluice("run", job, "--allow-commands", "--state", scene.state).must(2)
    for folder in os.listdir("/proc"):
        if not folder.isdigit():
            continue
        try:
            assert "4242" not in open(f"/proc/{folder}/cmdline").read()
        except OSError:
            pass


@pytest.mark.parametrize("through", ["stdin", "pipe"])
def test_a_job_without_a_file_needs_a_name(scene, through):
    scene.sql("CREATE TABLE a (id INTEGER PRIMARY KEY)")
    text = f"version: 1\nsource: {scene.db}\ndestination: {scene.lake}\nstreams: {{a: {{}}}}\n"

    def run(text):
        read, write = os.pipe()
        os.write(write, text.encode())
        os.close(write)
        path = "/dev/stdin" if through == "stdin" else f"/dev/fd/{read}"
        done = subprocess.run([BINARY, "run", path, "--state", scene.state], stdin=read, pass_fds=[read],
                              capture_output=True, text=True)
        os.close(read)
        return done

    nameless = run(text)
    assert nameless.returncode == 2 and "HINT: begin with: name:" in nameless.stderr, nameless
    named = run("name: nightly\n" + text)
    assert named.returncode == 0, named
