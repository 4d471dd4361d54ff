import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.content_filter.check_digits import iban, luhn


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009", "79927398713"])
def test_numbers_of_cards_hold(number: str) -> None:
    assert luhn(number)


@pytest.mark.parametrize("number", ["4111 1111 1111 1112", "0000000000000000", "1", ""])
def test_other_numbers_do_not(number: str) -> None:
    assert not luhn(number)


@given(st.text("0123456789", min_size=12, max_size=18).filter(lambda digits: len(set(digits)) > 1), st.data())
def test_one_wrong_digit_is_always_seen(digits: str, data: st.DataObject) -> None:
    right = next(digits + last for last in "0123456789" if luhn(digits + last))
    place = data.draw(st.integers(0, len(right) - 1))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != right[place]]))
    assert not luhn(right[:place] + wrong + right[place + 1 :])


@pytest.mark.parametrize("number", ["GB82 WEST 1234 5698 7654 32", "de89370400440532013000", "NO93 8601 1117 947"])
def test_account_numbers_hold(number: str) -> None:
    assert iban(number)


@pytest.mark.parametrize("number", ["GB82 WEST 1234 5698 7654 33", "de89", "gb82 wes² 1234 5698 7654 32", ""])
def test_other_words_with_digits_do_not(number: str) -> None:
    assert not iban(number)
