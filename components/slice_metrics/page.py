"""The HTML page of the slices: worst first, with intervals, compared with the champion."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import combinations
from typing import Any

from robo_poet.judges.gate import slice_key
from robo_poet.judges.metrics import metric_name, metric_text
from robo_poet.report.forest import ForestRow, forest
from robo_poet.report.sections import table

PLOTTED = 30  # maximum number of slices in the plot; the tables contain all slices
EMPTY = "(none)"
FEW_WORKS = " There are too few works to resample them, so the intervals hold for these works only, not for other works."


def sections(artifact: Mapping[str, Any], notes: Sequence[str]) -> list[tuple[str, str]]:
    """Return the sections of the page, as (title, HTML).

    Args:
        artifact: the `slices` artifact.
        notes: messages about the slices that were left out.
    """
    overall, slices = artifact["slices"][0], artifact["slices"][1:]
    result = [("All documents", _overall(overall, artifact)), ("Worst first", _plot(overall, slices, artifact))]
    dimensions: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for record in slices:
        dimensions.setdefault(tuple(record["slice"]), []).append(record)
    result += [(f"By {' and '.join(columns)}", _table(worst_first(group), artifact)) for columns, group in dimensions.items()]
    if notes:
        result.append(("Left out", "".join(f"<p>{escape(note)}.</p>" for note in notes)))
    return result


def worst_first(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the slices ordered by bits per byte, worst first. Slices without a value come first."""

    def rank(record: Mapping[str, Any]) -> tuple[bool, float, str]:
        value = record["metrics"]["bits_per_byte"]["value"]
        return value is not None, -(value or 0), record["key"]

    return sorted(records, key=rank)


def distinct(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the slices without those that contain the same documents as a wider slice. So the plot shows these documents only once.

    For example, if all texts of an author are from one century, the slice of author and century is dropped.

    Args:
        records: all slices, including the slice of all documents, which is dropped, too.
    """
    sizes = {record["key"]: record["documents"] for record in records}

    def wider(record: Mapping[str, Any]) -> set[str]:
        items = list(record["slice"].items())
        return {slice_key(dict(subset)) for size in range(len(items)) for subset in combinations(items, size)}

    return [record for record in records if record["slice"] and all(sizes.get(key) != record["documents"] for key in wider(record))]


def _overall(record: Mapping[str, Any], artifact: Mapping[str, Any]) -> str:
    models = [record["metrics"], *([record["champion"]] if record["champion"] else [])]
    rows = [[metric_name(name), *(_with_interval(name, model[name]) for model in models)] for name in record["metrics"]]
    interval_note = f"{artifact['confidence']:.0%} intervals resample {record['unit']}s."
    introduction = f"<p>{_size(record)}. {interval_note}{FEW_WORKS if record['unit'] != 'work' else ''}</p>" + table(
        ["metric", "model", "champion"][: 1 + len(models)], rows
    )
    comparison = (
        f"Difference from the champion, in bits per byte: {_compared(record)}."
        if record["champion"]
        else "There is no champion, so there is no comparison."
    )
    return f"{introduction}<p>{escape(comparison)}</p>"


def _plot(overall: Mapping[str, Any], slices: Sequence[Mapping[str, Any]], artifact: Mapping[str, Any]) -> str:
    order = worst_first(distinct([overall, *slices]))
    rows = [
        ForestRow(
            _name(record), _size(record), record["metrics"]["bits_per_byte"],
            record["champion"]["bits_per_byte"] if record["champion"] else None,
            unsure=record["documents"] < artifact["min_documents"],
        )
        for record in order[:PLOTTED]
    ]  # fmt: skip
    plot = forest(rows, names=("model", "champion"), what="bits per byte", reference=overall["metrics"]["bits_per_byte"]["value"])
    explanation = (
        f"Bits per byte, lower is better. About {1 - artifact['confidence']:.0%} of such intervals miss the true value, so of many slices "
        f"a few differ by chance. If a slice has fewer than {artifact['min_works']} works, its interval is over documents or blocks and "
        f"does not hold for other works. Slices with fewer than {artifact['min_documents']} documents are drawn faint and have no verdict."
    )
    limit_note = f" The plot shows the {PLOTTED} worst of {len(order)} slices; the tables below show all." if len(order) > PLOTTED else ""
    return f'<p class="faint">{explanation}{limit_note}</p>{plot}' if plot else "<p>No slice was measured.</p>"


def _table(records: Sequence[Mapping[str, Any]], artifact: Mapping[str, Any]) -> str:
    champion = any(record["champion"] for record in records)
    head = [
        "slice",
        "documents",
        "works",
        "bits per byte",
        f"{artifact['confidence']:.0%} interval",
        "resampled",
        "perplexity",
        "token accuracy",
    ]
    rows = []
    for record in records:
        metrics = record["metrics"]
        row = [
            _name(record),
            f"{record['documents']:,}",
            f"{record['works']:,}",
            metric_text("bits_per_byte", metrics["bits_per_byte"]["value"]),
        ]
        row += [_interval("bits_per_byte", metrics["bits_per_byte"]), f"{record['unit']}s"]
        row += [metric_text(name, metrics[name]["value"]) for name in ("perplexity", "token_accuracy")]
        rows.append(row + ([_compared(record)] if champion else []))
    return table([*head, *(["difference from the champion"] if champion else [])], rows)


def _name(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{column}: {value or EMPTY}" for column, value in record["slice"].items())


def _size(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{record[unit]:,} {unit if record[unit] != 1 else unit[:-1]}" for unit in ("documents", "works"))


def _interval(name: str, value: Mapping[str, Any]) -> str:
    return "none" if value["low"] is None else f"{metric_text(name, value['low'])} to {metric_text(name, value['high'])}"


def _with_interval(name: str, value: Mapping[str, Any]) -> str:
    return metric_text(name, value["value"]) + ("" if value["low"] is None else f" ({_interval(name, value)})")


def _compared(record: Mapping[str, Any]) -> str:
    difference = record["difference"]["bits_per_byte"]
    if difference["value"] is None:
        return "not measured"
    interval = "" if difference["low"] is None else f" ({difference['low']:+.3f} to {difference['high']:+.3f})"
    return f"{difference['value']:+.3f}{interval}: {record['verdict']}"
