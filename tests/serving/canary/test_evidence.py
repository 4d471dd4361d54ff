from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from serving.canary.evidence import Evidence

FACTS = {"action": "promote", "reasons": ["no harm"], "evidence": {"errors": {"low": None, "high": 0.01}}}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "evidence")
    digest = evidence.write(FACTS)
    assert len(digest) == 64 and evidence.read(digest) == FACTS


def test_equal_evidence_is_one_file(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path)
    assert evidence.write(FACTS) == evidence.write(dict(reversed(FACTS.items()))) != evidence.write({})
    assert len(list(tmp_path.iterdir())) == 2


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path)
    digest = evidence.write(FACTS)
    path = tmp_path / f"{digest}.json"
    path.write_text(path.read_text().replace("promote", "reject"))
    with pytest.raises(BadInput, match="changed after it was written"):
        evidence.read(digest)


def test_a_missing_file_names_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="look on the machine of the controller"):
        Evidence(tmp_path / "none").read("0" * 64)


def test_a_number_that_json_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        Evidence(tmp_path).write({"low": float("nan")})
    assert list(tmp_path.iterdir()) == []
