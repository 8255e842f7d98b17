"""The packages, each unpacked into a root that holds what it declares to need and nothing else, and run there.
`tools/test package` makes them."""

import json
import re
import sqlite3
import subprocess
import tarfile
from pathlib import Path

import pytest
from bare_root import BareRoot, needed, output, run_paths
from scene import BINARY, REPOSITORY

OUT = REPOSITORY / "build/packages"
LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
HOUSE = Path(output(REPOSITORY / "tools/bootstrap", "--venv").strip() + "-house") / "bin"


@pytest.fixture(scope="session")
def deb():
    return Path(output(REPOSITORY / "packaging/deb", BINARY.parent, OUT).splitlines()[-1])


@pytest.fixture(scope="session")
def tarball():
    return Path(output(REPOSITORY / "packaging/tarball", BINARY.parent, OUT).splitlines()[-1])


@pytest.fixture(scope="session")
def sbom():
    return output(REPOSITORY / "packaging/sbom", BINARY)


def field(deb, name):
    return output("dpkg-deb", "--field", deb, name).strip()


@pytest.fixture(scope="session")
def bare(deb, tmp_path_factory):
    """Debian's packages that the .deb names, and no other."""
    return BareRoot(tmp_path_factory.mktemp("bare") / "root", field(deb, "Depends"))


def copies_a_table(root, program):
    database = root.folder / "tmp/shop.db"
    database.unlink(missing_ok=True)
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL)")
        connection.executemany("INSERT INTO orders VALUES (?, ?)", [(n, n / 4) for n in range(1000)])
    connection.close()
    lake = "/tmp/lake" + program.replace("/", "-")
    said = root.run(program, "copy", "/tmp/shop.db", lake, "--verify", "content")
    assert "1 stream: 1,000 rows, 1 file" in said, said
    slots = [path for path in (root.folder / lake.strip("/")).rglob("_sluice/*.json")]
    assert [json.loads(slot.read_text())["outcome"] for slot in slots] == ["committed"]


def is_self_contained(root, program):
    loader = next(each for each in LOADERS if (root.folder / each.lstrip("/")).exists())
    loaded = root.run(loader, "--list", program)
    assert "not found" not in loaded, loaded
    assert str(REPOSITORY) not in loaded and "site-packages" not in loaded, loaded
    assert all(path.startswith("$ORIGIN") for path in run_paths(root.folder / program.lstrip("/")))


def test_the_deb_runs_where_only_its_dependencies_are(deb, bare):
    output("dpkg-deb", "--extract", deb, bare.folder)
    is_self_contained(bare, "/usr/bin/sluice")
    assert bare.run("/usr/bin/sluice", "version").startswith("sluice " + field(deb, "Version"))
    copies_a_table(bare, "/usr/bin/sluice")


def test_the_deb_holds_what_a_package_holds(deb):
    listed = output("dpkg-deb", "--contents", deb)
    names = re.findall(r"\./(\S+)", listed)
    for wanted in ("usr/bin/sluice", "usr/share/doc/sluice/copyright"):
        assert wanted in names
    assert any(re.fullmatch(r"usr/lib/sluice/libarrow\.so\.\d+", name) for name in names)
    assert not [name for name in names if name.endswith((".a", ".h", ".cmake"))]
    assert all(line.split()[1] == "root/root" for line in listed.splitlines())
    assert field(deb, "Architecture") == output("dpkg", "--print-architecture").strip()
    assert {"libc6", "libmariadb3", "libsqlite3-0", "libcurl4", "libssl3"} <= set(
        re.split(r"[ (,]+", field(deb, "Depends")))


def test_dpkg_installs_it_and_removes_it(deb, tmp_path):
    root = tmp_path / "root"
    (root / "var/lib/dpkg/info").mkdir(parents=True)
    (root / "var/lib/dpkg/updates").mkdir()
    (root / "var/lib/dpkg/status").write_text("")
    dpkg = ["unshare", "--map-root-user", "dpkg", f"--root={root}", "--force-depends", "--force-not-root",
            "--force-script-chrootless", f"--log={tmp_path}/log"]
    output(*dpkg, "--install", deb)
    assert (root / "usr/bin/sluice").exists()
    assert output("dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Status}", "sluice") == "install ok installed"
    output(*dpkg, "--remove", "sluice")
    assert not (root / "usr/bin/sluice").exists()


def test_the_tarball_runs_where_it_is_unpacked(tarball, bare):
    where = bare.folder / "opt"
    with tarfile.open(tarball) as archive:
        archive.extractall(where, filter="data")
    program = f"/opt/{tarball.name.removesuffix('.tar.gz')}/bin/sluice"
    is_self_contained(bare, program)
    copies_a_table(bare, program)


def test_the_systems_openssl_is_found_before_the_one_inside_arrow(deb, tmp_path):
    """libparquet of the wheel shows its own to everybody: TLS of libmariadb then crashes."""
    output("dpkg-deb", "--extract", deb, tmp_path)
    libraries = needed(tmp_path / "usr/bin/sluice")
    order = [name.split(".so")[0] for name in libraries]
    assert order.index("libcrypto") < order.index("libparquet")


def test_the_library_has_it_first_too():
    program = REPOSITORY / "build/examples/copy_with_progress"
    order = [name.split(".so")[0] for name in needed(program)]
    assert order.index("libcrypto") < order.index("libparquet")


def test_the_example_runs_a_transfer_with_progress_of_its_own(tmp_path):
    program = REPOSITORY / "build/examples/copy_with_progress"
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO orders VALUES (?)", [(n,) for n in range(1000)])
    connection.close()
    environment = {"HOME": str(tmp_path)}
    done = subprocess.run([program, "shop.db", "lake"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "orders: 1000 rows; 1000 read so far\n"), done.stderr
    assert len(list((tmp_path / "lake").rglob("*.parquet"))) == 1
    # It and the program are one job: the program sees what the library did.
    told = subprocess.run([BINARY, "status"], env=environment, capture_output=True, text=True).stdout
    assert "orders" in told and "committed" in told
    failed = subprocess.run([program, "absent.db", "lake"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert failed.returncode == 2 and failed.stderr.startswith("source.no-such-file: ")


def test_the_bill_of_materials_is_valid(sbom, tmp_path):
    (tmp_path / "sbom.json").write_text(sbom)
    check = ("import sys; from cyclonedx.schema import SchemaVersion; from cyclonedx.validation.json import JsonStrictValidator\n"
             "error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read())\n"
             "sys.exit(str(error) if error else 0)")
    output(HOUSE / "python", "-c", check, tmp_path / "sbom.json")
    broken = json.loads(sbom)
    del broken["components"][0]["name"]
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    assert subprocess.run([HOUSE / "python", "-c", check, tmp_path / "broken.json"], capture_output=True).returncode != 0


def test_the_bill_of_materials_names_what_is_linked(sbom):
    versions = json.loads(output(BINARY, "version", "--json"))["libraries"]
    named = {part["name"]: part["version"] for part in json.loads(sbom)["components"]}
    assert named["pyarrow"] == versions["arrow"]
    assert named["libsqlite3-0"].startswith(versions["sqlite"])
    assert {"libmariadb3", "libcurl4", "libssl3", "libstdc++6", "libc6", "nlohmann-json3-dev", "libcli11-dev"} <= set(named)


def test_the_dockerfile_is_clean():
    output(HOUSE / "hadolint", REPOSITORY / "packaging/Dockerfile")
    text = (REPOSITORY / "packaging/Dockerfile").read_text()
    assert text.count("\nFROM ") == 2 and re.search(r"^USER \d+$", text, re.M)
