"""The content rules, the functions that confirm a match, and the judge that checks the rules in order."""

import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from robo_poet.errors import BadInput
from serving.content_filter.decision import Hit, Side
from serving.content_filter.passage import Passage


def has_luhn_digit(number: str) -> bool:
    """Return True if the check digit of a payment card number is right (ISO/IEC 7812-1). Other characters are skipped."""
    digits = [int(character) for character in number if "0" <= character <= "9"]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(number: str) -> bool:
    """Return True if the check digits of an IBAN are right (ISO 13616: the number modulo 97 is 1). Spaces are skipped."""
    compact = "".join(number.split()).lower()
    try:
        return 15 <= len(compact) <= 34 and int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1
    except ValueError:
        return False


FLOOD_MIN_LENGTH = 240  # shorter texts, in characters, are never a flood
FLOOD_MAX_RATIO = 0.08  # compressed size / size; the most repetitive 2,000 characters of the bundled corpora compress to 38 %


def is_flood(text: str) -> bool:
    """Return True if `text` compresses to less than 8 % of its size: the text repeats itself. Takes linear time."""
    if len(text) < FLOOD_MIN_LENGTH:
        return False
    data = text.encode("utf-8", "surrogatepass")
    return len(zlib.compress(data, 1)) < FLOOD_MAX_RATIO * len(data)


@dataclass(frozen=True, slots=True)
class Rule:
    """A named pattern.

    Attributes:
        name: unique name, part of `Hit.rule`.
        category: kind of text, such as `personal_data`.
        sides: sides on which the rule applies.
        pattern: the regular expression. It must run in linear time, so it has no nested repetition.
        reads: `text` for the original text, `folded` for the folded text, `numbers` for the folded text without numbers that are no
            person's, such as dates and versions.
        needs: a cheap test before the pattern: the folded text must contain one of these strings. Empty: no test.
        confirm: a second test for each match of the pattern, such as a check digit.
    """

    name: str
    category: str
    sides: tuple[Side, ...]
    pattern: re.Pattern[str]
    reads: Literal["text", "folded", "numbers"] = "folded"
    needs: tuple[str, ...] = ()
    confirm: Callable[[str], bool] | None = None

    def matches(self, passage: Passage) -> bool:
        """Return True if the rule matches."""
        if self.needs and not any(needed in passage.folded for needed in self.needs):
            return False
        text: str = getattr(passage, self.reads)
        return any(self.confirm is None or self.confirm(match.group()) for match in self.pattern.finditer(text))


