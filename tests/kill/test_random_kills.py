"""SIGKILL at times nobody chose. SLUICE_KILLS says how many (25; `make test-kill`: 200 and more),
SLUICE_KILL_SEED repeats a sequence of waits."""

import os
import random
import shutil
import signal
import time

import pytest
from kill_world import KillWorld, Lister

KILLS = int(os.environ.get("SLUICE_KILLS", "25"))
SEED = int(os.environ.get("SLUICE_KILL_SEED", str(time.time_ns() % 1_000_000)))
# Slots are kept for ever: a fresh destination now and then keeps the rounds alike.
ROUNDS_PER_LAKE = 20


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with KillWorld(tmp_path_factory.mktemp("random"), tables=4, rows=50_000, width=60) as world:
        yield world


def fresh(world):
    shutil.rmtree(world.lake, ignore_errors=True)
    for path in world.folder.glob("state.db*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def kill_after(world, seconds):
    """True: killed; False: it was done before."""
    process = world.start_copy()
    time.sleep(seconds)
    process.kill()
    done = process.wait()
    assert done.code in (0, -signal.SIGKILL), done
    return done.code != 0


def test_kills_at_random_times_lose_nothing_and_double_nothing(world):
    chance = random.Random(SEED)
    print(f"SLUICE_KILL_SEED={SEED}")
    fresh(world)
    runtime = max(world.converge().seconds for _ in range(2))
    world.assert_converged()
    killed = rounds = misses = 0
    while killed < KILLS:
        assert misses < 20 + 2 * KILLS, f"most kills came too late: a run takes {runtime} s"
        if rounds % ROUNDS_PER_LAKE == 0:
            fresh(world)
        rounds += 1
        what = f"round {rounds}, SLUICE_KILL_SEED={SEED}"
        with Lister(world.lake):
            for _ in range(chance.randint(1, 3)):
                if kill_after(world, chance.uniform(0, 1.2 * runtime)):
                    killed += 1
                else:
                    misses += 1
            try:
                world.converge()
                world.assert_converged()
            except AssertionError as error:
                raise AssertionError(f"{what}: {error}") from error
    print(f"{killed} kills in {rounds} rounds; a run takes {runtime:.2f} s")
