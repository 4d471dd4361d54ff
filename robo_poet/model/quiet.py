"""TensorFlow's start-up chatter, kept from our readers."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Throw away what native code writes to standard error meanwhile; exceptions come through.

    TensorFlow 2.21 prints four lines before any log level is read, so that no environment variable keeps them back.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
