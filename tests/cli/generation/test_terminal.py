import io
import os
import signal
from collections.abc import Iterator, Sequence

import pytest

from cli.generation.terminal import note, speed, stoppable, stream_text, write
from robo_poet.model.completion import Completion, StopReason


def growing(texts: Sequence[str]) -> Iterator[Completion]:
    return (Completion(text, [], [], StopReason.LENGTH) for text in texts)


def test_partial_characters_wait_and_control_codes_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, shown = io.TextIOWrapper(io.BytesIO(), "utf-8"), []
    monkeypatch.setattr("sys.stdout", screen)

    def pieces() -> Iterator[Completion]:
        for one in growing(["caf\ufffd", "café\x1b[2J\n", "café\x1b[2J\n\ufffdx\ufffd\ufffd"]):
            yield one
            shown.append(screen.buffer.getvalue().decode())  # type: ignore[attr-defined]

    stream_text(pieces())
    assert shown == ["caf", "café[2J\n", "café[2J\n\ufffdx"]


def test_text_is_neither_wrapped_nor_read_as_markup(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    write("[bold] :smile: and a line of more than twenty columns\n")
    note("[bold] :smile: and a line of more than twenty columns")
    found = capsys.readouterr()
    assert found.out == found.err == "[bold] :smile: and a line of more than twenty columns\n"


def test_the_first_ctrl_c_ends_the_text_and_the_second_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    def pieces() -> Iterator[Completion]:
        for one in growing(["a", "a b", "a b c"]):
            if one.text == "a b":
                os.kill(os.getpid(), signal.SIGINT)
            yield one

    before = signal.getsignal(signal.SIGINT)
    with stoppable() as stopped:
        assert stream_text(pieces(), stopped).text == "a b"
    assert capsys.readouterr().out == "a b"
    with pytest.raises(KeyboardInterrupt), stoppable():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(("tokens", "seconds", "line"), [(1, 0.0, "1 token"), (3000, 2.0, "3000 tokens · 1,500 tokens/s")])
def test_speed_is_in_tokens_per_second(tokens: int, seconds: float, line: str) -> None:
    assert speed(tokens, seconds) == line
