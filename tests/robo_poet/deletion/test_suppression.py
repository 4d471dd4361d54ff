"""The list of suppressed documents and its key."""

import json
from pathlib import Path

import pytest

from robo_poet.corpus.document import Document
from robo_poet.deletion.suppression import KEY, LIST, add_digests, ingested_list, list_digest, open_suppression, read_suppression
from robo_poet.errors import BadInput


def document(text: str, **fields: str) -> Document:
    return Document(id="1", group="1", text=text, **fields)


def test_a_document_on_the_list_is_not_allowed(tmp_path: Path) -> None:
    folder = tmp_path / "deletions"
    assert read_suppression(folder) is None and list_digest(folder) == ""
    key = open_suppression(folder)
    suppressed = add_digests(
        folder, [key.digest("text", "The worm.\nThe storm."), key.digest("author", "Ann Bell"), key.digest("source", "x")]
    )
    documents = [
        document("the WORM the storm"), document("kept"), document("by her", author="ANN BELL"), document("from it", source="x"),
        document("", author=""),
    ]  # fmt: skip
    assert [d.text for d in suppressed.allowed(documents)] == ["kept", ""]
    assert read_suppression(folder) == suppressed
    content = (folder / LIST).read_text()
    assert "worm" not in content.lower() and "Ann" not in content
    before = list_digest(folder)
    add_digests(folder, suppressed.digests)
    assert list_digest(folder) == before != ""


def test_key_and_list_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "deletions"
    add_digests(folder, ["text:1"])
    assert [(folder / name).stat().st_mode & 0o777 for name in (KEY, LIST)] == [0o600, 0o600]
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / KEY).chmod(0o644)
    with pytest.raises(BadInput, match=r"other users can read the key of the suppression list; run chmod 600"):
        read_suppression(folder)


def test_in_a_pod_the_key_is_a_mounted_secret_that_belongs_to_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = add_digests(tmp_path, ["text:1"])
    (tmp_path / KEY).chmod(0o644)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert ingested_list(str(tmp_path), list_digest(tmp_path)) == ingested_list(str(tmp_path), "") == here


@pytest.mark.parametrize("digest", ["", "5a"])
def test_a_list_that_the_run_names_must_exist(tmp_path: Path, digest: str) -> None:
    with pytest.raises(BadInput, match="the suppression list is missing; restore the folder from a backup"):
        ingested_list(str(tmp_path / "empty"), digest)


def test_two_keys_give_two_digests(tmp_path: Path) -> None:
    first, second = (open_suppression(tmp_path / name) for name in "ab")
    assert first.digest("text", "x") != second.digest("text", "x")
    assert first.digest("text", "x") != first.digest("author", "x")
    assert str(first.key) not in repr(first)


def damaged(folder: Path, name: str) -> None:
    path = folder / name
    content = json.loads((folder / LIST).read_text())
    match name:
        case "form":
            (folder / LIST).write_text(json.dumps({**content, "form": 2}))
        case "digests":
            (folder / LIST).write_text(json.dumps({**content, "digests": "none"}))
        case "other key":
            (folder / KEY).write_bytes(bytes(32))
        case "short key":
            (folder / KEY).write_bytes(b"short")
        case "no JSON":
            (folder / LIST).write_text("{")
        case _:
            path.unlink()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("form", "the list has form 2, this program reads form 1"),
        ("digests", "the list is damaged"),
        ("other key", "the key belongs to another list"),
        ("short key", "the key has 5 bytes, not 32"),
        ("no JSON", "not JSON"),
        (KEY, "the key of the suppression list is missing"),
    ],
)
def test_a_damaged_list_is_refused(tmp_path: Path, name: str, message: str) -> None:
    folder = tmp_path / "deletions"
    add_digests(folder, ["text:1"])
    damaged(folder, name)
    with pytest.raises(BadInput, match=message):
        read_suppression(folder)
    with pytest.raises(BadInput, match=message):
        add_digests(folder, ["text:2"])


def test_an_ingestion_reads_the_list_of_its_submission(tmp_path: Path) -> None:
    folder = tmp_path / "deletions"
    assert ingested_list("", "") is None
    add_digests(folder, ["text:1"])
    digest = list_digest(folder)
    assert ingested_list(str(folder), digest) == read_suppression(folder)
    add_digests(folder, ["text:2"])
    with pytest.raises(BadInput, match="changed since the run was submitted"):
        ingested_list(str(folder), digest)
    (folder / LIST).unlink()
    with pytest.raises(BadInput, match="changed since the run was submitted"):
        ingested_list(str(folder), digest)
