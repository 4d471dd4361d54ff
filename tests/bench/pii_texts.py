"""Labelled texts for the benchmark `pii`: templates of ours in five locales, filled by Faker with a seed.

A slot such as `{person}` is filled and labelled. City names alone are not personal data, so `{city}` has no label.
"""

import random
import re
from dataclasses import dataclass

from faker import Faker

TEMPLATES = {
    "en_US": """
        My name is {person} and I live at {street}, {city}, {postcode}.
        Please call {first} back on {phone} before noon.
        {person} was born on {birth} in {city}.
        Ship it to {person}, {address}.
        Dear Ms. {last}, your card {card} was charged twice.
        The patient, {person}, SSN {id}, was seen by Dr. {last} yesterday.
        Send the invoice to {email}; the account is {iban}.
        we met {person} and {person} at the lake last summer
        {person} wrote: "the keys are at {street}, under the mat"
        My address is {address}. My number is {phone}.
        Login from {ip} by {email} was refused.
        {last}, {first} - date of birth: {birth}
        I grew up on {street} and never left {city}.
        Does {person}'s zip code {postcode} match?
        Thanks, {first} {last}, {phone}, {url}
    """,
    "en_GB": """
        I'm {person} of {street}, {city} {postcode}.
        Ring {first} on {phone} after six.
        {person} was born on {birth} and her NI number is {id}.
        Deliver it to {person}, {address}.
        Dear Mrs {last}, we wrote to {email} last week.
        Mr {last} moved to {street} in the spring.
        Pay {person}, IBAN {iban}, by Friday.
        {first} lives near {city}; her postcode is {postcode}.
        The card {card} belongs to {person}.
        "Is {person} at home?" asked {first}.
        Write to us at {address}
        DOB {birth}, NINO {id}, tel {phone}
    """,
    "es_ES": """
        Me llamo {person} y vivo en {street}, {postcode} {city}.
        Llama a {first} al {phone} antes de las ocho.
        {person} nació el {birth} en {city}.
        Mi DNI es {id} y mi correo es {email}.
        Envíalo a {person}, {address}.
        Estimada señora {last}: su tarjeta {card} ha caducado.
        La cuenta {iban} está a nombre de {person}.
        Ayer vimos a {person} con {first} en el mercado.
        El paciente {person}, con NIE o DNI {id}, vive en {street}.
        Fecha de nacimiento: {birth}. Teléfono: {phone}.
        Don {person} me escribió desde {city}.
        Código postal {postcode}, {city}
    """,
    "fr_FR": """
        Je m'appelle {person} et j'habite {street}, {postcode} {city}.
        Appelle {first} au {phone} avant midi.
        {person} est née le {birth} à {city}.
        Mon numéro de sécurité sociale est {id}, mon adresse {email}.
        À envoyer à {person}, {address}.
        Chère Madame {last}, votre carte {card} a expiré.
        Le compte {iban} est au nom de {person}.
        Hier, nous avons vu {person} avec {first} au marché.
        Le patient {person} habite {street}.
        Date de naissance : {birth}. Téléphone : {phone}.
        Monsieur {last} m'a écrit de {city}.
        Code postal {postcode}, {city}
    """,
    "de_DE": """
        Ich heiße {person} und wohne in der {street}, {postcode} {city}.
        Ruf {first} unter {phone} an.
        {person} wurde am {birth} in {city} geboren.
        Meine Steuer-ID ist {id}, meine Adresse {email}.
        Bitte an {person}, {address} senden.
        Sehr geehrte Frau {last}, Ihre Karte {card} ist abgelaufen.
        Das Konto {iban} gehört {person}.
        Gestern sahen wir {person} mit {first} auf dem Markt.
        Der Patient {person} wohnt {street}.
        Geburtsdatum: {birth}. Telefon: {phone}.
        Herr {last} schrieb mir aus {city}.
        Postleitzahl {postcode}, {city}
    """,
}
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
}
SLOT = re.compile(r"\{(\w+)\}")
CASES = (str, str, str, str, str, str, str, str, str.lower, str.upper)  # a tenth of the names in lower case, a tenth in capitals


