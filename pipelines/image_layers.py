"""What the environments of several groups share is one layer under them: installed, compiled, stored and pulled once.

The chain of a group's layers is its lock, cut: each package is in one of them, with the very lines that the lock has for it.
"""

import re
from dataclasses import dataclass

from pipelines.code_digest import lock_file

# Each family shares a layer. Within a family the locks agree, since all but `validate` are resolved with one set of constraints.
FAMILIES = (
    ("model-server", "train", "train-gpu", "evaluate", "evaluate-gpu", "slices"),  # TensorFlow
    ("train", "train-gpu", "evaluate", "evaluate-gpu", "slices"),  # and Arrow
    ("scrub", "measure", "gateway"),  # spaCy and its model
)
SOURCE_ONLY = ("pyfarmhash",)  # of TensorFlow Data Validation; all else comes as wheels, or as Python source that no compiler is needed for
_BLOCK = re.compile(r"^(?=[A-Za-z0-9])", re.MULTILINE)


@dataclass(frozen=True)
class Layer:
    """Packages that are installed together.

    Attributes:
        name: of the family's smallest group and `-shared`, or of the group whose last layer it is.
        lock: a hash-pinned lock of them.
        last: whether a group's environment is whole with it.
    """

    name: str
    lock: str
    last: bool

    @property
    def from_source(self) -> str:
        """The lock of those of its packages that have to be compiled; empty if there are none."""
        return _lock(frozenset(block for block in _blocks(self.lock) if block.partition("==")[0] in SOURCE_ONLY))


def layers(group: str) -> list[Layer]:
    """The layers of a group's environment, the lowest first; one layer if it is in no family."""
    own = _blocks(lock_file(group).read_text("utf-8"))
    chain, below = [], frozenset[str]()
    for family in FAMILIES:
        if group in family:
            shared = frozenset.intersection(*(_blocks(lock_file(one).read_text("utf-8")) for one in family))
            chain.append(Layer(f"{family[0]}-shared", _lock(shared - below), last=False))
            below |= shared
    chain.append(Layer(group, _lock(own - below), last=True))
    return chain


def _blocks(lock: str) -> frozenset[str]:
    """A lock's packages, each as its lines with version and hashes."""
    return frozenset(block.rstrip() for block in _BLOCK.split(lock) if block[:1].isalnum())


def _lock(blocks: frozenset[str]) -> str:
    return "".join(f"{block}\n" for block in sorted(blocks))
