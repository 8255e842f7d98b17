"""What an editor accepts by the schema and what the program accepts are the same files."""

import json
import re

import pytest

SIZES = [("128MiB", 1), (134217728, 1), ("134217728", 1), ("1 MiB", 1), ("128M", 0), ("1.5GiB", 0), ("-1MiB", 0), (0, 0),
         (True, 0), (None, 0)]
NUMBERS = [(1, 1), ("1", 0), (0, 0), (-1, 0), ("1e0", 0), ("01", 0), (None, 0), (1_000_000, 0), ([1], 0)]
PATHS = [("{schema}/{table}/{load}", 1), ("{schema}/{table}/day={date}/{load}", 1), ("{load}", 0), ("x", 0),
         ("{schema}/{table}/{foo}/{load}", 0), ("{schema}/{table}/x", 0), ("{schema}/{table}/a b/{load}", 0)]
CODECS = [("zstd", 1), ("zstd:1", 1), ("zstd:22", 1), ("zstd:23", 0), ("zstd:0", 0), ("zstd:01", 1), ("snappy", 1),
          ("none", 1), ("snappy:1", 0), ("gzip", 0), ("ZSTD", 0), ("", 0), (1, 0)]
OF_STREAMS = {"mode": [("full", 1), ("append", 0), (None, 0)], "format": [("parquet", 1), ("csv", 0)], "path": PATHS,
              "compression": CODECS, "file_size": SIZES, "verify": [("counts", 1), ("content", 1), ("none", 0)],
              "keep_versions": NUMBERS, "on_type_mismatch": [("error", 1), ("null", 1), (None, 1), ("foo", 0)],
              "zero_date": [("error", 1), (None, 1), ("foo", 0)], "bogus": [(1, 0)],
              "column_policies": [({}, 1), ({"total": {"on_type_mismatch": "null"}}, 1), ({"total": {"foo": 1}}, 0)]}
OF_ONE = {"columns": [(["id"], 1), ([], 0), (["id", "id"], 0), ("id", 0), ([None], 0)],
          "where": [("1", 1), (1, 1), (1.5, 1), (True, 0), ("", 0), (None, 0)],
          "exclude": [("true", 0), (False, 0), (1, 0)], "destination": [("lake", 1), ("", 0)]}
AT_TOP = {"version": [(1, 1), ("1", 0), (2, 0), (True, 0), (None, 0)],
          "name": [("x", 1), (5, 1), ("a.b", 1), ("a b", 1), ("é" * 60, 1), ("a" * 120, 1), ("a" * 121, 0), (".a", 0), ("a/b", 0),
                   ("a\\b", 0), ("a\nb", 0), ("a\tb", 0), ("\x7f", 0), ("", 0), (True, 0), (None, 0)],
          "verify": [("counts", 1), ("x", 0), (None, 0)], "consistency": [("snapshot", 1), ("x", 0)],
          "secrets": [(None, 1), ({}, 1), ([], 0), ("x", 0), ({"source.password": "x"}, 0), ({"other": "${env:X}"}, 0)],
          "defaults": [(None, 1), ({}, 1), ([], 0), ("x", 0)], "limits": [(None, 1), ({}, 1), ([], 0)],
          "streams": [(None, 0), ({}, 0), ([], 0), ({"*": {}}, 1), ({"": {}}, 0), ({"orders": None}, 1), ({"orders": []}, 0),
                      ({"*": {}, "orders": {"exclude": True}}, 1), ({"*": {}, "a": {"exclude": True, "where": "1"}}, 0),
                      ({"a": {"sql": "select 1 as a"}}, 1), ({"a": {"sql": "select 1 as a", "where": "1"}}, 0),
                      ({"a": {"sql": "select 1 as a", "columns": ["a"]}}, 0)],
          "schedule": [("x", 0)], "bogus": [(1, 0)]}
OF_LIMITS = {"memory": [("64MiB", 1), (268435456, 1), (1048576, 0), (2 << 40, 0), *SIZES[4:]],
             "connections": [(64, 1), (65, 0), *NUMBERS], "rate": [("50MiB/s", 1), ("50MiB", 0), (52428800, 0), ("50 MB/s", 1)]}


def cases():
    for keys, put in ((OF_STREAMS, lambda job, key, value: job.update(defaults={key: value})),
                      (OF_STREAMS | OF_ONE, lambda job, key, value: job.update(streams={"orders": {key: value}})),
                      (OF_LIMITS, lambda job, key, value: job.update(limits={key: value})),
                      (AT_TOP, lambda job, key, value: job.update({key: value}))):
        for key, values in keys.items():
            yield key, [(put, value, bool(good)) for value, good in values]


def is_a(value, kind):
    kinds = {"object": dict, "array": list, "string": str, "null": type(None), "boolean": bool}
    if kind in kinds:
        return isinstance(value, kinds[kind])
    return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)


def same(a, b):
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def accepts(schema, value, root):
    """The part of JSON Schema that the job's makes use of; any other word is a mistake here."""
    if isinstance(schema, bool):
        return schema
    of_object, number = isinstance(value, dict), is_a(value, "number")
    text, many = isinstance(value, str), isinstance(value, list)
    rules = {
        "$schema": lambda _: True, "title": lambda _: True, "description": lambda _: True, "$defs": lambda _: True,
        "$ref": lambda of: accepts(root["$defs"][of.rsplit("/", 1)[1]], value, root),
        "type": lambda of: any(is_a(value, kind) for kind in ([of] if isinstance(of, str) else of)),
        "const": lambda of: same(value, of), "enum": lambda of: any(same(value, each) for each in of),
        "minimum": lambda of: not number or value >= of, "maximum": lambda of: not number or value <= of,
        "minLength": lambda of: not text or len(value) >= of, "maxLength": lambda of: not text or len(value) <= of,
        "pattern": lambda of: not text or re.search(of, value) is not None,
        "minItems": lambda of: not many or len(value) >= of,
        "uniqueItems": lambda of: not many or len({json.dumps(each) for each in value}) == len(value),
        "items": lambda of: not many or all(accepts(of, each, root) for each in value),
        "required": lambda of: not of_object or all(key in value for key in of),
        "minProperties": lambda of: not of_object or len(value) >= of,
        "maxProperties": lambda of: not of_object or len(value) <= of,
        "propertyNames": lambda of: not of_object or all(accepts(of, key, root) for key in value),
        "properties": lambda of: not of_object or all(accepts(of[key], value[key], root) for key in value if key in of),
        "additionalProperties": lambda of: not of_object or all(
            accepts(of, value[key], root) for key in value if key not in schema.get("properties", {})),
        "dependentSchemas": lambda of: not of_object or all(accepts(of[key], value, root) for key in of if key in value)}
    return all(rules[word](of) for word, of in schema.items())


@pytest.mark.parametrize("key, values", [pytest.param(key, values, id=f"{i}-{key}") for i, (key, values) in enumerate(cases())])
def test_the_schema_and_the_program_accept_the_same(scene, key, values):
    scene.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL)", "CREATE TABLE a (id INTEGER)")
    schema = json.loads(scene.sluice("job", "schema").must(0).out)
    for put, value, good in values:
        job = {"version": 1, "source": str(scene.db), "destination": str(scene.lake), "streams": {"orders": {}}}
        put(job, key, value)
        path = scene.folder / "job.yaml"
        path.write_text(json.dumps(job, ensure_ascii=False))
        told = scene.sluice("plan", path, "--state", scene.state)
        assert (accepts(schema, job, schema), told.code == 0) == (good, good), (value, told)
