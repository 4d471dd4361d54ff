"""Names in code that end like a web address: `google.cloud.storage`, `tools.build`, `np.int`. The text must show that it is code."""

import re
from functools import cached_property

CONTEXT = 40  # characters before a name that can say what it is
_IMPORT, _FROM, _THEN_IMPORT = re.compile(r"^(?:>>> )?import +$", re.MULTILINE), re.compile(r"\bfrom +$"), re.compile(r" +import\b")
_NAME_GOES_ON, _HYPHEN_GOES_ON = re.compile(r"\.[a-z_]"), re.compile(r"-\w")
_DOTTED_NAME = re.compile(r"(?<![\w.@/-])([a-z_]\w*\.[a-z_]\w*)(?=\.[a-z_])")
# Objects whose attributes are in many texts. No person's site begins with them.
_OBJECTS = frozenset(
    "self this cls np pd plt os sys tf torch numpy pandas scipy sklearn logging logger keras jax json args kwargs params obj".split()
)
_KIND = r"(?:(?:sub)?modules?|functions?|methods?|attributes?|subpackages?|parameters?|variables?|namespaces?|decorators?)"
_SAYS_CODE = re.compile(rf"\b{_KIND} [`\"']?$")
_SAID_TO_BE_CODE = re.compile(rf"[`\"']? {_KIND}\b|\s?\+?=\s?(?:[\"'\[{{(\d]|(?:[Tt]rue|[Ff]alse|None)\b)")
# Words of code that end addresses too. Between backticks, such a name is code: `tools.build`.
_WORDS = frozenset("build run show info int id name io to at in is no ma pm".split())
_CALLED = re.compile(r"(?<![\w.@/-])([a-z_]\w*)\.([a-z_]\w*)\(")
_IMPORTED = re.compile(r"\bimport +[\w.]+ +as +(\w+)|^[ \t>]*(?:from +(\w+)[\w.]* +import\b|import +(\w+)[\w., ]*$)", re.MULTILINE)


class CodeNames:
    """The names in code of one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def has_package(self, host: str, start: int, end: int) -> bool:
        """Return True for a part of a longer name: `google.cloud.storage`, `"google.cloud-storage"`, `from google.cloud import storage`.

        `from marta.cloud with love` is none: the statement of Python is needed. Do not ask for domains of countries: German joins words to
        them (`zeitung.de-Artikel`).
        """
        before = self._text[max(0, start - CONTEXT) : start]
        imported = _IMPORT.search(before) or (_FROM.search(before) and _THEN_IMPORT.match(self._text, end))
        quoted = before.endswith(('"', "'", "`")) and _HYPHEN_GOES_ON.match(self._text, end)
        return bool(imported or quoted or _NAME_GOES_ON.match(self._text, end) or host in self._dotted_names)

    def has_attribute(self, host: str, start: int, end: int) -> bool:
        """Return True for an attribute: `np.int`, `tools.build = 3`, "the module `tools.build`", or if `tools.load()` is in the text."""
        name, _, attribute = host.partition(".")
        if not name.isidentifier() or not attribute.isidentifier():
            return False
        if name in _OBJECTS or name in self._imported or self._called.get(name, set()) - {attribute}:
            return True
        text = self._text
        between_backticks = text[max(0, start - 1) : start] == text[end : end + 1] == "`"
        return bool(
            (between_backticks and attribute in _WORDS)
            or _SAYS_CODE.search(text, max(0, start - CONTEXT), start)
            or _SAID_TO_BE_CODE.match(text, end)
        )

    @cached_property
    def _dotted_names(self) -> frozenset[str]:
        """The first two parts of all dotted names of three parts or more, such as `google.cloud` of `google.cloud.storage`."""
        return frozenset(_DOTTED_NAME.findall(self._text))

    @cached_property
    def _imported(self) -> frozenset[str]:
        """The names that are imported: `np` of `import numpy as np`."""
        return frozenset(name for names in _IMPORTED.findall(self._text) for name in names if name)

    @cached_property
    def _called(self) -> dict[str, set[str]]:
        """The names whose functions are called, with these functions: `np` and `load` of `np.load(path)`."""
        called: dict[str, set[str]] = {}
        for name, function in _CALLED.findall(self._text):
            called.setdefault(name, set()).add(function)
        return called
