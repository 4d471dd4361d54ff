"""The HTML page of the slices: worst first, with intervals, compared with the champion."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import combinations
from typing import Any

from robo_poet.judges.gate import slice_key
from robo_poet.judges.metrics import metric_name, metric_text
from robo_poet.report.forest import ForestRow, forest
from robo_poet.report.sections import table

DRAWN = 30  # most slices in the plot; the tables have all
EMPTY = "(none)"
FEW = " With so few works they say how sure a number is for these works, not for others."


def sections(found: Mapping[str, Any], notes: Sequence[str]) -> list[tuple[str, str]]:
    """Return the sections of the page, as (title, HTML).

    Args:
        found: the `slices` artifact.
        notes: messages about the slices that were left out.
    """
    overall, cut = found["slices"][0], found["slices"][1:]
    parts = [("All documents", _overall(overall, found)), ("Worst first", _plot(overall, cut, found))]
    dimensions: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for one in cut:
        dimensions.setdefault(tuple(one["slice"]), []).append(one)
    parts += [(f"By {' and '.join(columns)}", _table(worst_first(ones), found)) for columns, ones in dimensions.items()]
    if notes:
        parts.append(("Left out", "".join(f"<p>{escape(note)}.</p>" for note in notes)))
    return parts


def worst_first(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the slices ordered by bits per byte, worst first. Slices without a value come first."""

    def rank(one: Mapping[str, Any]) -> tuple[bool, float, str]:
        value = one["metrics"]["bits_per_byte"]["value"]
        return value is not None, -(value or 0), one["key"]

    return sorted(records, key=rank)


def distinct(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the slices without those that hold the same documents as a wider slice, so that the plot shows them once.

    For example, if an author wrote in one century only, the slice of author and century is dropped.

    Args:
        records: all slices, including the slice of all documents, which is dropped, too.
    """
    sizes = {one["key"]: one["documents"] for one in records}

    def wider(one: Mapping[str, Any]) -> set[str]:
        items = list(one["slice"].items())
        return {slice_key(dict(some)) for size in range(len(items)) for some in combinations(items, size)}

    return [one for one in records if one["slice"] and all(sizes.get(key) != one["documents"] for key in wider(one))]


def _overall(one: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    models = [one["metrics"], *([one["champion"]] if one["champion"] else [])]
    rows = [[metric_name(name), *(_with_interval(name, model[name]) for model in models)] for name in one["metrics"]]
    over = f"{found['confidence']:.0%} intervals are over {one['unit']}s."
    said = f"<p>{_size(one)}. {over}{FEW if one['unit'] == 'document' else ''}</p>" + table(
        ["metric", "model", "champion"][: 1 + len(models)], rows
    )
    compared = f"Against the champion, in bits per byte: {_compared(one)}." if one["champion"] else "There is no champion to compare with."
    return f"{said}<p>{escape(compared)}</p>"


def _plot(overall: Mapping[str, Any], cut: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> str:
    order = worst_first(distinct([overall, *cut]))
    rows = [
        ForestRow(
            _name(one), _size(one), one["metrics"]["bits_per_byte"], one["champion"]["bits_per_byte"] if one["champion"] else None,
            unsure=one["documents"] < found["min_documents"],
        )
        for one in order[:DRAWN]
    ]  # fmt: skip
    drawn = forest(rows, names=("model", "champion"), what="bits per byte", reference=overall["metrics"]["bits_per_byte"]["value"])
    said = (
        f"Bits per byte, lower is better. {1 - found['confidence']:.0%} of such intervals miss the true value: of many slices a few differ "
        f"by chance. Of fewer than {found['min_works']} works an interval is over documents and says nothing of other works. "
        f"Slices of fewer than {found['min_documents']} documents are faint and have no verdict."
    )
    more = f" The {DRAWN} worst of {len(order)}; the tables below have all." if len(order) > DRAWN else ""
    return f'<p class="faint">{said}{more}</p>{drawn}' if drawn else "<p>No slice was measured.</p>"


def _table(records: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> str:
    champion = any(one["champion"] for one in records)
    head = ["slice", "documents", "works", "bits per byte", f"{found['confidence']:.0%} interval", "over", "perplexity", "token accuracy"]
    rows = []
    for one in records:
        metrics = one["metrics"]
        row = [_name(one), f"{one['documents']:,}", f"{one['works']:,}", metric_text("bits_per_byte", metrics["bits_per_byte"]["value"])]
        row += [_interval("bits_per_byte", metrics["bits_per_byte"]), f"{one['unit']}s"]
        row += [metric_text(name, metrics[name]["value"]) for name in ("perplexity", "token_accuracy")]
        rows.append(row + ([_compared(one)] if champion else []))
    return table([*head, *(["against the champion"] if champion else [])], rows)


def _name(one: Mapping[str, Any]) -> str:
    return ", ".join(f"{column}: {value or EMPTY}" for column, value in one["slice"].items())


def _size(one: Mapping[str, Any]) -> str:
    return ", ".join(f"{one[what]:,} {what if one[what] != 1 else what[:-1]}" for what in ("documents", "works"))


def _interval(name: str, value: Mapping[str, Any]) -> str:
    return "none" if value["low"] is None else f"{metric_text(name, value['low'])} to {metric_text(name, value['high'])}"


def _with_interval(name: str, value: Mapping[str, Any]) -> str:
    return metric_text(name, value["value"]) + ("" if value["low"] is None else f" ({_interval(name, value)})")


def _compared(one: Mapping[str, Any]) -> str:
    difference = one["difference"]["bits_per_byte"]
    if difference["value"] is None:
        return "not measured"
    limits = "" if difference["low"] is None else f" ({difference['low']:+.3f} to {difference['high']:+.3f})"
    return f"{difference['value']:+.3f}{limits}: {one['verdict']}"
