"""A bucket as others see it, without the program: requests signed by a few lines of Python, files read by
DuckDB and pyarrow. And a proxy in front of a server that refuses what a test says."""

import datetime
import hashlib
import hmac
import http.client
import io
import json
import os
import re
import threading
import urllib.parse
import uuid
import xml.etree.ElementTree as ElementTree
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import duckdb
import pyarrow.parquet as pq

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "testsecret", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1"}
VARIABLES = {"moto": "SLUICE_TEST_MOTO", "versitygw": "SLUICE_TEST_VERSITYGW"}
PART = re.compile(r"/part-(\d{6})-(\d{3})(\.[0-9a-z]+)?\.parquet$")


def _sign(method, host, path, query, body, when):
    """The headers of Signature Version 4."""
    quote = lambda text: urllib.parse.quote(text, safe="-_.~")
    stamp, hashed = when.strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": hashed, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    canonical = "\n".join([
        method, urllib.parse.quote(path, safe="/-_.~"),
        "&".join(sorted(f"{quote(k)}={quote(v)}" for k, v in query.items())),
        "".join(f"{name}:{headers[name]}\n" for name in sorted(headers)), names, hashed])
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + KEYS["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={KEYS['AWS_ACCESS_KEY_ID']}/{scope},"
                                f"SignedHeaders={names},Signature={signature}")
    return headers


class Bucket:
    """A prefix of its own in the bucket of `uri` (s3://bucket?endpoint=…)."""

    def __init__(self, uri):
        parts = urllib.parse.urlsplit(uri)
        self.name, options = parts.netloc, dict(urllib.parse.parse_qsl(parts.query))
        self.endpoint = options["endpoint"]
        self.prefix = "e2e/" + uuid.uuid4().hex

    @classmethod
    def of(cls, kind):
        """On the server of that kind."""
        uri = os.environ.get(VARIABLES[kind])
        assert uri, f"{VARIABLES[kind]} names no bucket: tools/test starts the server"
        return cls(uri)

    def uri(self, endpoint=None, **more):
        options = {"endpoint": endpoint or self.endpoint, "region": "us-east-1", **more}
        return f"s3://{self.name}/{self.prefix}?" + "&".join(f"{k}={v}" for k, v in options.items() if v)

    def request(self, method, key="", query=None, body=b"", wanted=(200, 204)):
        host = self.endpoint.split("://")[1]
        path, query = f"/{self.name}" + (f"/{key}" if key else ""), query or {}
        target = urllib.parse.quote(path, safe="/-_.~")
        if query:
            target += "?" + urllib.parse.urlencode(sorted(query.items()), quote_via=urllib.parse.quote)
        connection = http.client.HTTPConnection(host, timeout=30)
        headers = _sign(method, host, path, query, body, datetime.datetime.now(datetime.timezone.utc))
        connection.request(method, target, body=body or None, headers=headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        assert answer.status in wanted, f"{method} {target}: {answer.status} {data[:500]}"
        return data

    def _listed(self, query, item):
        root = ElementTree.fromstring(self.request("GET", query={**query, "prefix": self.prefix + "/"}))
        for node in root.iter():
            node.tag = node.tag.rpartition("}")[2]
        assert root.findtext("IsTruncated") != "true"
        return [{child.tag: child.text for child in node} for node in root.iter(item)]

    def objects(self):
        """Each with its Key, Size and ETag."""
        return self._listed({"list-type": "2"}, "Contents")

    def keys(self):
        return sorted(each["Key"] for each in self.objects())

    def uploads(self):
        """Uploads that nobody completed or aborted."""
        listed = self._listed({"uploads": ""}, "Upload")
        return sorted(each["Key"] for each in listed if each["Key"].startswith(self.prefix + "/"))

    def parts(self):
        return [key for key in self.keys() if PART.search(key)]

    def slots(self):
        found = {}
        for key in self.keys():
            match = re.search(r"/_sluice/([^/.]+)\.json$", key)
            if match:
                found[match.group(1)] = json.loads(self.request("GET", key))
        return found

    def files(self):
        """Keys of the current load's files, by its slot."""
        slots = [slot for slot in self.slots().values() if slot["outcome"] == "committed"]
        replaced = {load for slot in slots for load in slot.get("replaces", [])}
        current = [slot for slot in slots if slot["load"] not in replaced]
        assert len(current) == 1, [slot["load"] for slot in current]
        return [f"{self.prefix}/{each['path']}" for each in current[0]["objects"]]

    def rows(self):
        """Of the current load, by DuckDB over bytes fetched by a plain GET."""
        rows = []
        for key in self.files():
            fetched = pq.read_table(io.BytesIO(self.request("GET", key)))
            rows += duckdb.sql("FROM fetched").fetchall()
        return rows


def error_document(code):
    return f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>said {code}</Message></Error>".encode()


# What a proxy can do instead of answering: nothing at all, or the deed without its answer, or to wait.
DROP, LOSE, HANG = "drop", "lose", "hang"
OPERATIONS = {
    "PutObject": lambda method, query: method == "PUT" and "partNumber" not in query,
    "CreateMultipartUpload": lambda method, query: method == "POST" and "uploads" in query,
    "UploadPart": lambda method, query: method == "PUT" and "partNumber" in query,
    "CompleteMultipartUpload": lambda method, query: method == "POST" and "uploadId" in query,
    "AbortMultipartUpload": lambda method, query: method == "DELETE" and "uploadId" in query,
    "DeleteObject": lambda method, query: method == "DELETE" and "uploadId" not in query,
    "HeadObject": lambda method, query: method == "HEAD",
    "GetObject": lambda method, query: method == "GET" and not {"uploads", "list-type", "uploadId"} & set(query),
    "ListObjects": lambda method, query: method == "GET" and "list-type" in query,
    "ListMultipartUploads": lambda method, query: method == "GET" and "uploads" in query,
}


class Proxy:
    """Passes requests on to a server, save those `refuse(method, path, query, headers)` answers itself
    with (status, headers, body), or with DROP (the connection ends, nothing is done), LOSE (it is done, and
    the connection ends) or HANG (nothing is done, nobody answers)."""

    def __init__(self, endpoint, refuse):
        proxy = self
        self.calls = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                parts = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
                proxy.calls.append((self.command, parts.path, query))
                refused = proxy.refuse(self.command, parts.path, query, self.headers)
                if refused == HANG:
                    proxy.released.wait()
                if refused == LOSE:
                    self.pass_on(body)
                if refused in (DROP, LOSE, HANG):
                    self.close_connection = True
                    return
                status, headers, data = refused or self.pass_on(body)
                self.send_response(status)
                size = headers.pop("Content-Length", None) if self.command == "HEAD" else None
                headers = {k: v for k, v in headers.items() if k.lower() not in
                           ("content-length", "transfer-encoding", "connection")}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", size or str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            def pass_on(self, body):
                connection = http.client.HTTPConnection(endpoint.split("://")[1], timeout=30)
                connection.request(self.command, self.path, body=body or None, headers=dict(self.headers))
                answer = connection.getresponse()
                data = answer.read()
                headers = {name: value for name, value in answer.getheaders()}
                connection.close()
                return answer.status, headers, data

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self.refuse, self.released = refuse, threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
