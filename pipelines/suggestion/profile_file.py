"""The suggested profile as a file: YAML with the reason of each value. It is a profile like any other, to be read and edited."""

import re
from pathlib import Path
from typing import Any

import yaml

from pipelines.profile.load import FOLDER
from pipelines.suggestion.choose import Suggestion
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
HEADER = "# Suggested for "  # the beginning of a written profile; only such a profile is overwritten
LONGEST_LINE = 110  # characters of a line with its comment; a longer comment precedes its line


def profile_text(suggestion: Suggestion, *, extends: str, corpus: str, digest: str, arguments: str = "") -> str:
    """Return the profile as YAML.

    Args:
        extends: the profile that it extends.
        corpus: displayed name of the corpus.
        arguments: arguments of `data describe` that write the profile again.
        digest: digest of the corpus; the profile refuses another content. Empty for the bundled corpora.
    """
    lines = [
        f"{HEADER}{corpus} by the command data describe: {suggestion.summary}.",
        "# Edit it freely: it is a profile like any other. docs/explanation/profile-auto.md has the measurements behind the values.",
        f"extends: {_plain(extends)}",
        f"description: {_plain(f'Suggested for {corpus}: {suggestion.summary}')}",
    ]
    if digest:
        lines += [
            "",
            "# A run on another content is refused. After a change of the corpus, describe it again, or remove this section.",
            "described:",
            f"  corpus: {_plain(corpus)}",
            f"  digest: {_plain(digest)}",
        ]
        lines += [f"  arguments: {_plain(arguments)}"] if arguments else []
    for section in dict.fromkeys(choice.key.partition(".")[0] for choice in suggestion.choices):
        lines.append("")
        inner = [choice for choice in suggestion.choices if choice.key.partition(".")[0] == section]
        if not inner[0].key.partition(".")[2]:
            lines += _commented(f"{section}: {_plain(inner[0].value)}", inner[0].why, "")
            continue
        lines.append(f"{section}:")
        for choice in inner:
            lines += _commented(f"  {choice.key.partition('.')[2]}: {_plain(choice.value)}", choice.why, "  ")
    if suggestion.gates:
        lines += ["", "gates:"]
        for gate, why in suggestion.gates:
            lines += _commented(f"  - {_plain(dict(gate))}", why, "  ")
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def _commented(line: str, why: str, indent: str) -> list[str]:
    if not why:
        return [line]
    joined = f"{line}  # {why}"
    return [joined] if len(joined) <= LONGEST_LINE else [f"{indent}# {why}", line]


def profile_path(name: str, *, force: bool, folder: Path | None = None) -> Path:
    """Return the path of a new profile.

    Args:
        folder: the folder of the profiles; None is that of the repository.
        force: overwrite a profile of this name that this command wrote. Other profiles are never overwritten.

    Raises:
        BadInput: not a name, an existing profile without `force`, or one that this command did not write.
    """
    where = f"--write-profile {name}"
    if not NAME.fullmatch(name):
        raise BadInput("not a name of a profile", where=where, remedy="use up to 40 of a-z, 0-9, - and _, a letter first")
    path = (folder or FOLDER) / f"{name}.yaml"
    if path.exists() and not path.read_text("utf-8", errors="replace").startswith(HEADER):
        raise BadInput("a profile of this name exists, which this command did not write", where=where, remedy="choose another name")
    if path.exists() and not force:
        raise BadInput("this profile exists", where=where, remedy="choose another name, or overwrite it with --force")
    return path


def write_profile(path: Path, text: str) -> None:
    """Write a profile atomically."""
    write_text(path, text)
