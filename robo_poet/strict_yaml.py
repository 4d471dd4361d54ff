"""A strict reader of the YAML that users write: profiles, settings of the gateway, and the values of `--set` and of environment variables.

Plain YAML 1.1 has surprises: `010` is 8, `12:30` is 750, `off` is false, a date is not text, and the last of two equal keys wins.
Here, only decimal numbers, `true`, `false` and `null` are not text, keys are text, and each problem is one line with its place.
"""

import re
from typing import Any, ClassVar

import yaml

from robo_poet.errors import BadInput

MAXIMUM_VALUES = 100_000  # values of a document, with each alias counted as a copy: nine lines of aliases can stand for a billion values
MAXIMUM_CHARACTERS = 1_000_000  # of a document, and of its texts with each alias counted as a copy; PyYAML reads 0.1 MB per second
MAXIMUM_DEPTH = 50  # collections inside collections; no setting needs more than 6
_TAG = "tag:yaml.org,2002:"
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NULL = re.compile(r"~|null|Null|NULL|")
_FLOW = re.compile(r"\s*[\[{\"']")  # a value that opens a list, a mapping or a quoted text


class _Loader(yaml.SafeLoader):
    """PyYAML's parser with the plain scalars of YAML 1.2, except hexadecimal and octal numbers, which stay text."""

    yaml_implicit_resolvers: ClassVar[dict[Any, Any]] = {}  # type: ignore[misc]  # the stubs declare an instance variable


