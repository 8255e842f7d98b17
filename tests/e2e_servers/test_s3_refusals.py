"""What S3 refuses, and what the program says then: message, exit code, nothing lost, nothing left."""

import http.server
import threading

import pytest
from bucket import OPERATIONS, Proxy, error_document

ROWS = [(i, f"word {i % 97}") for i in range(3_000)]


@pytest.fixture
def orders(scene):
    scene.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, word TEXT)", "INSERT INTO orders VALUES (?, ?)", rows=ROWS)
    return scene


def copy(scene, uri, env=None):
    return scene.sluice("copy", f"sqlite://{scene.db}", uri, "--table", "orders", "--state", scene.state,
                        env={"SLUICE_CHUNK_ROWS": "1000", **(env or {})})


def refused(done, code, *words):
    done.must(code)
    for word in words:
        assert word in done.err, done
    assert "testsecret" not in done.said
    return done


def test_a_bucket_that_is_missing(orders, bucket):
    uri = bucket.uri().replace(f"s3://{bucket.name}/", "s3://no-such-bucket/")
    refused(copy(orders, uri), 7, "no such bucket", "no-such-bucket", "create the bucket")


def test_keys_that_are_wrong(orders, versitygw):
    refused(copy(orders, versitygw.uri(), env={"AWS_SECRET_ACCESS_KEY": "wrong"}), 7, "does not accept the credentials")
    refused(copy(orders, versitygw.uri(), env={"AWS_ACCESS_KEY_ID": "nobody"}), 7, "does not accept the credentials")


def test_no_keys_at_all(orders, moto):
    refused(copy(orders, moto.uri(), env={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}), 2,
            "no AWS credentials", "AWS_PROFILE")
    refused(copy(orders, moto.uri(profile="nobody")), 2, "no AWS profile nobody")


def test_nobody_listens(orders, moto):
    refused(copy(orders, moto.uri(endpoint="http://127.0.0.1:1")), 5, "127.0.0.1:1")


def test_options_that_are_wrong(orders, moto):
    refused(copy(orders, moto.uri(regoin="x")), 2, "regoin", "region")
    refused(copy(orders, moto.uri(part_size="1MiB")), 2, "part_size")


def test_the_wrong_region_is_named_or_found(orders, moto):
    def elsewhere(method, path, query, headers):
        if "/us-east-1/s3/" in headers.get("authorization", ""):
            return 301, {"x-amz-bucket-region": "eu-west-1"}, error_document("PermanentRedirect")
        return None

    with Proxy(moto.endpoint, elsewhere) as proxy:
        refused(copy(orders, moto.uri(endpoint=proxy.url)), 7, "eu-west-1", "region=eu-west-1")
        copy(orders, moto.uri(endpoint=proxy.url, region=""), env={"AWS_REGION": None}).must(0)
    assert sorted(moto.rows()) == ROWS


def test_a_clock_that_is_wrong(orders, moto):
    def skewed(method, path, query, headers):
        body = error_document("RequestTimeTooSkewed").replace(
            b"</Error>", b"<ServerTime>2031-01-01T00:00:00Z</ServerTime></Error>")
        return 403, {}, body

    with Proxy(moto.endpoint, skewed) as proxy:
        refused(copy(orders, moto.uri(endpoint=proxy.url)), 7, "2031-01-01T00:00:00Z", "clock")


def test_an_endpoint_that_is_no_s3(orders, moto):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!DOCTYPE html><html><title>Console</title></html>")

        do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        refused(copy(orders, moto.uri(endpoint=f"http://127.0.0.1:{server.server_port}")), 7, "S3")
    finally:
        server.shutdown()
        server.server_close()


# What has to be allowed for what is asked.
FORBIDDEN = {"s3:PutObject": ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"],
             "s3:AbortMultipartUpload": ["AbortMultipartUpload"], "s3:DeleteObject": ["DeleteObject"],
             "s3:ListBucketMultipartUploads": ["ListMultipartUploads"], "s3:ListBucket": ["ListObjects"]}


@pytest.mark.parametrize("permission", FORBIDDEN)
def test_a_permission_that_is_missing_is_named_before_the_first_row(orders, moto, permission):
    def refuse(method, path, query, headers):
        asked = any(OPERATIONS[each](method, query) for each in FORBIDDEN[permission])
        return (403, {}, error_document("AccessDenied")) if asked else None

    with Proxy(moto.endpoint, refuse) as proxy:
        refused(copy(orders, moto.uri(endpoint=proxy.url)), 7, permission, "docs/s3.md")
    assert moto.parts() == []


def test_a_permission_lost_in_mid_run_stops_it_and_it_resumes(orders, moto):
    def refuse(method, path, query, headers):
        completing = method == "POST" and "uploadId" in query and "/part-000002-" in path
        return (403, {}, error_document("AccessDenied")) if completing else None

    with Proxy(moto.endpoint, refuse) as proxy:
        uri = moto.uri(endpoint=proxy.url)
        refused(copy(orders, uri), 7, "s3:PutObject")
        proxy.refuse = lambda *_: None
        copy(orders, uri).must(0)
    assert sorted(moto.rows()) == ROWS
    assert moto.uploads() == []


def test_a_server_in_trouble_for_a_while_is_waited_for(orders, moto):
    counted = {"n": 0}

    def busy(method, path, query, headers):
        counted["n"] += 1
        return (503, {}, error_document("SlowDown")) if counted["n"] % 5 == 0 else None

    with Proxy(moto.endpoint, busy) as proxy:
        copy(orders, moto.uri(endpoint=proxy.url)).must(0)
    assert sorted(moto.rows()) == ROWS


def test_an_upload_that_a_rule_aborted_is_started_anew(orders, moto):
    copy(orders, moto.uri(), env={"SLUICE_CRASH_AT": "publish.frozen"})
    uploads = moto._listed({"uploads": ""}, "Upload")
    for upload in uploads:
        if upload["Key"].startswith(moto.prefix):
            moto.request("DELETE", upload["Key"], {"uploadId": upload["UploadId"]})
    refused(copy(orders, moto.uri()), 5, "discarded")
    copy(orders, moto.uri()).must(0)
    assert sorted(moto.rows()) == ROWS
