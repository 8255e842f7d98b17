"""sluice help: verbs, topics, and that what a topic shows is true."""

import re

import pytest

TOPICS = {"exit-codes": ["5  may go away by itself", "another run holds the job", "130"],
          "job-file": ["version: 1", "keep_versions", "sluice job init"],
          "uris": ["mysql://user:password@host", "path_style", "%40"],
          "environment": ["SLUICE_STATE", "SLUICE_FILE_SIZE", "AWS_PROFILE", "AWS_ENDPOINT_URL_S3"]}


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_listed_and_shown(scene, topic):
    assert topic in scene.sluice("help").must(0).out
    text = scene.sluice("help", topic).must(0).out
    assert all(word in text for word in TOPICS[topic]), text


def test_the_example_of_a_job_file_is_one(scene):
    text = scene.sluice("help", "job-file").must(0).out
    example = re.search(r"(  version: 1\n(?:  .*\n)+)", text)[1]
    path = scene.folder / "shop.yaml"
    path.write_text(example.replace("db.internal:3306", "127.0.0.1:1"))
    done = scene.run(path, "--json", env={"SHOP_PASSWORD": "x"})
    assert (done.code, done.json["error"]["id"]) == (5, "source.unreachable"), done


def test_help_takes_what_is_typed_behind_a_verb(scene):
    assert "sluice job init shop.db" in scene.sluice("help", "job", "init").must(0).out
    assert "sluice job has no in" in scene.sluice("help", "job", "in-it").must(2).err
    assert "exit-codes" in scene.sluice("help", "exit-code").must(2).err
    assert scene.sluice("connectors", "mysql").must(0).out.count("tls_ca") == 1
    assert [each["scheme"] for each in scene.sluice("connectors", "s3://", "--json").must(0).json["connectors"]] == ["s3"]
    assert "did you mean mysql" in scene.sluice("connectors", "mysq").must(2).err
