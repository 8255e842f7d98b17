"""Mistakes a user can make, each with the id and the exit code that the catalogue promises (docs/errors.md)."""

import os
import sqlite3
import subprocess

import pytest
from scene import BINARY

DATABASE = "CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER); INSERT INTO orders VALUES (1, 10), (2, 20)"

# What is typed, in a folder with shop.db, empty.db, job.yaml and what `prepare` makes.
MISTAKES = [
    # The command line.
    ("copy shop.db", "cli.arguments"),
    ("copy shop.db lake --table orders --columns id,,total", "cli.columns"),
    ("log --limit 0", "cli.limit"),
    ("copy shop.db lake --log-format xml", "cli.log-format"),
    ("copy shop.db lake --columns id", "cli.needs-one-table"),
    ("copy shop.db lake --table", "cli.no-value"),
    ("copy shop.db lake --table ", "cli.table"),
    ("copy shop.db lake --state= --restart", "cli.no-value"),
    ("--quiet copy shop.db lake", "cli.no-verb"),
    ("archive shop.db lake", "cli.not-in-this-version"),
    ("job init shop.db -o shop.db", "cli.output"),
    ("job init shop.db -o absent/job.yaml", "cli.output"),
    ("job schema -o /dev/full/schema.json", "cli.output"),
    ("copy shop.db lake --progress=loud", "cli.progress"),
    ("copy shop.db lake --resume --restart", "cli.resume-or-restart"),
    ("copy shop.db lake --sql query --table orders", "cli.sql"),
    ("copy shop.db lake --sql ", "cli.sql"),
    ("copy shop.db lake --sql query", "cli.sql"),
    ("copy shop.db lake --as orders", "cli.sql"),
    ("copy shop.db lake --quiet=maybe", "cli.syntax"),
    ("verify folder/main/orders/_sluice/01a1ffcf-ca7b-7e2d-bcca-72cd3ba51580.json --stream orders", "cli.stream"),
    ("copy shop.db lake --table=", "cli.no-value"),
    ("run job.yaml --table orders", "cli.unknown-option"),
    ("copy shop.db lake --memory 64MiB --memory 128MiB", "cli.twice"),
    ("copy shop.db lake --tabel orders", "cli.unknown-option"),
    ("cpoy shop.db lake", "cli.unknown-verb"),
    ("copy shop.db lake --table orders --where ", "cli.where"),
    # Settings.
    ("copy shop.db lake --compression brotli", "setting.word"),
    ("copy shop.db lake --compression snappy:3", "setting.compression"),
    ("copy shop.db lake --connections 0", "setting.number"),
    ("copy shop.db lake --memory 1MiB", "setting.size"),
    ("copy shop.db lake --memory much", "quantity.size"),
    ("gc lake --older-than soon", "quantity.duration"),
    # URIs and places.
    ("copy shop.db ~/lake", "uri.home"),
    ("copy sqlite://shop.db lake", "uri.host"),
    ("copy :memory: lake", "uri.memory"),
    ("copy  lake", "uri.empty"),
    ("copy sqlite: lake", "uri.no-path"),
    ("copy postgres://db/shop lake", "uri.not-in-this-version"),
    ("copy shop.db file:lake?a=b", "uri.unknown-option"),
    ("copy mysq://db/shop lake", "uri.unknown-scheme"),
    ("copy file:lake shop.db", "uri.wrong-role"),
    ("copy mysql://u:p@127.0.0.1/d?tls=sometimes lake", "uri.option"),
    ("copy shop.db s3://bucket/a//b", "uri.bad-prefix"),
    ("copy mysql://u:p@no-such-host.invalid/d lake", "source.no-such-host"),
    ("copy shop.db s3://bucket/x?endpoint=https://no-such-host.invalid&region=us-east-1", "http.unknown-host"),
    # Job files.
    ("run absent.yaml", "job.no-such-file"),
    ("run job.yaml --stream customers", "job.no-such-stream"),
    ("run glob.yaml", "job.empty-glob"),
    ("copy shop.db lake --table orders --table main.orders", "job.table-twice"),
    ("run secret.yaml", "secret.empty"),
    # The source.
    ("copy empty.db lake", "source.no-tables"),
    ("copy pipe lake", "source.not-a-file"),
    # The state.
    ("copy shop.db lake --state folder", "state.is-a-directory"),
    ("copy shop.db lake --state pipe", "state.not-a-file"),
    ("status --state zero.db", "state.no-such-file"),
    ("copy shop.db lake --state /proc/state.db", "state.cannot-open"),
    # Runs, verification, collection.
    ("copy shop.db lake --resume", "run.nothing-to-resume"),
    ("verify folder", "verify.subject"),
    ("verify folder/main/orders/_sluice/01a1ffcf-ca7b-7e2d-bcca-72cd3ba51580.json", "verify.no-manifest"),
    ("verify job.yaml", "verify.no-destination"),
    ("verify file:orders/_sluice/01a1ffcf-ca7b-7e2d-bcca-72cd3ba51580.json", "manifest.address"),
    ("gc nowhere", "gc.no-destination"),
    ("gc folder --abandon 01a1ffcf-ca7b-7e2d-bcca-72cd3ba51580", "gc.no-such-load"),
]


