"""Synthetic identities: sentences with invented personal data whose places are known. Templates of ours, filled by Faker with a seed.

A slot such as `{person}` is filled and labelled. City names alone are not personal data, so `{city}` has no label.
"""

import random
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from faker import Faker
from faker.config import AVAILABLE_LOCALES

LOCALES = {"en": ("en_US", "en_GB"), "es": ("es_ES",), "fr": ("fr_FR",), "de": ("de_DE",)}  # by language; with sentences of ours
OTHER = "other"  # lines without words of a language
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
    OTHER: """
        {person}, {phone}, {email}
        {person}
        {street}, {postcode} {city}
        {address}
        {first} {last}: {phone}
        {card}, {person}
        IBAN {iban}
        {email} {url}
        {person}: "{first}!"
        IP {ip}
    """,
}
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
}
SLOT = re.compile(r"\{(\w+)\}")
KINDS = {
    "person": "name", "first": "name", "last": "name", "street": "street address", "address": "street address", "postcode": "post code",
    "birth": "date of birth", "phone": "telephone", "email": "e-mail", "url": "web address", "ip": "IP address", "card": "card number",
    "iban": "account number", "id": "identity number",
}  # fmt: skip
FORMATTED = frozenset(KINDS.values()) - {"name", "street address", "post code"}  # kinds that the policy `patterns` removes too


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted value in the characters `start` to `end` of a sentence.

    Args:
        slot: the slot of the template, a key of KINDS.
        shape: how the value is written, such as `capitals`; `plain` for the usual form.
    """

    slot: str
    start: int
    end: int
    shape: str = "plain"

    @property
    def kind(self) -> str:
        """Return the kind of personal data, a value of KINDS."""
        return KINDS[self.slot]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the personal data in it."""

    text: str
    planted: tuple[Planted, ...]


def locales_of(language: str) -> tuple[str, ...]:
    """Return Faker's locales for a language code; US English if Faker has none."""
    if language in LOCALES:
        return LOCALES[language]
    names = [name for name in sorted(AVAILABLE_LOCALES) if name.split("_")[0] == language]
    return (next((name for name in names if name == f"{language}_{language.upper()}"), names[0] if names else "en_US"),)


class Identities:
    """An endless source of sentences in one locale. The same locale and seed give the same sentences."""

    def __init__(self, locale: str, seed: int) -> None:
        self._fake, self._choose, self._locale = Faker(locale), random.Random(f"{locale} {seed}"), locale
        self._fake.seed_instance(seed)
        templates = TEMPLATES.get(locale) or TEMPLATES[OTHER]
        self._templates = [line.strip() for line in templates.strip().splitlines()]

    def sentences(self, kinds: Collection[str] = KINDS.values()) -> Iterator[Sentence]:
        """Yield sentences that have a value of one of the kinds at least."""
        while True:
            sentence = self._fill(self._choose.choice(self._templates))
            if any(value.kind in kinds for value in sentence.planted):
                yield sentence

    def _fill(self, template: str) -> Sentence:
        text, planted, place = "", list[Planted](), 0
        for slot in SLOT.finditer(template):
            text += template[place : slot.start()]
            value, shape = self._shaped(slot[1], self._value(slot[1]))
            if slot[1] != "city":
                planted.append(Planted(slot[1], len(text), len(text) + len(value), shape))
            text, place = text + value, slot.end()
        return Sentence(text + template[place:], tuple(planted))

    def _shaped(self, slot: str, value: str) -> tuple[str, str]:
        """Return a value in one of the ways in which people write it, and the name of the way."""
        draw = self._choose.random()
        if slot == "person":
            return (value.lower(), "lower case") if draw < 0.1 else (value.upper(), "capitals") if draw < 0.2 else (value, "plain")
        if slot == "card":
            separator, shape = self._choose.choice((("", "plain"), (" ", "plain"), ("-", "plain"), ("  ", "two blanks"), (".", "dots")))
            return separator.join(re.findall(r"\d{1,4}", value)), shape
        if slot == "url" and draw < 0.5:
            return value.split("://", 1)[1].rstrip("/"), "without a scheme"
        if slot == "iban" and draw < 0.5:
            return " ".join(re.findall(r".{1,4}", value)), "groups"
        if slot in ("phone", "id") and draw < HIDDEN:
            return value.translate(FULL_WIDTH), "full-width digits"
        if slot == "email" and draw < HIDDEN:
            return value.replace("@", "\u200b@"), "invisible character"
        if slot == "email" and draw < 2 * HIDDEN and "a" in value:
            return value.replace("a", "\u0430", 1), "look-alike letter"
        return value, "plain"

    def _value(self, slot: str) -> str:
        fake, locale = self._fake, self._locale
        if slot == "birth":
            return self._birth()
        if slot == "id":
            if locale == "es_ES":
                return str(fake.nie() if self._choose.random() < 0.3 else fake.nif())
            return _tax_id(fake) if locale == "de_DE" else str(fake.ssn())
        made: dict[str, Callable[[], object]] = {
            "person": lambda: f"{fake.first_name()} {fake.last_name()}", "first": fake.first_name, "last": fake.last_name,
            "street": fake.street_address, "postcode": fake.postcode, "city": fake.city, "phone": fake.phone_number, "email": fake.email,
            "url": fake.url, "ip": fake.ipv4_public, "card": fake.credit_card_number, "iban": fake.iban,
            "address": lambda: self._choose.choice((fake.address(), fake.address().replace("\n", ", "))),
        }  # fmt: skip
        return str(made[slot]())

    def _birth(self) -> str:
        day, language = self._fake.date_of_birth(minimum_age=18, maximum_age=90), self._locale[:2]
        numbers = {"en_US": f"{day.month}/{day.day}/{day.year}", "de_DE": f"{day.day:02}.{day.month:02}.{day.year}"}
        forms = [numbers.get(self._locale, f"{day.day:02}/{day.month:02}/{day.year}"), day.isoformat()]
        if month := MONTHS.get(language, [""] * 12)[day.month - 1]:
            forms.append(
                {
                    "en_US": f"{month} {day.day}, {day.year}", "es_ES": f"{day.day} de {month} de {day.year}",
                    "de_DE": f"{day.day}. {month} {day.year}",
                }.get(self._locale, f"{day.day} {month} {day.year}")
            )  # fmt: skip
        return self._choose.choice(forms)


HIDDEN = 0.05  # share of numbers and addresses with characters that hide them from a simple search
FULL_WIDTH = str.maketrans("0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19")


def _tax_id(fake: Faker) -> str:
    """Return a German tax identification number: 10 digits, of which one occurs twice, and a check digit by ISO 7064 MOD 11,10."""
    digits = list(fake.random_elements(range(10), length=10, unique=True))
    while digits[0] == 0:
        digits = list(fake.random_elements(range(10), length=10, unique=True))
    digits[9] = digits[fake.random_int(0, 8)]
    product = 10
    for digit in digits:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return "".join(map(str, digits)) + str((11 - product) % 10)
