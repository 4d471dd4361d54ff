"""True and false examples of each kind of personal data, in several languages. All names and numbers are invented.

Covers: code_names.
"""

import re
import time

import pytest

from robo_poet.privacy.patterns.false_alarms import FILLER, without_impersonal_numbers, without_years_of_lives
from robo_poet.privacy.patterns.finder import PatternFinder
from robo_poet.settings.base import MIN_SCORE

FINDER = PatternFinder(MIN_SCORE)

# The personal data is between ⟨ and ⟩.
TRUE = {
    "IP_ADDRESS": [
        "She logged in from ⟨84.17.46.203⟩ at noon.", "Der Rechner ⟨91.64.12.7⟩ antwortet nicht.", "La dirección ⟨190.85.40.12⟩ pertenece a Marta.",
        "Connexion de ⟨82.64.101.9⟩ refusée", "L'utente ⟨151.38.77.20⟩ ha scritto", "O usuário ⟨177.32.190.4⟩ entrou", "Gebruiker ⟨77.161.5.88⟩ is bekend",
        "blocked ⟨203.0.113.77⟩, ⟨198.51.100.9⟩ and ⟨192.0.2.146⟩", "ssh poet@⟨45.83.220.101⟩", "IP: ⟨24.5.6.7⟩", "the address ⟨1.2.3.4⟩ of the client", "host ⟨8.8.4.4⟩",
        "my server ⟨10.0.0.5⟩", "⟨12.34.5.6⟩:8080 is open", "route ⟨10.1.2.0/24⟩ here", "⟨192.168.17.34⟩ - - GET", "from ⟨5.6.7.8⟩ to the world",
        "link ⟨fe80::1ff:fe23:4567:890a⟩ up", "⟨2001:db8:85a3::8a2e:370:7334⟩ wrote", "Adresse ⟨2a02:8109:9a40:1a2c::5f1e⟩ gesperrt", "⟨fd12:3456:789a:1::1⟩ at home",
        "mapped ⟨::ffff:84.17.46.203⟩ too", "la ip ⟨2800:e2:1b00::93⟩ escribe",
    ],
    "URL": [
        "Read ⟨https://blog.example.com/~jane?x=1⟩ today", "see ⟨http://intranet/~jane⟩ for more", "⟨www.marta-quill.es⟩ es su página", "visit ⟨martaquill.com⟩ soon",
        "auf ⟨www.quillmann.de⟩ steht es", "on ⟨quill.example.co.uk⟩ she writes", "mon site ⟨www.quillon.fr⟩ est là", "⟨example.org/jane⟩ is hers", "her page at ⟨quill.github.io⟩",
        "il mio blog ⟨martaquill.blogspot.com⟩ parla", "a página ⟨quill.com.br⟩ dela", "write on ⟨ftp://files.example.net/poems⟩ or call", "⟨https://t.me/martaquill⟩ answers",
        "⟨instagram.com/marta.quill⟩ has photographs", "⟨x.com/martaquill⟩ too", "'⟨https://martaquill.me⟩' it said", "bei ⟨marta-quill.de⟩ und sonst nirgends", "zie ⟨martaquill.nl⟩ voor meer",
        "⟨mail.quill.at⟩ ist der Server", "at ⟨poets.example.edu/staff/quill⟩ now", "in ⟨martaquill.pl⟩ oder", "the site ⟨quill-poems.is⟩ opens", "⟨HTTPS://EXAMPLE.ORG/MARTA⟩ in capitals",
        "on ⟨marta.cloud⟩ she writes", "⟨marta.cloud/import⟩ too", "der ⟨martaquill.de⟩-Artikel", "from ⟨martaquill.com⟩ with love", "from ⟨martaquill.nl⟩ with love", "write to me from ⟨marta.cloud⟩ with love", "letters from ⟨quill.family⟩ arrive", "my page ⟨marta.cloud⟩-based",
        "they import ⟨quill.coffee⟩ too", "her page is `⟨marta.cloud⟩`", "⟨quill.build⟩ is my site", "call ⟨marta.show⟩ tonight", "write to ⟨marta.name⟩ now", "⟨quill.dev⟩ = my page",
        "she has the class of ⟨marta.info⟩ and more", "see np.load(path), and ⟨quill.run⟩ by me", "marta.sings(well) on ⟨martaquill.com⟩", "⟨quill.md/poems⟩ and more", "⟨quill.example.org#poems⟩ too",
    ],
    "PHONE_NUMBER": [
        "call ⟨+1 415-555-0132⟩ now", "ring ⟨(212) 867-5309⟩ at night", "⟨001-123-456-7890x123⟩ is the office", "London ⟨+44 20 7946 0958⟩", "Köln ⟨030 12345678⟩ anrufen", "⟨+49 170 1234567⟩ ist mobil",
        "Tel.: ⟨+49 (0)30 901820⟩", "appelez le ⟨01 42 68 53 00⟩ demain", "au ⟨+33 6 12 34 56 78⟩ le soir", "mi móvil ⟨+34 612 345 678⟩ suena", "llama al ⟨+52 55 1234 5678⟩",
        "chiama il ⟨+39 06 6982 1234⟩ oggi", "ligue ⟨+55 11 91234-5678⟩ já", "bel ⟨+31 20 123 4567⟩ even", "on 2024-01-15 ⟨030 12345678⟩ rang", "since 15.01.2024 ⟨+44 20 7946 0958⟩ is dead",
        "⟨212-867-5309⟩ on my line", "⟨212.867.5309⟩ with dots", "⟨+91 98765 43210⟩ in Delhi", "⟨+972 50-123-4567⟩ in Haifa", "⟨1-800-555-0199⟩ is free", "fax ⟨+41 44 668 18 00⟩",
        "version 2.1.4 of the call list has ⟨(212) 867-5309⟩", "ring ⟨+1 (415) 555-2671⟩",
    ],
    "EMAIL_ADDRESS": [
        "write to ⟨jane.doe@example.org⟩ today", "⟨jane@printer.local⟩ prints", "⟨JANE_DOE+x@MAIL.EXAMPLE.CO.UK⟩ shouts", "schreib an ⟨marta.quill@example.de⟩ bitte", "escribe a ⟨mquill@correo.example.es⟩ hoy",
        "⟨m.quill@exemple.fr⟩ répondra", "scrivi a ⟨quill@posta.example.it⟩ ora", "para ⟨marta@exemplo.com.br⟩ amanhã", "⟨o'quill@example.com⟩ is Irish", "<⟨quill-marta@example.net⟩>",
        "mailto:⟨marta@example.info⟩", "⟨m_quill99@example.io⟩!", "(⟨quill@example.museum⟩)", "⟨marta%quill@example.com⟩ relays", "⟨poet@192.168.17.34⟩ is odd", "ask ⟨marta@xn--bcher-kva.example.com⟩ there",
        "⟨quill@sub.domain.example.ac.uk⟩ studies", "⟨a@example.com⟩ is short", "stuur ⟨quill@voorbeeld.nl⟩ een brief", "⟨marta.quill@example.photography⟩ takes pictures", "⟨1984@example.com⟩ counts",
    ],
    "CREDIT_CARD": [
        "card ⟨4111 1111 1111 1111⟩ please", "⟨5500005555555559⟩ is hers", "tarjeta ⟨4442323221834066⟩ de Marta", "Karte ⟨4290-4214-7624-5377⟩ gesperrt", "carte ⟨4896 5651 5947 8925⟩ volée", "⟨4778243285457493⟩,", "carta ⟨4462-9783-9335-2166⟩ di Marta",
        "⟨5176060327742640⟩ pays", "cartão ⟨5253 5829 3739 0995⟩ novo", "⟨5305995243281328⟩ and no other", "kaart ⟨5416-9880-7518-0243⟩", "⟨5516449917850054⟩.", "⟨6011527888733405⟩ too", "⟨6568 2246 3469 3532⟩ too", "Amex ⟨349463560567117⟩",
        "⟨370904377865048⟩ is old", "JCB ⟨3528862201523446⟩", "⟨3589964052157799⟩ works", "Diners ⟨36203217515434⟩", "⟨4033 8739 6908 0194⟩!", "on 12.05.2024 the card ⟨5105285864284419⟩ paid", "ISBN ⟨4111 1111 1111 1111⟩ is a trick",
    ],
    "IBAN_CODE": [
        "pay ⟨GB82 WEST 1234 5698 7654 32⟩ now", "Konto ⟨DE97500201841562940114⟩", "compte ⟨FR8166764227408084453356A27⟩", "cuenta ⟨ES4964279873673090782210⟩ de Marta", "⟨GB63WEST92417980360802⟩ is hers", "conto ⟨IT24X4920864370913588097539⟩",
        "conta ⟨PT73086380152752534914222⟩", "rekening ⟨NL68ABNA9108298075⟩", "⟨AT656997986178456135⟩ in Wien", "⟨BE52691764076679⟩", "⟨CH7201430285483684031⟩ in Bern", "konto ⟨PL92121863520220036926178210⟩", "⟨SE4059088216464344986443⟩ i Lund",
        "⟨DK6811201423941177⟩", "⟨NO2491098627375⟩ i Oslo", "⟨FI9751071147062082⟩", "⟨IE24AIBK35266055553122⟩ in Cork", "⟨LU149260961768329606⟩", "⟨CZ3565664183629807718872⟩", "⟨GR1180830360746053769273696⟩", "⟨HU41066339630007896682717797⟩",
        "⟨RO28AAAA1888007231068377⟩", "Überweise auf ⟨DE89 3704 0044 0532 0130 00⟩ bitte",
    ],
    "CRYPTO": [
        f"send it to ⟨{key}⟩ today"
        for key in (
            "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ 14BiZajx7e56LtjrGXzwjcBMiJ2HiNNG2K 1LzkxzHaGdUaSx8uYWvRUBu4zHZyiNrXr9 171AUQtZwHpY5fcmBMWQXvnE13EuMmVRkS "
            "1PhEtqa8XDqYfKqYAnb721AyiFk2zzxnXg 1EPPJBxV4eWRrvAQMVUVuf3dD6a971afkR 1An4M9i4D4omdd6S3fxGFpWRt7kKSxwdEj 1J2Y5ddoDf5t9LRyjG1sFS1JQvpXSdTZRJ "
            "1D3eJfGaX7J6vvVHQvQqtn2qx2NDsy8W2R 148x3FA5Xf6CdSeNwR1uH4KCVD3qksVubf 35DpcBjSVQ3xCrJwzcMF6XcPZG9QAf8rPX 3BhZ1dtpR6gVnUZjDM9Wr3K7zBPod8mYx5 "
            "3A9RbBh3vers6WBkwjWFatuGyRKd6Qd6TX 3MSqJi6WEd8F8VB5UhJPq8hXYfMDH8T4Ro 3MrPTyPA15f2cvZjroy1xKACStoRqu8Uvj 3Jq33CVK54FwYSvU4kkbaKBuRWAB2v5vE6 "
            "bc1qldqqxtzgjnzuuxjcwzql37tftxp4pz3qk3pyjx bc1q35ckwdjw55yctzgva7sz9ry37x7ks7pqkp0vrv bc1q5jtjcsk6ae2dy2a0mffz5f4xu4hqdq6ste4g9y bc1qcfszr6w528r87tg62msdqz6wa0u3jdlqn89xc5"
        ).split()
    ],
    "MAC_ADDRESS": [
        f"{before} ⟨{key}⟩"
        for before, key in zip(
            "device Gerät dispositivo appareil apparecchio apparaat card Karte tarjeta carte scheda kaart seen gesehen visto vu visto gezien phone Handy".split(),
            "00:1A:2B:3C:4D:5E AA-BB-CC-DD-EE-FF 3c:22:fb:0a:9d:11 f0:18:98:4e:77:02 a4-83-e7-12-9b-c0 DC:A6:32:7F:10:88 b8:27:eb:55:01:9f 001a.2b3c.4d5e f018.984e.7702 "
            "00-50-56-C0-00-08 9c:b6:d0:e1:44:3a 02:42:ac:11:00:02 e4:5f:01:aa:bb:10 7C-D1-C3-90-12-FE 28:cd:c1:0b:5a:77 d8bb.c1a0.0042 58:ef:68:12:34:56 C8-2A-14-33-9E-07 "
            "10:20:30:4a:50:60 84:fd:d1:93:6e:c2".split(),
            strict=True,
        )
    ],
    "US_SSN": [
        f"{before} ⟨{number}⟩"
        for before, number in zip(
            ["her number", "SSN", "number is", "social security", "Nummer", "el número", "le numéro", "il numero", "o número", "nummer"] * 2,
            "536-22-8745 219-09-9991 401-55-2201 536.22.8745 078-05-1129 318-64-7702 551-20-9938 602-11-4457 133-72-6610 245-83-9071 428-19-5530 515-66-2084 "
            "647-30-1198 709-25-8843 156-47-3022 263-90-7751 372-58-6409 484-12-9935 590-76-2218 651-34-8807".split(),
            strict=True,
        )
    ],
    "US_ITIN": [
        f"{before} ⟨{number}⟩"
        for before, number in zip(
            ["taxpayer", "ITIN", "Steuernummer", "contribuyente", "contribuable"] * 4,
            "987-65-4321 911-70-1234 900-72-5518 934-81-2207 951-77-6340 962-58-9914 975-64-1183 988-90-4426 999-88-7031 903-53-6672 916-61-2950 927-75-8801 938-86-3319 "
            "949-92-7745 955-94-1062 966-99-5837 973-70-4408 984-79-9921 991-83-3376 908-85-6154".split(),
            strict=True,
        )
    ],
}  # fmt: skip

