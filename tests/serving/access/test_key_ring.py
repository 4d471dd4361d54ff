"""The cache of keys while their folder cannot be read."""

from pathlib import Path

import pytest

from serving.access.api_keys import KeyStore
from serving.access.key_ring import KeyRing
from serving.refusal import Refused


def test_the_last_keys_are_valid_for_a_limited_time_while_the_folder_is_missing(tmp_path: Path) -> None:
    store, now, messages = KeyStore(tmp_path / "keys"), [0.0], []
    made = store.create("ann", ["generate"], 2)
    ring = KeyRing(store, 1.0, 600.0, messages.append, lambda: now[0])
    (tmp_path / "keys").rename(tmp_path / "moved")
    now[0] = 600.0
    assert ring.find(made.key.id) is not None and "the last loaded keys are used" in ring.degraded
    now[0] = 602.0
    with pytest.raises(Refused) as refused:
        ring.find(made.key.id)
    assert refused.value.status == 503 and "all API keys are refused" in ring.degraded and len(messages) == 1
    (tmp_path / "moved").rename(tmp_path / "keys")
    now[0] = 604.0
    assert ring.find(made.key.id) is not None and ring.degraded == "" and len(messages) == 2
