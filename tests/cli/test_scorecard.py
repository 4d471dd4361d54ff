import io
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from cli.scorecard import scorecard
from pipelines.outcome import Outcome
from pipelines.run.result import RunResult, TaskResult

RESULT = RunResult(
    "20260301-1", Path("runs/20260301-1"), "training", "succeeded",
    {"ingest": TaskResult("cached"), "train-model": TaskResult("ran", 12.34, warnings=("the loss is not finite",))}, "", 15.0,
)  # fmt: skip
OUTCOME = Outcome(
    model="poems",
    metrics={"perplexity": 57.5},
    intervals={"perplexity": [55.5, 59.5]},
    bands={"perplexity": "acceptable"},
    verdict="accepted",
    samples=[{"prompt": "Shall I", "text": " compare\n\nthee [bold]\x1b[2J"}],
    version=1,
    stage="champion",
    report=Path("runs/20260301-1/report.html"),
)


FAILED = {
    "metric": "perplexity", "value": 120.0, "bound": "<= 100", "verdict": "fail", "reason": "perplexity is 120, above 100",
    "remedy": "--set train.epochs=12",
}  # fmt: skip
REJECTED = {"stage": "rejected", "verdict": "rejected", "reason": "perplexity is 120, above 100", "gates": [FAILED]}
QUESTION = {
    "metric": "bias_sentiment_reach", "value": None, "bound": "<= 0.5", "verdict": "open", "unknown": True, "slice": "", "against": "",
    "reason": "bias_sentiment_reach could not be measured: 11 prompts in group religion/atheists, 15 needed",
    "what": "prompts in group religion/atheists", "needed": 15, "there": 11, "remedy": "--set audit.prompts=45",
}  # fmt: skip


def printed(result: RunResult, outcome: Outcome) -> str:
    screen = io.StringIO()
    Console(width=200, file=screen).print(scorecard(result, outcome))
    return screen.getvalue()


def test_a_run_shows_steps_metrics_and_warnings() -> None:
    text = printed(RESULT, OUTCOME)
    assert re.search(r"^train-model +ran +12\.3 *$", text, re.MULTILINE)
    assert re.search(r"57\.5 +55\.5 to 59\.5 +acceptable", text)
    assert "warning: train-model: the loss is not finite" in text


def test_a_champion_that_the_gates_reject_now_stays_and_it_is_said() -> None:
    text = printed(RESULT, replace(OUTCOME, **{**REJECTED, "stage": "champion"}))
    assert "poems/1 stays champion, although the gates now reject it: perplexity is 120, above 100" in text
    assert "poems/1 is rejected: perplexity is 120" in printed(RESULT, replace(OUTCOME, **REJECTED))


def test_the_recall_of_scrubbing_is_a_line() -> None:
    row = {"planted": 647, "covered": 632, "recall": 0.9768, "low": 0.962, "high": 0.987}
    text = printed(RESULT, replace(OUTCOME, scrubbing={"all": row}))
    assert "Personal data: 97.7 % of 647 planted values are removed (95 % interval 96.2 to 98.7 %)." in text
    assert "Personal data" not in printed(RESULT, OUTCOME)


def test_a_skipped_step_says_why() -> None:
    skipped = {**RESULT.tasks, "deploy-canary": TaskResult("skipped", error="it runs only if the gates accepted the model")}
    text = printed(replace(RESULT, tasks=skipped), OUTCOME)
    assert re.search(r"^deploy-canary +skipped +it runs only if the gates accepted the model$", text, re.MULTILINE)


def test_the_sample_has_no_empty_lines_and_no_control_codes() -> None:
    text = printed(RESULT, OUTCOME)
    assert "Sample (the prompt, in grey, is held-out text)" in text
    assert "│ Shall I compare" in text and "│ thee [bold][2J" in text and "\x1b" not in text


@pytest.mark.parametrize(
    ("status", "change", "command"),
    [
        ("succeeded", {}, 'generate "Shall I compare thee" --model poems\n'),
        ("succeeded", {"stage": "canary"}, 'generate "Shall I compare thee" --model poems --version 1\n'),
        ("succeeded", {"stage": "rejected", "verdict": "rejected", "reason": "bleu is below 0.005"}, "registry show 1"),
        ("succeeded", REJECTED, "run the same command again with --set train.epochs=12   # with make: ARGS='--set train.epochs=12'"),
        ("failed", {"version": None}, "fix the error above and run the same command again"),
        ("cancelled", {"version": None}, "run the same command again: it resumes where this run stopped"),
    ],
)
def test_the_last_line_is_the_next_command(status: str, change: dict[str, object], command: str) -> None:
    text = printed(replace(RESULT, status=status), replace(OUTCOME, **change))  # type: ignore[arg-type]
    assert command in text[text.index("next        ") :]


