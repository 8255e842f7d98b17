"""What the pages show: their fenced and indented blocks, and the commands in them (tests/docs/README.md)."""

import re
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
FENCE = re.compile(r"^( *)(```+|~~~+)(.*)$")
COMMENT = re.compile(r"^<!-- (not-run|run)(?:: (.*?))?(?: -->)?$")
SHELLS = {"sh", "bash", "shell", "console"}
# A line that a reader could paste, in a block that does not say what it is; a synopsis has capitals or brackets.
PASTABLE = re.compile(r"^(?:\$ .*|sluice [a-z].*|make(?: [a-z-]+)?)$")
SYNOPSIS = re.compile(r"\b[A-Z]{2,}(?:_[A-Z]+)*\b|\[|…")


@dataclass
class Step:
    """One command with what it must print, and the code it must end with."""

    line: int
    command: str
    expected: list = field(default_factory=list)  # None in front: nothing is said about the output
    code: int = 0


@dataclass
class Block:
    line: int
    language: str  # "" for a fence without one and for an indented block
    title: str
    text: list
    not_run: str = ""  # the reason


def pages():
    return sorted((REPOSITORY / "docs").rglob("*.md")) + [REPOSITORY / "README.md"]


def blocks(path):
    """Every block of a page in its order; a comment `<!-- run: command -->` is a block nobody sees."""
    found, lines, number, reason = [], path.read_text().split("\n"), 0, ""
    while number < len(lines):
        line = lines[number]
        if fence := FENCE.match(line):
            first, end = number, number + 1
            while end < len(lines) and lines[end].strip() != fence.group(2):
                end += 1
            words = fence.group(3).strip().split(None, 1)
            title = re.search(r'title="([^"]*)"', fence.group(3))
            indent = len(fence.group(1))
            found.append(Block(first + 1, words[0] if words else "", title.group(1) if title else "",
                               [text[indent:] for text in lines[first + 1:end]], reason))
            number, reason = end + 1, ""
        elif comment := COMMENT.match(line):
            if comment.group(1) == "not-run":
                reason = comment.group(2) or ""
                assert reason, f"{path.name}:{number + 1}: not-run needs a reason: <!-- not-run: why -->"
            elif comment.group(2):
                found.append(Block(number + 1, "console", "", ["$ " + comment.group(2)]))
            number += 1
        elif line.startswith("    ") and line.strip() and (number == 0 or not lines[number - 1].strip()):
            first = number
            while number < len(lines) and (lines[number].startswith("    ") or not lines[number].strip()):
                number += 1
            found.append(Block(first + 1, "", "", [text[4:] for text in lines[first:number]], reason))
            reason = ""
        else:
            reason = reason if not line.strip() else ""
            number += 1
    return found


def steps(block):
    """A line that begins with "$ " is a command, with "> " its next line; the rest is what it prints."""
    found = []
    for number, line in enumerate(block.text, block.line + 1):
        if line.startswith("$ "):
            found.append(Step(number, line[2:]))
        elif line.startswith("> ") and found and not found[-1].expected:
            found[-1].command += "\n" + line[2:]
        elif found and (ended := re.fullmatch(r"exit code (\d+)", line)):
            found[-1].code = int(ended.group(1))
        elif found:
            found[-1].expected.append(line)
    for step in found:
        while step.expected and not step.expected[-1].strip():
            step.expected.pop()
    return found


def is_command(block):
    """Whether the block shows a command, whatever it calls itself."""
    if block.language in SHELLS:
        return True
    return block.language == "" and any(
        PASTABLE.match(line) and not SYNOPSIS.search(line) for line in block.text)