@dataclass(frozen=True)
class Labelled:
    """A text and its personal data: (slot, start, end)."""

    text: str
    spans: tuple[tuple[str, int, int], ...]


def labelled_texts(locale: str, count: int, seed: int) -> list[Labelled]:
    """Return `count` texts. The same seed gives the same texts."""
    fake, choose = Faker(locale), random.Random(f"{locale} {seed}")
    fake.seed_instance(seed)
    templates = [line.strip() for line in TEMPLATES[locale].strip().splitlines()]
    return [_fill(choose.choice(templates), locale, fake, choose) for _ in range(count)]


def _fill(template: str, locale: str, fake: Faker, choose: random.Random) -> Labelled:
    text, spans, place = "", [], 0
    for slot in SLOT.finditer(template):
        text += template[place : slot.start()]
        value = _value(slot[1], locale, fake, choose)
        if slot[1] != "city":
            spans.append((slot[1], len(text), len(text) + len(value)))
        text, place = text + value, slot.end()
    return Labelled(text + template[place:], tuple(spans))


def _value(slot: str, locale: str, fake: Faker, choose: random.Random) -> str:
    if slot == "birth":
        return _birth(locale, fake, choose)
    if slot == "person":
        return choose.choice(CASES)(f"{fake.first_name()} {fake.last_name()}")
    if slot == "id":
        return str(
            fake.nie()
            if locale == "es_ES" and choose.random() < 0.3
            else fake.nif()
            if locale == "es_ES"
            else _tax_id(fake)
            if locale == "de_DE"
            else fake.ssn()
        )
    if slot == "card":
        number = fake.credit_card_number()
        separator = choose.choice(("", " ", "-"))
        return separator.join(re.findall(r"\d{1,4}", number))
    if slot == "iban":
        number = fake.iban()
        return choose.choice((number, " ".join(re.findall(r".{1,4}", number))))
    made = {
        "first": fake.first_name, "last": fake.last_name, "street": fake.street_address, "postcode": fake.postcode, "city": fake.city,
        "phone": fake.phone_number, "email": fake.email, "url": fake.url, "ip": fake.ipv4_public,
        "address": lambda: choose.choice((fake.address(), fake.address().replace("\n", ", "))),
    }  # fmt: skip
    return str(made[slot]())


def _birth(locale: str, fake: Faker, choose: random.Random) -> str:
    day, language = fake.date_of_birth(minimum_age=18, maximum_age=90), locale[:2]
    month = MONTHS[language][day.month - 1]
    numbers = {"en_US": f"{day.month}/{day.day}/{day.year}", "de_DE": f"{day.day:02}.{day.month:02}.{day.year}"}
    written = {
        "en_US": f"{month} {day.day}, {day.year}", "en_GB": f"{day.day} {month} {day.year}", "es_ES": f"{day.day} de {month} de {day.year}",
        "fr_FR": f"{day.day} {month} {day.year}", "de_DE": f"{day.day}. {month} {day.year}",
    }  # fmt: skip
    return choose.choice((numbers.get(locale, f"{day.day:02}/{day.month:02}/{day.year}"), written[locale], day.isoformat()))


def _tax_id(fake: Faker) -> str:
    """Return a German tax identification number: 10 digits, of which one occurs twice, and a check digit by ISO 7064 MOD 11,10."""
    digits = fake.random_elements(list(range(10)), length=10, unique=True)
    while digits[0] == 0:
        digits = fake.random_elements(list(range(10)), length=10, unique=True)
    digits[9] = digits[fake.random_int(0, 8)]
    product = 10
    for digit in digits:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return "".join(map(str, digits)) + str((11 - product) % 10)
