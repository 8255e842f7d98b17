"""Computes tests/golden/digest_vectors.json: the row digest of docs/digest.md, by hashlib alone.

Shares no code with the program; src/sql/digest_test.cc compares the two.
  python3 tests/golden/digest_vectors.py > tests/golden/digest_vectors.json

Values in the JSON: integers, days and microseconds as decimal text, doubles as the hex of their
eight little-endian bytes, strings and bytes as hex, decimals as the text of the unscaled integer.
"""

import datetime
import hashlib
import json
import random
import struct
import sys
from decimal import Decimal, localcontext

EPOCH = datetime.datetime(1970, 1, 1)


def canonical(kind, value):
    """The bytes of one value of one column type."""
    if kind == "bool":
        return b"1" if value else b"0"
    if kind.startswith(("int", "uint")):
        return str(value).encode()
    if kind == "double":
        return struct.pack("<d", value)
    if kind in ("string", "binary"):
        return value
    if kind == "date32":
        return (EPOCH.date() + datetime.timedelta(days=value)).isoformat().encode()
    if kind == "timestamp":
        moment = EPOCH + datetime.timedelta(microseconds=value)
        return moment.isoformat(sep=" ", timespec="microseconds").encode()
    if kind == "time64":
        return (EPOCH + datetime.timedelta(microseconds=value)).time().isoformat(timespec="microseconds").encode()
    scale = int(kind.split(":")[1])
    with localcontext() as context:
        context.prec = 90
        return format(Decimal(value).scaleb(-scale), "f").encode()


def field(kind, value):
    if value is None:
        return b"~"
    data = canonical(kind, value)
    if kind in ("string", "binary") and len(data) > 4096:
        return b"#" + hashlib.sha256(data).hexdigest().encode()
    return str(len(data)).encode() + b":" + data


def digest(kinds, rows):
    high = low = 0
    for row in rows:
        h = hashlib.sha256(b"".join(field(k, v) for k, v in zip(kinds, row))).digest()
        high += int.from_bytes(h[:8], "big")
        low += int.from_bytes(h[8:16], "big")
    return {"rows": len(rows), "high": str(high), "low": str(low)}


def shown(kind, value):
    if value is None:
        return None
    if kind == "double":
        return struct.pack("<d", value).hex()
    if kind in ("string", "binary"):
        return value.hex()
    return str(int(value))


def case(name, kinds, rows):
    return {
        "name": name,
        "types": kinds,
        "rows": [[shown(k, v) for k, v in zip(kinds, row)] for row in rows],
        "digest": digest(kinds, rows),
    }


def edges():
    inf = float("inf")
    yield "int8", [-128, -1, 0, 127]
    yield "int16", [-32768, 32767]
    yield "int32", [-(2**31), 2**31 - 1]
    yield "int64", [-(2**63), 2**63 - 1, 2**53 + 1, 0]
    yield "uint64", [0, 2**64 - 1]
    yield "bool", [False, True]
    yield "double", [0.0, -0.0, 5e-324, 1.7976931348623157e308, inf, -inf, 0.1, 2.0**53]
    yield "string", [b"", b"~", b"1:a", "Grüße 🦆".encode(), b"\xff\xfe", b"\0", b"x" * 4096, b"x" * 4097]
    yield "binary", [bytes(range(256)), b"", b"\x00" * 4096, b"\x00" * 4097]
    yield "date32", [0, -1, 11016, 11017, 19782, -719162, 2932896]
    yield "timestamp", [0, -1, 999_999, 1_709_164_800_000_001, -62_135_596_800_000_000,
                        253_402_300_799_999_999]
    yield "decimal:2", [0, 5, -5, 100, -12345, 10**37]
    yield "decimal:0", [0, -1, 10**38 - 1]
    yield "decimal:30", [1, -(10**38 - 1)]
    yield "wide:0", [0, -1, 10**65 - 1, -(10**76 - 1), 2**128, -(2**128), 2**64 - 1]
    yield "wide:30", [0, 1, -1, 10**65 - 1, -(10**65 - 1)]
    yield "wide:76", [1, -(10**76 - 1)]
    yield "time64", [0, 1, 86_399_999_999, 43_200_000_000]


def main():
    cases = []
    for kind, values in edges():
        cases.append(case(kind, [kind], [[v] for v in values] + [[None]]))
    cases.append(case("no rows", ["int64", "string"], []))
    cases.append(case("a, bc", ["string", "string"], [[b"a", b"bc"]]))
    cases.append(case("ab, c", ["string", "string"], [[b"ab", b"c"]]))
    rng = random.Random(1)
    kinds = ["int64", "double", "string", "date32", "timestamp", "decimal:4", "bool", "binary"]
    rows = []
    for _ in range(40):
        row = [rng.randrange(-(2**63), 2**63), struct.unpack("<d", rng.randbytes(7) + b"\x40")[0],
               "ø".join(rng.choices("abc ", k=rng.randrange(9))).encode(), rng.randrange(-9999, 9999),
               rng.randrange(-(2**50), 2**50), rng.randrange(-(10**12), 10**12),
               rng.random() < 0.5, rng.randbytes(rng.randrange(20))]
        rows.append([None if rng.random() < 0.1 else v for v in row])
    cases.append(case("mixed", kinds, rows))
    json.dump({"version": 1, "cases": cases}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
