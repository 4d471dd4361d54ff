"""The state of a chat, and how it answers."""

import secrets
import time
from pathlib import Path
from typing import Any

from cli.conversation import Conversation, Turn, context_room, latest
from cli.interrupt import stoppable
from cli.opened import Opened, introduction, open_version
from cli.sampling_options import sampling_of
from cli.writing import ENDINGS, check_banned, flow, note, slipped, speed, write
from robo_poet.errors import BadInput
from robo_poet.model.completion import whole
from robo_poet.model.generate import encode_prompt, stream
from robo_poet.model.limits import StopReason
from robo_poet.model.sampling import Sampling


class Session:
    """A chat with one version at a time.

    Attributes:
        opened: the version.
        conversation: the text.
        given: settings that were chosen, by field.
        seed: of every answer; None draws one each time.
        kept: the text as it was last saved.
        files: that were written, and may be written again.
        left: whether the person wants to leave.
    """

    def __init__(self, registry: Path, number: int, given: dict[str, Any], seed: int | None) -> None:
        self.registry, self.given, self.seed = registry, given, seed
        self.conversation = Conversation()
        self.kept, self.left = "", False
        self.files: set[Path] = set()
        self.opened = self._open(number)

    @property
    def sampling(self) -> Sampling:
        """The settings."""
        return sampling_of(self.given)

    @property
    def unsaved(self) -> bool:
        """Whether leaving loses text."""
        return self.conversation.text not in ("", self.kept)

    def introduce(self) -> None:
        """Say who writes."""
        note(introduction(self.opened.version), "bold")

    def switch(self, number: int) -> None:
        """Let another version go on; if it cannot be loaded, this one stays."""
        self.opened = self._open(number)
        self.introduce()

    def set(self, field: str, value: Any) -> None:
        """Change a setting; if it cannot be so, all stay."""
        given = {**self.given, field: value}
        check_banned(self.opened.model, sampling_of(given))
        self.given = given

    def say(self, line: str) -> None:
        """Add a line and let the model go on; an empty one only lets it go on."""
        if not line.isascii():
            try:
                line.encode()
            except UnicodeEncodeError:
                raise BadInput("it is not UTF-8", where="this line") from None
        if not line:
            self.conversation.last()  # refuses to go on from nothing
        said = self.conversation.addition(line)
        seed = secrets.randbelow(2**31) if self.seed is None else self.seed
        written = self._answer(self.conversation.text + said, seed)
        self.conversation = self.conversation.with_turn(Turn(said, written, seed))

    def again(self) -> None:
        """Another answer in place of the last one."""
        before = self.conversation.without_answer()
        seed = secrets.randbelow(2**31) if self.seed is None else self.conversation.last().seed + 1
        self.conversation = self.conversation.with_answer(self._answer(before, seed), seed)

    def _open(self, number: int) -> Opened:
        opened = open_version(self.registry, number)
        check_banned(opened.model, self.sampling)
        return opened

    def _answer(self, text: str, seed: int) -> str:
        """Let the model continue `text`, on the screen; returns what it wrote."""
        model, sampling = self.opened.model, self.sampling
        read = latest(text, context_room(sampling.max_new), lambda part: len(model.tokenizer.encode(part)))
        ids = encode_prompt(model, read)
        started = time.perf_counter()
        with stoppable() as stopped:
            last = flow(stream(model, ids, sampling, seed), stopped)
        seconds = time.perf_counter() - started
        written = whole(last.text)
        if not written.endswith("\n"):
            write("\n")
        facts = ["beam search" if sampling.beams > 1 else f"seed {seed}", speed(len(last.tokens), seconds)]
        if last.reason is StopReason.LENGTH and len(last.tokens) < sampling.max_new:
            facts.append("stopped by Ctrl-C")
        elif ENDINGS[last.reason]:
            facts.append(ENDINGS[last.reason])
        if left_out := len(text) - len(read):
            facts.append(f"the first {left_out:,} of {len(text):,} characters no longer fit and were not read")
        note(" · ".join(facts))
        for banned in slipped(sampling, [written]):
            note(f"{banned!r} was written all the same, from several tokens that hold a part each", "yellow")
        return written
