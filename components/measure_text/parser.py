"""Loader of the spaCy dependency parser, without named entities and lemmas."""

from typing import Any

import spacy

from robo_poet.errors import BadInput

UNUSED = ["ner", "lemmatizer"]


def load_parser(model: str) -> Any:
    """Return a spaCy pipeline that finds sentences and their dependencies.

    Raises:
        BadInput: the model is not installed, or it has no parser.
    """
    try:
        loaded = spacy.load(model, exclude=UNUSED)
    except (OSError, ImportError, AttributeError):  # AttributeError: the name is a package that is not a spaCy model
        loaded = None
    if loaded is None or "parser" not in loaded.pipe_names:
        message = f"spaCy model {model!r} " + ("is not installed" if loaded is None else "does not parse")
        raise BadInput(message, where="text.spacy_model", remedy="install it or name another")
    return loaded
