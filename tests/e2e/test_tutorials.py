"""Types the commands of the tutorials, as a reader does, in a clone of this repository."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.reader import Reader, blocks

SERVE = "make serve"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    person = Reader(tmp_path / "robo-poet")
    yield person
    person.stop()
    shutil.rmtree(person.folder, ignore_errors=True)


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_two_models_one_canary(reader: Reader) -> None:
    train, listing, serve, share, ask, look, promote, roll_back = blocks("tutorials/two-models.md")
    printed = reader.type(train)
    assert "ci-shakespeare/1 is champion" in printed and "ci-shakespeare/2 is canary" in printed
    assert "canary" in reader.type(listing)
    assert serve.startswith(SERVE)
    assert reader.serve(serve.strip()).endswith(":8090")
    assert "ci-shakespeare/2 is canary and serves 50 % of the users" in reader.type(share)
    time.sleep(5)
    assert set(reader.type(ask).splitlines()) == {"1 champion", "2 canary"}
    assert '"canary_share":0.5' in reader.type(look).replace(" ", "")
    assert "ci-shakespeare/2 is champion" in reader.type(promote)
    time.sleep(5)
    assert set(reader.type(ask).splitlines()) == {"2 champion"}
    assert "users prefer the first version" in reader.type(roll_back)
    time.sleep(5)
    assert set(reader.type(ask).splitlines()) == {"1 champion"}


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_my_first_corpus(reader: Reader) -> None:
    text, describe, train, look, serve = blocks("tutorials/own-corpus.md")
    assert len(reader.type(text).splitlines()) == 3
    assert "works" in reader.type(describe)
    printed = reader.type(train)
    assert "speeches/1 is champion" in printed, printed[-3000:]
    assert "champion" in reader.type(look)
    assert serve.startswith(SERVE)
    assert reader.serve(serve.strip()).endswith(":8091")
