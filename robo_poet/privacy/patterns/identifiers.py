"""Identifiers with check digits, keys, dates of birth and handles that Presidio's recognisers miss or accept only in one spelling.

An identifier with the right check digits counts anywhere. Without them it counts after a word that names it, because a mistyped number is
private too.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from robo_poet.privacy.findings import Finding

CONTEXT = 45  # characters before an identifier that may name it
SURE, LIKELY = 1.0, 0.6  # score with check digits or an unmistakable form; score by context
Check = Callable[[str], bool]
_SEPARATOR = r"[ .\u00a0/-]"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for one kind of identifier.

    Args:
        pattern: its form. Group `value`, if there is one, is the identifier.
        check: returns True for valid check digits. None: the form is enough.
        named: a word that names the identifier. Without valid check digits, the identifier counts only near it.
    """

    entity: str
    name: str
    pattern: re.Pattern[str]
    check: Check | None = None
    named: re.Pattern[str] | None = None

    def find(self, text: str) -> Iterator[Finding]:
        """Yield the findings in a text."""
        for match in self.pattern.finditer(text):
            start, end = match.span("value" if "value" in self.pattern.groupindex else 0)
            if (self.check is None and self.named is None) or (self.check is not None and self.check(text[start:end])):
                score = SURE
            elif self.named is not None and self.named.search(text, max(0, start - CONTEXT), start):
                score = LIKELY
            else:
                continue
            yield Finding(self.entity, start, end, score, self.name)


def digits_of(text: str) -> list[int]:
    """Return the digits of a text."""
    return [int(character) for character in text if character in "0123456789"]


_ISSUER = re.compile(
    r"4\d{12,18}$|5[0-8]\d{10,17}$|6\d{11,18}$|3[0-9]\d{12,17}$|(?:2131|1800)\d{11}$|2[2-7]\d{14}$"
)  # first digits and length


def luhn(text: str) -> bool:
    """Return True for a payment card: an issuer's first digits, 12 to 19 digits, and a check digit by Luhn (ISO/IEC 7812)."""
    digits = digits_of(text)
    if len(set(digits)) < 2 or not _ISSUER.match("".join(map(str, digits))):
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


# Length of an IBAN by country (SWIFT registry).
_IBAN = dict(
    re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27"
        "GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24"
        "PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30",
    )
)


def iban(text: str) -> bool:
    """Return True for an IBAN with the length of its country and check digits by ISO 7064 MOD 97-10."""
    compact = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    if _IBAN.get(compact[:2]) != str(len(compact)):
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


_IBAN_START = re.compile(rf"\b[A-Z]{{2}}{_SEPARATOR}?\d\d(?:{_SEPARATOR}{{0,2}}[A-Z0-9]){{11,30}}", re.IGNORECASE)
_SAYS_IBAN = re.compile(r"iban", re.IGNORECASE)


def find_ibans(text: str) -> Iterator[Finding]:
    """Yield the IBANs: the characters after the two letters, as many as the country's length."""
    for match in _IBAN_START.finditer(text):
        length = int(_IBAN.get(match.group()[:2].upper(), 0))
        end = match.start()
        while length and end < match.end():
            length -= text[end].isalnum()
            end += 1
        if length or text[end : end + 1].isalnum() or end == match.start():
            continue
        valid = iban(text[match.start() : end])
        if valid or _SAYS_IBAN.search(text, max(0, match.start() - CONTEXT), match.start()):
            yield Finding("IBAN_CODE", match.start(), end, SURE if valid else LIKELY, "Iban")


def dni(text: str) -> bool:
    """Return True for a Spanish DNI or NIE with its check letter."""
    compact = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    number = compact[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdecimal() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == compact[-1]


def insee(text: str) -> bool:
    """Return True for a French social security number of 15 characters with its key."""
    compact = re.sub(r"[^0-9ABab]", "", text).upper()
    if len(compact) != 15:
        return False
    number = int(compact[:13].replace("A", "0").replace("B", "0"))
    number -= 1_000_000 * ("A" in compact) + 2_000_000 * ("B" in compact)
    return 97 - number % 97 == int(compact[13:])


def steuer_id(text: str) -> bool:
    """Return True for a German tax identification number: 11 digits, one digit repeated, check digit by ISO 7064 MOD 11,10."""
    digits = digits_of(text)
    if len(digits) != 11 or digits[0] == 0 or not 8 <= len(set(digits[:10])) <= 9:
        return False
    product = 10
    for digit in digits[:10]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == digits[10]


def nhs(text: str) -> bool:
    """Return True for a British NHS number with its check digit (modulus 11)."""
    digits = digits_of(text)
    return len(digits) == 10 and (11 - sum(digit * (10 - place) for place, digit in enumerate(digits[:9])) % 11) % 11 == digits[9]


def _any(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W\d_])(?:{words})(?![^\W\d_])", re.IGNORECASE)


