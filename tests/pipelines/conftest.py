import inspect
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _callers_by_name_alone() -> Iterator[None]:
    """The pipeline SDK asks for its caller's name through `inspect.stack`, which looks up the source lines of every caller in every
    module: 6 s a pipeline in a process that has imported TensorFlow, 0.4 in one that compiles."""
    stack = inspect.stack
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspect, "stack", lambda context=1: stack(0))
        yield
