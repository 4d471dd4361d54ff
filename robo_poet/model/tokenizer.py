"""The byte-level BPE tokenizer that travels with every model (DATA-5). Decoding gives back the NFC text exactly."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import tokenizers

from robo_poet.errors import BadInput

PAD, UNK, START, END = 0, 1, 2, 3
CONTROL = ("<PAD>", "<UNK>", "<START>", "<END>")


class Tokenizer:
    """Text to token ids and back.

    Attributes:
        size: tokens that exist, control tokens among them.
        vocabulary: tokens the model has room for, ≥ size; ids in between are never generated.
    """

    def __init__(self, core: tokenizers.Tokenizer, vocabulary: int) -> None:
        # A literal "<END>" in a text is five characters of text; without this it would become the control token.
        core.encode_special_tokens = True
        self._core, self.vocabulary, self.size = core, vocabulary, core.get_vocab_size()
        self._texts: list[str] | None = None
        self._find = lru_cache(4096)(self._holding)  # 10,000 tokens are looked through in half a millisecond, a list of words often

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Read `tokenizer.json` and `manifest.json` from a tokenizer artifact.

        Raises:
            BadInput: the folder holds no tokenizer.
        """
        try:
            manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
            return cls(tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")), int(manifest["vocabulary"]))
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(f"no tokenizer here ({error})", where=str(folder)) from None

    def check_size(self, manifest: Mapping[str, Any], where: Path) -> None:
        """Refuse a model that was exported for another tokenizer.

        Args:
            manifest: of the model: `size` and `vocabulary`.
            where: this tokenizer's folder.

        Raises:
            BadInput: it is of another size.
        """
        if (self.size, self.vocabulary) != (manifest["size"], manifest["vocabulary"]):
            told = f"the model was exported for {manifest['size']} of {manifest['vocabulary']} tokens, this tokenizer has "
            remedy = "give the tokenizer of the same version"
            raise BadInput(f"{told}{self.size} of {self.vocabulary}", where=str(where), remedy=remedy)

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, without control tokens."""
        return list(self._core.encode(text, add_special_tokens=False).ids)

    def encode_all(self, texts: Sequence[str]) -> Iterable[list[int]]:
        """Token ids of each text, on all cores."""
        return [list(encoding.ids) for encoding in self._core.encode_batch_fast(list(texts), add_special_tokens=False)]

    def encode_document(self, text: str) -> list[int]:
        """`<START>` … `<END>`: how a whole document is trained on and scored."""
        return [START, *self.encode(text), END]

    def holding(self, texts: Sequence[str]) -> list[int]:
        """Ids of all tokens in whose text one of `texts` stands; a text that only several tokens together hold has none."""
        return sorted({number for text in texts for number in self._find(text)})

    def _holding(self, text: str) -> list[int]:
        if self._texts is None:
            self._texts = [self.decode([number]) for number in range(self.size)]
        return [number for number, own in enumerate(self._texts) if text in own]

    def decode(self, ids: Iterable[int]) -> str:
        """Text of `ids`; control tokens have none. Half a character at an edge becomes U+FFFD."""
        return str(self._core.decode([i for i in ids if i >= len(CONTROL) and i < self.size], skip_special_tokens=False))
