import json

import pytest

from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.features.prompt_snapshot import LEAST_USERS, PromptSnapshot, count_passages, parse_snapshot

PROMPTS = count_passages((f"the night is long {number}", "en" if number % 2 else None) for number in range(9))
SNAPSHOT = PromptSnapshot("poems", "2026-03-01", "2026-03-02", 6, {"no_text": 3}, PROMPTS)


def test_a_snapshot_is_read_as_it_was_written() -> None:
    assert parse_snapshot(SNAPSHOT.to_text(), SNAPSHOT.digest, "s.json") == SNAPSHOT
    assert SNAPSHOT.to_text().isascii() and SNAPSHOT.prompts.bins["language"] == {"en": 4}
    assert len(SNAPSHOT.to_text()) < 3_000  # it is an argument of a step


def edited(text: str, **fields: object) -> str:
    return json.dumps(json.loads(text) | fields)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        (
            {"format": "robo-poet prompts 2"},
            "the snapshot of prompts has the format 'robo-poet prompts 2'; this release reads 'robo-poet prompts 1'",
        ),
        ({"format": None}, "the snapshot of prompts states no format"),
        ({"features": "robo-poet features 1"}, "the snapshot of prompts has the features 'robo-poet features 1'; this release reads "),
        ({"users": LEAST_USERS - 1}, f"the snapshot has prompts of {LEAST_USERS - 1} users; {LEAST_USERS} are needed"),
        ({"users": 10}, "the snapshot of prompts is damaged"),
        ({"users": "six"}, "the snapshot of prompts is damaged"),
        ({"first_day": "<b>"}, "the snapshot of prompts is damaged"),
        ({"model": 3}, "the snapshot of prompts is damaged"),
        ({"left_out": {"no_text": -1}}, "the snapshot of prompts is damaged"),
        ({"documents": 0}, "the distributions are damaged"),
        ({"distributions": {"characters": {"7": 1}}}, "the distributions are damaged"),
        ({"distributions": {"characters": {}}}, "the snapshot of prompts is damaged"),
    ],
)
def test_another_form_is_refused(fields: dict[str, object], what: str) -> None:
    text = edited(SNAPSHOT.to_text(), **fields)
    with pytest.raises(BadInput) as error:
        parse_snapshot(text, digest_bytes(text.encode()), "s.json")
    assert str(error.value).startswith(f"s.json: {what}")


def test_another_digest_is_refused() -> None:
    snapshot = SNAPSHOT
    with pytest.raises(
        BadInput, match=r"s\.json: the snapshot of prompts was changed \(digest was .{12}, is .{12}\); restore the file, or take a"
    ):
        parse_snapshot(edited(snapshot.to_text(), users=7), snapshot.digest, "s.json")
