"""Text from a model or a corpus, made safe for a terminal."""


def plain(text: str) -> str:
    """`text` without what would steer a terminal; lines stay. A byte-level model can write any character."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
