"""Completion scripts, read by the shells themselves; manual pages, by groff; and what they are made from."""

import os
import re
import subprocess

import pytest
from scene import BINARY
from terminal import Terminal

VERBS = ["copy", "run", "plan", "check", "discover", "verify", "status", "log", "gc", "connectors", "completion", "version",
         "help"]


def shell(*words, given="", env=None):
    done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
    assert done.returncode == 0 and done.stderr == "", f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def script(scene):
    """The completion script of a shell, as a file."""
    def make(name):
        path = scene.folder / f"_sluice.{name}"
        path.write_text(scene.sluice("completion", name).must(0).out)
        return path
    return make


def bash(script, folder, *words):
    line = " ".join(f"'{word}'" for word in words)
    return shell("bash", "--noprofile", "--norc", "-c",
                 f"cd '{folder}'; source '{script}'; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _sluice; "
                 'printf "%s\\n" "${COMPREPLY[@]}"').split()


@pytest.mark.parametrize("words, found", [
    (["sluice", "co"], ["copy", "connectors", "completion"]),
    (["sluice", "status", "--"], ["--allow-commands", "--state", "--json", "--quiet", "--verbose", "--log-format", "--help"]),
    (["sluice", "copy", "a", "b", "--progr"], ["--progress"]),
    (["sluice", "run", "job.yaml", "--verify", ""], ["counts", "content"]),
    (["sluice", "copy", "--consistency", "snapshot-"], ["snapshot-strict"]),
    (["sluice", "completion", ""], ["bash", "zsh", "fish"]),
    (["sluice", "help", "stat"], ["status"]),
    (["sluice", "run", "jo"], ["job.yaml"]),
    (["sluice", "copy", "a", "b", "--state", "jo"], ["job.yaml"]),
    (["sluice", "fruit", ""], []),
], ids=lambda words: " ".join(words) if words and words[0] == "sluice" else None)
def test_bash_completes(scene, script, words, found):
    (scene.folder / "job.yaml").write_text("")
    assert sorted(bash(script("bash"), scene.folder, *words)) == sorted(found)


def test_fish_completes(scene, script):
    path = script("fish")
    shell("fish", "--no-execute", str(path))

    def complete(line):
        said = shell("fish", "--no-config", "-c", f"source '{path}'; complete -C '{line}'", env={"HOME": str(scene.folder)})
        return [each.split("\t")[0] for each in said.splitlines()]

    assert {"copy", "connectors", "completion"} <= set(complete("sluice co"))
    assert "--progress" in complete("sluice copy --prog")
    assert set(complete("sluice run job.yaml --verify ")) == {"counts", "content"}
    assert "--dry-run" not in complete("sluice copy --d")


def test_zsh_completes(scene, script):
    path = script("zsh")
    shell("zsh", "-n", str(path))
    with Terminal(scene.folder, {**scene.environment(), "PATH": f"{BINARY.parent}:/usr/bin:/bin"}) as terminal:
        terminal.enter("exec zsh -f")
        terminal.enter("PS1='%% '; autoload -U compinit; compinit -u -d zdump; source _sluice.zsh; clear")
        terminal.until(lambda text: text.strip() == "%", "zsh is not ready")
        terminal.press("sluice conn", "Tab")
        terminal.until(lambda text: "% sluice connectors" in text, "the verb was not completed")
        terminal.press("C-u")
        terminal.press("sluice copy a b --consistency snapshot-", "Tab")
        terminal.until(lambda text: "--consistency snapshot-strict" in text, "the word was not completed")
        terminal.press("C-u")
        terminal.press("sluice gc --aban", "Tab")
        terminal.until(lambda text: "sluice gc --abandon" in text, "the option was not completed")


def test_a_shell_without_a_script_is_refused(scene):
    """By cli.shell, which nobody sees: the verb prints scripts and knows no --json."""
    done = scene.sluice("completion", "tcsh").must(2)
    assert "no completion for the shell tcsh\nHINT: there is one for bash, zsh and fish" in done.err and not done.out


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_manual_pages_render_without_a_warning(scene, verb):
    page = scene.sluice("help", "--man", *([verb] if verb else [])).must(0).out
    shown = shell("groff", "-man", "-Tutf8", "-ww", "-rLL=80n", given=page, env={"GROFF_NO_SGR": "1"})
    text = re.sub(".\b", "", shown)  # Bold is a character struck twice.
    assert "NAME" in text and "SEE ALSO" in text
    if verb and verb not in ("help", "completion"):
        assert "OPTIONS" in text and "EXIT STATUS" in text
    if not verb:
        assert all(f"sluice-{each}(1)" in text for each in VERBS), text


def test_connectors_are_listed_with_their_options(scene):
    text = scene.sluice("connectors").must(0).out
    for word in ("sqlite:///absolute.db", "mysql://user:password@host:port/database", "mariadb", "s3://bucket/prefix", "tls_ca",
                 "path_style", "verify-identity"):
        assert word in text, text
    found = scene.sluice("connectors", "--json").must(0).json["connectors"]
    assert {(each["scheme"], each["role"]) for each in found} == {
        ("sqlite", "source"), ("mysql", "source"), ("mariadb", "source"), ("file", "destination"), ("s3", "destination")}


@pytest.mark.parametrize("args", [["--help"], ["connectors"], ["completion", "bash"], ["help", "--man"], ["version", "--json"]])
def test_a_reader_that_leaves_is_no_error_but_a_closed_stdout_is(scene, args):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([str(BINARY), *args], stdout=write, stderr=subprocess.PIPE, env=scene.environment(), timeout=60)
    os.close(write)
    assert done.returncode == 0 and done.stderr == b"", done
    done = subprocess.run(["sh", "-c", '"$0" "$@" >&-', str(BINARY), *args], capture_output=True, env=scene.environment(), timeout=60)
    assert done.returncode == 1 and b"could not be written" in done.stderr, done
    with open("/dev/full", "w") as full:
        done = subprocess.run([str(BINARY), *args], stdout=full, stderr=subprocess.PIPE, env=scene.environment(), timeout=60)
    assert done.returncode == 1 and b"could not be written" in done.stderr, done


def test_a_run_whose_result_nobody_reads_is_done_all_the_same(scene):
    scene.sql("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    for args in ([], ["--json"]):
        read, write = os.pipe()
        os.close(read)
        done = scene.start(*scene.copy_args(*args), stdout=write).wait()
        os.close(write)
        done.must(0)
