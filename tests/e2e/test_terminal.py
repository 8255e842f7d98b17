"""The live display in a real terminal: golden screens of a run that is held at a point, so that they stand still.

SLUICE_UPDATE_GOLDEN=1 writes tests/e2e/screens/*.txt anew."""

import pytest
from oracle import assert_copied
from scene import BINARY
from terminal import Terminal

TABLES = ["CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)",
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
          "INSERT INTO customers SELECT i, 'customer ' || i FROM n",
          "CREATE TABLE orders (id INTEGER PRIMARY KEY, total INT)",
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
          "INSERT INTO orders SELECT i, i * 7 FROM n",
          "CREATE TABLE zones (id INTEGER PRIMARY KEY)"]


class Held:
    """A copy in a terminal, held while `hold` is there. ./go begins it."""

    def __init__(self, scene, *args, columns=100, rows=24, at="attempt.begun:5", tables=TABLES, more_env=()):
        self.scene = scene
        scene.sql(*tables)
        self.hold = scene.folder / "hold"
        self.hold.write_text("")
        words = " ".join(f"'{word}'" for word in [BINARY, *scene.copy_args(*args)])
        (scene.folder / "go").write_text(f"#!/bin/sh\nexec {words}\n")
        (scene.folder / "go").chmod(0o755)
        env = scene.environment({"SLUICE_CHUNK_ROWS": "1000", "SLUICE_HOLD_AT": at, "SLUICE_HOLD_FILE": self.hold,
                                 **dict(more_env)})
        self.terminal = Terminal(scene.folder, env, columns, rows)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hold.unlink(missing_ok=True)
        self.terminal.close()

    def let_go(self):
        self.hold.unlink()


def test_a_run_at_work_through_changes_of_size_to_its_end(scene):
    with Held(scene, "--connections", "1", columns=140) as held:
        terminal = held.terminal
        terminal.enter("clear; seq -f 'line %g' 40")
        terminal.until(lambda text: "line 40" in text, "nothing above")
        terminal.enter("./go")
        terminal.looks_like("at-work")
        terminal.resize(60, 24)
        terminal.looks_like("at-work-60-columns")
        terminal.resize(20, 24)
        terminal.looks_like("at-work-20-columns")
        terminal.resize(140, 24)
        terminal.looks_like("at-work-again")
        assert "orders" not in terminal.scrolled(), "litter above the screen"
        held.let_go()
        terminal.looks_like("finished", at_the_end=True)
        assert terminal.cursor_is_visible()
    assert_copied(scene, "orders")


def test_a_terminal_that_has_become_three_rows_high(scene):
    with Held(scene, "--connections", "1") as held:
        held.terminal.enter("./go")
        held.terminal.until(lambda text: "chunk 4" in text, "never at work")
        held.terminal.resize(100, 3)
        held.terminal.looks_like("at-work-3-rows")


def test_a_narrow_terminal_from_the_start(scene):
    with Held(scene, "--connections", "1", columns=20, rows=10) as held:
        held.terminal.enter("./go")
        held.terminal.looks_like("narrow")


def test_the_first_signal_drains_and_the_display_says_so(scene):
    with Held(scene, "--connections", "1", columns=130) as held:
        terminal = held.terminal
        terminal.enter("./go; echo exit $?")
        terminal.until(lambda text: "chunk 4" in text, "never at work")
        terminal.press("C-c")
        terminal.looks_like("stopping")
        held.let_go()
        terminal.looks_like("drained", at_the_end=True)
        assert terminal.cursor_is_visible()
        terminal.press("C-l")
        terminal.enter("./go; echo exit $?")
        terminal.until(lambda text: "exit 0" in text and "resumed" in text, "did not resume")
    assert_copied(scene, "orders")


def test_the_second_signal_leaves_a_clean_terminal(scene):
    with Held(scene, "--connections", "1", columns=130) as held:
        terminal = held.terminal
        terminal.enter("./go; echo exit $?")
        terminal.until(lambda text: "chunk 4" in text, "never at work")
        terminal.press("C-c")
        terminal.until(lambda text: "stopping: finishing" in text, "the signal was not seen")
        terminal.press("C-c")
        terminal.until(lambda text: "stopping at once" in text, "the second signal was not seen")
        held.let_go()
        text = terminal.until(lambda text: "exit 130" in text, "did not end")
        assert "stopping" not in text and "chunk 4" not in text, text
        assert terminal.cursor_is_visible()


def test_a_run_that_is_killed_leaves_the_terminal_as_it_was(scene):
    with Held(scene, "--connections", "1", more_env={"SLUICE_CRASH_AT": "publish.frozen:2"}.items()) as held:
        terminal = held.terminal
        terminal.enter("./go; echo exit $?")
        terminal.until(lambda text: "chunk 4" in text, "never at work")
        held.let_go()
        terminal.until(lambda text: "exit 137" in text, "was not killed")
        assert terminal.cursor_is_visible()
        terminal.enter("echo typed")
        terminal.until(lambda text: "\ntyped\n" in text, "nothing can be typed")


def test_what_the_shell_wrote_while_the_run_was_suspended_stays(scene):
    with Held(scene, "--connections", "1") as held:
        terminal = held.terminal
        terminal.enter("./go")
        terminal.until(lambda text: "chunk 4" in text, "never at work")
        terminal.press("C-z")
        terminal.until(lambda text: "Stopped" in text, "was not suspended")
        terminal.enter("echo between")
        terminal.until(lambda text: "\nbetween\n" in text, "the shell says nothing")
        terminal.enter("fg")
        text = terminal.until(lambda text: text.rindex("0 of 3" if "0 of 3" in text else "1 of 3") >
                              text.rindex("between"), "was not drawn again")
        held.let_go()
        text = terminal.until(lambda text: "consistency" in text, "did not end")
        assert "\nbetween\n" in text and "Stopped" in text, text


def test_many_streams_on_few_rows(scene):
    tables = [f"CREATE TABLE t{i:02} (id INTEGER PRIMARY KEY)" for i in range(12)]
    with Held(scene, "--connections", "12", rows=8, at="publish.frozen", tables=tables) as held:
        held.terminal.enter("./go")
        held.terminal.looks_like("few-rows")


def test_wide_characters_are_cut_where_they_fit(scene):
    tables = ["CREATE TABLE 顧客注文明細履歴一覧 (id INTEGER PRIMARY KEY, v INT)",
              "INSERT INTO 顧客注文明細履歴一覧 VALUES (1, 2), (2, 3)"]
    with Held(scene, columns=30, rows=8, at="publish.frozen", tables=tables) as held:
        held.terminal.enter("./go")
        held.terminal.looks_like("wide-characters")


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": None}], ids=["dumb", "none"])
def test_a_terminal_that_cannot_redraw_gets_plain_lines(scene, env):
    import pty
    import os
    import subprocess
    scene.sql(*TABLES)
    ours, theirs = pty.openpty()
    done = subprocess.Popen([str(BINARY), *map(str, scene.copy_args())], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=theirs, env=scene.environment(env))
    os.close(theirs)
    said = b""
    while True:
        try:
            more = os.read(ours, 4096)
        except OSError:
            break
        if not more:
            break
        said += more
    os.close(ours)
    assert done.wait(60) == 0
    assert b"\x1b" not in said and b"orders: 10,000 rows" in said, said
