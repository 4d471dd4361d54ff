"""Texts that look like personal data but are none: dates, versions, section numbers, amounts, identifiers, file names, missing spaces.

`impersonal_numbers` are removed before detection. `FalseAlarms` judges findings by their value and their context.
Standard library only: the content filter uses it too.
"""

import ipaddress
import itertools
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from robo_poet.privacy.patterns.code_names import CONTEXT, CodeNames

FILLER = "□"  # replaces each character of an impersonal number; it is neither a word character nor a separator of digits
BOOK_DIGITS = 13  # digits of the longest number of a book; a number of a payment card after the word ISBN is longer

_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:1\d|20|21)\d\d"
_DATE = "|".join(
    rf"{_YEAR}{separator}(?:{_MONTH}{separator}{_DAY}|{_DAY}{separator}{_MONTH})"
    rf"|(?:{_DAY}{separator}{_MONTH}|{_MONTH}{separator}{_DAY}){separator}{_YEAR}"
    for separator in (r"\.\ ?", "-", "/")
)
_CLOCK = r"(?:[01]?\d|2[0-4])(?:[:.h]\d\d(?:[:.]\d\d(?:[.,]\d+)?)?)?"
# Words before a number with dots that is not an address. English, German, French, Spanish, Italian, Portuguese, Dutch.
_VERSION = "version versions versión versione versão versie fassung release ver build revision rev update patch firmware kernel v".split()
_PART_OF_A_BOOK = (
    "act akt aufzug acto acte atto ato scene szene auftritt escena scène scena cena section sections sec sect abschnitt sección sezione "
    "seção sectie subsection unterabschnitt chapter ch chap kapitel kap capítulo chapitre capitolo hoofdstuk paragraph para absatz párrafo "
    "paragraphe paragrafo parágrafo article art artikel artículo articolo artigo clause ziffer part teil parte partie book "
    "buch libro livre "
    "livro boek figure fig abb abbildung figura table tabelle tabla tableau tabella appendix anhang anexo annexe step schritt paso étape "
    "verse vers verso canto rule regel regla règle regola punkt punto ponto exercise übung aufgabe ejercicio exercice theorem satz lemma "
    "equation eq gleichung"
).split()
_BOOK_NUMBER = "isbn issn ean gtin upc oclc lccn pmid arxiv".split()
_UNIT = (
    "euros? dollars? usd eur gbp chf km kg mb gb bytes inhabitants people years habitants habitantes abitanti einwohner menschen personas "
    "personnes persone ans años anni anos jahre"
).split()


