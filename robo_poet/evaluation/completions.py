"""The table of completions of held-out prompts, with the human reference of each (EVAL-2, EVAL-3)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.errors import BadInput

SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("document", "group", "language", "prompt", "text", "reference", "stop")]
    + [pa.field(name, pa.list_(pa.int32()), nullable=False) for name in ("tokens", "reference_tokens")]
    + [pa.field(name, pa.float64(), nullable=False) for name in ("nats", "reference_nats")]
)
DECODING = b"decoding"  # key in the table's metadata


@dataclass(frozen=True)
class Continuation:
    """A held-out prompt with two continuations: the model's and the human reference.

    Args:
        document, group: document and work of the prompt. Continuations of one work depend on each other.
        prompt: the held-out text before the continuation.
        text, tokens: what the model wrote.
        reference, reference_tokens: the human text that follows the prompt, of about the same length.
        stop: why the model stopped, the name of a `StopReason`.
        nats, reference_nats: negative log-likelihood of either text after the prompt, by `score` of the same model; 0 if not computed.
    """

    document: str
    group: str
    language: str
    prompt: str
    text: str
    reference: str
    stop: str
    tokens: list[int]
    reference_tokens: list[int]
    nats: float = 0.0
    reference_nats: float = 0.0


def write_continuations(path: Path, rows: Iterable[Continuation], decoding: Mapping[str, float] | None = None) -> None:
    """Write the table atomically.

    Args:
        decoding: the sampling settings of the texts, such as `{"temperature": 0.8}`. A model is only compared on texts sampled alike.
    """
    schema = SCHEMA.with_metadata({DECODING: json.dumps(decoding or {}, sort_keys=True)})
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema)
    with new_file(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_continuations(path: Path) -> Sequence[Continuation]:
    """Read the table.

    Raises:
        BadInput: not a table of continuations.
    """
    return [Continuation(**row) for row in _table(path).to_pylist()]


def read_decoding(path: Path) -> dict[str, float]:
    """Return the sampling settings of the table's texts.

    Raises:
        BadInput: not a table of continuations, or its metadata lacks the settings.
    """
    try:
        settings = json.loads(_table(path).schema.metadata[DECODING])
        return {name: float(value) for name, value in settings.items()}
    except (TypeError, KeyError, ValueError, AttributeError):
        raise BadInput("the sampling settings are missing in the metadata", where=str(path), remedy="run the evaluation again") from None


def _table(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
        return table.cast(SCHEMA.with_metadata(table.schema.metadata))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"not a table of continuations ({error})", where=str(path), remedy="run the evaluation again") from None
