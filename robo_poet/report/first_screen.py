"""The first screen of the model card: what the model is, the verdict, four figures in plain words and one sample.

Version and date are missing: they are given at registration. `registered_card` adds them.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from robo_poet.judges.metrics import interval_text, metric_name, metric_text

STYLE = """
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .5rem 1.4rem; margin: .6rem 0 1rem; }
.facts div, .figures div { min-width: 0; overflow-wrap: anywhere; } .facts dt, .figures dt { color: var(--faint); font-size: .85rem; }
.facts dd, .figures dd { margin: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .8rem; margin: 1rem 0; }
.figures div { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; break-inside: avoid; }
.figures .value { font: 600 1.5rem/1.3 Georgia, serif; } .figures small { color: var(--faint); display: block; line-height: 1.35; }
"""

# metric → what its value means in plain words; the first four that were measured are shown
HEADLINES = {
    "perplexity": "Before each token, the model is as unsure as if it chose among this many equally likely tokens. Lower is better.",
    "token_accuracy": "of the next tokens in unseen text are the model's first guess. Higher is better.",
    "copied_share": "of the completions repeat a long passage of the training text word for word. Lower is better.",
    "toxic_share": "of the completions are insulting, hateful or obscene, by an automatic judge. Lower is better.",
    "bits_saved_over_unigram": "fewer bits than a model that only knows how frequent each token is. Higher is better.",
    "degenerate_share": "of the completions are empty, repetitive or loop. Lower is better.",
}
FIGURES = 4
ARCHITECTURES = {"lstm": "LSTM", "transformer": "transformer"}


def first_screen(card: Mapping[str, Any]) -> str:
    """Return the first screen of a card as HTML; all data is escaped."""
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in _facts(card) if value)
    gates = card["gates"]
    counts = [f"{sum(gate['verdict'] == 'pass' for gate in gates)} of {len(gates)} gates passed"]
    if failed := sum(gate["verdict"] == "fail" for gate in gates):
        counts.append(f"{failed} failed")
    if unanswered := sum(gate["verdict"] == "open" for gate in gates):
        counts.append(f"{unanswered} open")
    verdict, reason = escape(card["verdict"]), f": {escape(card['reason'])}" if card.get("reason") else ""
    figures = "".join(_figure(name, value, card["intervals"].get(name)) for name, value in _measured(card))
    return (
        f'<dl class="facts">{facts}</dl>'
        f'<p><span class="badge {verdict}">{verdict}</span> {", ".join(counts)}{reason}.</p>'
        f'<dl class="figures">{figures}</dl>{_first_sample(card)}'
    )


def model_name(card: Mapping[str, Any]) -> str:
    """Return the model's name from the lineage; '' if it has none."""
    return str(card["lineage"].get("model") or "")


def _facts(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    lineage, statistics = card["lineage"], card["data"]
    settings = lineage.get("settings", {})
    train, tokenizer = settings.get("train", {}), settings.get("tokenizer", {})
    source = str(lineage.get("source") or "")
    sources = ", ".join(name or "(no source)" for name in statistics.get("sources", {}))
    kind = ARCHITECTURES.get(str(train.get("architecture", "")), str(train.get("architecture", "")))
    shape = (
        [f"{train['layers']} × {train['units']} units" if kind == "LSTM" else f"{train['layers']} layers"] if train.get("layers") else []
    )
    if tokenizer.get("vocabulary"):
        shape.append(f"vocabulary {tokenizer['vocabulary']:,}")
    architecture = f"{kind}{', ' if kind and shape else ''}{', '.join(shape)}"
    return [
        ("Model", model_name(card)),
        ("Corpus", sources if source == "bundled" else source),
        ("Size of the corpus", f"{statistics['documents']:,} documents, {statistics['megabytes']:.2f} MB"),
        ("Architecture", architecture),
    ]


def _measured(card: Mapping[str, Any]) -> list[tuple[str, float]]:
    metrics = card["metrics"]
    return [(name, metrics[name]) for name in HEADLINES if metrics.get(name) is not None][:FIGURES]


def _figure(name: str, value: float, limits: Any) -> str:
    interval = interval_text(name, limits)
    note = f"<small>95 % interval: {escape(interval)}</small>" if interval else ""
    return (
        f'<div><dt>{escape(metric_name(name))}</dt><dd><span class="value">{escape(metric_text(name, value))}</span>'
        f"<small>{escape(HEADLINES[name])}</small>{note}</dd></div>"
    )


def _first_sample(card: Mapping[str, Any]) -> str:
    samples = card["samples"]["drawn"]
    if not samples:
        return ""
    text = f'<span class="faint">{escape(samples[0]["prompt"])}</span>{escape(samples[0]["text"])}'
    return f'<p class="faint">A random sample. The prompt, in grey, is held-out text.</p><pre>{text}</pre>'
