"""The catalogue of errors is whole, and tools/errors sees it when it is not."""

import importlib.machinery
import importlib.util

import pytest
from pages import REPOSITORY


@pytest.fixture
def errors():
    loader = importlib.machinery.SourceFileLoader("errors_tool", str(REPOSITORY / "tools/errors"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("errors_tool", loader))
    loader.exec_module(module)
    return module


def complaints(errors, forget=(), add_text=(), add_id=()):
    areas, said = errors.texts()
    known = errors.ids({area for area, _ in areas})
    wanted = errors.page(areas, said, known)
    said = {name: text for name, text in said.items() if name not in forget} | {name: ("1", "c", "h") for name in add_text}
    return list(errors.complaints(said, known | {name: {"1"} for name in add_id}, wanted))


def test_nothing_is_amiss(errors):
    assert complaints(errors) == []


def test_an_id_wants_a_text(errors):
    assert complaints(errors, forget=["state.held"]) == ["without a text in tools/error_texts.txt: state.held"]


def test_a_text_wants_an_id(errors):
    assert complaints(errors, add_text=["state.forgotten"]) == ["texts without an id in the sources: state.forgotten"]


def test_an_id_wants_a_test(errors):
    # In two words: what a test names counts as provoked.
    name = "state." + "never-seen"
    assert f"no test provokes: {name}" in complaints(errors, add_text=[name], add_id=[name])


@pytest.mark.parametrize("name", ["source.io", "state.io", "source.not-a-database", "state.is-a-directory", "source.locked"])
def test_what_sqlite_says_has_an_id_by_whose_file_it_is(errors, name):
    assert name in errors.ids({"source", "state"})
