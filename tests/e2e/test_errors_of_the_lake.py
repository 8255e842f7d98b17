"""What somebody else does to a lake: files garbled, written to, removed. Each with its id and its exit code."""

import os
import signal

import pytest
from oracle import Lake
from scene import PATIENCE


def refused(done, code, wanted):
    error = done.json["error"]
    assert (done.code, done.json["exit_code"], error["id"]) == (code, code, wanted), done
    return error


@pytest.fixture
def shop(scene):
    scene.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)", "INSERT INTO orders VALUES (?, ?)",
              rows=[(i, f"note {i}") for i in range(1000)])
    return scene


def of_the_same_sum(data, wanted):
    """`data` with four of its bytes changed so that its CRC-32C is that of `wanted`: sums are no signatures."""
    crcs = [0] * 256
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        crcs[byte] = crc

    def crc32c(some):
        crc = 0xFFFFFFFF
        for byte in some:
            crc = crcs[(crc ^ byte) & 0xFF] ^ crc >> 8
        return crc

    plain = crc32c(data)
    rows = []  # what each of 32 bits changes in the sum, reduced: (change, bits)
    for bit in range(32):
        change = crc32c(data[:8] + (1 << bit).to_bytes(4, "little") + data[12:]) ^ plain
        bits = 1 << bit
        for other, others in rows:
            if change ^ other < change:
                change, bits = change ^ other, bits ^ others
        rows.append((change, bits))
        rows.sort(reverse=True)
    left, patch = plain ^ crc32c(wanted), 0
    for change, bits in rows:
        if left ^ change < left:
            left, patch = left ^ change, patch ^ bits
    made = data[:8] + patch.to_bytes(4, "little") + data[12:]
    assert crc32c(made) == crc32c(wanted) and made != wanted
    return made


@pytest.mark.parametrize("garbled", [b"", b"[]", b"{}", b'{"sluice_manifest": 1, "outcome": "perhaps", "load": "x"}'])
def test_a_slot_that_sluice_did_not_write(shop, garbled):
    load, = shop.copy("--json").must(0).json["loads"]
    slot = shop.lake / "main/orders/_sluice" / (load["load"] + ".json")
    slot.write_bytes(garbled)
    for done in (shop.copy("--json"), shop.gc("--json")):
        assert "nothing was changed" in refused(done, 3, "slot.malformed")["hint"]
    assert slot.read_bytes() == garbled


def test_a_file_that_is_no_parquet_and_has_the_size_and_sum_of_the_one_staged(shop):
    assert shop.copy(env={"SLUICE_CRASH_AT": "publish.recorded"}).code == -signal.SIGKILL
    path, = Lake(shop.lake).parquet()
    staged = path.read_bytes()
    path.write_bytes(of_the_same_sum(bytes(len(staged)), staged))
    assert path.name in refused(shop.copy("--json"), 3, "stored.undecodable")["message"]
    shop.copy().must(0)


def test_a_file_that_somebody_writes_to_while_it_is_staged(shop):
    copy = shop.start_copy("--json", env={"SLUICE_STOP_AT": "upload.half"}).wait_until_stopped()
    staged, = Lake(shop.lake).staged()
    os.truncate(staged, 1 << 30)
    copy.send(signal.SIGCONT)
    error = refused(copy.wait(), 7, "store.staged-changed")
    assert str(staged) in error["message"]
    Lake(shop.lake).assert_nothing_visible()
    shop.copy().must(0)


def test_a_collection_that_is_stopped_between_two_loads(shop):
    shop.sql("CREATE TABLE lines (id INTEGER PRIMARY KEY)", "INSERT INTO lines VALUES (1)")
    for table in ("orders", "lines"):
        assert shop.copy("--table", table, env={"SLUICE_CRASH_AT": "publish.frozen"}).code == -signal.SIGKILL
    jobs = shop.sluice("status", "--state", shop.state, "--json").must(0).json["jobs"]
    loads = [load["load"] for job in jobs for load in job["loads"]]
    assert len(loads) == 2
    abandoned = [word for load in loads for word in ("--abandon", load)]
    gc = shop.start("gc", f"file://{shop.lake}", "--state", shop.state, *abandoned, "--json",
                    env={"SLUICE_STOP_AT": "discard.slot"}).wait_until_stopped()
    gc.send(signal.SIGINT)
    gc.send(signal.SIGCONT)
    refused(gc.wait(PATIENCE), 130, "gc.stopped")
    shop.gc(*abandoned).must(0)
    assert Lake(shop.lake).staged() == []
