"""The signed attestation of a version: its files, and what they were made from (REG-1, REG-4).

An attestation is a Sigstore bundle with an in-toto statement in the form of OpenSSF `model-signing` 1.0, so its tool verifies the files:
`model_signing verify key FOLDER --signature ATTESTATION --public_key FILE`. The form allows further fields in the predicate. The field
`robo_poet` names the model, the number, and corpus, tokenizer, code, settings, metrics and verdicts.

We write the form with `cryptography` instead of the library: `model-signing` 1.1.1 adds 51 MB and 1.3 s of CPU time to each step, and its
import fails with the releases of its dependencies that its metadata allow.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robo_poet.atomic import make_folder, write_text
from robo_poet.digest import digest_bytes
from robo_poet.registry.log.entry import Corrupt
from robo_poet.registry.trust import envelope
from robo_poet.registry.trust.envelope import Verdict
from robo_poet.registry.trust.keys import PrivateKey
from robo_poet.registry.trust.trust import Trust
from robo_poet.registry.versions.remote import Remote

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
MANIFEST = "manifest.json"


class Attestations:
    """The attestations of a model, files with the name of their SHA-256 in `folder`. An entry of the log names that of each version.

    Args:
        remote: the bucket that has the files, if `folder` is its cache.
    """

    def __init__(self, folder: Path, model: str, trust: Trust, remote: Remote | None = None) -> None:
        self._folder, self._model, self._trust, self._remote = folder, model, trust, remote

    def path(self, sha256: str) -> Path:
        """Return the file of an attestation."""
        return self._folder / f"{sha256}.json"

    def write(self, number: int, manifest: bytes) -> str:
        """Sign and store an attestation; return its SHA-256.

        Args:
            number: number of the version.
            manifest: the bytes of its manifest.

        Raises:
            BadInput: there is no signing key.
        """
        bundle = _bundle(statement(self._model, number, manifest), self._trust.signer())
        text = json.dumps(bundle, indent=1) + "\n"
        sha256 = digest_bytes(text.encode())
        if self._remote:
            self._remote.store_file(f"attestations/{sha256}.json", text.encode())
            return sha256
        make_folder(self._folder)
        write_text(self.path(sha256), text, durable=True, mode=0o444)
        return sha256

    def check(self, number: int, manifest: bytes, sha256: str) -> None:
        """Check that a version has the attestation that the log names, and that a trusted key signed it for this number and manifest.

        Raises:
            Corrupt: the attestation is missing, changed, not signed by a trusted key, or made for another version.
        """
        name, path = f"{self._model}/{number}", self.path(sha256)
        if not sha256:
            raise Corrupt("the version has no attestation", where=name, remedy="run the pipeline for a new version")
        if self._remote:
            self._remote.fetch_file(f"attestations/{sha256}.json", sha256, again=True)
        try:
            data = path.read_bytes()
        except OSError:
            raise Corrupt(f"the attestation of {name} is missing", where=str(path), remedy="restore this file from a backup") from None
        if digest_bytes(data) != sha256:
            raise Corrupt(f"the attestation of {name} was changed", where=str(path), remedy="restore this file from a backup")
        payload, signatures = _open(data, path)
        verdict, key = envelope.judge(PAYLOAD, payload, signatures, self._trust.keys())
        if verdict is not Verdict.TRUSTED:
            raise Corrupt(f"the attestation of {name} {verdict}{f' {key[:12]}' if key else ''}", where=str(path))
        if not _describes(payload, statement(self._model, number, manifest)):
            raise Corrupt(f"the attestation was made for another version than {name}", where=str(path))


def statement(model: str, number: int, manifest: bytes) -> dict[str, Any]:
    """Return the in-toto statement about a version."""
    raw = json.loads(manifest)
    lineage, files = raw["lineage"], {**raw["files"], MANIFEST: digest_bytes(manifest)}
    resources = [{"name": name, "algorithm": "sha256", "digest": files[name]} for name in sorted(files)]
    root = hashlib.sha256(b"".join(bytes.fromhex(resource["digest"]) for resource in resources)).hexdigest()
    inputs = lineage.get("inputs") if isinstance(lineage.get("inputs"), dict) else {}
    return {
        "_type": STATEMENT,
        "subject": [{"name": model, "digest": {"sha256": root}}],
        "predicateType": PREDICATE,
        "predicate": {
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []},
            "resources": resources,
            "robo_poet": {
                "model": model, "version": number, "manifest": digest_bytes(manifest), "corpus": inputs.get("corpus"),
                "tokenizer": inputs.get("tokenizer"), "code": lineage.get("code"), "settings": lineage.get("settings"),
                "metrics": raw["metrics"], "verdicts": raw["decision"],
            },
        },
    }  # fmt: skip


def _bundle(content: Mapping[str, Any], key: PrivateKey) -> dict[str, Any]:
    payload = json.dumps(content, sort_keys=True).encode()
    signature = {**envelope.sign(PAYLOAD, payload, key), "keyid": ""}  # a bundle names the key by its hint
    return {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": key.public.id}, "tlogEntries": []},
        "dsseEnvelope": {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD, "signatures": [signature]},
    }


def _open(data: bytes, path: Path) -> tuple[bytes, list[dict[str, Any]]]:
    """Return the payload and the signatures of a bundle."""
    try:
        bundle = json.loads(data)
        hint, opened = bundle["verificationMaterial"]["publicKey"]["hint"], bundle["dsseEnvelope"]
        payload = base64.b64decode(opened["payload"], validate=True)
        return payload, [{"keyid": hint, "sig": signature["sig"]} for signature in opened["signatures"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Corrupt("the file is not an attestation", where=str(path)) from None


def _describes(payload: bytes, expected: Mapping[str, Any]) -> bool:
    """Return True if a signed statement has the files, model, number and manifest of the expected one."""
    try:
        signed = json.loads(payload)
        ours, wanted = signed["predicate"]["robo_poet"], expected["predicate"]["robo_poet"]
        return (
            all(signed[name] == expected[name] for name in ("_type", "subject", "predicateType"))
            and signed["predicate"]["resources"] == expected["predicate"]["resources"]
            and all(ours[name] == wanted[name] for name in ("model", "version", "manifest"))
        )
    except (ValueError, TypeError, KeyError):
        return False
