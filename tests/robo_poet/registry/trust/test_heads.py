from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.trust.heads import Head, Heads


def test_heads_only_grow_and_say_what_is_damaged(tmp_path: Path) -> None:
    heads = Heads(tmp_path / "heads")
    assert heads.read("/r/poems") is None
    heads.remember("/r/poems", Head(5, "five"))
    heads.remember("/r/poems", Head(3, "three"))  # a slower reader
    assert Heads(tmp_path / "heads").read("/r/poems") == Head(5, "five")
    assert heads.addresses() == ["/r/poems"]
    heads.replace("/r/poems", Head(2, "two"))
    assert heads.read("/r/poems") == Head(2, "two")
    heads.path("/r/poems").write_text("{}")
    with pytest.raises(BadInput, match="the file of a remembered head is damaged; check the log, then remove this file"):
        heads.read("/r/poems")
    heads.replace("/r/poems", Head(0, ""))
    assert heads.addresses() == []
