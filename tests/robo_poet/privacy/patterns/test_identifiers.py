import pytest

from robo_poet.privacy.patterns.finder import PatternFinder
from robo_poet.privacy.patterns.identifiers import dni, iban, insee, luhn, nhs, steuer_id


@pytest.fixture(scope="module")
def finder() -> PatternFinder:
    return PatternFinder(0.4)


def found(finder: PatternFinder, text: str) -> list[str]:
    return sorted({text[f.start : f.end] for f in finder.find(text)})


def covers(finder: PatternFinder, text: str, value: str) -> bool:
    start = text.index(value)
    spans = [(f.start, f.end) for f in finder.find(text)]
    return all(any(left <= place < right for left, right in spans) for place in range(start, start + len(value)) if text[place].isalnum())


@pytest.mark.parametrize(
    ("check", "valid", "invalid"),
    [
        (luhn, "4111 1111 1111 1111", "4111 1111 1111 1112"), (luhn, "378282246310005", "0000000000000000"), (luhn, "2131 9652 5155 791", "20240115123000"),
        (iban, "DE89 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"), (iban, "GB82WEST12345698765432", "GB82WEST1234569876543"),
        (dni, "12345678Z", "12345678A"), (dni, "X1234567L", "X1234567A"), (insee, "1 84 12 76 451 089 46", "1 84 12 76 451 089 47"),
        (steuer_id, "86095742719", "86095742718"), (nhs, "943 476 5919", "943 476 5918"),
    ],
)  # fmt: skip
def test_check_digits(check: object, valid: str, invalid: str) -> None:
    assert check(valid) and not check(invalid)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("card 4111  1111  1111  1111, ok", "4111  1111  1111  1111"), ("card 4111.1111.1111.1111", "4111.1111.1111.1111"), ("4111-1111-1111-1111", "4111-1111-1111-1111"),
        ("my visa 4111 1111 1111 1112 (mistyped)", "4111 1111 1111 1112"), ("amex 3782 822463 10005", "3782 822463 10005"),
        ("IBAN DE89 3704 0044 0532 0130 00 bitte", "DE89 3704 0044 0532 0130 00"), ("es91 2100 0418 4502 0005 1332", "es91 2100 0418 4502 0005 1332"),
        ("IBAN: FR14-2004-1010-0505-0001-3M02-606", "FR14-2004-1010-0505-0001-3M02-606"), ("SSN 123-45-6789", "123-45-6789"), ("NI number QQ 12 34 56 C", "QQ 12 34 56 C"),
        ("mi DNI es 12.345.678-Z", "12.345.678-Z"), ("NIE X-1234567-L", "X-1234567-L"), ("DNI 12345678A (mal escrito)", "12345678A"),
        ("numéro 1 84 12 76 451 089 46", "1 84 12 76 451 089 46"), ("Steuer-ID 86 095 742 719", "86 095 742 719"), ("NHS 943 476 5919", "943 476 5919"),
        ("Passport number 533380006", "533380006"), ("Reisepassnummer C01X00T47", "C01X00T47"), ("driver's license no. D1234567", "D1234567"),
        ("móvil: 612 345 678", "612 345 678"), ("tél. 06 12 34 56 78", "06 12 34 56 78"), ("Tel. 0221 / 470-3856", "0221 / 470-3856"), ("ring 020 7946 0958", "020 7946 0958"),
        ("born on 3 March 1984", "3 March 1984"), ("DOB: 03/04/84", "03/04/84"), ("birthday is March 3rd, 1984", "March 3rd, 1984"), ("Date of birth 1984-03-03", "1984-03-03"),
        ("nació el 3 de marzo de 1984", "3 de marzo de 1984"), ("née le 3 mars 1984", "3 mars 1984"), ("geb. 3.3.1984", "3.3.1984"), ("am 3. März 1984 in Köln geboren", "3. März 1984"),
        ("key AKIAIOSFODNN7EXAMPLE here", "AKIAIOSFODNN7EXAMPLE"), ("ghp_" + "a1B2" * 9, "ghp_" + "a1B2" * 9), ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\nAAEC\n-----END RSA PRIVATE KEY-----", "MIIB\nAAEC"), ("password: hunter2!x", "hunter2!x"), ("postgres://ann:s3cr3t@db.example", "s3cr3t"),
        ("follow me on Instagram: @marta.quill", "@marta.quill"), ("ask @marta_quill", "@marta_quill"), ("анна@почта.рф", "анна@почта.рф"), ("jürgen@müller.de", "jürgen@müller.de"),
        ("anna [at] example [dot] org", "anna [at] example [dot] org"), ("anna (at) example.org", "anna (at) example.org"), ("anna at example dot org", "anna at example dot org"),
    ],
)  # fmt: skip
def test_an_identifier_is_found(finder: PatternFinder, text: str, value: str) -> None:
    assert covers(finder, text, value)


@pytest.mark.parametrize(
    "text",
    [
        "On 3 March 1984 the bridge was opened.", "He was born under a star, 14 of us saw it", "id 3f2a9c10-b7de-4c55-9046-1207301ea001", "20240115123000", "10.1000/4111111111111111",
        "version 3.1.2.1", "@property\ndef name(self): ...", "the id of a row", "secret gardens and password resets", "the pin is on the map", "Chapter 12, verse 7",
    ],
)  # fmt: skip
def test_a_look_alike_stays(finder: PatternFinder, text: str) -> None:
    assert found(finder, text) == []
