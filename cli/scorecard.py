"""The summary printed at the end of a run: steps, metrics, gates, a sample, the version and the next command."""

import shlex
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipelines.outcome import Outcome
from pipelines.run.result import RunResult
from robo_poet.commands import command, program
from robo_poet.display import terminal_text
from robo_poet.judges.metrics import interval_scope, interval_text, metric_name, metric_text, no_interval_text
from robo_poet.judges.remedies import combine
from robo_poet.judges.scrub_recall import recall_sentence
from robo_poet.registry.names import BUNDLED_SOURCE
from robo_poet.report.gate_rows import HEAD, QUESTION_HEAD, gate_row, question_rows

SHOWN = (
    "perplexity", "bits_per_byte", "unigram_bits_per_byte", "token_accuracy", "top5_accuracy", "bleu", "distinct_2",
    "well_formed_sentences", "longest_copy_max", "bias_likelihood_worst", "edge_bits_per_byte_loss", "edge_megabytes",
)  # fmt: skip
COLOURS = {
    "pass": "green",
    "open": "yellow",
    "fail": "red",
    "ran": "green",
    "cached": "cyan",
    "failed": "red",
    "skipped": "dim",
    "cancelled": "yellow",
}
SAMPLE_LINES = 10
PROMPT_WORDS = 4  # in the prompt of the next command
SPECIAL = set('"$`\\!')  # special inside double quotes in a shell


def scorecard(result: RunResult, outcome: Outcome, given: Sequence[str] = ()) -> RenderableType:
    """Return the summary of a run. Parts that the run did not reach are left out.

    Args:
        given: the values of `--set` of the run.
    """
    return Group(*_sections(result, outcome, given))


def _sections(result: RunResult, outcome: Outcome, given: Sequence[str]) -> Iterator[RenderableType]:
    if _stopped_at_once(result):  # for example, the corpus cannot be used: the error is all there is to say
        yield _ending(result, outcome, given)
        return
    yield _steps(result)
    if outcome.metrics:
        yield _metrics(outcome)
        if scope := interval_scope(outcome.interval_unit):
            yield Text(scope)
    if outcome.gates:
        yield _gates(outcome)
    if questions := question_rows(outcome.gates):
        yield _questions(questions)
    if outcome.scrubbing:
        yield Text(f"Personal data: {recall_sentence(outcome.scrubbing)}.")
    if outcome.samples:
        yield _sample(outcome)
    for warning in result.warnings:
        yield Text(f"warning: {warning}", style="yellow")
    yield _ending(result, outcome, given)


def _stopped_at_once(result: RunResult) -> bool:
    return result.status == "failed" and not any(task.finished for task in result.tasks.values())


def _steps(result: RunResult) -> Table:
    table = Table("step", "state", "seconds", "", box=None, pad_edge=False, title="Steps", title_justify="left")
    table.columns[2].justify = "right"
    for name, task in result.tasks.items():
        if task.state == "cancelled" and result.status == "failed":
            continue  # never started, because an earlier step failed
        seconds = f"{task.seconds:.1f}" if task.state in ("ran", "failed") else ""
        reason = task.error if task.state == "skipped" else ""
        table.add_row(name, Text(task.state, style=COLOURS.get(task.state, "")), seconds, Text(reason, style="dim"))
    table.add_row("all", Text(result.status), f"{result.seconds:.1f}", style="bold")
    return table


def _metrics(outcome: Outcome) -> Table:
    table = Table("metric", "value", "95 % interval", "", box=None, pad_edge=False, title="\nHeld-out metrics", title_justify="left")
    table.columns[1].justify = "right"
    for name in SHOWN:
        if name in outcome.metrics:
            interval = interval_text(name, outcome.intervals.get(name)) or no_interval_text(outcome.shortages.get(name))
            band = outcome.bands.get(name, "")
            table.add_row(metric_name(name), metric_text(name, outcome.metrics[name]), Text(interval, style="dim"), Text(band, style="dim"))
    return table


