"""check of a bucket: each permission by doing, and the settings that bite."""

import datetime
import email.utils
import http.server
import uuid

import pytest
from bucket import OPERATIONS, Bucket, Proxy, error_document

WITHOUT_OPERATION = {"s3:PutObject": "PutObject", "s3:PutObject (multipart)": "CreateMultipartUpload",
                     "s3:GetObject": "GetObject", "s3:DeleteObject": "DeleteObject", "s3:ListBucket": "ListObjects",
                     "s3:ListBucketMultipartUploads": "ListMultipartUploads",
                     "s3:AbortMultipartUpload": "AbortMultipartUpload"}
SETTINGS = {"lifecycle", "versioning", "object-lock", "encryption"}


def check(scene, uri, code=0):
    item, = scene.sluice("check", uri, "--json").must(code).json["checks"]
    return item, {each["name"]: each for each in item["findings"]}


def answer(**documents):
    """A proxy's answers to questions about settings: a document, or an error's (status, code)."""

    def refuse(method, path, query, headers):
        for name, said in documents.items():
            if method == "GET" and name.replace("_", "-") in query:
                return (200, {}, said.encode()) if isinstance(said, str) else (said[0], {}, error_document(said[1]))
        return None

    return refuse


def test_a_bucket_that_is_fine_has_every_permission_tried(scene, bucket):
    item, seen = check(scene, bucket.uri())
    assert item["ok"] and set(WITHOUT_OPERATION) | {"s3:ListMultipartUploadParts", "clock", "TLS"} <= set(seen)
    assert {seen[name]["level"] for name in WITHOUT_OPERATION} == {"ok"}
    assert seen["clock"]["level"] == "ok"
    assert bucket.keys() == [] and bucket.uploads() == []


@pytest.mark.parametrize("permission", sorted(WITHOUT_OPERATION))
def test_a_permission_that_is_missing_is_named(scene, moto, permission):
    operation = OPERATIONS[WITHOUT_OPERATION[permission]]

    def refuse(method, path, query, headers):
        settings = SETTINGS & set(query)
        return (403, {}, error_document("AccessDenied")) if not settings and operation(method, query) else None

    with Proxy(moto.endpoint, refuse) as proxy:
        item, seen = check(scene, moto.uri(endpoint=proxy.url), code=7)
    assert seen[permission]["level"] == "failed", seen
    action = permission.split()[0]
    assert f"grant {action} on arn:aws:s3:::{moto.name}" in seen[permission]["hint"]


def test_settings_that_may_not_be_read_are_not_known(scene, moto):
    with Proxy(moto.endpoint, answer(**{name.replace("-", "_"): (403, "AccessDenied") for name in SETTINGS})) as proxy:
        item, seen = check(scene, moto.uri(endpoint=proxy.url))
        text = scene.sluice("check", moto.uri(endpoint=proxy.url)).must(0).out
    assert {seen[name]["level"] for name in SETTINGS} == {"unknown"}
    assert "s3:GetLifecycleConfiguration" in seen["lifecycle"]["hint"]
    assert "not known" in text and "4 not known" in text.splitlines()[-1]


LOCK = ("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
        "<Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule></ObjectLockConfiguration>")
KMS = ("<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>"
       "<KMSMasterKeyID>key-1</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>")


def rule(inner, prefix="", status="Enabled"):
    return (f'<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>r1</ID><Status>{status}</Status>'
            f"<Filter><Prefix>{prefix}</Prefix></Filter>{inner}</Rule></LifecycleConfiguration>")


def aborts(days):
    return f"<AbortIncompleteMultipartUpload><DaysAfterInitiation>{days}</DaysAfterInitiation></AbortIncompleteMultipartUpload>"


@pytest.mark.parametrize("document, level, word", [
    (rule(aborts(1)), "warning", "after 1 day"), (rule(aborts(7)), "ok", "after 7 days"),
    (rule(aborts(1), prefix="elsewhere/"), "ok", "no rule concerns"), (rule(aborts(1), status="Disabled"), "ok", "no rule concerns"),
    (rule(aborts(1), prefix="e2e/"), "warning", "after 1 day"),
    (rule("<Expiration><Days>3</Days></Expiration>"), "warning", "removes objects")])
def test_a_lifecycle_rule_that_bites(scene, moto, document, level, word):
    with Proxy(moto.endpoint, answer(lifecycle=document)) as proxy:
        item, _ = check(scene, moto.uri(endpoint=proxy.url))
    rules = [each for each in item["findings"] if each["name"] == "lifecycle"]
    assert any(each["level"] == level and word in each["detail"] for each in rules), rules
    assert level == "warning" or all(each["level"] == "ok" for each in rules)


def test_versions_locks_and_keys(scene, moto):
    versions = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    old = "<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>"
    with Proxy(moto.endpoint, answer(versioning=versions, object_lock=LOCK, encryption=KMS)) as proxy:
        _, seen = check(scene, moto.uri(endpoint=proxy.url))
    assert seen["versioning"]["level"] == "warning" and seen["object-lock"]["level"] == "warning"
    assert "COMPLIANCE of 30 days" in seen["object-lock"]["detail"]
    assert "kms:GenerateDataKey" in seen["encryption"]["detail"] and "key-1" in seen["encryption"]["detail"]
    with Proxy(moto.endpoint, answer(versioning=versions, lifecycle=rule(old))) as proxy:
        _, seen = check(scene, moto.uri(endpoint=proxy.url))
    assert seen["versioning"]["level"] == "ok"


def test_a_clock_that_is_off_is_a_warning(scene, moto, monkeypatch):
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=90)
    # What the proxy itself writes as Date, which stands before the server's.
    monkeypatch.setattr(http.server.BaseHTTPRequestHandler, "date_time_string",
                        lambda *_: email.utils.format_datetime(later, usegmt=True))
    with Proxy(moto.endpoint, answer()) as proxy:
        _, seen = check(scene, moto.uri(endpoint=proxy.url))
    assert seen["clock"]["level"] == "warning" and "ahead" in seen["clock"]["detail"], seen["clock"]


def test_real_settings_of_a_bucket(scene, moto):
    own = Bucket(f"s3://check-{uuid.uuid4().hex[:20]}?endpoint={moto.endpoint}")
    own.request("PUT")
    _, seen = check(scene, own.uri())
    assert seen["lifecycle"]["level"] == "ok" and seen["versioning"]["detail"] == "never switched on"
    own.request("PUT", query={"lifecycle": ""}, body=rule(aborts(2)).encode())
    own.request("PUT", query={"versioning": ""}, body=b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
    _, seen = check(scene, own.uri())
    assert seen["lifecycle"]["level"] == "warning" and "after 2 days" in seen["lifecycle"]["detail"]
    assert seen["versioning"]["level"] == "warning"
