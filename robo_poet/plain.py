"""Text from a model or a corpus, made safe for a terminal."""


def plain(text: str) -> str:
    """Remove control characters except newline and tab. A byte-level model can generate any character, including terminal escapes."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