_CARD = _any(r"cards?|visa|mastercard|amex|american express|credit|debit|tarjetas?|cartes?|(?:kredit)?karten?|cvv|cvc")
_S = rf"{_SEPARATOR}{{0,2}}"
_ID_WORD = (
    r"ssn|social security(?: number| no\.?)?|itin|tax(?:payer)? id(?:entification)?(?: number| no\.?)?|"
    r"ni(?: number| no\.?)|nino|national insurance(?: number| no\.?)?|"
    r"national id(?: number| card)?|id(?:entity)? card(?: number)?|id(?: number| no\.?| nr\.?)?|"
    r"passport(?: number| no\.?)?|driv(?:er|ing)[’']?s?(?: |-)?licen[cs]e(?: number| no\.?)?|"
    r"licen[cs]e (?:number|no\.?)|nhs(?: number| no\.?)?|account(?: number| no\.?)|routing(?: number|"
    r" no\.?)|"
    r"sort code|medicare(?: number)?|dni|nie|nif|n\.?i\.?f\.?|pasaporte|carn[eé] de conducir|"
    r"permiso de conducir|seguridad social|cuenta(?: bancaria| corriente)?|"
    r"insee|nir|s[ée]curit[ée] sociale|passeport|carte d[’']identit[ée]|permis de conduire|num[ée]ro fiscal|compte|"
    r"steuer-?(?:id|identifikationsnummer|nummer)|idnr\.?|sozialversicherungsnummer|"
    r"rentenversicherungsnummer|svnr|reisepass(?:nummer)?|(?:personal)?ausweis(?:nummer)?|"
    r"f[üu]hrerschein(?:nummer)?|kontonummer"
)
_ID_VALUE = r"(?=[A-Z0-9 .\-/]{0,24}\d)(?=(?:[ .\-/]?[A-Z0-9]){6})[A-Z0-9](?:[ .\-/]?[A-Z0-9]){5,21}"
_NAMED_ID = re.compile(
    rf"(?<![^\W\d_])(?i:{_ID_WORD})(?![^\W\d_])(?i:[ \t]*(?:is|es|est|ist|war|was|number|no|nr|n[º°]|num|"
    rf"numéro|número|nummer|:|#|=|\.|,|\(|\))){{0,3}}[ \t]*"
    rf"(?P<value>{_ID_VALUE})(?![\w])"
)
_DIGIT_RULES = (
    Rule("CREDIT_CARD", "CardNumber", re.compile(r"(?<![\w.-])[1-6](?:[ .\u00a0/-]{0,3}\d){11,18}(?![\w]|[.-]\d)"), luhn, _CARD),
    Rule("US_SSN", "UsSsn", re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}(?![\w-])")),
    Rule("UK_NINO", "UkNino", re.compile(r"(?<![\w-])[A-Z]{2}[ -]?\d\d[ -]?\d\d[ -]?\d\d[ -]?[A-Z](?![\w-])")),
    Rule("UK_NHS", "UkNhs", re.compile(r"(?<![\w-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w-])"), None, _any("nhs")),
    Rule(
        "ES_NIF",
        "EsNif",
        re.compile(
            rf"(?<![\w-])(?:\d{{1,2}}\.?\d{{3}}\.?\d{{3}}|[XYZxyz]{_SEPARATOR}?\d{{7}}"
            rf"){_SEPARATOR}?[A-Za-z](?![\w-])"
        ),
        dni,
        _any("dni|nie|nif|documento|identidad"),
    ),
    Rule(
        "FR_INSEE",
        "FrInsee",
        re.compile(rf"(?<![\w-])[1-478]{_S}\d\d{_S}\d\d{_S}(?:\d\d|2[ABab]){_S}\d{{3}}{_S}\d{{3}}(?:{_S}\d\d)?(?![\w-])"),
        insee,
        _any("insee|nir|sociale|sécu"),
    ),
    Rule(
        "DE_TAX_ID",
        "DeTaxId",
        re.compile(rf"(?<![\w-])[1-9](?:{_S}\d){{10}}(?![\w-])"),
        steuer_id,
        _any(r"steuer\w*|idnr|identifikationsnummer|[\w-]*steuer-?id(?:entifikationsnummer)?"),
    ),
    Rule(
        "DE_SOCIAL_SECURITY",
        "DeSocialSecurity",
        re.compile(r"(?<![\w-])\d\d ?(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d ?[A-Z] ?\d{3}(?![\w-])"),
    ),
    Rule("NATIONAL_ID", "NamedId", _NAMED_ID),
)

