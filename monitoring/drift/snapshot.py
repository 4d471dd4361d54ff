"""The snapshot of a window: a Parquet file with one row of numbers for each user, without texts and pseudonyms (contract 14).

The verdict names the digest of the snapshot. So it can be made again, even after the records of the request log are removed.
"""

import json
from itertools import repeat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.digest import digest_file
from robo_poet.errors import BadInput
from robo_poet.judges.drift.observations import UserScore, Window

FORM = 1
ABOUT = b"robo_poet_window"  # key of the file's metadata
NUMBERS = {"nats": pa.float64(), "prompts": pa.int32(), "tokens": pa.float64(), "broken": pa.float64()}  # attributes of a user
VALUES = ("language", "client")  # dimensions; an older snapshot has no `client`
SCHEMA = pa.schema([*NUMBERS.items(), *((name, pa.string()) for name in VALUES)])


def write_snapshot(path: Path, window: Window) -> str:
    """Write the snapshot of a window. Return its digest. The same window gives the same bytes."""
    times = {"start": window.start, "end": window.end}
    about = {"form": FORM} | times | {"unscored": window.unscored}
    numbers = ([getattr(user, name) for user in window.users] for name in NUMBERS)
    texts = ([user.values.get(name) for user in window.users] for name in VALUES)
    table = pa.table([*numbers, *texts], SCHEMA.with_metadata({ABOUT: json.dumps(about).encode()}))
    with new_file(path, durable=True) as temporary:
        pq.write_table(table, temporary)
    return digest_file(path)


def read_snapshot(path: Path, digest: str = "") -> Window:
    """Return the window of a snapshot.

    Args:
        digest: expected digest; empty: any.

    Raises:
        BadInput: the file is missing, not a snapshot, of another form, or has another digest.
    """
    remedy = "remove it, and it is made again from the request log"
    try:
        if digest and digest_file(path) != digest:
            raise BadInput("the snapshot was changed", where=str(path), remedy=remedy)
        table = pq.read_table(path, memory_map=False)
        about = json.loads((table.schema.metadata or {})[ABOUT])
        if about["form"] != FORM:
            raise BadInput(f"the snapshot has form {about['form']}, this release reads {FORM}", where=str(path), remedy=remedy)
        numbers = zip(*(table[name].to_pylist() for name in NUMBERS), strict=True)
        values = zip(*(table[name].to_pylist() if name in table.column_names else repeat(None) for name in VALUES), strict=False)
        users = [
            UserScore(nats, prompts, tokens, broken, _known(texts))
            for (nats, prompts, tokens, broken), texts in zip(numbers, values, strict=False)
        ]
        return Window(about["start"], about["end"], users, about["unscored"])
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise BadInput(f"not a snapshot of a window ({error})", where=str(path), remedy=remedy) from None


def _known(texts: tuple[str | None, ...]) -> dict[str, str]:
    return {name: text for name, text in zip(VALUES, texts, strict=True) if text is not None}
