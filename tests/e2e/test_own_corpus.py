"""The reader's own text through the whole pipeline, and bad corpora stopped at the door with nothing stored lost."""

from pathlib import Path

import pytest

from tests.conftest import verse
from tests.e2e.conftest import Shell

SMALL = (
    "--profile",
    "ci",
    "--set",
    "train.max_steps=20",
    "--set",
    "validation.on_language=ignore",
    "--set",
    "gates=[{metric: '*', drop: test}, {metric: perplexity, max: 1000}]",
)


@pytest.mark.soak  # 100 s; tests/e2e/test_docker.py trains on a folder of texts too
def test_a_folder_of_texts_becomes_a_model_without_personal_data(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for i in range(12):
        secret = "Write to jane.roe@example.com or call +1 415 555 0134." if i == 3 else ""
        (folder / f"poem {i}.txt").write_text(verse(i, 80) + "\n" + secret + "\nA literal <END> stands here.\n")
    person = Shell(tmp_path)
    printed = person.type("run", "--corpus", "texts", *SMALL)
    assert "ci-texts/1 is champion" in printed
    assert "<END>" in printed  # warned of, and kept as text
    outputs = person.summary()["outputs"]
    scrubbed = Path(outputs["scrub-pii"]["artifacts"]["scrubbed"]["path"])
    from robo_poet.corpus.parquet import read_documents

    texts = [document.text for document in read_documents(scrubbed)]
    assert len(texts) == 12 and all("literal <END> stands" in text for text in texts)
    assert not any("jane" in text or "555" in text for text in texts)
    assert any("<EMAIL_ADDRESS>" in text for text in texts)
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix in (".log", ".jsonl", ".html") and folder not in path.parents:
            assert "jane.roe" not in path.read_text(), path

    before = {p: p.read_bytes() for p in (tmp_path / "registry").rglob("*") if p.is_file()}
    (folder / "poem 5.txt").write_bytes(b"\xff\xfe broken")
    said = person.type("run", "--corpus", "texts", *SMALL, status=2)
    assert "poem 5.txt" in said and "UTF-8" in said
    assert before == {p: p.read_bytes() for p in (tmp_path / "registry").rglob("*") if p.is_file()}
    assert person.summary()["status"] == "succeeded", "the latest run is the first one"


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("empty.txt", b"", "empty"),
        ("binary.txt", b"\x00\x01\x02" * 99, "binary"),
        ("data.csv", b"author,poem\nme,hello\n", "no column 'text'"),
        ("withheld.csv", b"id,text,consent\n1,One.,yes\n2,Two.,withheld\n3,Three.,\n", "withheld.csv: 2: consent is withheld; remove"),
    ],
)
def test_a_corpus_that_cannot_be_used_is_one_line_and_a_status(name: str, content: bytes, part: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    person = Shell(tmp_path)
    process = person.start("run", "--corpus", name, *SMALL)
    out, err = process.communicate(timeout=120)
    # A binary file is refused before the run starts; the other faults are found by the first step.
    assert process.returncode == 2 and err.count("\n") == 1 and err.startswith("error: ") and part in err.lower(), out + err
    assert not (tmp_path / "registry").exists() and not list(tmp_path.glob("runs/*")) and not list(tmp_path.glob(".store/*/*"))


@pytest.mark.parametrize("name", ["nowhere", "odd.pdf", "loop"])
def test_what_is_no_corpus_is_one_line_before_anything_runs(name: str, tmp_path: Path) -> None:
    (tmp_path / "odd.pdf").write_bytes(b"%PDF")
    (tmp_path / "loop").symlink_to("loop")
    said = Shell(tmp_path).type("run", "--corpus", name, *SMALL, status=2)
    assert said.count("\n") == 1 and said.startswith("error: ") and name in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["loop", "odd.pdf"]
