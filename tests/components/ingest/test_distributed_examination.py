"""The distributed search for duplicates gives the records of the plain one, for any documents and any division into shards."""

import tempfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest import jobs
from components.ingest.distributed_examination import DistributedExamination
from robo_poet.corpus import parquet
from robo_poet.corpus.document import Document
from robo_poet.corpus.first_reading import FirstReading, read_records
from robo_poet.distributed.beam import GroupedWork, Work
from robo_poet.distributed.run import Distributed
from robo_poet.distributed.shards import Shard
from robo_poet.errors import BadInput
from robo_poet.settings.beam import BeamSettings
from robo_poet.settings.data import IngestSettings
from tests.components.ingest.test_dropped import text
from tests.robo_poet.corpus.curation.test_near_duplicates import families
from tests.robo_poet.distributed.test_run import backwards, grouped_backwards, reported


def any_order(work: Work | GroupedWork, shards: Sequence[Shard]) -> None:
    if isinstance(work, Work):
        backwards(work, shards)
    else:
        grouped_backwards(work, shards)


def comparable(reading: FirstReading) -> tuple[object, ...]:
    """Return all that a reading says; the values of the drops as text, because NaN is not equal to itself."""
    drops = reading.drops
    return (*(getattr(reading, field.name) for field in fields(reading) if field.name != "drops"),
            bytes(drops.reasons), drops.others, str(drops.values), drops.originals, drops.languages)  # fmt: skip


def read(texts: Sequence[str], deleted: Sequence[str], shard_megabytes: float, **changes: object) -> tuple[FirstReading, FirstReading]:
    """Return what the plain and the distributed examination find."""
    chosen = IngestSettings.model_validate(changes)
    documents, removed = ([Document(f"{kind}{n}", "", one) for n, one in enumerate(many)] for kind, many in (("p", texts), ("d", deleted)))
    plain = read_records(documents, chosen, 42, "here", None, removed)
    with tempfile.TemporaryDirectory() as folder:
        beam = BeamSettings(runner="embedded", shard_megabytes=shard_megabytes)
        runs = Distributed(beam, Path(folder).resolve(), reported, any_order)
        distributed = read_records(documents, chosen, 42, "here", None, removed, DistributedExamination(runs, chosen))
        left = {path.name for path in Path(folder).iterdir()}
    assert left <= {"source-0", "source-1"}
    return plain, distributed


@settings(max_examples=15, deadline=None)
@given(families(), st.lists(st.sampled_from(["", " \n", "…", "two words", "la\nla\nla"]), max_size=3), st.integers(0, 3), st.integers(2, 8), st.integers(1, 7), st.randoms(use_true_random=False))  # fmt: skip
def test_the_records_are_those_of_the_plain_examination(texts, odd, repeated, group, piece, rng) -> None:  # type: ignore[no-untyped-def]
    texts = [*texts, *odd, *texts[:repeated]]
    rng.shuffle(texts)
    deleted = texts[: repeated // 2]
    before, parquet.GROUP_DOCUMENTS = parquet.GROUP_DOCUMENTS, group
    pieces, jobs.PIECE_DOCUMENTS = jobs.PIECE_DOCUMENTS, piece
    try:
        plain, distributed = read(texts, deleted, 1e-6, quality={"min_words": 3, "max_repeated_line_share": 0.3})
    finally:
        parquet.GROUP_DOCUMENTS, jobs.PIECE_DOCUMENTS = before, pieces
    assert comparable(plain) == comparable(distributed)


@pytest.mark.parametrize("setting", ["drop", "warn", "keep"])
def test_each_setting_for_near_duplicates(setting: str) -> None:
    texts = [text(n) for n in range(300)] + [f"{text(n)} and more" for n in range(0, 300, 3)]
    plain, distributed = read(texts, [text(3), text(900)], 1e-6, near_duplicates=setting)
    assert comparable(plain) == comparable(distributed)
    assert len(plain.near) == (0 if setting == "keep" else 99)


def test_a_source_without_documents() -> None:
    plain, distributed = read([], [], 8)
    assert comparable(plain) == comparable(distributed) and distributed.total == 0


def test_an_error_names_the_same_document() -> None:
    for examination in (False, True):
        documents = [Document("a", "", "one"), Document("b", "", "two", consent="no"), Document("a", "", "three")]
        with tempfile.TemporaryDirectory() as folder, pytest.raises(BadInput, match="^here: b: consent is withheld"):
            runs = Distributed(BeamSettings(runner="embedded"), Path(folder).resolve(), reported, any_order)
            chosen = DistributedExamination(runs, IngestSettings()) if examination else None
            read_records(documents, IngestSettings(), 42, "here", examination=chosen)