@pytest.fixture
def desk(scene):
    """The folder the mistakes are made in; what a test leaves goes with it."""
    folder = scene.folder
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.executescript(DATABASE)
    connection.close()
    with sqlite3.connect(folder / "empty.db") as connection:
        connection.executescript("CREATE TABLE t (id INTEGER); DROP TABLE t")
    connection.close()
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "zero.db").touch()
    (folder / "job.yaml").write_text("version: 1\nsource: shop.db\ndestination: nowhere\nstreams: {orders: {}}\n")
    (folder / "glob.yaml").write_text("version: 1\nsource: shop.db\ndestination: lake\nstreams: {'tmp_*': {}}\n")
    (folder / "empty").touch(0o600)
    (folder / "secret.yaml").write_text(
        "version: 1\nsource: mysql://u@127.0.0.1:9/shop\ndestination: nowhere\n"
        f"secrets: {{source.password: '${{file:{folder}/empty}}'}}\nstreams: {{orders: {{}}}}\n")
    return scene


@pytest.mark.parametrize("typed, wanted", MISTAKES, ids=[f"{wanted}:{typed}" for typed, wanted in MISTAKES])
def test_a_mistake_has_its_id(desk, typed, wanted):
    verb, *rest = typed.split(" ")
    done = desk.sluice(verb, "--json", *rest, env={"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"})
    assert done.json["error"]["id"] == wanted, done
    assert done.code == done.json["exit_code"] != 0
    assert not (desk.folder / "lake").exists() or not list((desk.folder / "lake").rglob("*.parquet"))


def test_no_place_for_the_state(desk):
    done = desk.sluice("copy", "shop.db", "lake", "--json", env={"HOME": None})
    assert (done.code, done.json["error"]["id"]) == (2, "state.no-home"), done


def test_a_number_of_the_environment(desk):
    done = desk.sluice("copy", "shop.db", "lake", "--json", env={"SLUICE_CHUNK_ROWS": "many"})
    assert (done.code, done.json["error"]["id"]) == (2, "setting.environment"), done


def test_another_definition_and_nothing_committed(desk):
    assert desk.sluice("copy", "shop.db", "lake", env={"SLUICE_CRASH_AT": "staged.recorded"}).code == -9
    done = desk.sluice("copy", "shop.db", "lake", "--compression", "snappy", "--json")
    assert (done.code, done.json["error"]["id"]) == (2, "run.definition-changed"), done
    job = desk.folder / "job.yaml"
    job.write_text(job.read_text().replace("nowhere", "lake"))
    done = desk.sluice("verify", "job.yaml", "--json")
    assert (done.code, done.json["error"]["id"]) == (2, "verify.nothing-committed"), done


@pytest.mark.parametrize("columns", ["id,,total", ","])
def test_a_list_of_columns_of_the_environment(desk, columns):
    done = desk.sluice("copy", "shop.db", "lake", "--json", env={"SLUICE_UUID": columns})
    assert (done.code, done.json["error"]["id"]) == (2, "setting.columns"), done


def test_a_run_that_nobody_knows(desk):
    desk.sluice("copy", "shop.db", "lake").must(0)
    done = desk.sluice("log", "--run", "01a1ffcf", "--json")
    assert (done.code, done.json["error"]["id"]) == (2, "cli.no-run"), done


def test_a_result_that_nobody_takes(desk):
    with open("/dev/full", "w") as full:
        done = desk.sluice("version", "--log-format", "json", stdout=full)
    assert done.code == 1 and '"id":"cli.stdout"' in done.err, done


def test_too_few_open_files(desk):
    done = subprocess.run(["sh", "-c", 'ulimit -n 10; exec "$0" copy shop.db lake --json', BINARY], cwd=desk.folder,
                          env=desk.environment(), capture_output=True, text=True)
    assert done.returncode == 8 and '"id":"store.open-files"' in done.stdout, done
