"""copy, discover, plan and check against real servers, from outside."""

import duckdb
import pytest
from oracle import Lake
from wire import TO_CLIENT, Harm, Wire


def rows_of(scene, server, table):
    lake = Lake(scene.lake)
    manifest, = lake.current(lake.folder(table, server.database))
    files = [str(path) for path in lake.files(manifest)]
    return manifest, duckdb.sql(f"SELECT * FROM read_parquet({files}) ORDER BY ALL").fetchall()


def fill(server, rows=5000):
    """orders, by (tenant, id)."""
    bound = "cte_max_recursion_depth" if server.kind == "mysql" else "max_recursive_iterations"
    server.sql(f"""CREATE TABLE orders (tenant INT NOT NULL, id BIGINT NOT NULL, note VARCHAR(100), price DECIMAL(12,2),
                   PRIMARY KEY (tenant, id));
                   SET SESSION {bound} = 1000000;
                   INSERT INTO orders WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
                   SELECT i % 7, i * 3, IF(i % 5 = 0, NULL, CONCAT('note ', i)), i / 100 FROM n;""")


def test_a_table_arrives_in_chunks_of_one_snapshot(scene, server, copy):
    fill(server)
    copy("--verify", "content", "--connections", "2", env={"SLUICE_CHUNK_ROWS": "700"}).must(0)
    manifest, rows = rows_of(scene, server, "orders")
    assert manifest["consistency"]["kind"] == "snapshot" and not manifest["consistency"]["mixed"]
    position, = manifest["consistency"]["positions"]
    assert position.startswith(server.kind)
    assert len(manifest["objects"]) > 5
    there = server.sql("SELECT COUNT(*), SUM(id), SUM(price), SUM(CRC32(note)) FROM orders")[0]
    assert len(rows) == int(there[0]) == 5000
    assert sum(row[1] for row in rows) == int(there[1])
    assert str(sum(row[3] for row in rows)) == there[2]


def test_discover_plan_and_check_say_what_there_is(scene, server):
    fill(server, 10)
    server.sql("CREATE VIEW few AS SELECT id FROM orders; CREATE TABLE loose (a INT, UNIQUE KEY u (a));")
    found = scene.sluice("discover", server.uri(), "--json").must(0).json
    by_name = {table["table"]: table for table in found["tables"]}
    assert set(by_name) == {"orders", "few", "loose"}
    assert by_name["orders"]["key"] == ["tenant", "id"]
    assert by_name["loose"]["key"] == []
    said = scene.sluice("discover", server.uri()).must(0).out
    assert "key: none, so one chunk (unique key u is not used: a may be NULL)" in said
    types = [column["type"] for column in by_name["orders"]["columns"]]
    assert types == ["int32", "int64", "string", "decimal128(12, 2)"]
    scene.sluice("plan", server.uri(), f"file://{scene.lake}", "--state", scene.state).must(0)
    scene.sluice("check", server.uri()).must(0)


@pytest.mark.parametrize("name", ["select", "with space", "it's", 'a"b', "tick`s", "ünï", "a.b", "%s"])
def test_names_are_names(scene, server, copy, name):
    quoted = "`" + name.replace("`", "``") + "`"
    server.sql(f"CREATE TABLE {quoted} ({quoted} INT PRIMARY KEY); INSERT INTO {quoted} VALUES (1), (2);")
    copy().must(0)
    assert rows_of(scene, server, name)[1] == [(1,), (2,)]


def test_tables_without_rows_and_partitioned_ones(scene, server, copy):
    server.sql("""CREATE TABLE `empty` (id INT PRIMARY KEY, t TEXT);
                  CREATE TABLE parts (id INT NOT NULL PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4;
                  INSERT INTO parts VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9);""")
    copy(env={"SLUICE_CHUNK_ROWS": "2"}).must(0)
    assert rows_of(scene, server, "empty")[1] == []
    assert rows_of(scene, server, "parts")[1] == [(i,) for i in range(1, 10)]


@pytest.mark.xdist_group("max_allowed_packet")  # which is the whole server's
def test_a_blob_of_60_mb(scene, server, copy):
    server.sql("""SET GLOBAL max_allowed_packet = 67108864;""")
    server.sql("""CREATE TABLE big (id INT PRIMARY KEY, b LONGBLOB); INSERT INTO big VALUES (1, ''), (2, 'x');
                  UPDATE big SET b = REPEAT('y', 60000000) WHERE id = 1;""")
    told = copy("--memory", "128MiB").must(8)
    assert "id=1" in told.said and "--memory" in told.said
    copy("--memory", "512MiB", "--restart").must(0)
    lake = Lake(scene.lake)
    manifest, = lake.current(lake.folder("big", server.database))
    files = [str(path) for path in lake.files(manifest)]
    assert duckdb.sql(f"SELECT octet_length(b) FROM read_parquet({files}) ORDER BY id").fetchall() == [(60000000,), (1,)]


@pytest.mark.xdist_group("max_allowed_packet")  # which is the whole server's
def test_the_packet_limit_of_the_server_does_not_bound_what_it_sends(scene, server, copy):
    server.sql("CREATE TABLE big (id INT PRIMARY KEY, b LONGBLOB); INSERT INTO big VALUES (1, REPEAT('y', 3000000));")
    before = server.sql("SELECT @@GLOBAL.max_allowed_packet")[0][0]
    try:
        server.sql("SET GLOBAL max_allowed_packet = 1048576")
        copy("--memory", "512MiB").must(0)
    finally:
        server.sql(f"SET GLOBAL max_allowed_packet = {before}")


@pytest.mark.parametrize("size", [1_000, 12_000, 30_000, 100_000, 150_000])
def test_a_connection_that_is_cut_is_transient_and_the_run_is_resumed(scene, server, copy, size):
    fill(server)
    with Wire(server.host, server.port, Harm("cut", TO_CLIENT, after=size)) as wire:
        told = copy("--connections", "2", env={"SLUICE_CHUNK_ROWS": "700"}, uri=server.uri(port=wire.port))
        assert told.code in (0, 5), told
        if told.code == 5:
            Lake(scene.lake).assert_nothing_visible()
            wire.heal()
            copy("--connections", "2", env={"SLUICE_CHUNK_ROWS": "700"}, uri=server.uri(port=wire.port)).must(0)
    assert len(rows_of(scene, server, "orders")[1]) == 5000
