"""Names that were found in other documents of the corpus. All names are invented."""

from pathlib import Path

import pytest

from components.scrub_pii.found_in_corpus import found_in_corpus
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from robo_poet.privacy.findings import Finding
from robo_poet.privacy.scrub import Scrubber
from robo_poet.settings.data import ScrubSettings

FOUND = Finding("PERSON", 4, 15, 0.9, "EntityModel")
AGAIN = Finding("PERSON", 3, 14, 0.6, "KnownName")


def test_a_name_is_looked_for_in_documents_under_full_only(tmp_path: Path) -> None:
    texts = ["But Marta Quill wrote.", "As Marta Quill said.", "As Marta Quill said."]
    documents = [Document(str(n), str(n), text, source=source) for n, (text, source) in enumerate(zip(texts, "aab", strict=True))]
    write_documents(tmp_path / "corpus", documents)
    scrubber = Scrubber(ScrubSettings(policies={"b": "patterns"}))
    with found_in_corpus(tmp_path / "corpus", [[FOUND], [], []], scrubber.policy, tmp_path) as found:
        pairs = list(found)
    assert [document.text for document, _ in pairs] == texts
    assert [findings for _, findings in pairs] == [[FOUND], [AGAIN], []]
    assert scrubber.replaced(*pairs[1]).text == "As <PERSON> said."
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_document_without_findings_is_an_error(tmp_path: Path) -> None:
    write_documents(tmp_path / "corpus", [Document("1", "1", "One."), Document("2", "2", "Two.")])
    with pytest.raises(ValueError), found_in_corpus(tmp_path / "corpus", [[]], Scrubber(ScrubSettings()).policy, tmp_path):
        pass
