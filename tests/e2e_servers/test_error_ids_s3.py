"""What a bucket can answer, each with the id and the exit code that the catalogue promises (docs/errors.md)."""

import signal

import pytest
from bucket import OPERATIONS, Proxy, error_document


@pytest.fixture
def orders(scene):
    scene.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, word TEXT)", "INSERT INTO orders VALUES (?, ?)",
              rows=[(i, f"word {i % 97}") for i in range(1_000)])
    return scene


def copy(scene, uri, *args, **env):
    return scene.sluice("copy", f"sqlite://{scene.db}", uri, "--state", scene.state, "--json", *args, env=env)


def refused(done, code, wanted):
    error = done.json["error"]
    assert (done.code, done.json["exit_code"], error["id"]) == (code, code, wanted), done
    assert "testsecret" not in done.said, done
    return error


def of_the_probe(path):
    return "/_sluice/probe/" in path


def asked(operation, method, path, query):
    """It is that, and of the load: the probe at the start is another matter."""
    return OPERATIONS[operation](method, query) and not of_the_probe(path)


# What each answer to an operation of a copy ends as.
ANSWERS = [
    ("CompleteMultipartUpload", 400, "KeyTooLongError", 7, "s3.refused"),
    ("GetObject", 503, "SlowDown", 5, "s3.slow-down"),
    ("GetObject", 500, "InternalError", 5, "s3.unavailable"),
]


@pytest.mark.parametrize("operation, status, code, exit_code, wanted", ANSWERS)
def test_an_answer_has_its_id(orders, moto, operation, status, code, exit_code, wanted):
    def refuse(method, path, query, headers):
        return (status, {}, error_document(code)) if asked(operation, method, path, query) else None

    with Proxy(moto.endpoint, refuse) as proxy:
        error = refused(copy(orders, moto.uri(endpoint=proxy.url)), exit_code, wanted)
    assert moto.slots() == {} and code in error["message"]


def test_an_upload_that_cannot_be_aborted(orders, moto):
    def refuse(method, path, query, headers):
        aborts = asked("AbortMultipartUpload", method, path, query)
        return (500, {}, error_document("InternalError")) if aborts else None

    with Proxy(moto.endpoint, lambda *_: None) as proxy:
        uri = moto.uri(endpoint=proxy.url)
        assert copy(orders, uri, SLUICE_CRASH_AT="publish.frozen").code == -signal.SIGKILL
        job, = orders.sluice("status", "--state", orders.state, "--json").must(0).json["jobs"]
        gc = ["gc", uri, "--state", orders.state, "--abandon", job["loads"][0]["load"], "--json"]
        proxy.refuse = refuse
        refused(orders.sluice(*gc), 5, "s3.unavailable")
        proxy.refuse = lambda *_: None
        orders.sluice(*gc).must(0)
    assert moto.uploads() == []


def test_an_object_that_comes_damaged(orders, moto):
    def refuse(method, path, query, headers):
        if not asked("GetObject", method, path, query) or not path.endswith(".json"):
            return None
        key = path.removeprefix(f"/{moto.name}/")
        if key not in moto.keys():
            return None
        return 200, {"x-amz-checksum-crc32c": "AAAAAA=="}, moto.request("GET", key)

    with Proxy(moto.endpoint, refuse) as proxy:
        uri = moto.uri(endpoint=proxy.url)
        refused(copy(orders, uri), 5, "s3.damaged")
        proxy.refuse = lambda *_: None
        copy(orders, uri).must(0)
    assert len(moto.rows()) == 1_000


def test_an_answer_that_is_shorter_than_the_range_asked_for(orders, moto):
    def refuse(method, path, query, headers):
        if not asked("GetObject", method, path, query) or not headers.get("range"):
            return None
        first, last = headers["range"].removeprefix("bytes=").split("-")
        return 206, {}, moto.request("GET", path.removeprefix(f"/{moto.name}/"))[int(first):int(last)]

    with Proxy(moto.endpoint, refuse) as proxy:
        refused(copy(orders, moto.uri(endpoint=proxy.url), "--verify", "content"), 5, "s3.short-answer")
    assert moto.slots() == {}


def test_a_name_of_the_probe_that_is_taken_already(orders, moto):
    def refuse(method, path, query, headers):
        puts = OPERATIONS["PutObject"](method, query) and of_the_probe(path)
        return (412, {}, error_document("PreconditionFailed")) if puts else None

    with Proxy(moto.endpoint, refuse) as proxy:
        error = refused(copy(orders, moto.uri(endpoint=proxy.url)), 7, "store.probe")
    assert moto.parts() == [] and "is taken" in error["message"]


def test_a_slot_that_is_gone_as_soon_as_it_is_written(orders, moto):
    def refuse(method, path, query, headers):
        puts = asked("PutObject", method, path, query) and path.endswith(".json")
        return (200, {"ETag": '"e"'}, b"") if puts else None

    with Proxy(moto.endpoint, refuse) as proxy:
        uri = moto.uri(endpoint=proxy.url)
        assert "_sluice" in refused(copy(orders, uri), 7, "slot.vanished")["hint"]
        assert moto.slots() == {}
        proxy.refuse = lambda *_: None
        copy(orders, uri).must(0)
    assert len(moto.rows()) == 1_000
