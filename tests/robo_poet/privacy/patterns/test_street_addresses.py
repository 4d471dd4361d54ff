import pytest

from robo_poet.privacy.findings import ADDRESS, Finding, join_addresses
from robo_poet.privacy.patterns.street_addresses import find_addresses


def covered(text: str, value: str) -> bool:
    start = text.index(value)
    return any(f.start <= start and start + len(value) <= f.end for f in join_addresses(list(find_addresses(text)), text))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("I live at 14 Tanner Street, Leeds LS9 8AG", "14 Tanner Street"), ("at 14 tanner street", "14 tanner street"), ("350 Fifth Ave, Apt. 4B", "350 Fifth Ave, Apt. 4B"), ("12 W 42nd Street", "12 W 42nd Street"),
        ("LS9 8AG", "LS9 8AG"), ("Austin, TX 78701-1234", "TX 78701-1234"), ("zip code 90210", "90210"), ("P.O. Box 123", "P.O. Box 123"), ("PSC 2778, Box 0772\nAPO AP 64906", "PSC 2778, Box 0772\nAPO AP 64906"),
        ("en la calle Mayor 14, 28013 Madrid", "calle Mayor 14, 28013"), ("Avda. de la Constitución, nº 3, piso 2", "Avda. de la Constitución, nº 3, piso 2"), ("código postal 28013", "28013"),
        ("12 rue de la Paix, 75002 Paris", "12 rue de la Paix, 75002"), ("7 bis, avenue Victor Hugo", "7 bis, avenue Victor Hugo"), ("Code postal : 75002", "75002"),
        ("Hauptstraße 7 in 50667 Köln", "Hauptstraße 7"), ("Am Alten Markt 3a", "Am Alten Markt 3a"), ("PLZ 50667", "50667"),
        ("am bismarckring 5", "bismarckring 5"), ("Ostring 12a", "Ostring 12a"), ("Am Markt 3", "Am Markt 3"), ("5 Berkeley Square, London", "5 Berkeley Square"), ("3 square Rapp", "3 square Rapp"),
        ("7 Portland Place", "7 Portland Place"), ("Cañada Real 5", "Cañada Real 5"), ("canada adora 5", "canada adora 5"), ("calle de Alcalá 4", "calle de Alcalá 4"),
    ],
)  # fmt: skip
def test_an_address_is_found(text: str, address: str) -> None:
    assert covered(text, address)


@pytest.mark.parametrize(
    "text",
    ["2 miles down the road", "3 times in a row", "All 5 of us took the long road", "20 years on the way home", "the rue of 1848", "Chapter 3 Place", "in 1848 he lost his way",
     "during 1838.", "During 1926 we shipped", "bonds bearing 5 per cent", "in spring 2021", "a string 9 long", "numbering 346, from", "I am informed that 170 cases", "9 square miles of the field", "8 million square miles",
     "of November 3 last took place in", "called 11 trusts", "we called for over 15 million acres", "whereas in Canada the difference is but 2 per cent", "across Canada to the lower 48 states"],
)  # fmt: skip
def test_no_address(text: str) -> None:
    assert list(find_addresses(text)) == []


def test_neighbours_become_one_placeholder() -> None:
    text = "at Flat 3, 14 Tanner Street, Leeds LS9 8AG, England. Not 5."
    findings = [
        Finding(ADDRESS, text.index(part), text.index(part) + len(part), 0.9, "r") for part in ("14 Tanner Street", "Leeds", "LS9 8AG")
    ]
    inside = Finding("PERSON", text.index("Tanner"), text.index("Tanner") + 6, 0.99, "r")
    [address] = join_addresses([*findings, inside], text)
    assert text[address.start : address.end] == "Flat 3, 14 Tanner Street, Leeds LS9 8AG, England"
