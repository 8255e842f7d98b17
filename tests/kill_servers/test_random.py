"""SIGKILL at times nobody chose, with writers at work. SLUICE_KILLS_SERVERS says how many (6; `make
test-kill`: 60), SLUICE_KILL_SEED repeats a sequence of waits."""

import itertools
import os
import random
import signal
import time

from server_world import PLACES, SERVERS

KILLS = int(os.environ.get("SLUICE_KILLS_SERVERS", "6"))
SEED = int(os.environ.get("SLUICE_KILL_SEED", str(time.time_ns() % 1_000_000)))


def killed_after(world, seconds):
    """False: it was done before."""
    process = world.start_copy()
    time.sleep(seconds)
    process.kill()
    done = process.wait()
    assert done.code in (0, -signal.SIGKILL), done
    return done.code != 0


def test_kills_at_random_times_lose_nothing_and_double_nothing(world_of):
    chance, killed, misses = random.Random(SEED), 0, 0
    ways = list(itertools.product(SERVERS, PLACES))
    chance.shuffle(ways)
    for number, (server, place) in enumerate(itertools.cycle(ways)):
        if killed >= KILLS:
            break
        world = world_of(server, place)
        what = f"round {number + 1}, {server} to {place}, SLUICE_KILL_SEED={SEED}"
        try:
            with world.place.lister():
                runtime = world.converge().seconds
                first = world.writers.clock()
                for _ in range(chance.randint(1, 4)):
                    # Short of its runtime: most of the waits must hit.
                    if killed_after(world, chance.uniform(0, runtime)):
                        killed += 1
                    else:
                        misses += 1
                        first = world.writers.clock()
                world.converge()
                world.assert_converged(first)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from error
        assert misses < 20 + 2 * KILLS, f"most kills came too late: a run takes {runtime} s"
    print(f"{killed} kills, {misses} too late; SLUICE_KILL_SEED={SEED}")
