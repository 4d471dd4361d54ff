"""The judge for restricted texts, which are never generated.

The graph bans each token that contains such a text (`banned_tokens`). This judge finds texts that span several tokens.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from serving.content_filter.decision import Hit, Side
from serving.content_filter.passage import Passage, fold
from serving.content_filter.word_list import LIST_FOLDER


def bundled_texts(path: Path = LIST_FOLDER / "restricted.txt") -> tuple[str, ...]:
    """Return the restricted texts that come with the project."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


class RestrictedTextJudge:
    """A judge that finds `texts` at the start of a word in completions, in the folded text. It does not check prompts.

    Attributes:
        banned: the texts as given and in lower case, capitalized and in upper case, because the tokenizer's look-up is case-sensitive.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        distinct = dict.fromkeys(text.strip() for text in texts)
        self.banned = tuple(dict.fromkeys(form for text in distinct for form in (text, text.lower(), text.capitalize(), text.upper())))
        folded = sorted({" ".join(fold(text).split()) for text in distinct} - {""}, key=len, reverse=True)
        patterns = (r"\s+".join(re.escape(word) for word in text.split(" ")) for text in folded)
        self._pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(patterns)})") if folded else None

    def find(self, passage: Passage, side: Side) -> Hit | None:
        """Return a hit if a restricted text ends within the completion. It may start in the prompt."""
        if self._pattern is None or side == "prompt":
            return None
        text_start = len(passage.folded_before)
        for match in self._pattern.finditer(passage.folded_before + passage.folded):
            if match.end() > text_start:
                return Hit("restricted", "restricted")
        return None