def test_the_options_for_make_contain_those_of_the_run() -> None:
    """ARGS replaces the ARGS that were typed. A setting that the remedy changes is left out."""
    screen = io.StringIO()
    given = ["train.epochs=8", "ingest.columns.text=the body"]
    Console(width=200, file=screen).print(scorecard(RESULT, replace(OUTCOME, **REJECTED), given))  # type: ignore[arg-type]
    found = re.search(r"with make: ARGS=(.+)$", screen.getvalue(), re.MULTILINE)
    assert found and shlex.split(shlex.split(found[1])[0]) == ["--set", "ingest.columns.text=the body", "--set", "train.epochs=12"]


def test_a_failed_run_shows_its_error_and_no_steps_that_did_not_start() -> None:
    tasks = {
        "ingest": TaskResult("ran", 1.0),
        "scrub-pii": TaskResult("failed", 1.0, error="no text"),
        "train-model": TaskResult("cancelled"),
    }
    text = printed(replace(RESULT, status="failed", error="scrub-pii: no text", tasks=tasks), Outcome())
    assert "scrub-pii: no text" in text and "train-model" not in text and "the results of finished steps are reused" in text


def test_a_corpus_that_cannot_be_read_gives_the_error_and_no_table() -> None:
    tasks = {"ingest": TaskResult("failed", 1.0, error="no text"), "train-model": TaskResult("cancelled")}
    text = printed(replace(RESULT, status="failed", error="ingest: no text", tasks=tasks), Outcome())
    assert text.startswith("ingest: no text\n") and "Steps" not in text and "reused" not in text


def test_open_questions_are_listed_with_what_was_needed_and_there() -> None:
    text = printed(RESULT, replace(OUTCOME, gates=[QUESTION]))
    assert re.search(r"sentiment bias, upper bound +not measured +<= 0\.5 +open", text)
    assert "Open questions" in text
    assert re.search(r"sentiment bias, upper bound +11 +15 +prompts in group religion/atheists +--set audit\.prompts=45", text)
    assert "Open questions" not in printed(RESULT, replace(OUTCOME, gates=[{**QUESTION, "verdict": "pass", "unknown": False}]))


def test_a_missing_interval_says_how_many_units_there_are() -> None:
    shortages = {"perplexity": {"what": "blocks of held-out text", "needed": 5, "there": 3}}
    text = printed(RESULT, replace(OUTCOME, intervals={}, shortages=shortages))
    assert re.search(r"57\.5 +none: 3 blocks of held-out text, 5 needed +acceptable", text)


@pytest.mark.parametrize(
    ("unit", "scope"),
    [("work", ""), ("document", "resample documents within these works"), ("block", "resample blocks of 2 kB within these documents")],
)
def test_it_says_what_the_intervals_resample_if_there_are_few_works(unit: str, scope: str) -> None:
    text = printed(RESULT, replace(OUTCOME, interval_unit=unit))
    assert (scope in text) if scope else "resample" not in text


def test_a_remedy_with_quotes_can_be_pasted_after_the_command_and_after_make() -> None:
    remedy = """--set 'gates=[{metric: toxic_share, drop: "the texts are not English"}]'"""
    gates = [{**FAILED, "remedy": remedy}]
    text = printed(RESULT, replace(OUTCOME, **{**REJECTED, "gates": gates}))  # type: ignore[arg-type]
    line = " ".join(text[text.index("run the same command") :].split())  # the screen of the test wraps it
    typed, _, made = line.partition(" # with make: ARGS=")
    assert typed.endswith(remedy) and shlex.split(made) == [remedy]


@pytest.mark.parametrize(
    ("source", "prompt", "suggested"),
    [
        ("bundled", "The sun is up and", '"Shall I compare thee"'),
        ("/data/poems", "One\nThe sun's up, and high above\n", '"The sun\'s up, and"'),
        ("/data/poems", 'Pay "$5" at the door', "'Pay \"$5\" at the'"),
        ("/data/poems", "Two words", '"Shall I compare thee"'),
    ],
)
def test_the_next_command_has_a_prompt_from_the_corpus(source: str, prompt: str, suggested: str) -> None:
    text = printed(RESULT, replace(OUTCOME, source=source, samples=[{"prompt": prompt, "text": "x"}]))
    assert f"robo-poet generate {suggested} --model poems" in text


def test_the_options_of_all_failed_gates_are_one_command() -> None:
    gates = [FAILED, {**FAILED, "metric": "bleu", "remedy": "--set audit.prompts=45"}]
    text = printed(RESULT, replace(OUTCOME, **{**REJECTED, "gates": gates}))  # type: ignore[arg-type]
    assert "run the same command again with --set train.epochs=12 --set audit.prompts=45" in " ".join(text.split())
