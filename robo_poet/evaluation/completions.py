"""What a model wrote after held-out prompts, beside what people wrote there (EVAL-2, EVAL-3)."""

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
DECODING = b"decoding"  # key of the table's metadata


@dataclass(frozen=True)
class Continuation:
    """One held-out place, continued twice.

    Args:
        document, group: whose place it is; continuations of one work are not independent.
        prompt: the text before the place.
        text, tokens: what the model wrote.
        reference, reference_tokens: what really follows, of about the same length.
        stop: why the model stopped, in the words of `StopReason`.
        nats, reference_nats: how unlikely `score` of the same model finds either text after the prompt; 0 where it was not asked.
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
    """Write the table, whole or not at all.

    Args:
        decoding: how the texts were drawn, such as `{"temperature": 0.8}`: another model is compared by texts drawn alike.
    """
    schema = SCHEMA.with_metadata({DECODING: json.dumps(decoding or {}, sort_keys=True)})
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema)
    with new_file(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_continuations(path: Path) -> Sequence[Continuation]:
    """Read the table.

    Raises:
        BadInput: not such a table.
    """
    return [Continuation(**row) for row in _table(path).to_pylist()]


def read_decoding(path: Path) -> dict[str, float]:
    """How the texts of the table were drawn.

    Raises:
        BadInput: not such a table, or it does not say.
    """
    try:
        said = json.loads(_table(path).schema.metadata[DECODING])
        return {name: float(value) for name, value in said.items()}
    except (TypeError, KeyError, ValueError, AttributeError):
        raise BadInput("it does not say how its texts were drawn", where=str(path), remedy="run the evaluation again") from None


def _table(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
        return table.cast(SCHEMA.with_metadata(table.schema.metadata))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadInput(f"no table of continuations ({error})", where=str(path), remedy="run the evaluation again") from None
