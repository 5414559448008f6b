"""`storage:` in backbone.yml."""

import pytest

from backbone.connectors.secrets import Secrets
from backbone.project.places import File
from backbone.project.settings import Bucket, read_settings


def read(tmp_path, storage):
    problems = []
    text = f"name: shop\nstorage: {{{storage}}}\n"
    settings = read_settings(File("backbone.yml", text), Secrets(tmp_path), problems)
    return settings, [problem.message for problem in problems]


@pytest.mark.parametrize(
    ("data", "bucket"),
    [
        ("s3://shop", Bucket("shop", "")),
        ("s3://our-shop/backbone/", Bucket("our-shop", "backbone")),
        ("s3://our.shop/a/b=1/c_2.d", Bucket("our.shop", "a/b=1/c_2.d")),
    ],
)
def test_data_may_be_in_a_bucket(tmp_path, data, bucket):
    settings, problems = read(tmp_path, f"catalogue: 'postgres:x', data: '{data}'")

    assert problems == []
    assert settings.bucket == bucket
    assert settings.storage == "lake"


@pytest.mark.parametrize("data", ["s3://", "s3://Shop/a", "s3://a", "s3://shop/*", "s3://shop//a", "s3://shop/a b"])
def test_what_names_no_place_in_a_bucket_is_refused(tmp_path, data):
    _, problems = read(tmp_path, f"catalogue: 'postgres:x', data: '{data}'")

    assert problems == [f"'{data}' names no place in a bucket. It looks like s3://our-bucket/path"]


def test_a_bucket_and_a_catalogue_on_one_machine_do_not_go_together(tmp_path):
    _, problems = read(tmp_path, "data: 's3://shop/a'")

    assert len(problems) == 1
    assert "Name a catalogue that all reach: `catalogue: postgres:URL`" in problems[0]


@pytest.mark.parametrize("encryption", ["s3", "kms:alias/our-key"])
def test_the_store_is_asked_to_encrypt(tmp_path, encryption):
    settings, problems = read(tmp_path, f"catalogue: 'postgres:x', data: 's3://shop', encryption: '{encryption}'")

    assert problems == []
    assert settings.bucket == Bucket("shop", "", encryption)


def test_a_folder_is_encrypted_by_its_file_system(tmp_path):
    _, problems = read(tmp_path, "data: lake, encryption: s3")

    assert len(problems) == 1
    assert "A folder is encrypted by its file system" in problems[0]


def test_other_ways_to_encrypt_are_refused(tmp_path):
    _, problems = read(tmp_path, "catalogue: 'postgres:x', data: 's3://shop', encryption: aes")

    assert problems == ["`encryption` can't be 'aes'. Expected: s3, or kms:KEY"]
