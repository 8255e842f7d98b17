"""What the machine refuses: files nobody may read, too few open files, no room. Each with its id and its exit code."""

import os
import resource
import shutil
import sqlite3
import subprocess

import pytest
from scene import at_most, without_rights_over_files


def refused(done, code, wanted):
    """Its id, its exit code and what may be done about it."""
    error = done.json["error"]
    assert (done.code, done.json["exit_code"], error["id"]) == (code, code, wanted), done
    assert error["hint"], done
    return error


@pytest.fixture
def shop(scene):
    scene.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY)", "INSERT INTO orders VALUES (1)")
    return scene


@pytest.fixture
def with_a_log(shop):
    """In WAL mode: to read it takes two files more, one of which SQLite writes."""
    shop.sql("PRAGMA journal_mode=WAL", "INSERT INTO orders VALUES (2)")
    return shop


def test_a_job_file_that_may_not_be_read(shop):
    path = shop.job({"orders": {}})
    path.chmod(0)
    refused(shop.sluice("run", path, "--json", before=without_rights_over_files), 2, "job.unreadable")


def test_a_database_that_may_not_be_read(shop):
    shop.db.chmod(0)
    error = refused(shop.sluice("discover", shop.db, "--json", before=without_rights_over_files), 2, "source.permission")
    assert str(shop.db) in error["message"]


def test_a_path_longer_than_sqlite_opens(shop):
    folder = shop.folder.joinpath(*["d" * 200] * 3)
    folder.mkdir(parents=True)
    shop.db.rename(folder / "shop.db")
    error = refused(shop.sluice("discover", folder / "shop.db", "--json"), 2, "source.cannot-open")
    assert "at most 512 bytes" in error["message"] and "shorter path" in error["hint"]


def test_a_database_and_its_log_want_more_files_than_may_be_open(with_a_log):
    most = at_most(resource.RLIMIT_NOFILE, 5)
    refused(with_a_log.sluice("discover", with_a_log.db, "--json", before=most), 8, "source.too-many-files")


def test_a_log_whose_index_cannot_be_written(with_a_log):
    most = at_most(resource.RLIMIT_FSIZE, 4096)  # of 32 KiB
    refused(with_a_log.sluice("discover", with_a_log.db, "--json", before=most), 6, "source.io")


def test_a_log_whose_index_has_no_room(with_a_log, small_disk):
    disk = small_disk("disk")
    if not disk.mounted:
        pytest.fail("a disk that is full needs root: this test cannot be run as another user")
    with_a_log.db = shutil.move(with_a_log.db, disk.path)
    rest = os.open(disk.path / "rest", os.O_CREAT | os.O_WRONLY)
    with pytest.raises(OSError):
        while True:
            os.write(rest, bytes(4096))
    os.close(rest)
    refused(with_a_log.sluice("discover", with_a_log.db, "--json"), 8, "source.disk-full")


@pytest.mark.parametrize("variable", ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"])
def test_credentials_that_may_not_be_read(shop, variable):
    path = shop.folder / "credentials"
    path.write_text("[default]\naws_secret_access_key = hush\n")
    path.chmod(0)
    environment = {name: None for name in os.environ if name.startswith("AWS_")}
    done = shop.sluice("copy", shop.db, "s3://bucket/shop?region=us-east-1&endpoint=http://127.0.0.1:9", "--json",
                       env={**environment, variable: path, "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"},
                       before=without_rights_over_files)
    error = refused(done, 2, "credentials.unreadable")
    assert str(path) in error["message"] and "hush" not in done.said


def test_a_library_that_does_not_start(shop):
    """libcurl tells so by its first call; another says it in its place."""
    source, library = shop.folder / "curl.c", shop.folder / "curl.so"
    source.write_text("int curl_global_init(long flags) { (void)flags; return 2; }  /* CURLE_FAILED_INIT */\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    done = shop.sluice("copy", shop.db, "s3://bucket/shop?region=us-east-1&endpoint=http://127.0.0.1:9", "--json",
                       env={"LD_PRELOAD": library, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hush"})
    refused(done, 1, "http.library")


# --- what a database file can hold that no file of ours could ---


@pytest.mark.parametrize("what, wanted", [("column", "source.column-name"), ("orders", "source.table-name")])
def test_a_name_that_is_not_utf_8(shop, what, wanted):
    """SQLite keeps whatever bytes a program gave it."""
    with sqlite3.connect(shop.db) as connection:
        connection.executescript(f"""
            DROP TABLE orders; CREATE TABLE orders (id INTEGER PRIMARY KEY, "column" INTEGER);
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = CAST(replace(CAST(sql AS BLOB), '{what}', x'ff') AS TEXT),
                name = CAST(replace(CAST(name AS BLOB), '{what}', x'ff') AS TEXT),
                tbl_name = CAST(replace(CAST(tbl_name AS BLOB), '{what}', x'ff') AS TEXT);""")
    connection.close()
    refused(shop.copy("--json"), 2, wanted)
    table, = shop.sluice("discover", shop.db, "--json").must(0).json["tables"]
    assert table["error"]["id"] == wanted