def _gates(outcome: Outcome) -> Table:
    table = Table(*HEAD[:-1], box=None, pad_edge=False, title="\nGates", title_justify="left")  # the reasons stand at the end
    table.columns[1].justify = "right"
    for gate in outcome.gates:
        row = gate_row(gate)
        verdict = Text(row.verdict, style=COLOURS[gate["verdict"]])
        table.add_row(Text(row.name), row.value, Text(row.interval, style="dim"), row.bound, verdict)
    return table


def _questions(rows: Sequence[tuple[str, ...]]) -> Table:
    """Return the open questions: too little was measured to judge these gates, and the profile accepts that."""
    table = Table(*QUESTION_HEAD, box=None, pad_edge=False, title="\nOpen questions", title_justify="left")
    for column in (1, 2):
        table.columns[column].justify = "right"
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _sample(outcome: Outcome) -> Panel:
    sample = outcome.samples[0]
    prompt, written = terminal_text(sample["prompt"]), terminal_text(sample["text"])
    marked = Text(prompt, style="dim") + Text(written)
    lines = [line for line in marked.split("\n") if line.plain.strip()]  # plays contain many empty lines
    title = "Sample (the prompt, in grey, is held-out text)"
    return Panel(Text("\n").join(lines[:SAMPLE_LINES]), title=title, title_align="left", expand=False, border_style="dim")


def _ending(result: RunResult, outcome: Outcome, given: Sequence[str]) -> Text:
    text = Text()
    if result.error:
        text.append(f"{result.error}\n", style="red")
    if outcome.version is not None:
        contested = outcome.verdict == "rejected" and outcome.stage != "rejected"  # a champion, or a version that a person has overridden
        is_now = f"stays {outcome.stage}, although the gates now reject it" if contested else f"is {outcome.stage}"
        text.append(f"{outcome.model}/{outcome.version} {is_now}", style="bold green" if outcome.verdict == "accepted" else "bold red")
        text.append(f": {outcome.reason}\n" if outcome.reason else "\n")
    elif result.status == "succeeded":
        text.append("The run succeeded.\n", style="bold")
    if outcome.report:
        text.append(f"model card  {outcome.report}\n")
    if outcome.logs:
        text.append(f"curves      {program('tensorboard')} --logdir {shlex.quote(str(outcome.logs))}\n")
    text.append(f"details     {result.folder}/summary.json, {result.folder}/logs/\n")
    text.append(f"next        {_next_command(result, outcome, given)}")
    return text


def _next_command(result: RunResult, outcome: Outcome, given: Sequence[str]) -> str:
    if result.status == "cancelled":
        return "run the same command again: it resumes where this run stopped"
    if _stopped_at_once(result):
        return "fix the error above and run the same command again"
    if result.status == "failed":
        return "fix the error above and run the same command again: the results of finished steps are reused"
    if outcome.verdict == "rejected":
        remedy = combine(gate.get("remedy") or "" for gate in outcome.gates if gate["verdict"] == "fail")
        if remedy.startswith("--set "):
            return f"run the same command again with {remedy}   # with make: ARGS={shlex.quote(_all_options(given, remedy))}"
        return f"{remedy}, and run again" if remedy else command(f"registry show {outcome.version} --model {outcome.model}")
    version = f" --model {outcome.model}" + ("" if outcome.stage == "champion" else f" --version {outcome.version}")
    words = _first_words(outcome)
    quoted = shlex.quote(words) if SPECIAL & set(words) else f'"{words}"'
    return command(f"generate {quoted}{version}")


def _all_options(given: Sequence[str], remedy: str) -> str:
    """Return the options of the next run for `make`, where ARGS replaces the earlier ones: those that were given, and the remedy."""
    changed = {word.partition("=")[0] for word in shlex.split(remedy)}
    kept = [f"--set {shlex.quote(setting)}" for setting in given if setting.partition("=")[0] not in changed]
    return " ".join([*kept, remedy])


def _first_words(outcome: Outcome) -> str:
    """Return a prompt for the next command: the first words of a sample's prompt, or a line of the bundled sonnets."""
    prompts = [sample["prompt"] for sample in outcome.samples] if outcome.source not in ("", BUNDLED_SOURCE) else []
    lines = [words for prompt in prompts for line in prompt.splitlines() if len(words := terminal_text(line).split()) >= PROMPT_WORDS]
    return " ".join(lines[0][:PROMPT_WORDS]) if lines else "Shall I compare thee"