for _name, _pattern, _first in (
    ("bool", re.compile("|".join(_BOOLEANS)), "tTfF"),
    ("int", _INTEGER, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("null", _NULL, ["~", "n", "N", ""]),
    ("merge", re.compile("<<"), "<"),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(rf"(?:{_pattern.pattern})\Z"), list(_first))


def parse_yaml(text: str, *, where: str) -> Any:
    """Parse a YAML document. An empty document is None.

    Raises:
        BadInput: the text is not YAML, or has two equal keys in a mapping, an anchor that contains itself, an unknown tag, or too many
            values. The message names the line.
    """
    if len(text) > MAXIMUM_CHARACTERS:
        raise BadInput(f"the file is larger than {MAXIMUM_CHARACTERS / 1e6:g} MB", where=where, remedy="keep only settings in it")
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        return None if node is None else _Builder(where).value(node)
    except yaml.YAMLError as error:
        raise BadInput(f"not YAML: {_problem(error)}", where=where) from None
    except RecursionError:
        raise _too_deep(where) from None
    finally:
        if loader is not None:
            loader.dispose()


def parse_value(text: str, *, where: str) -> Any:
    """Parse one value of a command line or an environment variable.

    A list in brackets, a mapping in braces and a quoted text are read as YAML. A decimal number, `true`, `false` and `null` have their
    meaning. Everything else is an unchanged text, also with `#`, `: `, `*` and `$`.

    Raises:
        BadInput: see `parse_yaml`. A text that merely begins like YAML is not an error: `[draft` is a text.
    """
    if not _FLOW.match(text):
        word = text.strip()
        scalar = yaml.ScalarNode(_Loader("").resolve(yaml.ScalarNode, word, (True, False)), word)  # type: ignore[no-untyped-call]
        return text if scalar.tag in (f"{_TAG}str", f"{_TAG}merge") else _Builder(where).value(scalar)
    if len(text) > MAXIMUM_CHARACTERS:
        raise BadInput(f"the value is larger than {MAXIMUM_CHARACTERS / 1e6:g} MB", where=where, remedy="give a smaller one")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.YAMLError:
        return text
    except RecursionError:
        raise _too_deep(where) from None
    return _Builder(where).value(node) if node else text


def _too_deep(where: str) -> BadInput:
    return BadInput(f"nested deeper than {MAXIMUM_DEPTH} lists or mappings", where=where, remedy="remove the inner ones")


class _Builder:
    """A builder of Python values from parsed nodes."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._open: list[yaml.Node] = []  # the collections that contain the present node
        self._count = self._characters = 0

    def value(self, node: yaml.Node) -> Any:
        """Return the value of a node.

        Raises:
            BadInput: see `parse_yaml`.
        """
        self._count += 1
        if self._count > MAXIMUM_VALUES:
            raise BadInput(f"more than {MAXIMUM_VALUES:,} values; an alias counts as a copy of what it stands for", where=self._where)
        if isinstance(node, yaml.ScalarNode):
            self._characters += len(node.value)
            if self._characters > MAXIMUM_CHARACTERS:
                size = f"{MAXIMUM_CHARACTERS / 1e6:g} million characters"
                raise BadInput(f"more than {size}; an alias counts as a copy of what it stands for", where=self._where)
            return self._scalar(node)
        if len(self._open) >= MAXIMUM_DEPTH:
            raise _too_deep(self._where)
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            raise self._bad(f"the tag {_tag(node)} is not supported", node, "remove it")
        if any(node is outer for outer in self._open):
            raise self._bad("the anchor contains itself", node, "write the value out")
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node)
            return [self.value(item) for item in node.value]
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._bad("a key is a list or a mapping", key_node, "write a word; quote a text that begins with [ or {")
            if key_node.tag == f"{_TAG}merge":
                merged = {**self._merged(value_node), **merged}
                continue
            key, line = self._text(key_node), key_node.start_mark.line + 1
            if key in values:
                lines = f"on line {line}" if line == first_lines[key] else f"on lines {first_lines[key]} and {line}"
                raise BadInput(f"the key {key} is there twice, {lines}", where=self._where, remedy="keep one, with the values of both")
            first_lines[key] = line
            values[key] = self.value(value_node)
        return {**merged, **values}

    def _merged(self, node: yaml.Node) -> dict[str, Any]:
        """Return the values that `<<` takes over from one mapping, or from a list of mappings, of which the first wins."""
        value = self.value(node)
        mappings = value if isinstance(value, list) else [value]
        if not all(isinstance(mapping, dict) for mapping in mappings):
            raise self._bad("<< takes a mapping or a list of mappings", node, "give the anchor of a mapping")
        return {key: item for mapping in reversed(mappings) for key, item in mapping.items()}

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text, kind = str(node.value), node.tag.removeprefix(_TAG)
        if kind in ("str", "merge"):
            return self._text(node)
        if kind == "null" and _NULL.fullmatch(text):
            return None
        if kind == "bool" and text in _BOOLEANS:
            return _BOOLEANS[text]
        if kind == "float" and _FLOAT.fullmatch(text):
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if kind == "int" and _INTEGER.fullmatch(text):
            try:
                return int(text)
            except ValueError:  # Python's limit of 4,300 digits
                raise self._bad("the number has too many digits", node, "give a smaller number") from None
        raise self._bad(f"the tag {_tag(node)} is not supported here", node, "remove it; quote a value that is a text")

    def _text(self, node: yaml.ScalarNode) -> str:
        try:  # JSON writes a character beyond U+FFFF as two escapes, which PyYAML reads as two characters
            return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self._bad("half of a surrogate pair is not a character", node, "write the character itself") from None

    def _bad(self, what: str, node: yaml.Node, remedy: str) -> BadInput:
        place = f" (line {node.start_mark.line + 1}, column {node.start_mark.column + 1})" if node.start_mark else ""
        return BadInput(f"{what}{place}", where=self._where, remedy=remedy)


def _tag(node: yaml.Node) -> str:
    return str(node.tag).replace(_TAG, "!!")


def _problem(error: yaml.YAMLError) -> str:
    """Return the message of a parser error in one line, with the line and column of the error."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        problem = getattr(error, "problem", None) or getattr(error, "context", None)
        return f"{problem} (line {mark.line + 1}, column {mark.column + 1})"
    return " ".join(str(error).split())