def _any_of(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_SPACE = r".,'’\u00a0\u202f\ "  # separators of thousands
_IMPERSONAL = re.compile(
    rf"""
    (?<![\w.+/-])(?:{_DATE})(?:\ ?[-–]\ ?(?:{_DATE}))?(?![\d/-]|\.\d)(?:[T ,]{{1,2}}{_CLOCK}(?![\d.-])(?!\ \d))?   # a date, then a time
  | \b[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}\b                             # a UUID
  | \b(?=[0-9]*[a-f])(?=[a-f]*[0-9])(?:[0-9a-f]{{64}}|[0-9a-f]{{40}}|[0-9a-f]{{32}})\b                     # a digest
  | \b10\.\d{{4,9}}/[^\s"<>]+                                                                              # a DOI
  | (?<![\d.,])[-+]?\d{{1,3}}\.\d{{6,}}(?![\d.-])                                                          # a decimal number
  | (?<![\w.,+(-])(?:[1-9]([{_SPACE}])\d{{3}}\1\d{{3}}(?:\1\d{{3}})?|[1-9]\d([{_SPACE}])\d{{3}}\2\d{{3}})(?![\w-]|[ .]\d)   # 1 234 567
  | (?:[$€£¥]|\b(?:usd|eur|gbp|chf)\b)\ ?\d[\d.,'’\u00a0\u202f]*(?:\ \d{{3}})*(?![\d-])                    # money
  | (?<![\w.,+(-])\d{{1,3}}(?:[{_SPACE}]\d{{3}}){{1,6}}(?:,\d\d)?\ ?(?:[€%£$]|{_any_of(_UNIT)}\b)                  # an amount with a unit
""",
    re.VERBOSE | re.IGNORECASE,
)
_DOTTED = re.compile(r"(?<![\w.])v?\d{1,4}(?:\.\d{1,6})+")
_SAYS_VERSION = re.compile(rf"(?<![^\W\d_]){_any_of(_VERSION)}[.:]?\ ?$", re.IGNORECASE)
_PART = re.compile(r"[1-9]\d{0,2}(?:\.[1-9]\d?)+(?![\d.-])")
_SAYS_PART = re.compile(rf"(?<![^\W\d_])(?:{_any_of(_PART_OF_A_BOOK)}\.?|§{{1,2}})\ ?$", re.IGNORECASE)
_BOOK = re.compile(rf"(?<![^\W\d_]){_any_of(_BOOK_NUMBER)}\b(?:-1[03]\b)?[.:]?\ ?\d[\dx]*(?:[./ -][\dx]+)*", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_NUMBER_GOES_ON = re.compile(r"[+(][\d ().-]{0,12}$")  # "+49 12.10.1999": the digits before a date belong to the same number
# The years of a life or a reign: `(1694-1778)`. A local telephone number can look the same: then a word or digits before say so.
_YEARS = re.compile(r"(?<![\w.,+/-])((?:1\d|20)\d\d)\ ?[-–—]\ ?((?:1\d|20)\d\d)(?![\w/-]|[ .,]\d)")
_ALL_YEARS = re.compile(r"(?:1\d|20)\d\d(?:[ -](?:1\d|20)\d\d){2,3}")
# a.C., BC, B.C.E., AD, v. Chr., J.-C.
_ERA = r"\ ?(?:[abdnv]\.?\ ?(?:de\ ?)?(?:chr|j\.?[ -]?c|c|d)\b\.?(?:\ ?e\b\.?)?|b?ce\b)"
_ABOUT = r"(?:\b(?:born|b|ca?|circa|hacia|um|vers|né|née|geb|nacido|n)\.?\ |[*†~]\ ?)?"
_YEAR_OF_A_LIFE = rf"{_ABOUT}(?:(?:1\d|20)\d\d|\d{{1,3}})\??(?:{_ERA})?"
_LIFE = re.compile(
    rf"\(\ ?(?:{_YEAR_OF_A_LIFE}\ ?[-–—]\ ?(?:{_YEAR_OF_A_LIFE})?|{_ABOUT}(?:(?:1\d|20)\d\d\??|\d{{1,4}}{_ERA}))\ ?\)", re.IGNORECASE
)
_TELEPHONE_WORD = (
    r"tels?|tlf|tfno|tele[fp]h?on\w*|teléfono|téléphone|phone|fon|fono|fax|cel|celular|mobile?|móvil|handy|whatsapp|call|llam[ae]\w*|ruf\w*|"
    "appele[rz]|ligue|chiama|bel|ring|dial"
)
_SAYS_TELEPHONE = re.compile(rf"(?:[\d+][ ().-]{{0,3}}|\b(?:{_TELEPHONE_WORD})\b\W{{0,4}})$", re.IGNORECASE)


def impersonal_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of numbers that are no person's.

    Dates with a time, spans of years, UUIDs, digests, DOIs, decimal numbers, amounts, versions, parts of books and book numbers. A number
    of five parts or more, most of them one digit, is a version: telephone numbers have longer parts.
    """
    spans = [
        match.span() for match in _IMPERSONAL.finditer(text) if not _NUMBER_GOES_ON.search(text, max(0, match.start() - 16), match.start())
    ]
    spans += (match.span() for match in _YEARS.finditer(text) if _are_years(text, match))
    for match in _DOTTED.finditer(text):
        before = text[max(0, match.start() - 20) : match.start()]
        single = [len(part) == 1 for part in match.group().split(".")]
        is_version = _SAYS_VERSION.search(before) or match.group()[0] in "vV" or (len(single) > 4 and 2 * sum(single) > len(single))
        if is_version or (_PART.match(text, match.start()) and _SAYS_PART.search(before)):
            spans.append(match.span())
    folded = text.casefold()
    if any(word in folded for word in _BOOK_NUMBER):  # the pattern is slow, and few texts have such a number
        spans += (match.span() for match in _BOOK.finditer(text) if len(_DIGIT.findall(match.group())) <= BOOK_DIGITS)
    yield from sorted(spans)


def without_years_of_lives(text: str) -> str:
    """Return the text with hyphens for years in parentheses, such as `(1879-1955)`, `(551-479 a.C.)`, `(1947-)` and `(1918)`.

    Positions are kept. A model takes such years for the number and the post code of an address, and a name before them for its street.
    """
    return _LIFE.sub(lambda match: f"({'-' * (len(match.group()) - 2)})", text) if "(" in text else text


def _are_years(text: str, match: re.Match[str]) -> bool:
    return match[1] < match[2] and not _SAYS_TELEPHONE.search(text, max(0, match.start() - CONTEXT), match.start())


def without_impersonal_numbers(text: str) -> str:
    """Return the text with `FILLER` for each character of an impersonal number. Positions are kept."""
    return fill(text, impersonal_numbers(text)) if _DIGIT.search(text) else text


def fill(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return the text with `FILLER` in the spans, which are sorted by their start."""
    pieces, last = [], 0
    for start, end in spans:
        if end > last:
            start = max(start, last)
            pieces += [text[last:start], FILLER * (end - start)]
            last = end
    return "".join([*pieces, text[last:]]) if pieces else text


_SMALL_PART = 40  # 0.07 % of the IPv4 addresses have only parts of at most 40, but nearly all versions and section numbers do
_NAMES_AN_ADDRESS = re.compile(
    r"\b(?:ipv?[46]?|ip-\w+|host\w*|server\w*|servidor|serveur|gateway|router|proxy|client|address|adresse|dirección|indirizzo|endereço|adres|ping|"
    r"from|login|ssh|dns|inet|subnet)\b[^\n]{0,12}$|@$|//$",
    re.IGNORECASE,
)


def _no_ip_address(text: str, start: int, end: int) -> bool:
    """Judge by the value: an address that no host on the internet has, and small parts as in a version, unless the text says otherwise."""
    found = text[start:end].partition("/")[0]
    if "." in found and ":" not in found:
        if re.match(r"\.\d", text[end : end + 2]) or re.match(r"\w[.-]", text[max(0, start - 2) : start]):
            return True  # part of a longer number or a name: 1.2.3.4.5, app-1.2.3.4
        parts = [int(part) for part in found.split(".")]
        if parts[0] in (0, 127, 255) or (parts[0] > 223 and max(parts[1:]) <= _SMALL_PART):
            return True
        named = (
            found != text[start:end]
            or re.match(r":\d", text[end : end + 2])
            or _NAMES_AN_ADDRESS.search(text[max(0, start - CONTEXT) : start])
        )
        return max(parts) <= _SMALL_PART and not named
    try:
        address = ipaddress.IPv6Address(found)
    except ValueError:
        return False
    if address.ipv4_mapped is not None:
        return False
    first = int(address) >> 112
    allocated = 0x2000 <= first <= 0x3FFF or 0xFC00 <= first <= 0xFDFF or 0xFE80 <= first <= 0xFEBF  # global, private, of one link
    whole = found.count(":") == 7 and len(found) > 30  # all eight parts: nothing else looks like that
    return not (allocated or whole) or not any(map(str.isdigit, found))


def _no_mac_address(text: str, start: int, end: int) -> bool:
    """Judge by the digits: of addresses of devices, 0.4 % have no letter, but dates, lottery numbers and scores do."""
    found = text[start:end].lower()
    letters, digits = any(c in "abcdef" for c in found), any(map(str.isdigit, found))
    if set(found) <= set("0:-.") or set(found) <= set("f:-."):
        return True  # no device: empty, or all devices
    if "." in found:
        return not (letters and digits)
    return _continues(text, start, end) or ("-" in found and not letters)


def _continues(text: str, start: int, end: int) -> bool:
    """Return True if the finding is part of a longer number with hyphens, dots or colons."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return (len(before) == 2 and before[1] in "-.:/" and before[0].isalnum()) or (
        len(after) == 2 and after[0] in "-.:/" and after[1].isalnum()
    )


_GENERIC = frozenset("com org net edu gov mil info biz dev xyz online blog wiki".split())  # domains that are not words of a sentence
_REGISTERED = frozenset("com org net edu gov mil biz".split())  # no attributes of objects in code
_FILES = frozenset("md py sh rs cc ps so tf zip mov ml mk am".split())  # domains that are file extensions too
FUNCTION_WORDS = frozenset(
    # English, Spanish, French, German, Italian, Portuguese, Dutch
    "a about all am an and are as at be been but by can could did do does for from go had has have he her him his how i if in "
    "into is it its "
    "just like me mr mrs ms my no not now of off on one or our out over she so than that the their them then there they this "
    "to too up us was "
    "we were what when where which who will with would yes you your etc vs dr st "
    "al ante aquí así aún bien cada como con cual cuando de del desde donde dos e el ella ellas ellos en entre era es esa ese "
    "eso esta está "
    "este esto fue ha hasta hay la las le les lo los mas más me mi mis muy ni no nos o os otra otro para pero por porque que "
    "qué quien se ser "
    "si sí sin sobre son su sus también te tan tu tus un una uno y ya yo sr sra don doña fin "
    "à au aux avec ce ces cet cette comme dans de des du elle elles en est et eux il ils je jusque l la là le les leur lui ma "
    "mais me même mes "
    "moi mon ne nos notre nous on ou où par pas pour qu que qui sa se ses si son sont sur ta te tes toi ton tu un une va vos votre vous y "
    "aber als am an auch auf aus bei bin bis bist da das dass dem den der des die doch du ein eine einem einen einer er es "
    "euch für hat hatte "
    "ich ihm ihn ihr im in ist ja kann kein man mein mich mir mit nach nicht noch nun nur ob oder ohne sein sich sie sind so "
    "um und uns vom von "
    "vor war was wie wir wo zu zum zur bzw usw nr "
    "ad ai alla alle anche che chi ci col come con cui da dal dalla degli dei del della delle di dove e ed era fra già gli ha "
    "ho i il io la le "
    "lei li lo loro lui ma mi mio ne nei nel nella noi non o per perché però più poi quando quella quello questa questo qui se sei "
    "si sì sono su sua "
    "sul sulla suo te ti tra tu tua tuo un una uno va vi voi "
    "ao aos as até com da das de dela dele do dos e ela ele em era essa esse esta está eu foi há isso já lhe mais mas me meu "
    "minha muito na "
    "nas não nem no nos num o os ou para pela pelo por quando que quem se sem ser seu só sua também te tem um uma você "
    "aan als bij dat de den die dit door een en er geen haar het hij hoe ik in is je maar met mij mijn na naar niet nog of om "
    "onder ons ook op "
    "over te tot u uit van voor waar was wat we wie wij zal ze zich zijn zo".split()
)  # fmt: skip
_IMAGES = frozenset("png jpg jpeg gif svg webp pdf css js ts html htm txt json yaml yml csv".split())
_ADDRESS_PART = re.compile(r"[/?#:]")
_WORD = re.compile(r"(?<![\w.@/-])\w+(?![\w@/-]|\.\w)")


class FalseAlarms:
    """A judge of the findings in one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._code = CodeNames(text)

    def has(self, entity: str, start: int, end: int) -> bool:
        """Return True if the finding is not personal data.

        Args:
            entity: kind of the finding, such as URL.
        """
        if entity == "URL":
            return self._no_web_address(start, end)
        judge = _JUDGES.get(entity)
        return judge is not None and judge(self._text, start, end)

    @cached_property
    def _words(self) -> frozenset[str]:
        """The words that occur separately in the text."""
        return frozenset(_WORD.findall(self._text))

    def _no_web_address(self, start: int, end: int) -> bool:
        """Judge by the words: a missing space between two words, a file, an abbreviation, or a part of a longer name.

        An address with a scheme, `www.` or a path is one. A bare name is none if both halves are function words (`de.la`), if both occur
        separately elsewhere in the text (`casa.la`), or if it is a name in code (`google.cloud`, `tools.build`).
        """
        text = self._text
        found = text[start:end].strip("\"'")
        if found.lower().startswith(("http://", "https://", "ftp://", "www.")):
            return False
        host, *path = _ADDRESS_PART.split(found, maxsplit=1)
        labels = host.casefold().split(".")
        before, after = text[max(0, start - 1) : start], text[end : end + 1]
        if not path and (after.isalnum() or after in ("_", "(", "<")) and after:
            return True  # cut out of a longer word: `la.pe` of `la.persona`
        if not path and labels[-1] not in _REGISTERED and self._code.has_attribute(host, start, end):
            return True
        if labels[-1] in _GENERIC:
            return False
        if not path and len(labels[-1]) > 2 and self._code.has_package(host, start, end):
            return True
        if before in ("'", "’", "\\", "_", "/", ".") and before:
            return True  # a word (`don't.me`) or a path of a file
        if path and path[0]:
            return found[len(host)] == "#" and labels[-1] in _FILES  # a place in a file: `gates.md#the-unknown`
        if any(len(label) < 2 for label in labels):
            return True  # an abbreviation: `U.S.in`
        if all(label in FUNCTION_WORDS for label in labels):
            return True
        return len(labels) == 2 and (labels[-1] in _FILES or self._words.issuperset(host.split(".")))


def _counts_up(text: str, start: int, end: int) -> bool:
    """Return True if the finding counts: `1 2 3 4 5 6 7`."""
    numbers = [int(number) for number in re.findall(r"\d+", text[start:end])]
    return len(numbers) > 4 and all(later - earlier == 1 for earlier, later in itertools.pairwise(numbers))


def _are_four_years(text: str, start: int, end: int) -> bool:
    """Return True if a card number is years: `1912 1913 1914 1915`. Cards begin with other digits, or have other groups."""
    return bool(_ALL_YEARS.fullmatch(text, start, end))


def _no_email_address(text: str, start: int, end: int) -> bool:
    """Judge by the domain: a version (`react@18.2.0`), a price (`3@2.50`) or a file (`logo@2x.png`)."""
    labels = text[start:end].rpartition("@")[2].casefold().split(".")
    return labels[-1] in _IMAGES or (labels[-1].isdecimal() and not (len(labels) == 4 and all(map(str.isdecimal, labels))))


_JUDGES = {
    "CREDIT_CARD": _are_four_years,
    "EMAIL_ADDRESS": _no_email_address,
    "IP_ADDRESS": _no_ip_address,
    "MAC_ADDRESS": _no_mac_address,
    "PHONE_NUMBER": _counts_up,
    "US_SSN": _continues,
    "US_ITIN": _continues,
}
