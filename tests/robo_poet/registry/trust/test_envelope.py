from pathlib import Path

import pytest

from robo_poet.registry.trust import envelope
from robo_poet.registry.trust.envelope import Verdict
from robo_poet.registry.trust.trust import Trust


def test_a_signature_covers_type_and_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "home"))
    key = Trust().signer()
    signature, keys = envelope.sign("a", b"text", key), {key.public.id: key.public}
    assert envelope.encode("http://example.com/HelloWorld", b"hello world") == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert envelope.judge("a", b"text", [signature], keys) == (Verdict.TRUSTED, key.public.id)
    assert envelope.judge("b", b"text", [signature], keys)[0] is Verdict.ALTERED
    assert envelope.judge("a", b"texts", [signature], keys)[0] is Verdict.ALTERED
    assert envelope.judge("a", b"text", [], keys) == (Verdict.UNSIGNED, "")
    assert envelope.judge("a", b"text", [signature], {})[0] is Verdict.UNKNOWN
    assert envelope.judge("a", b"text", [{"keyid": "x", "sig": "y"}, signature], keys)[0] is Verdict.TRUSTED
    for damaged in ({"keyid": 3}, {"keyid": key.public.id}, {"keyid": key.public.id, "sig": "ü"}, {"keyid": key.public.id, "sig": 4}, {}):
        assert envelope.judge("a", b"text", [damaged], keys)[0] is not Verdict.TRUSTED
