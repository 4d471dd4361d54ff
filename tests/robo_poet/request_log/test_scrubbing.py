import resource
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.request_log import scrubbing as module
from robo_poet.request_log.query import read
from robo_poet.request_log.record import Request
from robo_poet.request_log.scrubbing import Scrubbing, TextScrubber, pause_after, trim_heap
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings

LETTER = "Dear Anna Kowalski,\nwrite to anna@example.org or call (212) 867-5309.\n"


@pytest.fixture(scope="module")
def texts() -> TextScrubber:
    return TextScrubber(RequestLogSettings())


def test_personal_data_is_removed(texts: TextScrubber) -> None:
    prompt, one, other = texts.scrub([LETTER, "And Anna came.\n", "The sea, the sea"])
    assert prompt == "Dear <PERSON>,\nwrite to <EMAIL_ADDRESS> or call <PHONE_NUMBER>.\n"
    assert one == "And <PERSON> came.\n"  # known from the prompt alone
    assert other == "The sea, the sea"


@pytest.mark.parametrize("given", [[""], ["", ""], ["a", ""], ["\n", "\n\n", "x"], ["a\x1eb", "c"], ["a\n\x1e\nb", "c", ""]])
def test_texts_keep_their_order(texts: TextScrubber, given: list[str]) -> None:
    assert texts.scrub(given) == given


def test_patterns_only_needs_no_spacy_model() -> None:
    rule = {"entity": "MEMBER_ID", "pattern": r"M-\d+"}
    own = RequestLogSettings.model_validate({"names": "patterns", "rules": [rule]})
    assert TextScrubber(own).scrub(["I am M-77"]) == ["I am <MEMBER_ID>"]
    [text] = TextScrubber(RequestLogSettings(names="patterns", name_engine="spacy", spacy_model="no_such_model")).scrub([LETTER])
    assert "Anna Kowalski" in text
    assert "anna@" not in text


def test_a_missing_spacy_model_is_refused() -> None:
    with pytest.raises(BadInput, match="is not installed"):
        TextScrubber(RequestLogSettings(name_engine="spacy", spacy_model="no_such_model"))


class Slow:
    """Scrubs nothing before it is let."""

    let = threading.Event()

    def __init__(self, settings: RequestLogSettings) -> None:
        pass

    def scrub(self, texts: list[str]) -> list[str]:
        self.let.wait(10)
        if "poison" in texts:
            raise RuntimeError("a recogniser fell over")
        return [f"<{text}>" for text in texts]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    monkeypatch.setattr(module, "TextScrubber", Slow)
    Slow.let = threading.Event()
    return Slow.let


def put(log: Writer, scrubbing: Scrubbing, request: Request, *texts: str) -> None:
    place = log.add("request", {**asdict(request), "prompt": None, "completions": None}, texts_follow=True)
    assert place
    scrubbing.put(place, texts)


def test_a_record_is_readable_before_its_texts(tmp_path: Path, request_of: Callable[..., Request], slow: threading.Event) -> None:
    log, settings = Writer(tmp_path, RequestLogSettings()), RequestLogSettings(text_queue=2)
    scrubbing = Scrubbing(log, settings)
    put(log, scrubbing, request_of(0), "secret", "s")
    put(log, scrubbing, request_of(1), "poison")
    put(log, scrubbing, request_of(2), "secret", "t", "u")
    assert read(tmp_path)["prompt"].to_pylist() == [None, None, None]
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*.jsonl"))
    slow.set()
    scrubbing.close()
    log.close()
    rows = read(tmp_path).sort_by("completion_id").to_pylist()
    assert [row["prompt"] for row in rows] == ["<secret>", None, "<secret>"]
    assert [row["completions"] for row in rows] == [["<s>"], None, ["<t>", "<u>"]]
    assert scrubbing.omitted == 1
    assert not scrubbing.full  # one text that fails does not end the others' scrubbing
    assert scrubbing.trouble == "scrubbing failed (RuntimeError); the record is written without its texts"


def test_a_full_queue_omits_the_texts(tmp_path: Path, request_of: Callable[..., Request], slow: threading.Event) -> None:
    log = Writer(tmp_path, RequestLogSettings())
    scrubbing = Scrubbing(log, RequestLogSettings(text_queue=2))
    for n in range(3):
        assert n == 0 or not scrubbing.full or len(scrubbing._queue) >= 2
        put(log, scrubbing, request_of(n), "a")
    assert scrubbing.full
    slow.set()
    scrubbing.close()
    assert not scrubbing.full
    log.close()


def test_a_text_that_waited_too_long_is_omitted(tmp_path: Path, request_of: Callable[..., Request], slow: threading.Event) -> None:
    log = Writer(tmp_path, RequestLogSettings())
    scrubbing = Scrubbing(log, RequestLogSettings(text_wait_seconds=0.001))
    with scrubbing._ready:  # it cannot take one before we let go
        for n in range(2):
            place = log.add("request", {**asdict(request_of(n)), "prompt": None, "completions": None}, texts_follow=True)
            assert place
            scrubbing._queue.append((float("-inf"), place, ["old"]))
    slow.set()
    scrubbing.close()
    log.close()
    assert read(tmp_path)["prompt"].to_pylist() == [None, None]
    assert scrubbing.omitted == 2


def test_without_the_spacy_model_all_texts_are_omitted_with_a_reason(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = Writer(tmp_path, RequestLogSettings())
    scrubbing = Scrubbing(log, RequestLogSettings(name_engine="spacy", spacy_model="no_such_model"))
    put(log, scrubbing, request_of(0), "secret")
    scrubbing.close()
    log.close()
    assert read(tmp_path)["prompt"].to_pylist() == [None]
    assert scrubbing.full
    assert "no_such_model" in scrubbing.trouble


@given(st.floats(1e-6, 100), st.floats(0.01, 1))
def test_pauses_limit_the_work_to_its_share(worked: float, share: float) -> None:
    assert worked / (worked + pause_after(worked, share)) == pytest.approx(share)


def resident() -> float:
    """Megabytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_trim_heap_returns_free_memory() -> None:
    texts = ["x" * (600 + number % 900) for number in range(200_000)]
    kept = texts[::400]  # holes on every page, some of them whole pages long
    full = resident()
    del texts
    trim_heap()
    assert resident() < full - 100 and len(kept) == 500
