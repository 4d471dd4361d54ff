"""Street addresses, post-office boxes and post codes in English, Spanish, French and German, by their words and their form.

A number is needed: a street without one identifies no one, and verse is full of roads and ways.
"""

import re
from collections.abc import Iterator

from robo_poet.privacy.findings import ADDRESS, Finding

SURE, LIKELY = 1.0, 0.6
_FUNCTION = (
    r"(?!(?:the|a|an|of|this|that|my|your|his|her|our|their|in|on|at|to|and|or|is|was|were|miles?|years?|"
    r"days?|hours?|times?|minutes?|more|other|down|up|by|for|from|with|into|"
    r"km|meters?|feet|men|people|days?|pages?|ways?|no)\b)"
)
_EN_WORD = rf"{_FUNCTION}[^\W\d_][\w'’.-]*"
_NOT_AN_AREA = r"(?!\s(?:miles?|feet|foot|yards?|inch(?:es)?|met(?:er|re)s?|kilomet(?:er|re)s?|km)\b)"  # 9 square miles
_EN_TYPE = (
    r"(?:street|avenue|road|lane|drive|court|boulevard|terrace|crescent|highway|parkway|"
    rf"(?<!take )(?<!takes )(?<!taken )(?<!taking )(?<!took )place|square{_NOT_AN_AREA}|"
    r"alley|gardens?|grove|mews|trail|circle|turnpike|"
    r"close|way|hill|row|walk|view|park|st|ave?|rd|ln|dr|ct|blvd|pl|sq|ter|cres|hwy|pkwy)\b\.?"
)
_UNIT = r"(?:[,\s]{1,3}(?:apartment|apt|suite|ste|unit|flat|floor|fl|room|rm|#)\.?\s?#?\s?\w{1,5}\b)"
_HOUSE = r"(?<![\w.,:/-])(?:no\.?\s|#)?\d{1,5}(?:[A-Za-z]\b|\s?-\s?\d{1,5}\b|/\d{1,3}\b)?"
_ES_TYPE = (
    r"(?:calle(?!d\b)|c/|c\.|avenida|avda?\.?|plaza|pza?\.|plz\.|paseo|p\.º|camino|carretera|ctra\.|ronda|rambla|"
    r"traves[ií]a|callej[oó]n|glorieta|v[ií]a|pasaje|cuesta|acceso|alameda|"
    r"urbanizaci[oó]n|pol[ií]gono|ca[ñn]ada(?!\s(?:the|to|in|and|is|was|has|had|have|with|for|on|at|or|will)\b)|vial|"
    r"pasadizo|c[aá]llejon)"
)
_ES_UNIT = (
    r"(?:[,\s]{1,3}(?:piso|puerta|apt\.?|apartamento|esc(?:alera|\.)|bajo|[áa]tico|planta|portal|bloque|"
    r"local|izq(?:uierda|da|\.)?|d(?:ere)?cha\.?|\d{1,2}\s?[º°ª])(?:\s?\w{1,3}\b)?)"
)
_FR_TYPE = (
    r"(?:rue|avenue|av\.|boulevard|boul\.|bd\.?|place|chemin|all[ée]e|impasse|quai|route|cours|passage|"
    rf"square{_NOT_AN_AREA}|sentier|faubourg|villa|r[ée]sidence|esplanade|promenade)"
)
_FR_WORD = r"(?:de la|de l[’']|du|des|de|d[’']|la|le|les|l[’'])"
# English words that end as German streets do, such as in `during 1838`: most of 70 false addresses in 250 presidential messages.
_EN_RING = (
    r"(?:acquiring|answering|bearing|bordering|bring|capturing|clearing|comparing|considering|covering|declaring|delivering|during|"
    r"engineering|entering|exploring|featuring|filtering|firing|gathering|hearing|hiring|ignoring|lowering|manufacturing|measuring|"
    r"monitoring|nearing|numbering|offering|ordering|pouring|preparing|procuring|recovering|referring|registering|remembering|rendering|"
    r"repairing|requiring|restoring|retiring|scoring|securing|sharing|spring|starring|storing|string|suffering|transferring|wearing)"
)
_DE_STREET = (
    rf"(?!{_EN_RING}\s)"
    r"(?:[^\W\d_][\w.-]{1,30}(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|damm|ufer|steig|stieg|"
    r"chaussee|pfad|promenade|graben|markt|hof|berg)|(?:am|an der|an den|auf dem|auf der|im|in der|"
    r"unter den|zum|zur) [^\W\d_][\w-]{2,30}(?: [^\W\d_][\w-]{2,30})?)"
)
_RULES = (
    (
        "EnglishStreet",
        re.compile(
            rf"{_HOUSE},?\s(?:[NSEW]{{1,2}}\.?\s)?(?:{_EN_WORD}\s){{1,3}}{_EN_TYPE}(?![\w’'])(?:\s[NSEW]{{1,2}}\b)?"
            rf"{_UNIT}?",
            re.IGNORECASE,
        ),
    ),
    (
        "NumberedStreet",
        re.compile(rf"{_HOUSE}\s(?:(?:[NSEW]|north|south|east|west)\.?\s)?\d{{1,3}}(?:st|nd|rd|th)\s{_EN_TYPE}{_UNIT}?", re.IGNORECASE),
    ),
    (
        "SpanishStreet",
        re.compile(
            rf"(?<![^\W_]){_ES_TYPE}\s?(?:(?:de|del|la|las|los|"
            rf"el)\s)*[^\W\d_][\w'’.-]*(?:\s[^\W\d_][\w'’.-]*){{0,4}}(?:,?\s(?:n[úu]m(?:ero|\.)?|n[º°.]{{1,2}}|nº)?"
            rf"\s?\d{{1,4}}\b\s?(?:bis|[A-Z]\b)?|,?\s?s/n){_ES_UNIT}{{0,3}}",
            re.IGNORECASE,
        ),
    ),
    (
        "FrenchStreet",
        re.compile(
            rf"(?<![\w.,:/-])\d{{1,4}}(?:\s?(?:bis|ter|quater|[A-D])\b)?,?\s{{1,2}}"
            rf"{_FR_TYPE}\s(?:{_FR_WORD}\s?)*(?:(?:{_FR_WORD}\s?)*[^\W\d_][\w'’.-]*[ ]?){{1,4}}",
            re.IGNORECASE,
        ),
    ),
    (
        "GermanStreet",
        re.compile(rf"(?<![^\W_])(?<!\bI ){_DE_STREET}\s\d{{1,4}}(?:\s?[a-zA-Z]\b(?!\w)|\s?[-/]\s?\d{{1,4}})?(?![\w.:]*\d)", re.IGNORECASE),
    ),
    (
        "PostBox",
        re.compile(
            r"(?<!\w)(?:p\.?\s?o\.?\s?box|post office box|apartado(?: de correos)?|apdo\.?|b\.?p\.?|postfach|"
            r"bo[iî]te postale)\s?(?:n[º°.]{1,2}\s?)?#?\d{1,6}\b",
            re.IGNORECASE,
        ),
    ),
    (
        "MilitaryAddress",
        re.compile(
            r"(?<!\w)(?:(?:PSC|CMR|Unit|USNS|USS|USCGC|USNV)[ ][\w ]{2,30}?(?:,?\s(?:Box)\s\d{1,5})?[,\s]{1,3})?"
            r"[AFD]PO,?\s?A[AEP]\s\d{5}(?:-\d{4})?(?!\w)",
            re.IGNORECASE,
        ),
    ),
    ("Flat", re.compile(r"(?<![^\W_])(?:apartment|apt\.?|suite|ste\.|flat)\s(?:no\.?\s|#)?\d{1,5}[a-z]?(?!\w)", re.IGNORECASE)),
)
_FRENCH_END = re.compile(r"(?:\s(?:et|est|sont|à|au|dans|depuis|avec|pour|qui|que|en|chez|puis|où|mais|ou|près)\b.*)$", re.IGNORECASE)
_POST_CODE_WORD = re.compile(
    r"(?<![^\W\d_])(?:zip(?:[ -]?code)?|post(?:al)?[ -]?codes?|plz|postleitzahl|c[óo]digo postal|"
    r"c\.\s?p\.|cp|code postal)(?:[ \t]*(?:is|es|est|ist|:|=|,|\.|of)){0,2}[ \t]*"
    r"(?P<value>\d{5}(?:-\d{4})?|\d{4}|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})(?!\w)",
    re.IGNORECASE,
)
_UK_POST_CODE = re.compile(r"(?<![\w-])[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}(?![\w-])")
_STATES = "|".join(
    (
        "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX "
        "UT VT VA WA WV WI WY DC PR GU VI AS MP"
    ).split()
)
_US_POST_CODE = re.compile(rf"(?<!\w)(?:{_STATES})[ ]{{1,2}}\d{{5}}(?:-\d{{4}})?(?![\w-])")
_EU_POST_CODE = re.compile(r"(?<=, )(?:D-|F-|E-)?\d{5}(?= [A-ZÀ-Ý][a-zà-ÿ]{2,})")


def find_addresses(text: str) -> Iterator[Finding]:
    """Yield street addresses and post codes. The text has a digit."""
    for name, pattern in _RULES:
        for match in pattern.finditer(text):
            start, end = match.span()
            if name == "FrenchStreet" and (rest := _FRENCH_END.search(text, start, end)):
                end = rest.start()
            yield Finding(ADDRESS, start, end, SURE, name)
    for match in _POST_CODE_WORD.finditer(text):
        yield Finding(ADDRESS, *match.span("value"), SURE, "PostCode")
    for pattern, score in ((_UK_POST_CODE, SURE), (_US_POST_CODE, SURE), (_EU_POST_CODE, LIKELY)):
        for match in pattern.finditer(text):
            yield Finding(ADDRESS, *match.span(), score, "PostCode")
