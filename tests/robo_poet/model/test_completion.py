import math

import pytest

from robo_poet.errors import BadInput
from robo_poet.model.completion import EMPTY, PIECE_SIZES, Sampling, next_piece, without_partial_character


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", 0.0), ("temperature", 2.1), ("temperature", math.nan), ("top_k", -1), ("top_k", 101), ("top_p", 0.0), ("max_new", 0), ("max_new", 513)],
)  # fmt: skip
def test_an_option_out_of_range_is_named(name: str, value: float) -> None:
    with pytest.raises(BadInput, match=f"^{name}: .* out of range; give a value from"):
        Sampling(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("beams", [-1, 0, 2, 6])
def test_a_number_of_beams_that_is_not_1_or_3_to_5_is_refused(beams: int) -> None:
    with pytest.raises(BadInput, match=f"^beams: {beams} is out of range; give 3 to 5, or 1 to switch beam search off$"):
        Sampling(beams=beams)


@pytest.mark.parametrize("beams", [1, 3, 4, 5])
def test_three_to_five_beams_and_one_are_accepted(beams: int) -> None:
    assert Sampling(beams=beams).beams == beams


def test_the_minimum_length_is_at_most_the_maximum() -> None:
    with pytest.raises(BadInput, match="^min_new: 20 is more than max_new, 10"):
        Sampling(max_new=10, min_new=20)


@pytest.mark.parametrize("name", ["stop", "banned"])
def test_an_empty_stop_or_banned_text_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=f"^{name}: .*empty"):
        Sampling(**{name: ("rose", "")})  # type: ignore[arg-type]


def test_the_pieces_of_a_stream_add_up_to_the_limits() -> None:
    sampling, sizes = Sampling(max_new=100, min_new=30), list[int]()
    while sum(sizes) < sampling.max_new:
        piece = next_piece(sampling, len(sizes), sum(sizes))
        assert piece.min_new == min(piece.max_new, max(0, sampling.min_new - sum(sizes)))
        sizes.append(piece.max_new)
    assert sizes == [*PIECE_SIZES, 32, 12]


def test_an_incomplete_character_at_the_end_is_removed() -> None:
    assert without_partial_character("rose\ufffd\ufffd") == without_partial_character("rose") == "rose"
    assert without_partial_character(EMPTY.text) == ""
