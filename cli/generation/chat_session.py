"""State of a chat session, and generation of its answers."""

import secrets
import time
from pathlib import Path
from typing import Any

from cli.generation.conversation import Conversation, Turn, context_room, fitting_end
from cli.generation.loaded_version import LoadedVersion, introduction, load_version
from cli.generation.sampling_options import sampling_of
from cli.generation.terminal import ENDINGS, note, speed, stoppable, stream_text, write
from robo_poet.errors import BadInput
from robo_poet.model.completion import Sampling, StopReason, without_partial_character
from robo_poet.model.inputs import encode_prompt
from robo_poet.model.saved_model import stream


class Session:
    """A chat session with one loaded version at a time.

    Attributes:
        registry: folder of the registry, or gs://bucket/prefix.
        model: name of the model; empty for the only model of the registry.
        loaded: the loaded version.
        conversation: the text so far.
        chosen: settings that the user chose, by field name of `Sampling`.
        seed: seed of every answer; None draws a random seed for each answer.
        saved_text: the text as last saved.
        files: files that this session wrote, which it may overwrite.
        ended: True once the user has asked to quit.
    """

    def __init__(self, registry: str, model: str, number: int, chosen: dict[str, Any], seed: int | None) -> None:
        self.registry, self.model, self.chosen, self.seed = registry, model, chosen, seed
        self.conversation = Conversation()
        self.saved_text, self.ended = "", False
        self.files: set[Path] = set()
        self.loaded = self._load(number)

    @property
    def sampling(self) -> Sampling:
        """Sampling settings: the chosen values, and defaults for the rest."""
        return sampling_of(self.chosen)

    @property
    def unsaved(self) -> bool:
        """True if there is text that is not saved."""
        return self.conversation.text not in ("", self.saved_text)

    def introduce(self) -> None:
        """Print number, stage and quality of the loaded version."""
        note(introduction(self.loaded.version), "bold")

    def switch(self, number: int) -> None:
        """Load another version for the next answers. If loading fails, the current version stays."""
        self.loaded = self._load(number)
        self.introduce()

    def set(self, field: str, value: Any) -> None:
        """Change one setting. If the value is rejected, no setting changes."""
        settings = {**self.chosen, field: value}
        sampling_of(settings)  # raises BadInput
        self.chosen = settings

    def extend(self, line: str) -> None:
        """Append a line to the text and let the model continue. An empty line only lets the model continue.

        Raises:
            BadInput: the line is not valid UTF-8, or it is empty and there is no text yet.
        """
        if not line.isascii():
            try:
                line.encode()
            except UnicodeEncodeError:
                raise BadInput("the text is not valid UTF-8", where="this line") from None
        if not line:
            self.conversation.last_turn()  # raises BadInput if there is no text to continue
        addition = self.conversation.addition(line)
        seed = secrets.randbelow(2**31) if self.seed is None else self.seed
        answer = self._answer(self.conversation.text + addition, seed)
        self.conversation = self.conversation.with_turn(Turn(addition, answer, seed))

    def regenerate(self) -> None:
        """Replace the last answer with a new one."""
        before = self.conversation.without_answer()
        seed = secrets.randbelow(2**31) if self.seed is None else self.conversation.last_turn().seed + 1
        self.conversation = self.conversation.with_answer(self._answer(before, seed), seed)

    def _load(self, number: int) -> LoadedVersion:
        return load_version(self.registry, self.model, number)

    def _answer(self, text: str, seed: int) -> str:
        """Stream a continuation of `text` to the screen; return the continuation."""
        model, sampling = self.loaded.model, self.sampling
        context = fitting_end(text, context_room(sampling.max_new), lambda tail: len(model.tokenizer.encode(tail)))
        ids = encode_prompt(model, context)
        started = time.perf_counter()
        with stoppable() as stopped:
            completion = stream_text(stream(model, ids, sampling, seed), stopped)
        seconds = time.perf_counter() - started
        written = without_partial_character(completion.text)
        if not written.endswith("\n"):
            write("\n")
        facts = ["beam search" if sampling.beams > 1 else f"seed {seed}", speed(len(completion.tokens), seconds)]
        if completion.reason is StopReason.LENGTH and len(completion.tokens) < sampling.max_new:
            facts.append("stopped by Ctrl-C")
        elif ENDINGS[completion.reason]:
            facts.append(ENDINGS[completion.reason])
        if left_out := len(text) - len(context):
            facts.append(f"the model did not read the first {left_out:,} of {len(text):,} characters, which no longer fit its context")
        note(" · ".join(facts))
        return written
