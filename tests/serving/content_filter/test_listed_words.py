"""Words of the list in all their dress. The list is read, so that no word of it stands here."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.content_filter.listed_words import WordJudge, joined_letters, spellings, split_chunk, without_repetitions
from serving.content_filter.lookalikes import LOOKALIKES
from serving.content_filter.passage import Passage
from serving.content_filter.word_list import LIST_FOLDER, WordEntry, at_least, parse_entry, read_list


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ("rose", ["rose"]), ("rose,", ["rose"]), ("“rose”", ["rose"]), ("r.o-s_e", ["r", "o", "s", "e"]), ("he'll", ["he", "ll"]), ("r0$e!", ["r0$e!"]), ("—", []), ("", []),
    ],
)  # fmt: skip
def test_a_chunk_is_split_into_words(chunk: str, words: list[str]) -> None:
    assert split_chunk(chunk) == words


@pytest.mark.parametrize(
    ("piece", "meant"),
    [("rose", "rose"), ("r0s3", "rose"), ("ro$e", "rose"), ("rose!!", "rose"), ("l1ly", "lily"), ("1ily", "lily"), ("!ris", "iris"), ("v!olet", "violet"), ("|ily", "lily")],
)  # fmt: skip
def test_digits_and_symbols_are_read_as_letters(piece: str, meant: str) -> None:
    assert meant in spellings(piece)


@pytest.mark.parametrize("number", ["455", "1603", "5"])
def test_a_number_is_not_read_as_letters(number: str) -> None:
    assert spellings(number) == (number,)


@pytest.mark.parametrize(
    ("word", "meant"), [("rooose", "rose"), ("sweeeet", "sweet"), ("rrrrooossse", "rose"), ("bellllll", "bell"), ("aaaaah", "ah")]
)
def test_repeated_letters_are_shortened(word: str, meant: str) -> None:
    assert meant in list(without_repetitions(word))


def test_a_word_without_repeated_letters_has_no_shorter_spelling() -> None:
    assert list(without_repetitions("assassin")) == []


@given(st.text("abc", max_size=500))
def test_a_word_has_at_most_16_shorter_spellings(word: str) -> None:
    assert len(list(without_repetitions(word))) <= 16


def test_runs_of_single_letters_are_joined() -> None:
    assert list(joined_letters("see r o s e and a b then x y z".split())) == ["rose", "xyz"]


ENTRIES = at_least(read_list(LIST_FOLDER / "english.txt"), "strong")
SINGLE = [entry for entry in ENTRIES if " " not in entry.word]
OURS = WordJudge(ENTRIES)
TOY = WordJudge(
    [parse_entry(word, "strong", "flower", "here") for word in ("rose", "tulip*", "*thistle*", "ground_elder", "sweet")],
    allowed=["tulipwood"],
)
LEET = {"a": "4@", "b": "8", "e": "3", "g": "69", "i": "1!|", "l": "1|", "o": "0", "s": "5$", "t": "7+"}
ALIKE = {letter: [sign for sign, of in LOOKALIKES.items() if of == letter] for letter in "abcdefghijklmnopqrstuvwxyz"}


def found(words: WordJudge, text: str, before: str = "") -> str:
    hit = words.find(Passage(text, before), "prompt")
    return hit.category if hit else ""


Dress = Callable[[str, st.DataObject], str]


def case(word: str, data: st.DataObject) -> str:
    return "".join(data.draw(st.sampled_from([sign, sign.upper()])) for sign in word)


def accents(word: str, data: st.DataObject) -> str:
    marked = "".join(sign + data.draw(st.text("\u0301\u0308\u0327\u030a", max_size=2)) for sign in word)
    return data.draw(st.sampled_from([marked, unicodedata.normalize("NFC", marked)]))


def look_alikes(word: str, data: st.DataObject) -> str:
    return "".join(data.draw(st.sampled_from([sign, *ALIKE.get(sign, [])])) for sign in word)


def full_width(word: str, _data: st.DataObject) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in word)


def invisible(word: str, data: st.DataObject) -> str:
    return "".join(sign + data.draw(st.sampled_from(["", "\u200b", "\u00ad", "\u2060"])) for sign in word)


def leet(word: str, data: st.DataObject) -> str:
    """Signs for letters; one letter stays, or it would be a number. A word has one meaning of 1, ! and |."""
    kept = data.draw(st.integers(0, len(word) - 1))
    one = data.draw(st.sampled_from("il"))
    table = {letter: signs if letter not in "il" or letter == one else "" for letter, signs in LEET.items()}
    dressed = "".join(
        sign if place == kept else data.draw(st.sampled_from([sign, *table.get(sign, "")])) for place, sign in enumerate(word)
    )
    # A sign at the end of a word is punctuation.
    return dressed if dressed[-1] not in "!|+" else dressed[:-1] + word[-1]


def spaces(word: str, data: st.DataObject) -> str:
    return data.draw(st.sampled_from([" ", ".", "-", "_", "  ", " . "])).join(word)


def drawn_out(word: str, data: st.DataObject) -> str:
    place = data.draw(st.integers(0, len(word) - 1))
    return word[:place] + word[place] * data.draw(st.integers(3, 9)) + word[place + 1 :]


def masked(word: str, data: st.DataObject) -> str:
    return word[0] + "".join(data.draw(st.sampled_from([sign, "*"])) for sign in word[1:-1]) + word[-1]


LETTERS = "abcdefghijklmnopqrstuvwxyz"
CHEROKEE = str.maketrans(LETTERS, "ᎪᏴᏟᎠᎬfᏀᎻᎥᎫᏦᏞᎷᏁᎧᏢqᎡᏚᎢᏬᏙᎳxᎽᏃ")
LISU = str.maketrans(LETTERS, "ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑqꓣꓢꓔꓴꓦꓪꓫꓬꓜ")
UPSIDE_DOWN = str.maketrans(LETTERS, "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz")


def other_alphabet(word: str, data: st.DataObject) -> str:
    return word.translate(data.draw(st.sampled_from([CHEROKEE, LISU])))


def upside_down(word: str, _data: st.DataObject) -> str:
    return word.translate(UPSIDE_DOWN)[::-1]


def backwards(word: str, data: st.DataObject) -> str:
    return data.draw(st.sampled_from(["", "\u202e"])) + word[::-1]


@pytest.mark.parametrize(
    "dress",
    [case, accents, look_alikes, full_width, invisible, leet, spaces, drawn_out, masked, other_alphabet, upside_down, backwards],
)
@given(entry=st.sampled_from(SINGLE), data=st.data())
def test_a_disguised_word_is_found(dress: Dress, entry: WordEntry, data: st.DataObject) -> None:
    assert found(OURS, f"the moon, {dress(entry.word, data)}, and the stars"), dress(entry.word, data)


@given(
    entry=st.sampled_from(ENTRIES),
    data=st.data(),
    dresses=st.lists(st.sampled_from([accents, look_alikes, invisible, full_width]), max_size=3),
)
def test_a_word_with_several_disguises_is_found(entry: WordEntry, data: st.DataObject, dresses: list[Dress]) -> None:
    text = case(entry.word, data)
    for dress in dresses:
        text = dress(text, data)
    assert found(OURS, text)


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("a ro se", True), ("ros e", True), ("ro\nse", True), ("r0 se", True), ("pro se", False), ("ro sette", False), ("'ro se", False), ("it's ro se", True),
        ("ǝsoɹ", True), ("ǝsoɹd", False), ("esor", True), ("esorp", False), ("srǝʍolɟ ǝɥʇ", False), ("eht esor dna", True),
    ],
)  # fmt: skip
def test_a_split_reversed_or_turned_word_matches(text: str, hit: bool) -> None:
    assert bool(found(TOY, text)) == hit


@pytest.mark.parametrize(
    "text", ["so pale and wan king", "a deep throat", "the Model S hits the road", "a wet back", "it's hit or miss", "push it"]
)
def test_ordinary_words_are_not_joined(text: str) -> None:
    assert not found(OURS, text)


@pytest.mark.parametrize("entry", ENTRIES, ids=range(len(ENTRIES)))
def test_each_entry_is_found_plain_and_with_spaced_letters(entry: WordEntry) -> None:
    assert found(OURS, entry.word.upper()) and found(OURS, " ".join(entry.word.replace(" ", "")))


@pytest.mark.parametrize(
    "text",
    [
        "Scunthorpe", "Penistone and Clitheroe", "assassin", "classic assessment of the passage", "cockerel", "the cock crew", "an ass and a bastard", "Essex, Sussex, Middlesex",
        "snigger", "niggardly", "shiitake mushrooms", "Matsushita", "Dick Turpin", "he'll", "shell", "it's hit or miss", "raccoon", "Pakistan", "despicable, suspicious", "therapist",
        "a b c d e f", "4 5 5", "the year 1455", "rape seed oil", "Nigeria, Nigeriaaaa", "titillate", "I thought it best", "mass hit",
    ],
)  # fmt: skip
def test_a_similar_word_passes(text: str) -> None:
    assert not found(OURS, text)


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("a rose.", True), ("roses", False), ("prose", False), ("tulips", True), ("(tulip)", True), ("tulipwood", False), ("thistledown", True), ("the overthistled field", True),
        ("ground elder", True), ("ground\nelder", True), ("ground, elder", True), ("ground the elder", False), ("gr0und 3lder", True), ("underground elders", False),
        ("r o s e", True), ("a r.o.s.e", True), ("ro-se", True), ("ro'se", False), ("swweet", False), ("sweeeet", True), ("s***t", True), ("s**t", False), ("r**d", False), ("***", False),
    ],
)  # fmt: skip
def test_each_form_of_an_entry_matches(text: str, hit: bool) -> None:
    assert bool(found(TOY, text)) == hit


@pytest.mark.parametrize(
    ("before", "text", "hit"),
    [
        ("a ro", "se by", True),
        ("a ro ", "se by", False),
        ("a ro", " se by", False),
        ("a rose", " by", False),
        ("x" * 500 + " ro", "se", True),
    ],
)
def test_a_word_that_starts_in_the_prompt_is_checked_whole_and_prompt_words_are_not(before: str, text: str, hit: bool) -> None:
    assert bool(found(TOY, text, before)) == hit
