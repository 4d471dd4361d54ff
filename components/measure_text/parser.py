"""spaCy's parser, without what finds names and lemmas."""

from typing import Any

import spacy

from robo_poet.errors import BadInput

UNUSED = ["ner", "lemmatizer"]


def load_parser(model: str) -> Any:
    """The pipeline that finds sentences and their dependencies.

    Raises:
        BadInput: the model is not installed, or does not parse.
    """
    try:
        loaded = spacy.load(model, exclude=UNUSED)
    except (OSError, ImportError, AttributeError):  # the last: a package, but no model
        loaded = None
    if loaded is None or "parser" not in loaded.pipe_names:
        what = f"spaCy model {model!r} " + ("is not installed" if loaded is None else "does not parse")
        raise BadInput(what, where="text.spacy_model", remedy="install it or name another")
    return loaded