# None of these holds personal data of the kind.
FALSE = {
    "IP_ADDRESS": [
        "version 3.1.2.1 is out", "Version 114.0.57.90 of the browser", "act 3.1.2.1", "scene 1.2.3.4", "Act 2.1.4.3, line 7", "see section 4.3.2.1", "§ 1.2.3.4 BGB", "Abschnitt 12.3.44.1 regelt dies", "la versión 10.4.52.1 falla",
        "escena 2.1.3.4", "acte 3.2.1.1", "chapitre 5.4.3.2", "versione 2.0.0.12", "capítulo 1.1.2.3", "hoofdstuk 4.1.2.2", "release 10.4.1.2", "v1.2.3.4 and v10.20.30.40", "1.2.3.4 Einleitung", "1.2.3.4.5 is deeper", "see 84.17.46.203.1",
        "kernel 5.15.0.91", "127.0.0.1 is every machine", "netmask 255.255.255.0", "0.0.0.0 listens", "app-84.17.46.203 is a file", "std::vector and a::b", "cafe::babe, dead::beef", "::1", "Matthew 1:2:3:4:5:6:7:8", "at 12:30:45:00 sharp",
        "ratio 1:2::3", "Java 8.0.25.1", "the build 20.3.15.2",
    ],
    "URL": [
        "fin de.la casa", "de.la", "que.no lo sé", "la.persona que amo", "en la.PERSON de", "en la.PERSONA amada", "dans.la maison", "est.la fin", "und.es war einmal", "das.ist gut", "so.is it", "over.so they went", "him.in the house",
        "non.me lo dire", "perché.no", "don't.me", "U.S.in 1812", "at 5 p.m.is", "e.g.this one", "la casa de Ana. La puerta de la casa.la vio", "README.md", "open main.py and setup.rs", "libpoem.so is a library", "os.path.join(a)", "System.out.println(x)",
        "io.github.robot_poet", "self.me_too", "cd ../scripts/run.sh", "src/main.rs#L3", "of polygamy.The mothers", "i.e. e.g.", "wat.is dit", "não.me diga", "isto.e aquilo", "foo.to_string()",
        "THE END.IT WAS", "ACT.ONE", "FADE.IN", "Yes.No/maybe", "the cat.In/out he went", "I SAW HIM.ME TOO", "polygamy.The/a mother", "end.Net income", "file.map/x", "U.S.A/Mexico",
        "the module tools.build starts", "see `tools.build` for more", "tools.build = [1, 2]", "x = np.int + 1", "then self.name and self.help", "np.load(path) and np.io", "tools.load(a); tools.build, too",
        "import tools\nand tools.build starts", "import pandas as pn\nthen pn.io", "call os.link and plt.show", "logging.info tells", "see [the gates](gates.md#inheritance)", "strict=True; run.is=False", "the attribute browser.name",
        "from google.cloud import storage", "import google.cloud", "to google.cloud.library_v1", 'alt="google.cloud-file"', "in google.cloud.storage; `google.cloud` is its package",
    ],
    "PHONE_NUMBER": [
        "on 2024-01-15 12", "2024-01-15 12:30:00 began", "am 15.01.2024 12 Uhr", "15.01.2024 12.30 Uhr", "el 01/15/2024 10:30", "le 15/01/2024 10h30", "il 03-04-1999 12", "van 12.05.1789 - 14.07.1789 toe", "12.05.1789-14.07.1789", "2024-01-15T12:30:00.123456Z",
        "2024/01/15 08", "1914-1918 1939-1945", "1564 1616 1623 1709", "1 234 567 890 habitants", "1.234.567.890 Einwohner", "1 234 567 personas", "12.345.678 abitanti", "€ 12.345.678,90", "1.234.567,00 €", "$1,000,000,000 and more", "123 456 789 euros",
        "ISBN 978-3-16-148410-0", "ISBN 0-306-40615-2", "ISBN-13: 978 0 306 40615 7", "ISSN 2049-3630", "doi 10.1000/1234567890", "10.1000/182.1234567", "pi is 3.14159265358979", "52.520008 13.404954", "id 3f2a9c10-1234-4555-9046-120730112345",
        "d41d8cd98f00b204e9800998ecf84271", "sonnets 18, 29, 30, 55, 73, 116, 130", "1 2 3 4 5 6 7 8 9 10", "version 20.10.24.1234567", "EAN 4006381333931", "Psalm 119:105-112",
        "Voltaire (1694-1778), philosopher", "Jean de La Bruyère. (1645–1696) Escritor", "Isaac Newton, 1642 - 1727, físico", "(Halle, 1685-1759)",
    ],
    "EMAIL_ADDRESS": [
        "react@18.2.0 is old", "npm i lodash@4.17.21", "pkg@1.2.3 fails", "3@2.50 each", "5@12.99 pro Stück", "logo@2x.png", "icon@3x.svg is drawn", "foto@2x.jpg", "style@media.css", "apples @ 2.50", "@home and away", "@marta.quill posts", "a@b", "meet @ noon",
        "user@", "@", "one@two@", "x @ y.z", "C@sa de papel", "numpy@1.26.4, scipy@1.11.4", "tool@2024.01.15", "page@4.html",
    ],
    "CREDIT_CARD": [
        "1234567812345678", "1234 5678 1234 5678", "0000 0000 0000 0000", "2023100112345678", "4111111111111112", "4111 1111 1111 1113", "ISBN 978-3-16-148410-0", "3.4111111111111111", "0.4442323221834066", "1609459200000", "20240115123000", "1789 1848 1871 1918",
        "1564 1616 1623 1709 1726", "3f2a9c10-4111-1111-1111-111111111111", "4111-1111", "€ 4.111.111.111.111", "4 111 111 111", "9999999999999999", "8888 8888 8888 8888", "7777-7777-7777-7777", "lines 4001 4002 4003 4004 4005", "10.1000/4111111111111111",
        "1702 1703 1704 1705", "1971 1955 1914 1734", "1703 1713 1723 1733", "1812 1844 1901",
    ],
    "IBAN_CODE": [
        "DE89 is not enough", "GB82 WEST", "AB12 CDEF GHIJ KLMN", "DE98500201841562940114", "FR8266764227408084453356A27", "ES5064279873673090782210", "GB64WEST92417980360802", "IT25X4920864370913588097539", "NL69ABNA9108298075", "AT666997986178456135",
        "BE53691764076679", "CH7301430285483684031", "XX12 3456 7890 1234 5678", "ACT2 SCENE3", "ISO12 9001 2015 0001", "DIN12 3456 7890 1234", "MP12 QR34 ST56 UV78", "NO2591098627375", "SE4159088216464344986443", "AA00 0000 0000 0000 0000", "PL92 is a postcode", "RFC12 34567890123456",
    ],
    "CRYPTO": [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyY", "3f2a9c10b7de4c5590461207301ea001", "d41d8cd98f00b204e9800998ecf8427e", "1234567890123456789012345678901234", "3MSqJi6WEd8F8VB5UhJPq8hXYfMDH8T4Rp", "bc1qldqqxtzgjnzuuxjcwzql37tftxp4pz3qk3pyjy",
        "bc1 is a name", "1LzkxzHaGdUaSx8uYWvRUBu4zHZyiNrXr8", "3aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1111111111111111111111111111111111", "35DpcBjSVQ3xCrJwzcMF6XcPZG9QAf8rPY", "1thousandandonenightsofstoriesandmore", "3MrPTyPA15f2cvZjroy1xKACStoRqu8Uvk", "1PhEtqa8XDqYfKqYAnb721AyiFk2zzxnXh",
        "3Jq33CVK54FwYSvU4kkbaKBuRWAB2v5vE7", "1EPPJBxV4eWRrvAQMVUVuf3dD6a971afkS", "bc1qcfszr6w528r87tg62msdqz6wa0u3jdlqn89xc6", "171AUQtZwHpY5fcmBMWQXvnE13EuMmVRkT", "3KkUpGnC4S3mzXoWz2LPfcWJ3Dh52iAMJj", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
    "MAC_ADDRESS": [
        "00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF", "ff-ff-ff-ff-ff-ff", "0000.0000.0000", "03-12-17-25-31-42", "Lotto 01-02-03-04-05-06", "sorteo 04-11-19-23-38-49", "tirage 05-10-15-20-25-30", "2024.0115.1230", "1914.1918.1939", "dead.beef.cafe", "12:30:45", "12:30:45:00", "Psalm 11:12:13",
        "00:1A:2B:3C:4D", "00:1A:2B:3C:4D:5E:6F:70", "AA-BB-CC-DD-EE-FF-00-11", "GG:HH:II:JJ:KK:LL", "a-b-c-d-e-f", "ab-cd-ef", "01.02.03.04.05.06", "1a.2b.3c",
    ],
    "US_SSN": [
        "000-12-3456", "666-12-3456", "536-00-8745", "536-22-0000", "1-536-22-8745-3", "ISBN 536-22-8745-1", "536-22-8745-01", "2024-01-1500", "pages 100-12", "am 15-01-2024", "12-05-1789", "12.05.1789", "1914-18-1939", "§ 536.22.87", "123-456-7890", "536-228-745", "A1-536-22-8745", "536 22 87", "1789-07-14", "3f2a9c10-536-22-8745",
        "version 536.22.8745",
    ],
    "US_ITIN": [
        "987-65-432", "987-49-4321", "987-66-4321", "1-987-65-4321", "987-65-4321-5", "ISBN 987-65-4321-0", "900-01-1234", "900-10-1234", "2024-01-15", "15-01-2024", "987-654-3210", "987 65 43", "98-765-4321", "987-93-4321", "version 987.65.4321", "887-65-4321", "911-45-1234", "X1-987-65-4321", "987-65-4321-a", "1987-65-4321",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("entity", "marked"), [(entity, text) for entity, texts in TRUE.items() for text in texts])
def test_personal_data_is_found(entity: str, marked: str) -> None:
    text, spans = "", []
    for number, part in enumerate(marked.replace("⟩", "⟨").split("⟨")):
        if number % 2:
            spans.append((len(text), len(text) + len(part)))
        text += part
    findings = FINDER.find(text)
    assert entity in {finding.entity for finding in findings}
    covered = {position for finding in findings for position in range(finding.start, finding.end)}
    assert {position for start, end in spans for position in range(start, end) if text[position].isalnum()} <= covered


@pytest.mark.parametrize(("entity", "text"), [(entity, text) for entity, texts in FALSE.items() for text in texts])
def test_a_look_alike_is_not_found(entity: str, text: str) -> None:
    assert [text[finding.start : finding.end] for finding in FINDER.find(text) if finding.entity == entity] == []


@pytest.mark.parametrize("entity", TRUE)
def test_each_kind_has_twenty_true_and_twenty_false_examples(entity: str) -> None:
    assert len(set(TRUE[entity])) >= 20 and len(set(FALSE[entity])) >= 20 and TRUE.keys() == FALSE.keys()


def test_positions_are_kept() -> None:
    text = "on 2024-01-15 12:30 version 3.1.2.1 cost 1 234 567 and (212) 867-5309"
    filled = without_impersonal_numbers(text)
    assert len(filled) == len(text) and filled.endswith("and (212) 867-5309") and filled.startswith(f"on {FILLER * 16}")
    assert without_impersonal_numbers("no numbers at all") == "no numbers at all"
    assert without_impersonal_numbers("+49 12.10.1999 22") == "+49 12.10.1999 22"


@pytest.mark.parametrize(
    "text", ["(1694-1778)", "(1694–1778, Paris)", "Newton, 1642 - 1727.", "called (1685-1759) the great", "Tel Aviv was young (1909-1921)"]
)
def test_years_of_a_life_are_no_telephone_number(text: str) -> None:
    years = re.search(r"\d.*\d", text)
    assert years and without_impersonal_numbers(text) == text.replace(years.group(), FILLER * len(years.group()))


def test_years_in_parentheses_are_replaced_and_positions_kept() -> None:
    lives = "(1879-1955)|(551-479 a.C.)|(2 a.C-65)|(43 a.de C.-17)|(1947-)|(1918)|(1952?)|(610 A.C.)|(b. 1947)|(* 1918)|(384–322 BC)|(63 v. Chr.-14 n. Chr.)"
    for life in lives.split("|"):
        assert without_years_of_lives(f"Who {life} wrote.") == f"Who ({'-' * (len(life) - 2)}) wrote."
    for other in ("(28013)", "(212) 867-5309", "(9123-4567)", "(14)", "14 (flat 3)", "(28013 Madrid)", "1879-1955", "(12.5)"):
        assert without_years_of_lives(other) == other


MAYBE_NUMBERS = "tel. 1694-1778|Telefon: 1811-1920|(11) 1911-1920|030 1911-1920|+49 1911-1920|1911-1920 55|1778-1694|1911-1920-12"


@pytest.mark.parametrize("text", MAYBE_NUMBERS.split("|"))
def test_four_digits_and_four_stay_if_they_may_be_a_telephone_number(text: str) -> None:
    assert without_impersonal_numbers(text) == text


def test_fast_on_text_with_many_numbers_and_names_of_files() -> None:
    text = (
        "See section 4.3.2.1 of setup.py at https://example.com/a, version 10.4.1.2 of 2024-01-15 12:30, casa.la and de.la again.\n" * 400
    )
    began = time.process_time()
    FINDER.find(text)
    assert len(text) / 1000 / (time.process_time() - began) > 20  # KB/s; measured: 120


@pytest.mark.parametrize(
    "unit", ["111 ", "1.1.", "isbn 1 ", "€1 ", "10.1234/", "a1", "2024-01-15 ", "12 345 ", "1 234 567 ", "version 1.2 ", "9", "(1911-1920)"]
)
def test_long_runs_take_linear_time(unit: str) -> None:
    began = time.process_time()
    without_impersonal_numbers(unit * (200_000 // len(unit)))
    assert time.process_time() - began < 2  # measured: at most 0.3


def test_a_number_of_many_single_digits_is_a_version() -> None:
    assert without_impersonal_numbers("tests={0.3.3.4.3.0.1.0.0}") == f"tests={{{FILLER * 17}}}"
    for telephone in ("01.23.45.67.89", "+1.415.555.0134", "4.1.5.5550134"):
        assert without_impersonal_numbers(telephone) == telephone
