from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.generation.conversation import LEAST_CONTEXT, Conversation, Turn, context_room, fitting_end
from robo_poet.errors import BadInput
from robo_poet.model.completion import MAX_LENGTH

PIECE = st.text(alphabet="ab \né", max_size=12)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Any that a person can come to."""
    now = Conversation()
    for step in draw(st.lists(st.sampled_from(["say", "again", "reset", "undo"]), max_size=8)):
        if step == "say":
            now = now.with_turn(Turn(now.addition(draw(PIECE)), draw(PIECE), 1))
        elif step == "again" and now.turns:
            now = now.with_answer(draw(PIECE), 2)
        elif step == "reset":
            now = now.reset()
        elif step == "undo" and now.previous:
            now = now.undo()
    return now


@given(conversations(), PIECE, PIECE)
def test_every_change_is_undone(before: Conversation, line: str, written: str) -> None:
    said = before.with_turn(Turn(before.addition(line), written, 1))
    assert said.undo() is before
    assert said.with_answer("another", 2).undo() is said
    assert said.reset().undo() is said
    assert before.reset().turns == ()


@given(conversations(), PIECE, PIECE, PIECE)
def test_the_text_is_typed_and_generated_text_in_turns(before: Conversation, line: str, written: str, anew: str) -> None:
    prompt = before.text + before.addition(line)
    said = before.with_turn(Turn(before.addition(line), written, 1))
    assert said.text == prompt + written
    assert said.without_answer() == prompt
    assert said.with_answer(anew, 2).text == prompt + anew
    if line:
        assert prompt.endswith(line)
        assert prompt == line or not before.text or prompt[: -len(line)].endswith("\n")
    else:
        assert prompt == before.text


def test_an_empty_text_has_nothing_to_undo() -> None:
    empty = Conversation()
    for change in (empty.last_turn, empty.without_answer, lambda: empty.with_answer("x", 1)):
        with pytest.raises(BadInput, match="there is no text yet"):
            change()
    with pytest.raises(BadInput, match="nothing to undo"):
        empty.reset().undo()


def letters(text: str) -> int:
    return len(text.encode())


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize("count", [letters, words])
@given(text=st.text(alphabet="abé \n", max_size=80), room=st.integers(2, 40))
def test_the_context_fits_and_ends_with_the_latest(count: Callable[[str], int], text: str, room: int) -> None:
    kept = fitting_end(text, room, count)
    assert count(kept) <= room
    assert text.endswith(kept)
    assert kept or not text
    if count(text) <= room:
        assert kept == text


@pytest.mark.parametrize(
    ("text", "room", "kept"),
    [
        ("one\ntwo\nthree\nfour", 12, "three\nfour"),
        ("one\n\n\ntwo", 5, "two"),
        ("a line of words that is longer than the room", 15, "than the room"),
        ("early lines\nand then a very long last line", 12, "last line"),
        ("Donaudampfschifffahrt", 5, "fahrt"),
        ("all\nof it", 9, "all\nof it"),
    ],
)
def test_it_is_cut_at_a_line_or_a_word(text: str, room: int, kept: str) -> None:
    assert fitting_end(text, room, letters) == kept


@given(st.integers(1, MAX_LENGTH))
def test_the_context_leaves_room_for_the_continuation(most: int) -> None:
    room = context_room(most)
    assert LEAST_CONTEXT <= room <= MAX_LENGTH - 2
    assert 1 + room + most <= MAX_LENGTH or room == LEAST_CONTEXT
