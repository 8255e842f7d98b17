"""A bucket that fails: every operation, answered with every fault, once or from then on, after the probe. Each
run ends within a bounded time, whole or with a typed error; nothing half is visible; the next run finishes, and
after gc nothing is stranded."""

import itertools
import json
import os
import stat
import sys
import time

import pytest
from bucket import DROP, HANG, KEYS, LOSE, OPERATIONS, Proxy, error_document
from server_world import nothing_half, transient_or_done, typed

PROBE = "/_sluice/probe/"


def error(status, code):
    return status, {"Content-Type": "application/xml"}, error_document(code)


FAULTS = {  # what is answered, and the exit codes that go with it if it goes on
    "500": (error(500, "InternalError"), {5}),
    "503": (error(503, "SlowDown"), {5}),
    "403": (error(403, "AccessDenied"), {7}),
    "expired": (error(400, "ExpiredToken"), {7}),
    "no answer, nothing done": (DROP, {5}),
    "no answer, done": (LOSE, {5}),
}
# What HTTP calls a success may be none, where the answer is long in coming.
ERROR_IN_BODY = (200, {"Content-Type": "application/xml"}, error_document("InternalError"))


class Faulty:
    """Answers an operation with a fault, so many times, but lets the probe pass."""

    def __init__(self, operation, fault, times):
        self.matches, self.fault, self.times, self.hits = OPERATIONS[operation], fault, times, 0

    def __call__(self, method, path, query, headers):
        of_probe = PROBE in path or "_sluice/probe" in query.get("prefix", "")
        if of_probe or not self.matches(method, query) or self.hits >= self.times:
            return None
        self.hits += 1
        return self.fault


# What a run asks for only when there is an older load, or one to be thrown away.
OF_OLD, OF_UNFINISHED = {"DeleteObject"}, {"AbortMultipartUpload", "ListMultipartUploads"}


def run_through(world, operation, faulty, codes):
    """A run with faults, and one without."""
    first = world.writers.clock()
    with Proxy(world.place.bucket.endpoint, lambda *_: None) as proxy:
        world.destination_uri = world.place.uri(endpoint=proxy.url)
        with world.place.lister():
            if operation in OF_OLD:
                world.converge()
            if operation in OF_UNFINISHED:
                world.killed("staged.recorded:3")
            proxy.refuse = faulty
            done = world.copy("--restart", timeout=400)
            assert faulty.hits, "never asked for"
            transient_or_done(world, done, codes)
            if done.code:
                nothing_half(world)
            proxy.refuse = lambda *_: None
            world.converge()
            world.assert_converged(first)
    return done


CASES = list(itertools.product(OPERATIONS, FAULTS, ("moto", "versitygw")))


def usual(number, wanted):
    """A walk through the product that meets each operation and each fault."""
    operation, fault, place = CASES[number]
    walk = {each: list(FAULTS)[n % len(FAULTS)] for n, each in enumerate(OPERATIONS)}
    return walk[operation] == fault and place == wanted


@pytest.mark.parametrize("operation, fault, place", [
    pytest.param(*case, marks=() if usual(number, "versitygw") else pytest.mark.slow) for number, case in enumerate(CASES)])
def test_a_fault_that_passes(world_of, operation, fault, place):
    """Twice in a row; what can be tried again is."""
    answer, codes = FAULTS[fault]
    done = run_through(world_of("mysql", place), operation, Faulty(operation, answer, 2), codes)
    if codes == {5}:
        assert done.code == 0, done


@pytest.mark.parametrize("operation, fault, place", [
    pytest.param(*case, marks=() if case == ("UploadPart", "503", "versitygw") else pytest.mark.slow) for case in CASES])
def test_a_fault_that_stays(world_of, operation, fault, place):
    answer, codes = FAULTS[fault]
    run_through(world_of("mariadb", place), operation, Faulty(operation, answer, 1_000_000), codes)


