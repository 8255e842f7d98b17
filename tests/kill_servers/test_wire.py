"""A TCP proxy that cuts, resets, truncates, swallows, delays and throttles, in either direction, between the
program and the server and between the program and the bucket. Every run ends within a bounded time, whole or with a
typed error; the next one, over a wire that is whole, finishes."""

import urllib.parse

import pytest
from server_world import SERVERS, transient_or_done
from wire import TO_CLIENT, TO_SERVER, Harm, Wire

# Where the first chunks are on their way, and where the handshake is.
OF_SERVER = {TO_CLIENT: (60, 5_000, 60_000), TO_SERVER: (100, 3_000, 9_000)}
OF_BUCKET = {TO_CLIENT: (300, 20_000, 60_000), TO_SERVER: (500, 40_000, 150_000)}
BROKEN = ("cut", "reset", "truncate")


def some(cases, every):
    """All of them, the others marked slow."""
    return [pytest.param(*case, marks=() if number % every == 0 else pytest.mark.slow)
            for number, case in enumerate(cases)]


CASES = [(server, kind, direction, step, once) for server in SERVERS for kind in BROKEN
         for direction in (TO_CLIENT, TO_SERVER) for step in range(3) for once in (False, True)]


def through(world, wire, **options):
    options = "&".join([f"tls_ca={world.server.tls_ca}", *(f"{name}={value}" for name, value in options.items())])
    world.source_uri = world.server.uri(port=wire.port, options=options)


@pytest.mark.parametrize("server, kind, direction, step, once", some(CASES, 11))
def test_a_wire_to_the_server_that_breaks(world_of, server, kind, direction, step, once):
    world = world_of(server, "disk")
    with Wire(world.server.host, world.server.port,
              Harm(kind, direction, after=OF_SERVER[direction][step], once=once)) as wire, world.place.lister():
        first = world.writers.clock()
        through(world, wire, read_timeout=3, connect_timeout=3)
        # Broken before TLS is agreed on, who is there and what is wanted is not known.
        transient_or_done(world, world.copy(), codes=(5, 2) if step == 0 else (5,))
        assert wire.hits, f"only {wire.passed(direction)} bytes passed"
        wire.heal()
        world.converge()
        world.assert_converged(first)


@pytest.mark.parametrize("server, direction, after", some(
    [(server, direction, after) for server in SERVERS for direction in (TO_CLIENT, TO_SERVER)
     for after in OF_SERVER[direction]], 5))
def test_a_server_behind_a_black_hole_is_given_up(world_of, server, direction, after):
    world = world_of(server, "disk")
    with Wire(world.server.host, world.server.port, Harm("black hole", direction, after=after)) as wire:
        first = world.writers.clock()
        through(world, wire, read_timeout=1, connect_timeout=1)
        done = transient_or_done(world, world.copy(), codes=(5, 2) if after <= 100 else (5,))
        assert done.code and wire.hits and done.seconds < 30, done
        wire.heal()
        world.converge()
        world.assert_converged(first)


@pytest.mark.parametrize("server, kind, direction", some(
    [(server, *harm) for harm in [("delay", TO_CLIENT), ("throttle", TO_SERVER), ("delay", TO_SERVER), ("throttle", TO_CLIENT)]
     for server in SERVERS], 3))
def test_a_slow_wire_to_the_server_is_only_slow(world_of, server, kind, direction):
    world = world_of(server, "disk")
    with Wire(world.server.host, world.server.port, Harm(kind, direction, seconds=0.02, rate=200_000)) as wire:
        through(world, wire)
        world.converge()
        assert wire.hits
        world.assert_rows_of_one_moment()


def bucket_through(world, wire):
    world.destination_uri = world.place.uri(endpoint=f"http://127.0.0.1:{wire.port}")


def wire_to(bucket, harm):
    there = urllib.parse.urlsplit(bucket.endpoint)
    return Wire(there.hostname, there.port, harm)


BUCKET_CASES = [(place, kind, direction, step) for place in ("versitygw", "moto") for kind in BROKEN
                for direction in (TO_CLIENT, TO_SERVER) for step in range(3)]


@pytest.mark.parametrize("place, kind, direction, step", some(BUCKET_CASES, 9))
def test_a_wire_to_the_bucket_that_breaks_once_is_tried_again(world_of, place, kind, direction, step):
    world = world_of("mysql", place)
    with wire_to(world.place.bucket, Harm(kind, direction, after=OF_BUCKET[direction][step], once=True)) as wire:
        first = world.writers.clock()
        bucket_through(world, wire)
        with world.place.lister():
            # Half a request is answered as a bad one.
            half = kind == "truncate" and direction == TO_SERVER
            transient_or_done(world, world.copy(), codes=(5, 7) if half else (5,))
            assert wire.hits, f"only {wire.passed(direction)} bytes passed"
            world.converge()
            world.assert_converged(first)


@pytest.mark.slow  # all the tries of a request take half a minute
@pytest.mark.parametrize("kind, direction", [(kind, direction) for kind in BROKEN for direction in (TO_CLIENT, TO_SERVER)])
def test_a_wire_to_the_bucket_that_stays_broken_ends_the_run(world_of, kind, direction):
    world = world_of("mariadb", "versitygw")
    with wire_to(world.place.bucket, Harm(kind, direction, after=OF_BUCKET[direction][2])) as wire:
        first = world.writers.clock()
        bucket_through(world, wire)
        done = transient_or_done(world, world.copy(timeout=200))
        assert done.code == 5 and wire.hits, done
        wire.heal()
        world.converge()
        world.assert_converged(first)


@pytest.mark.slow  # the program waits a minute for a byte, and tries again for two
@pytest.mark.parametrize("direction", (TO_CLIENT, TO_SERVER))
def test_a_bucket_behind_a_black_hole_is_given_up(world_of, direction):
    world = world_of("mysql", "versitygw")
    with wire_to(world.place.bucket, Harm("black hole", direction, after=OF_BUCKET[direction][1])) as wire:
        first = world.writers.clock()
        bucket_through(world, wire)
        transient_or_done(world, world.copy(timeout=400)).must(5)
        wire.heal()
        world.converge()
        world.assert_converged(first)


@pytest.mark.parametrize("harm", [Harm("delay", TO_CLIENT, seconds=0.005), Harm("throttle", TO_SERVER, rate=2_000_000)],
                         ids=lambda harm: f"{harm.kind} {harm.direction}")
def test_a_slow_wire_to_the_bucket_is_only_slow(world_of, harm):
    world = world_of("mariadb", "versitygw")
    with wire_to(world.place.bucket, harm) as wire:
        bucket_through(world, wire)
        world.converge()
        assert wire.hits
        world.assert_rows_of_one_moment()