# Names of months in English, Spanish, French and German, with abbreviations.
_MONTH = (
    r"(?:jan(?:uary|uar|vier|\.)?|feb(?:ruary|ruar|rero|\.)?|f[ée]vr(?:ier|\.)?|mar(?:ch|zo|s|\.)?|"
    r"m[äa]rz|apr(?:il|\.)?|abr(?:il|\.)?|avr(?:il|\.)?|ma[iy]o?|"
    r"june?|juin|juni?o?|jul[yi]?o?|juil(?:let|\.)?|aug(?:ust|\.)?|ago(?:sto|\.)?|ao[ûu]t|sep(?:t(?:ember|"
    r"iembre|embre|\.)?|\.)?|setiembre|o[ck]t(?:ober|ubre|obre|\.)?|"
    r"nov(?:ember|iembre|embre|\.)?|d[ei][cz](?:ember|iembre|\.)?|d[ée]c(?:embre|\.)?|enero|ene\.)"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|º|\.)?"
_DATE = (
    rf"(?:(?:1[89]|20)\d\d[-/. ]\d{{1,2}}[-/. ]\d{{1,2}}|\d{{1,2}}[ ]?[-/.][ ]?\d{{1,2}}[ ]?[-/.][ ]?(?:(?:1[89]|20)\d\d|\d\d)(?!\d)"
    rf"|(?:the )?{_DAY}(?: (?:of|de|d[’']))?[ -]{_MONTH}(?:,?(?: de| del)?[ -](?:(?:1[89]|20)\d\d|"
    rf"[’']?\d\d))?(?!\w)|{_MONTH} {_DAY}(?:,? (?:(?:1[89]|20)\d\d|[’']\d\d))?(?!\w))"
)
_BORN = (
    r"born|birth(?:day|date|s)?|b-?day|dob|d\.o\.b\.?|nac(?:id[oa]s?|i[óo]|imiento|í)|cumplea[ñn]os|"
    r"n[ée]{1,2}e?\(?e?\)?s?|naissance|anniversaire|naqu[iî]t|"
    r"geb(?:oren|urtsdatum|urtstag|\.)?|geb\.-datum|wurde|turns|turned"
)
_BIRTH = re.compile(rf"(?<![^\W\d_])(?:{_BORN})(?![^\W\d_])(?:(?![.!?]\s)[^\n;]){{0,40}}?(?<![\w./-])(?P<value>{_DATE})", re.IGNORECASE)
_BIRTH_AFTER = re.compile(
    rf"(?<![\w./-])(?P<value>{_DATE})(?:(?![.!?]\s)[^\n;]){{0,40}}?(?<![^\W\d_])(?:geboren|geb\.|born|"
    rf"is my birthday|was my birthday)(?![^\W\d_])",
    re.IGNORECASE,
)
_BIRTH_RULES = (Rule("DATE_OF_BIRTH", "DateOfBirth", _BIRTH), Rule("DATE_OF_BIRTH", "DateOfBirth", _BIRTH_AFTER))

