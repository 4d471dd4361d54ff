"""Names, addresses and numbers by the model and by the patterns together: the policy full.

Covers: engine.
"""

import json
from pathlib import Path

import pytest
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from robo_poet.corpus.document import Document
from robo_poet.privacy.names.engine import engine_name, name_engine
from robo_poet.privacy.names.entities import EntityFinder, EntityModelRecognizer, is_verse
from robo_poet.privacy.names.spacy_names import NameFinder
from robo_poet.privacy.scrub import Scrubber
from robo_poet.settings.data import ScrubSettings

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber(ScrubSettings(policies={}))


@pytest.mark.parametrize("case", CASES, ids=[case["text"][:30] for case in CASES])
def test_what_must_be_covered_is_and_what_must_stay_stays(scrubber: Scrubber, case: dict[str, list[str]]) -> None:
    text = str(case["text"])
    [(_, findings)] = scrubber.scrub([Document(id="", group="", text=text)])
    covered = {place for finding in findings for place in range(finding.start, finding.end)}
    for value in case.get("must_cover", []):
        assert covered.issuperset(range(text.index(value), text.index(value) + len(value))), value
    for value in case.get("must_keep", []):
        assert not covered.intersection(range(text.index(value), text.index(value) + len(value))), value


def test_the_engine_is_a_setting() -> None:
    assert isinstance(name_engine(ScrubSettings()), EntityFinder) and engine_name(ScrubSettings()) == "rampart"
    spacy = ScrubSettings(name_engine="spacy")
    assert isinstance(name_engine(spacy), NameFinder) and engine_name(spacy) == spacy.spacy_model


def test_a_higher_threshold_finds_less() -> None:
    text = "Wrought of stone, Thelonius Obad met Bexley Quorn near the old mill in Tarn."
    assert len(EntityFinder(1.0).find([text])[0]) <= len(EntityFinder(0.15).find([text])[0])


def test_verse_is_known_by_its_lines() -> None:
    assert is_verse("The moon is up\nAnd all the night\n" * 4)
    assert not is_verse("The moon is up, and all the night is ours.\n" * 4)
    assert not is_verse("one two three\nfour\n" * 5)


class NoNlp(NlpEngine):
    def load(self) -> None: ...
    def is_loaded(self) -> bool:
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        return NlpArtifacts([], [], [], [], self, language)

    def process_batch(self, texts, language, **rest):  # type: ignore[no-untyped-def]
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word: str, language: str) -> bool:
        return False

    def is_punct(self, word: str, language: str) -> bool:
        return False

    def get_supported_entities(self) -> list[str]:
        return []

    def get_supported_languages(self) -> list[str]:
        return ["en"]


def test_presidio_runs_the_model_as_a_recogniser() -> None:
    registry = RecognizerRegistry([EntityModelRecognizer(0.3)], supported_languages=["en"])
    results = AnalyzerEngine(registry, NoNlp(), supported_languages=["en"]).analyze("Marta Quill, 14 Tanner Street", "en")
    assert sorted((result.entity_type, result.start, result.end) for result in results) == [("PERSON", 0, 11), ("STREET_ADDRESS", 13, 29)]