_BOTH: tuple[Side, ...] = ("prompt", "completion")
_WHO = r"(?:of|for|belonging|from|does|do|did|is|are|was)"
RULES = (
    Rule(
        "payment_card", "personal_data", _BOTH, reads="numbers",
        pattern=re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])"), confirm=has_luhn_digit,
    ),
    Rule("iban", "personal_data", _BOTH, re.compile(r"\b[a-z]{2}\d\d ?(?:[a-z\d]{4} ?){2,7}[a-z\d]{1,4}\b"), confirm=is_iban),
    Rule(
        "us_social_security", "personal_data", _BOTH, reads="numbers",
        pattern=re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\d-])"), needs=("-",),
    ),
    Rule("email_address", "personal_data", ("completion",), re.compile(r"[a-z\d]@[a-z\d-]{1,63}\.[a-z]{2}"), needs=("@",)),
    Rule(
        "telephone_number", "personal_data", ("completion",), reads="numbers",
        pattern=re.compile(r"(?<![\d.,-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\d.,-])"),
    ),
    Rule(
        "personal_data_request", "personal_data", ("prompt",),
        re.compile(
            r"\b(?:social security|credit card|debit card|bank account|passport|phone|telephone|mobile)\s(?:number|details)\s" + _WHO
            + r"\b|\b(?:home|private|personal|street|e-?mail)\saddress\s(?:of|for|belonging)\b"
        ),
        needs=("number", "details", "address"),
    ),
    Rule("private_key", "secret", _BOTH, re.compile(r"-----begin [a-z ]{0,24}private key-----"), needs=("private key",)),
    Rule(
        "access_token", "secret", _BOTH, reads="text",
        pattern=re.compile(r"\b(?:AKIA[A-Z\d]{16}|gh[pousr]_[A-Za-z\d]{36}|AIza[\w-]{35}|xox[abpr]-[\w-]{10}|eyJ[\w-]{10,200}\.eyJ[\w-]{10})"),
    ),
    Rule(
        "markup", "markup", ("completion",),
        re.compile(r"<\s{0,4}/?(?:script|iframe|object|embed|svg|img|form|meta|link)\b"), needs=("<",),
    ),
    Rule(
        "script_address", "markup", ("completion",),
        re.compile(r"\b(?:javascript|vbscript|data:text/html)\s{0,4}[:;,]"), needs=("script", "data:"),
    ),
    Rule(
        "instruction_override", "abuse", ("prompt",),
        re.compile(
            r"\b(?:ignore|disregard|forget|override)\s(?:all\s|any\s|the\s|your\s){0,3}(?:previous|prior|above|earlier|system)\s"
            r"(?:instructions?|prompts?|rules?|messages?)\b"
        ),
        needs=("instruction", "prompt", "rule", "message"),
    ),
    Rule("repeated_character", "abuse", _BOTH, re.compile(r"([^\s.\-_=*])\1{39}"), reads="text"),
    Rule("repeated_word", "abuse", _BOTH, re.compile(r"(?<![^\W_])([^\W_]{1,24})(?:[\W_]{1,3}\1(?![^\W_])){15}")),
    Rule("flood", "abuse", ("prompt",), re.compile(r"\A(?s:.+)"), confirm=is_flood),
    Rule(
        "hidden_text", "abuse", ("prompt",), reads="text",
        pattern=re.compile("[\U000e0020-\U000e007e]{6}|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]{12}"),
    ),
    Rule(
        "stacked_marks", "abuse", ("prompt",), reads="text",
        pattern=re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{8}"),
    ),
    Rule(
        "weapon_recipe", "dangerous", ("prompt",),
        re.compile(
            r"\bhow\s(?:to|do\si|can\si|could\si|would\si)\s(?:make|build|cook|create|synthesi[sz]e)\s(?:a\s|an\s|some\s)?"
            r"(?:pipe\s|nail\s|dirty\s|home-?made\s)?(?:bombs?|explosives?|nerve\sgas|nerve\sagents?|ricin|sarin|meth|napalm)\b"
        ),
        needs=("how",),
    ),
)  # fmt: skip


_VALUES = [rule for rule in RULES if rule.name in ("payment_card", "iban", "us_social_security", "private_key", "access_token")]
VALUE_RULES = frozenset(f"rules.{rule.name}" for rule in _VALUES)  # as in `Hit.rule`


def has_private_value(text: str) -> bool:
    """Return True if a text contains a card number, an account number or a secret.

    The request log leaves out such a text. Folding finds more spellings than the patterns that scrub the log, for example digits in full
    width and an IBAN in lower case. This takes 0.1 ms for 500 characters, and 2 ms if they have many numbers.
    """
    passage = Passage(text)
    return any(rule.matches(passage) for rule in _VALUES)


class RuleJudge:
    """A judge that checks all rules except those named in `off`.

    Raises:
        BadInput: `off` contains an unknown rule.
    """

    def __init__(self, off: Iterable[str] = ()) -> None:
        left_out = set(off)
        unknown = left_out - {rule.name for rule in RULES}
        if unknown:
            raise BadInput(
                f"unknown rule {', '.join(sorted(unknown))}",
                where="content_filter.rules_off",
                remedy=f"choose from {', '.join(rule.name for rule in RULES)}",
            )
        kept = [rule for rule in RULES if rule.name not in left_out]
        self._rules: dict[Side, list[Rule]] = {side: [rule for rule in kept if side in rule.sides] for side in _BOTH}

    def find(self, passage: Passage, side: Side) -> Hit | None:
        """Return a hit for the first rule that matches, or None."""
        for rule in self._rules[side]:
            if rule.matches(passage):
                return Hit(f"rules.{rule.name}", rule.category)
        return None
