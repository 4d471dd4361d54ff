import itertools
import time
from hashlib import sha256
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from robo_poet.privacy.findings import Finding, audit_key, disjoint, keyed_hash

TEXT = "Jane Smith <jane@example.org> wrote to Mr. Brown yesterday."
spans = st.tuples(st.integers(0, len(TEXT) - 1), st.integers(1, 20), st.sampled_from([0.4, 0.85, 1.0])).map(
    lambda s: Finding("X", s[0], min(len(TEXT), s[0] + s[1]), s[2], "r")
)


def test_the_higher_score_wins_and_the_rest_of_the_other_is_kept() -> None:
    name, mail = Finding("PERSON", 0, 16, 0.85, "a"), Finding("EMAIL_ADDRESS", 12, 28, 1.0, "b")
    assert disjoint([name, mail], TEXT) == [Finding("PERSON", 0, 12, 0.85, "a"), mail]
    inner = Finding("URL", 17, 28, 1.0, "c")
    assert disjoint([inner, mail], TEXT) == [mail]


@given(st.lists(spans, max_size=12))
def test_findings_are_disjoint_and_lose_no_letter(found: list[Finding]) -> None:
    kept = disjoint(found, TEXT)
    assert all(a.end <= b.start for a, b in itertools.pairwise(kept))
    covered = {i for f in kept for i in range(f.start, f.end)}
    wanted = {i for f in found for i in range(f.start, f.end) if TEXT[i].isalnum()}
    assert wanted <= covered
    assert all(not TEXT[f.start].isspace() and not TEXT[f.end - 1].isspace() for f in kept)
    assert disjoint(reversed(found), TEXT) == kept


def test_a_text_may_have_a_hundred_thousand_findings() -> None:
    text = "ab " * 100_000
    findings = [Finding("X", at, at + 2, 0.5, "r") for at in range(0, len(text), 3)]
    started = time.monotonic()
    assert disjoint([*findings, Finding("Y", 0, len(text), 1.0, "r")], text) == [Finding("Y", 0, len(text) - 1, 1.0, "r")]
    assert disjoint(findings, text) == findings
    assert time.monotonic() - started < 60  # each finding was compared with all others: hours


def test_the_hash_of_an_audit_needs_the_corpus(tmp_path: Path) -> None:
    corpora = [tmp_path / name for name in "ab"]
    for corpus in corpora:
        corpus.write_bytes(corpus.name.encode() * 2_000_000)
    first, second = map(audit_key, corpora)
    assert first != second and first.hex() != sha256(corpora[0].read_bytes()).hexdigest()
    assert keyed_hash(first, "PERSON", "Marta Quill") == keyed_hash(first, "PERSON", "Marta Quill")
    assert (
        len(
            {
                keyed_hash(first, "PERSON", "Marta Quill"),
                keyed_hash(first, "PERSON", "Anna"),
                keyed_hash(first, "URL", "Anna"),
                keyed_hash(second, "PERSON", "Anna"),
            }
        )
        == 4
    )


def test_overlapping_findings_of_an_entity_become_one() -> None:
    found = [Finding("PHONE_NUMBER", 1, 9, 0.9, "a"), Finding("PHONE_NUMBER", 0, 5, 0.5, "b")]
    assert disjoint(found, "(212) 867") == [Finding("PHONE_NUMBER", 0, 9, 0.9, "a")]
