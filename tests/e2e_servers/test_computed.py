"""Views and queries: what the server computes arrives as the server says it, whatever its metadata say."""

import json
from decimal import Decimal

import pytest
from answering import AnsweringServer
from test_copy import rows_of

# Result columns whose values do not look as their types have them: expression, what must arrive.
COMPUTED = {
    "IF(id = 1, a, b)": [Decimal("1.50"), Decimal("2.2512")],
    "CASE WHEN id = 1 THEN 5 ELSE a END": [Decimal("5"), Decimal("-0.05")],
    "COALESCE(NULL, b, a)": [Decimal("2.2512"), Decimal("2.2512")],
    "COALESCE(y, tiny)": [2155, 1901],
}
TABLE = """CREATE TABLE n (id INT PRIMARY KEY, a DECIMAL(10,2), b DECIMAL(10,4), b8 BIT(8), b64 BIT(64), y YEAR,
                           tiny TINYINT UNSIGNED);
           INSERT INTO n VALUES (1, 1.50, 2.2512, 255, 18446744073709551615, 2155, 1),
                                (2, -0.05, 2.2512, 255, 18446744073709551615, 1901, 255);"""


# MySQL's catalogue has another type for it in a view than its rows: such a view is refused.
COMPUTED_OF_QUERIES = {"IF(id = 1, b8, b64)": [Decimal(255), Decimal(2**64 - 1)],
                       "COALESCE(b64, b8)": [Decimal(2**64 - 1), Decimal(2**64 - 1)]}


@pytest.mark.parametrize("form", ["view", "query"])
def test_computed_values_arrive_as_they_are(scene, server, copy, form):
    computed = COMPUTED | (COMPUTED_OF_QUERIES if form == "query" else {})
    columns = ", ".join(f"{expression} AS c{i}" for i, expression in enumerate(computed))
    query = f"SELECT id, {columns} FROM n"
    server.sql(TABLE + f"CREATE VIEW v AS {query};")
    args = ["--table", "v"] if form == "view" else ["--sql", query, "--as", "v"]
    done = copy(*args, "--verify", "content", "--json").must(0).json
    _, rows = rows_of(scene, server, "v")
    for row, wanted in zip(rows, zip(*computed.values())):
        assert list(row[1:]) == list(wanted)
    scene.sluice("verify", done["loads"][0]["manifest"], "--source", server.uri(), "--depth", "content").must(0)


def test_a_decimal_with_more_digits_than_its_type_is_refused(scene, server, copy):
    server.sql(TABLE + "UPDATE n SET a = 99999999.99;")
    done = copy("--sql", "SELECT id, ROUND(a, -2) AS c FROM n", "--as", "q", "--json")
    if done.code == 0:  # as MariaDB does: its type has the digits
        assert [row[1] for row in rows_of(scene, server, "q")[1]] == [Decimal(100000000)] * 2
    else:
        assert done.code == 1 and json.loads(done.out)["error"]["id"] == "source.type-mismatch", done


@pytest.mark.parametrize("server", ["mysql"], indirect=True)  # MariaDB 10.11 has no such type
def test_a_vector_of_a_query_arrives(scene, server, copy):
    server.sql("CREATE TABLE vec (id INT PRIMARY KEY, v VECTOR(3)); INSERT INTO vec VALUES (1, TO_VECTOR('[1,2.5,-0]'));")
    copy("--sql", "SELECT id, v FROM vec", "--as", "q").must(0)
    assert rows_of(scene, server, "q")[1] == [(1, [1.0, 2.5, -0.0])]


def test_verify_asks_the_server_for_its_digest(scene, server, copy):
    """Of a table the rows are not read again: that would decode them with the same mistakes."""
    server.sql(TABLE)
    done = copy("--table", "n", "--json").must(0).json
    asked = []
    with AnsweringServer(server, lambda _, text: asked.append(text)) as listening:
        source = server.uri(port=listening.port, options="tls=disabled")
        scene.sluice("verify", done["loads"][0]["manifest"], "--source", source, "--depth", "content").must(0)
    digests = [text for text in asked if "SELECT COUNT(*),COUNT(h)" in text and "SHA2(CONCAT(" in text]
    assert digests and all(f"`{server.database}`.`n`" in text for text in digests), asked
    read = [text for text in asked if "`b64`" in text and text not in digests]
    assert all("WHERE ((`id` > 2))" in text for text in read), read  # beyond the last key, which is none of the load's
