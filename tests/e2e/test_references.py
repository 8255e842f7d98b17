"""${env:NAME} in a place on the command line: every verb that takes one replaces it."""

import json

import pytest

SOURCE, LAKE = "sqlite://${env:SHOP_DB}", "file://${env:SHOP_LAKE}"
TYPED = {
    "discover": ["discover", SOURCE],
    "check of a source": ["check", SOURCE],
    "check of a destination": ["check", LAKE],
    "check of both": ["check", SOURCE, LAKE, "--state", "state.db"],
    "plan": ["plan", SOURCE, LAKE, "--state", "state.db"],
    "copy": ["copy", SOURCE, LAKE, "--state", "state.db"],
    "job init": ["job", "init", SOURCE],
    "gc": ["gc", LAKE, "--state", "state.db", "--dry-run"],
    "verify of a manifest": ["verify", "MANIFEST", "--state", "state.db"],
    "verify with a source": ["verify", "MANIFEST", "--source", SOURCE, "--state", "state.db"],
}


@pytest.fixture
def copied(scene):
    scene.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY)", "INSERT INTO orders VALUES (1), (2)")
    scene.copy().must(0)
    return scene


def typed(scene, case):
    manifest, = (scene.lake / "main/orders/_sluice").glob("*.json")
    whole = str(manifest) if case == "verify with a source" else f"{LAKE}/{manifest.relative_to(scene.lake)}"
    return [whole if word == "MANIFEST" else word for word in TYPED[case]]


@pytest.mark.parametrize("case", TYPED)
def test_a_reference_is_replaced(copied, case):
    done = copied.sluice(*typed(copied, case), env={"SHOP_DB": copied.db, "SHOP_LAKE": copied.lake})
    assert done.code == 0 and "${env:" not in done.said.replace("${env:NAME}", ""), done
    if case == "verify with a source":
        assert "source not compared" not in done.out, done


@pytest.mark.parametrize("case", TYPED)
def test_a_variable_that_is_not_set_is_named(copied, case):
    done = copied.sluice(*typed(copied, case), "--json")
    assert (done.code, done.json["error"]["id"]) == (2, "secret.variable"), done
    assert "is not set" in json.dumps(done.json["error"]) and "SHOP_" in done.err, done