@pytest.mark.parametrize("place", ["versitygw", pytest.param("moto", marks=pytest.mark.slow)])
@pytest.mark.parametrize("times", [1, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_an_error_in_the_body_of_a_success(world_of, place, times):
    operation = "CompleteMultipartUpload"
    done = run_through(world_of("mysql", place), operation, Faulty(operation, ERROR_IN_BODY, times), {5})
    assert times > 1 or done.code == 0, done


@pytest.mark.slow  # the program waits a minute for a byte
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_that_is_never_answered(world_of, operation):
    assert run_through(world_of("mysql", "versitygw"), operation, Faulty(operation, HANG, 1), {5}).code == 0


# --- credentials that expire ---

PROCESS = """#!{python}
import datetime, json, pathlib
calls = pathlib.Path({calls!r})
number = int(calls.read_text()) + 1 if calls.exists() else 1
calls.write_text(str(number))
until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds={lifetime})
print(json.dumps({{"Version": 1, "AccessKeyId": {key!r}, "SecretAccessKey": {secret!r}, "SessionToken": f"token-{{number}}",
                   "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ")}}))
"""


class ShortLived:
    """Credentials of a process that live for `lifetime` seconds, and a server that looks: a token is good for
    `requests` requests."""

    def __init__(self, folder, lifetime, requests):
        self.calls, self.requests, self.used, self.refused = folder / "calls", requests, {}, 0
        program = folder / "credentials"
        program.write_text(PROCESS.format(python=sys.executable, calls=str(self.calls), lifetime=lifetime,
                                          key=KEYS["AWS_ACCESS_KEY_ID"], secret=KEYS["AWS_SECRET_ACCESS_KEY"]))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        config = folder / "config"
        config.write_text(f"[default]\ncredential_process = {program}\nregion = us-east-1\n")
        self.environment = {"AWS_CONFIG_FILE": str(config), "AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": None,
                            "AWS_SECRET_ACCESS_KEY": None}

    def __call__(self, method, path, query, headers):
        token = headers.get("x-amz-security-token")
        self.used[token] = self.used.get(token, 0) + 1
        if self.used[token] > self.requests:
            self.refused += 1
            return error(400, "ExpiredToken")
        return None


def with_short_lived(world, lifetime, requests):
    """moto looks at no signature: it need not know these keys."""
    short = ShortLived(world.folder, lifetime, requests)
    world.place.environment = short.environment
    return short


def test_credentials_that_expire_in_mid_run_are_renewed(world_of):
    world = world_of("mysql", "moto")
    short = with_short_lived(world, lifetime=3600, requests=60)
    with Proxy(world.place.bucket.endpoint, short) as proxy, world.place.lister():
        world.destination_uri = world.place.uri(endpoint=proxy.url)
        world.converge()
        assert short.refused and int(short.calls.read_text()) > 2, "nothing expired"
        world.assert_rows_of_one_moment()
        assert "token-" not in json.dumps([each.read_text() for each in world.folder.glob("*.log")])


@pytest.mark.slow  # its process is asked before each request
def test_credentials_that_are_about_to_expire_are_renewed_before_they_do(world_of):
    """They live a few seconds, less than the ten minutes that are kept in hand."""
    world = world_of("mariadb", "moto")
    short = with_short_lived(world, lifetime=2, requests=1_000_000)
    world.destination_uri = world.place.uri()
    world.converge()
    assert int(short.calls.read_text()) >= 2
    world.assert_rows_of_one_moment()


def test_credentials_that_nobody_renews_end_the_run_and_it_resumes(world_of):
    world = world_of("mysql", "moto")
    first = world.writers.clock()
    short = with_short_lived(world, lifetime=3600, requests=130)
    with Proxy(world.place.bucket.endpoint, short) as proxy, world.place.lister():
        world.destination_uri = world.place.uri(endpoint=proxy.url)
        os.environ.pop("AWS_PROFILE", None)
        # Whatever the process says, it is the same token.
        (world.folder / "credentials").write_text((world.folder / "credentials").read_text().replace("{number}", "1"))
        done = world.copy()
        assert done.code == 7, done
        typed(done)
        nothing_half(world)
        assert "token-1" not in done.said and "testsecret" not in done.said
        proxy.refuse = lambda *_: None
        world.converge()
        world.assert_converged(first)


# --- what killed probes leave ---


def test_what_a_killed_probe_left_is_removed_after_an_hour(world_of):
    world = world_of("mysql", "versitygw")
    bucket = world.place.bucket

    def left(hours):
        """By its id: a UUIDv7 begins with its time."""
        millis = int((time.time() - 3600 * hours) * 1000)
        probe = f"{millis:012x}"
        return f"{bucket.prefix}/_sluice/probe/{probe[:8]}-{probe[8:]}-7000-8000-000000000000/race-1"

    old, young = left(2), left(0.5)
    for key in (old, young):
        bucket.request("PUT", key, body=b"1")
    world.converge()
    assert old not in bucket.keys() and young in bucket.keys()


# --- disks that are full ---


@pytest.mark.parametrize("server", ["mysql", "mariadb"])
def test_a_full_disk_ends_the_run_and_it_resumes(world_of, small_disk, server):
    world = world_of(server, "disk")
    disk = small_disk("small", "48k")
    world.place.root = disk.path / "lake"
    world.destination_uri = world.place.uri()
    first = world.writers.clock()
    with world.place.lister():
        # The disk may be full only when a slot is written: its files are whole and visible then, and in no slot.
        done = world.copy("--compression", "none").must(7)
        typed(done)
        lake = world.place.lake()
        committed = {load["stream"] for load in done.json["loads"] if load["error"] is None}
        assert {folder.name for folder in lake.tables() if lake.current(folder)} >= committed
        disk.grow("20m")
        world.converge("--compression", "none")
        world.assert_converged(first)
