import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import GENESIS, Corrupt, Entry, Statement, canonical

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
words = st.text(min_size=1).filter(str.strip)
statements = st.builds(Statement, words, words, st.integers(0, 99), words, words, st.dictionaries(st.text(), values, max_size=3))
signatures = st.lists(st.dictionaries(st.text(), values, max_size=2), max_size=2).map(tuple)
entries = st.builds(Entry, st.integers(1, 999), st.just(GENESIS), statements, signatures)
EXAMPLE = Entry(1, GENESIS, Statement("poems", "archive", 1, "ada", "too old", {"note": "ä"}, nonce="n", time="t"))


@given(entries)
def test_an_entry_is_read_back(entry: Entry) -> None:
    assert Entry.from_bytes(entry.to_bytes(), "here") == entry


@given(st.data())
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    raw = bytearray(EXAMPLE.to_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Corrupt, match=r"log/00000001\.json: the log entry was changed after it was written"):
        Entry.from_bytes(bytes(raw), "log/00000001.json")


@given(st.binary() | values.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_no_entry(data: bytes) -> None:
    with pytest.raises(Corrupt):
        Entry.from_bytes(data, "here")


def _signed(**changes: Any) -> bytes:
    """A forged entry with the right checksum."""
    fields = {"model": "poems", "action": "archive", "version": 1, "who": "ada", "why": "old", "details": {}, **changes}
    return Entry(fields.pop("index", 1), GENESIS, Statement(**fields)).to_bytes()


@pytest.mark.parametrize(
    "change", [{"version": "1"}, {"version": True}, {"index": 1.0}, {"action": 3}, {"model": 3}, {"details": []}, {"why": ["x"]}]
)
def test_a_field_of_another_type_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Corrupt):
        Entry.from_bytes(_signed(**change), "here")


@pytest.mark.parametrize("change", [{"who": ""}, {"why": " "}])
def test_an_empty_who_or_why_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="is empty"):
        Statement(**{"model": "poems", "action": "promote", "version": 1, "who": "ada", "why": "better", **change})  # type: ignore[arg-type]


def test_canonical_does_not_depend_on_the_order_of_keys_or_their_type() -> None:
    assert canonical({10: 1, 2: 2}) == canonical({"2": 2, "10": 1})


def test_the_checksum_does_not_cover_signatures() -> None:
    """A signer signs the checksum, so it must not change when the signature is added."""
    signed = Entry(EXAMPLE.index, EXAMPLE.previous, EXAMPLE.statement, ({"key": "k", "signature": "s"},))
    assert json.loads(signed.to_bytes())["sha256"] == json.loads(EXAMPLE.to_bytes())["sha256"]
    assert json.loads(EXAMPLE.to_bytes())["form"] == 2
