"""Every command that the documentation shows is run, or says why not."""

import re
from collections import Counter

import pytest
import shell
from pages import REPOSITORY, Block, Step, blocks, is_command, pages, steps

# Pages that still show commands in plain blocks: none is added.
UNCONVERTED = {"docs/commands.md"}


def name_of(page):
    return str(page.relative_to(REPOSITORY))


def is_run(block):
    return block.language == "console" and not block.not_run


def is_file(block):
    return block.title != "" and not block.not_run


RUN = [page for page in pages() if any(is_run(block) for block in blocks(page))]


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_what_a_page_shows_is_what_happens(page, world):
    shown = blocks(page)
    assert any(steps(block) for block in shown if is_run(block))
    # Files and commands in the order of the page; commands between two files share a shell with all before.
    whole = []
    for block in shown:
        if is_file(block):
            world.write(".titles/" + block.title, block.text)
            whole.append(Step(block.line, f"mkdir -p $(dirname {block.title}); cp .titles/{block.title} {block.title}"))
        elif is_run(block):
            assert steps(block), f"{page.name}:{block.line}: a console block without a command"
            whole += steps(block)
    ended = world.run(whole)
    for step, (code, said) in zip(whole, ended):
        printed = "\n".join(said)
        where = f"{page.name}:{step.line}: $ {step.command}\nexit code {code}, wanted {step.code}\n{printed}"
        assert code == step.code, where
        assert not step.expected or shell.matches(step.expected, said), (
            where + "\nbut the page shows\n" + "\n".join(step.expected))
    assert len(ended) == len(whole), f"{page.name}: the shell ended after {ended[-1:]}"


@pytest.mark.parametrize("page", [page for page in pages() if name_of(page) not in UNCONVERTED], ids=name_of)
def test_a_command_is_run_or_says_why_not(page):
    forgotten = [f"{page.name}:{block.line}: {block.text[0]}" for block in blocks(page)
                 if is_command(block) and not is_run(block) and not block.not_run]
    assert not forgotten


@pytest.mark.parametrize("page", [page for page in pages() if name_of(page) in UNCONVERTED], ids=name_of)
def test_an_unconverted_page_is_one(page):
    assert any(is_command(block) and not is_run(block) and not block.not_run for block in blocks(page)), (
        f"take {name_of(page)} from UNCONVERTED")


def test_what_nobody_runs_is_counted():
    reasons = Counter(block.not_run for page in pages() for block in blocks(page) if block.not_run)
    print("\nnot run:", *(f"  {count} × {reason}" for reason, count in sorted(reasons.items())), sep="\n")
    assert set(reasons) <= {"needs Docker", "needs AWS", "needs root", "needs the network", "needs a clone",
                            "minutes long", "runs for ever", "for a bare machine"}


def run_alone(text, tmp_path):
    return shell.run(steps(Block(1, "console", "", text)), tmp_path, {"PATH": "/usr/bin:/bin"})


def test_the_shell_tells_each_step(tmp_path):
    assert run_alone(["$ a=1; false", "$ echo $a", "$ cat <<END", "> two", "> END"], tmp_path) == [
        (1, [""]), (0, ["1", ""]), (0, ["two", ""])]


@pytest.mark.parametrize("expected, said, good", [
    (["orders: 3 rows…"], ["orders: 3 rows, 1.2 KiB", ""], True),
    (["orders: 4 rows…"], ["orders: 3 rows, 1.2 KiB", ""], False),
    (["…", "last"], ["one", "two", "last"], True),
    (["…", "last"], ["one", "two", "last", "more"], False),
    (["first", "…"], ["first"], True),
    (["first"], ["first", "second"], False),
    (["a.c"], ["abc"], False),
])
def test_output_is_compared(expected, said, good):
    assert shell.matches(expected, said) == good


@pytest.mark.parametrize("text, found", [
    ("```\nsluice copy shop.db lake\n```", True),
    ("    sluice copy shop.db lake\n", True),
    ("```sh\nls\n```", True),
    ("    sluice copy SOURCE DEST [OPTIONS]\n", False),
    ("```json\n{}\n```", False),
])
def test_a_command_in_another_block_is_seen(text, found, tmp_path):
    (tmp_path / "page.md").write_text(text)
    assert any(is_command(block) for block in blocks(tmp_path / "page.md")) == found


def test_a_tag_needs_a_reason(tmp_path):
    (tmp_path / "page.md").write_text("<!-- not-run: needs AWS -->\n```console\n$ aws s3 ls\n```\n")
    assert blocks(tmp_path / "page.md")[0].not_run == "needs AWS"
    (tmp_path / "page.md").write_text("<!-- not-run -->\n```console\n$ aws s3 ls\n```\n")
    with pytest.raises(AssertionError, match="needs a reason"):
        blocks(tmp_path / "page.md")


def test_the_pages_are_there():
    assert len(RUN) >= 5
    assert all(re.search(r"\.md$", name_of(page)) for page in pages())
