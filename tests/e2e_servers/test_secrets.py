"""Passwords by reference, against real servers."""

import json

from oracle import Lake


def job(scene, server, secrets, user):
    path = scene.folder / "job.yaml"
    uri = server.uri(user=user).replace(f":{server.password}@", "@", 1)
    path.write_text(json.dumps({"version": 1, "source": uri, "destination": f"file://{scene.lake}",
                                "secrets": secrets, "streams": {"t": {}}}))
    return path


def test_a_job_logs_in_with_a_password_by_reference_and_leaves_it_nowhere(scene, server):
    user, password = "u_" + server.database[2:12], "p@ss/w:rd?&#%"
    server.sql(f"CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1);"
               f"CREATE USER {user} IDENTIFIED BY '{password}'; GRANT SELECT ON {server.database}.* TO {user};")
    try:
        secret = scene.folder / "password"
        secret.write_text(password + "\n")
        secret.chmod(0o600)
        for reference in ("${env:SHOP_PASSWORD}", f"${{file:{secret}}}"):
            path = job(scene, server, {"source.password": reference}, user)
            done = scene.run(path, "--verbose", "--json", env={"SHOP_PASSWORD": password}).must(0)
            assert password not in done.said and "p%40ss" not in done.said, done
            plan = scene.sluice("plan", path, "--state", scene.state, env={"SHOP_PASSWORD": password}).must(0)
            assert password not in plan.said and "p%40ss" not in plan.said, plan
        manifest, = Lake(scene.lake).current(Lake(scene.lake).folder("t", server.database))
        assert manifest["rows"] == 1
        secret.unlink()
        for file in scene.folder.rglob("*"):
            assert not file.is_file() or (password.encode() not in file.read_bytes()
                                          and b"p%40ss" not in file.read_bytes()), file
        done = scene.run(path, env={"SHOP_PASSWORD": "wrong"})
        assert done.code != 0 and password not in done.said, done
    finally:
        server.sql(f"DROP USER {user}", database="")


def test_a_job_file_made_from_a_server_is_read_back(scene, server):
    server.sql("CREATE TABLE t (id INT PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t;")
    path = scene.folder / "made.yaml"
    scene.sluice("job", "init", server.uri(), "-o", path).must(0)
    text = path.read_text()
    variable = server.database.upper() + "_PASSWORD"
    assert f'source.password: "${{env:{variable}}}"' in text and f":{server.password}@" not in text, text
    assert "  t: {}  # about" in text and "  # v: {}  # a view" in text, text
    assert variable in scene.run(path).must(2).err
    scene.run(path, env={variable: server.password}).must(0)


def test_a_refused_login_is_told_whole_and_says_where_the_password_came_from(scene, server):
    server.sql("CREATE TABLE t (id INT PRIMARY KEY);")
    path = job(scene, server, {"source.password": "${env:SHOP_PASSWORD}"}, server.user)
    wrong = {"SHOP_PASSWORD": "wr0ng"}
    by_reference = server.uri(password="${env:SHOP_PASSWORD}")
    for typed in (["run", path], ["plan", path], ["check", path], ["copy", by_reference, f"file://{scene.lake}"]):
        done = scene.sluice(*typed, "--state", scene.state, env=wrong).must(2)
        assert "refused the login: Access denied for user" in done.err and "(using password: YES)" in done.err, done
        assert "HINT: the password comes from ${env:SHOP_PASSWORD}" in done.err and "wr0ng" not in done.said, done
    assert "(job.yaml:1)" in scene.run("job.yaml", env=wrong).err
    done = scene.sluice("discover", by_reference, env=wrong).must(2)
    assert "Access denied" in done.err and "HINT: see that user and password belong together" in done.err, done
    done = scene.sluice("discover", server.uri().replace(f":{server.password}@", "@", 1)).must(2)
    assert "(using password: NO)" in done.err and "HINT: no password was given" in done.err, done


def test_a_zero_date_names_the_policy_where_the_job_stands(scene, server):
    server.sql("SET sql_mode=''; CREATE TABLE products (id INT PRIMARY KEY, d DATE NOT NULL);"
               "INSERT INTO products VALUES (1, '0000-00-00');")
    path = job(scene, server, {"source.password": "${env:PW}"}, server.user)
    path.write_text(path.read_text().replace('"t"', '"products"'))
    done = scene.run(path, env={"PW": server.password}).must(1)
    assert f"HINT: streams: {{products: {{zero_date: null}}}} in {path}" in done.err and "resume with" not in done.err, done
    done = scene.sluice("copy", server.uri(), f"file://{scene.lake}", "--state", scene.state).must(1)
    assert "HINT: --zero-date null" in done.err and "resume with" not in done.err, done
