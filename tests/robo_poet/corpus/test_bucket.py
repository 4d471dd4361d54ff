"""Against a real emulator of Google Cloud Storage, `fake-gcs-server`."""

from pathlib import Path

import pytest
from google.cloud import storage

from robo_poet.corpus import bucket
from robo_poet.corpus.bucket import bucket_objects, download, paths_below
from robo_poet.corpus.source_digest import source_digest
from robo_poet.errors import BadInput


@pytest.fixture(scope="module")
def server(gcs: storage.Client) -> storage.Bucket:
    made = gcs.create_bucket("verses")
    for name, text in {
        "poems/a.txt": "one",
        "poems/deep/b.md": "two",
        "poems/picture.png": "x",
        "poems/.hidden.txt": "x",
        "poems-old/c.txt": "three",
        "table.jsonl": '{"text": "four"}\n',
    }.items():
        made.blob(name).upload_from_string(text)
    return made


def test_a_prefix_is_a_folder(server: storage.Bucket, tmp_path: Path) -> None:
    assert [o.path for o in bucket_objects("gs://verses/poems")] == ["a.txt", "deep/b.md"]
    assert download("gs://verses/poems/", tmp_path / "to") == tmp_path / "to"
    assert {p.relative_to(tmp_path / "to").as_posix(): p.read_text() for p in (tmp_path / "to").rglob("*.*")} == {
        "a.txt": "one",
        "deep/b.md": "two",
    }


def test_a_prefix_may_be_one_object(server: storage.Bucket, tmp_path: Path) -> None:
    path = download("gs://verses/table.jsonl", tmp_path)
    assert path == tmp_path / "table.jsonl"
    assert path.read_text() == '{"text": "four"}\n'


def test_the_digest_changes_with_an_object_and_not_with_its_neighbours(server: storage.Bucket) -> None:
    before = source_digest("gs://verses/poems")
    assert before == source_digest("gs://verses/poems/")
    server.blob("poems-old/d.txt").upload_from_string("five")
    assert source_digest("gs://verses/poems") == before
    server.blob("poems/a.txt").upload_from_string("One")
    assert source_digest("gs://verses/poems") != before


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("gs://verses/none", "contains no .txt or .md object"),
        ("gs://nowhere/poems", "no such bucket"),
        ("gs://", "the bucket name is missing"),
    ],
)
def test_an_unreadable_bucket_is_one_line(server: storage.Bucket, url: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        source_digest(url)


def test_a_name_that_leaves_its_folder_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator keeps objects as files and so cannot hold such names; Google's service can."""
    assert paths_below("p", ["p/a.txt", "p/../out.txt", "p/b/../../out.txt", "p2/c.txt"]) == {"a.txt": "p/a.txt"}

    class Client:
        def list_blobs(self, *_: object, **__: object) -> list[storage.Blob]:
            return [storage.Blob("p//etc/out.txt", None)]

    monkeypatch.setattr(bucket, "_client", Client)
    with pytest.raises(BadInput, match="points outside the folder"):
        bucket_objects("gs://b/p")


def test_an_unreachable_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(bucket, "RETRY", bucket.RETRY.with_timeout(0.1))
    with pytest.raises(BadInput, match="the bucket cannot be read"):
        source_digest("gs://verses/poems")
