from serving.content_filter.lookalikes import LOOKALIKES, TURNED, TURNED_LETTERS
from serving.content_filter.passage import fold


def test_every_look_alike_becomes_its_letter() -> None:
    for sign, letter in LOOKALIKES.items():
        assert not sign.isascii() and letter.isascii() and (letter.islower() or letter == "|"), sign
        assert fold(sign) == letter, sign


def test_turned_letters_become_plain_letters() -> None:
    for sign in TURNED_LETTERS:
        assert not sign.isascii() and TURNED[ord(sign)].isascii(), sign
    assert "ʇɥƃᴉu ǝɥʇ".translate(TURNED)[::-1] == "the night"
