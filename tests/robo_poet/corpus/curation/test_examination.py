"""What is measured in a document. tests/components/ingest compares the distributed examination with this one."""

import numpy as np

from robo_poet.corpus.curation.dropped import FEW_WORDS
from robo_poet.corpus.curation.examination import ExaminationHere, Examined
from robo_poet.corpus.document import Document
from robo_poet.digest import digest_bytes
from robo_poet.settings.data import IngestSettings

LONG = "the sea the wind and the night, a rose, a bell, one stone, the river, the light, a bird and some snow on the harbour wall"


def test_digest_and_size_are_those_of_the_normalised_text() -> None:
    settings = IngestSettings.model_validate({"quality": {"min_words": 2}})
    documents = [Document(str(n), "", text) for n, text in enumerate(["Cafe\u0301\r\nau lait", "\t ", "one"])]
    with ExaminationHere(settings) as examination:
        rows = list(examination.examined(documents))
    normalised = "Café\nau lait".encode()
    assert [document for document, _ in rows] == documents
    assert rows[0][1] == Examined(digest_bytes(normalised), len(normalised), None)
    assert rows[1][1] is None
    assert rows[2][1] and rows[2][1].failure == (FEW_WORDS, 1, "")


def test_only_chosen_documents_are_searched() -> None:
    texts = [LONG, f"{LONG} and more", "something else entirely", f"{LONG} and less"]
    with ExaminationHere(IngestSettings()) as examination:
        for document, _ in examination.examined(Document(text, "", text) for text in texts):
            if not document.text.endswith("more"):
                examination.choose()
        assert examination.chosen() == 3
        pairs, uncertain = examination.near_duplicates(np.array([2, 0, 1]), 0)
    assert [(pair.position, pair.kept) for pair in pairs] == [(0, 2)] and uncertain == 0
