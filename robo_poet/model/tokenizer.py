"""The byte-level BPE tokenizer of a model (DATA-5). Decoding returns the NFC text exactly."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import tokenizers

from robo_poet.errors import BadInput

PAD, UNK, START, END = 0, 1, 2, 3
CONTROL = ("<PAD>", "<UNK>", "<START>", "<END>")
REMEDY = "give the folder `tokenizer` of a version"


class Tokenizer:
    """A byte-level BPE tokenizer with control tokens.

    Attributes:
        size: number of tokens, including control tokens.
        vocabulary: width of the model's output, at least `size`. Ids from `size` on have no token and are never generated.
        opening: token that stands between `<START>` and a prompt that is too short: a line break, or `<START>` if the training text has
            too few of them or the version does not say.
    """

    def __init__(self, core: tokenizers.Tokenizer, vocabulary: int, opening: int = START) -> None:
        # Encode a literal "<END>" in a text as five characters. Without this, it would become the control token.
        core.encode_special_tokens = True
        self._core, self.vocabulary, self.size = core, vocabulary, core.get_vocab_size()
        self.opening = opening
        self._texts: list[str] | None = None
        self._find = lru_cache(4096)(self._search_tokens)  # a search of 10,000 tokens takes 0.5 ms, and the same word lists are used again

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Read `tokenizer.json` and `manifest.json` from a tokenizer artifact.

        Raises:
            BadInput: the folder contains no tokenizer, or a damaged one.
        """
        try:
            manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
            vocabulary, opening = int(manifest["vocabulary"]), int(manifest.get("opening", START))  # an older version has no opening
            text = (folder / "tokenizer.json").read_text("utf-8")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"the folder holds no tokenizer ({error})", where=str(folder), remedy=REMEDY) from None
        try:
            core = tokenizers.Tokenizer.from_str(text)
        except Exception as error:  # the library raises a bare Exception
            raise BadInput(f"tokenizer.json is damaged ({error})", where=str(folder), remedy=REMEDY) from None
        return cls(core, vocabulary, opening)

    def check_size(self, manifest: Mapping[str, Any], where: Path) -> None:
        """Check that a model was exported for a tokenizer of this size.

        Args:
            manifest: the model's manifest, with `size` and `vocabulary`.
            where: folder of this tokenizer, for the message.

        Raises:
            BadInput: the sizes differ.
        """
        if (self.size, self.vocabulary) != (manifest["size"], manifest["vocabulary"]):
            problem = f"the model was exported for {manifest['size']} of {manifest['vocabulary']} tokens, this tokenizer has "
            remedy = "give the tokenizer of the same version"
            raise BadInput(f"{problem}{self.size} of {self.vocabulary}", where=str(where), remedy=remedy)

    def encode(self, text: str) -> list[int]:
        """Return the token ids of `text`, without control tokens."""
        return list(self._core.encode(text, add_special_tokens=False).ids)

    def encode_all(self, texts: Sequence[str]) -> Iterable[list[int]]:
        """Return the token ids of each text. Uses all CPU cores."""
        return [list(encoding.ids) for encoding in self._core.encode_batch_fast(list(texts), add_special_tokens=False)]

    def encode_document(self, text: str) -> list[int]:
        """Return the token ids between `<START>` and `<END>`, the form in which a document is trained on and scored."""
        return [START, *self.encode(text), END]

    def byte_lengths(self) -> list[int]:
        """Return the number of UTF-8 bytes of each token, by id; 0 for control tokens."""
        texts = (self._core.id_to_token(token) or "" for token in range(self.size))  # byte-level BPE: one character is one byte
        return [0 if token < len(CONTROL) else len(text) for token, text in enumerate(texts)]

    def tokens_containing(self, texts: Sequence[str]) -> list[int]:
        """Return the ids of all tokens that contain one of `texts`. A text that spans several tokens is in none of them."""
        return sorted({number for text in texts for number in self._find(text)})

    def _search_tokens(self, text: str) -> list[int]:
        if self._texts is None:
            self._texts = [self.decode([number]) for number in range(self.size)]
        return [number for number, token_text in enumerate(self._texts) if text in token_text]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`, without control tokens. An incomplete character at either end becomes U+FFFD."""
        return str(self._core.decode([i for i in ids if i >= len(CONTROL) and i < self.size], skip_special_tokens=False))