_KEY_START = re.compile(
    r"(?:AKIA|ASIA|gh[pousr]_|github_pat_|eyJ|xox[abeprs]-|AIza|[sr]k_(?:live|test)_|sk-|glpat-|npm_|"
    r"pypi-|SG\.|ya29\.|hf_|dop_v1_|-----BEGIN |://[^\s/@:]{1,64}:)"
)
_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{22,255}|"
    r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|xox[abeprs]-[\w-]{10,}|"
    r"AIza[\w-]{35}|[sr]k_(?:live|test)_\w{16,}|sk-[\w-]{20,}|glpat-[\w-]{20,}|npm_[A-Za-z0-9]{36}|"
    r"pypi-[\w-]{16,}|SG\.[\w-]{16,}\.[\w-]{16,}|ya29\.[\w-]{20,}|hf_[A-Za-z0-9]{30,}|"
    r"dop_v1_[0-9a-f]{64})"
    r"|-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?"
    r"-----[A-Za-z0-9+/=:,\s\\-]{0,20000}?-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"|(?<=://)[^\s/@:]{1,64}:[^\s/@]{3,128}(?=@)"
)
_PASSWORD = re.compile(
    r"(?<![^\W_])(?:pass(?:word|wd|phrase|code)|pwd|secret(?:[ _-]?(?:access[ _-]?)?key)?|api[ _-]?key|"
        r"access[ _-]?(?:key|token)|auth[ _-]?token|bearer|contraseña|clave|mot de passe|passwort|kennwort)"
    r"(?:[\"']?[ \t]{0,2}(?:[=:]|is|was|es|est|ist)[ \t]{0,2}[\"']?|"
        r"[ \t](?=\S*\d))(?P<value>(?=[^\s\"']*[\d!#$%&*+=_@])[^\s\"',;]{6,128})", re.IGNORECASE,
)  # fmt: skip
_KEY_RULES = (Rule("SECRET", "KeyForm", _KEY),)
_HANDLE = re.compile(r"(?:(?<=[ \t(:,])|^)(?P<value>@[A-Za-z_](?:[\w]|\.(?=\w)){2,29})(?![\w@({\[]|\.\w)", re.MULTILINE)
_SOCIAL = re.compile(
    r"\b(?:twitter|instagram|insta|telegram|tiktok|mastodon|github|threads|bluesky|discord|snapchat|"
        r"x\.com|social|handle|user(?:name)?|follow\w*|dm|tag\w*|cc|via|ping|"
    r"thanks|contact|reach|message|write|find|me|usuario|sígueme|síguenos|escríbeme|suis|suivez|écris|"
        r"folgt?|schreib\w*|konto|nutzer\w*|profil\w*)\b[^\n]{0,30}$", re.IGNORECASE,
)  # fmt: skip
_SPELLED_EMAIL = re.compile(
    r"(?<![\w.])[\w.+-]{1,64}\s?(?:[\[({]\s?(?:at|@|arroba|chez|ät)\s?[\])}]|\sat\s|"
        r"\sarroba\s)\s?[\w-]{1,63}(?:\s?(?:[\[({]\s?(?:dot|\.|punto|point|punkt)\s?[\])}]|\sdot\s|"
        r"\spunto\s)\s?[\w-]{2,63}){1,3}(?!\w)"
    r"|(?<![\w.])[\w.+-]{1,64}\s?[\[({]\s?(?:at|arroba|ät)\s?[\])}]\s?[\w-]{1,63}(?:\.[\w-]{2,63}){1,3}(?!\w)", re.IGNORECASE,
)  # fmt: skip
_UNICODE_EMAIL = re.compile(r"(?<![\w.+%-])[\w+%-][\w.+%-]{0,63}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w@-])")


def find_identifiers(text: str) -> Iterator[Finding]:
    """Yield identifiers. The text has a digit."""
    yield from find_ibans(text)
    for rule in _DIGIT_RULES:
        yield from rule.find(text)


def find_births(text: str) -> Iterator[Finding]:
    """Yield dates of birth: dates near a word such as *born*. The text has a digit."""
    for rule in _BIRTH_RULES:
        yield from rule.find(text)


def find_keys(text: str) -> Iterator[Finding]:
    """Yield keys, tokens and passwords."""
    if _KEY_START.search(text):
        for rule in _KEY_RULES:
            yield from rule.find(text)
    for match in _PASSWORD.finditer(text):
        yield Finding("SECRET", *match.span("value"), LIKELY, "Password")


def find_accounts(text: str) -> Iterator[Finding]:
    """Yield e-mail addresses in any alphabet, and handles such as `@marta_quill` where the text says that it is an account."""
    for match in _UNICODE_EMAIL.finditer(text):
        if not match.group().isascii():
            yield Finding("EMAIL_ADDRESS", *match.span(), SURE, "UnicodeEmail")
    for match in _HANDLE.finditer(text):
        start, end = match.span("value")
        if re.search(r"[\d_]", match["value"]) or _SOCIAL.search(text, max(0, start - CONTEXT), start):
            yield Finding("HANDLE", start, end, LIKELY, "Handle")


def find_spelled_emails(text: str) -> Iterator[Finding]:
    """Yield e-mail addresses with the signs written as words: `anna [at] example [dot] org`."""
    for match in _SPELLED_EMAIL.finditer(text):
        yield Finding("EMAIL_ADDRESS", *match.span(), LIKELY, "SpelledEmail")
