"""The connection to a cluster: address, namespace and access token."""

import base64
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.cluster.errors import TOKEN_REMEDY, Refused
from pipelines.profile.cluster import Cluster
from robo_poet.errors import BadInput


@dataclass(frozen=True)
class Token:
    """A bearer token, from a text or a file. The file is read before each call, so a renewed token stays valid during a long wait."""

    text: str = field(default="", repr=False)
    file: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.text or self.file)

    def read(self) -> str:
        """Return the current token.

        Raises:
            BadInput: the file is missing or empty, or the text is not a token.
            Refused: the token has expired, by its `exp` claim.
        """
        value = self.text.strip() or self._from_file()
        if not value.isascii() or not value.isprintable() or " " in value:
            remedy = "give only the token, without the word Bearer"
            raise BadInput("not a token: it contains blanks or characters that are not ASCII", where=self.where, remedy=remedy)
        expires = expiry(value)
        if expires is not None and expires < time.time():
            when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expires))
            raise Refused(f"the token expired at {when}", where=self.where, remedy=TOKEN_REMEDY)
        return value

    @property
    def where(self) -> str:
        """The name of the token's source, for messages."""
        return str(self.file) if self.file and not self.text else "ROBO_POET_CLUSTER_TOKEN"

    def refresh_api_key_hook(self, configuration: Any) -> None:
        """Set the token in the client's configuration. KFP calls this before each request (`kfp.client.TokenCredentialsBase`)."""
        configuration.api_key["authorization"] = self.read()
        configuration.api_key_prefix["authorization"] = "Bearer"

    def _from_file(self) -> str:
        assert self.file is not None
        try:
            value = self.file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror or "unknown error" if isinstance(error, OSError) else "it is not a text file"
            raise BadInput(f"the token cannot be read: {reason.lower()}", where=str(self.file), remedy=TOKEN_REMEDY) from None
        if not value:
            raise BadInput("the token file is empty", where=str(self.file), remedy=TOKEN_REMEDY)
        return value


def expiry(token: str) -> float | None:
    """Return the expiry of a JSON Web Token in UNIX seconds (RFC 7519, `exp`), None for other tokens. The signature is not checked."""
    segments = token.split(".")
    if len(segments) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(segments[1] + "=" * (-len(segments[1]) % 4)))
    except ValueError:
        return None
    expires = claims.get("exp") if isinstance(claims, dict) else None
    return float(expires) if isinstance(expires, int | float) else None


PREFIX = "ROBO_POET_CLUSTER_"
DEFAULT_EXPERIMENT = "Default"  # Kubeflow creates this experiment


@dataclass(frozen=True)
class Connection:
    """The address of a cluster, and the credentials and names for its API.

    Attributes:
        host: address of Kubeflow Pipelines without a trailing slash; empty if it is not set.
        ui: address of the UI.
        pipeline_root: folder of artifacts, such as `gs://bucket/folder`; empty for the cluster's default.
    """

    host: str
    ui: str
    namespace: str
    experiment: str
    pipeline_root: str
    ca_file: Path | None
    token: Token

    def run_address(self, run_id: str) -> str:
        """Return the UI address of a run."""
        return f"{self.ui}/#/runs/details/{run_id}"

    def recurring_address(self, recurring_id: str) -> str:
        """Return the UI address of a recurring run."""
        return f"{self.ui}/#/recurringrun/details/{recurring_id}"


def find_connection(cluster: Cluster, environment: Mapping[str, str] = os.environ) -> Connection:
    """Return the connection from a profile. Empty settings are read from `ROBO_POET_CLUSTER_…` variables.

    Raises:
        BadInput: an address is not HTTP, or the CA file does not exist.
    """

    def setting(name: str) -> str:
        return str(getattr(cluster, name)) or environment.get(PREFIX + name.upper(), "").strip()

    host, ui = (setting(name).rstrip("/") for name in ("host", "ui"))
    for name, address in (("HOST", host), ("UI", ui)):
        if address and not address.startswith(("http://", "https://")):
            raise BadInput(f"{address!r} is not an HTTP address", where=PREFIX + name, remedy="it must start with https:// or http://")
    ca_file, token_file = (Path(text).expanduser() if (text := setting(name)) else None for name in ("ca_file", "token_file"))
    if ca_file and not ca_file.is_file():
        raise BadInput("no such file", where=str(ca_file), remedy=f"correct cluster.ca_file or {PREFIX}CA_FILE")
    return Connection(
        host=host, ui=ui or host, namespace=setting("namespace"), experiment=setting("experiment") or DEFAULT_EXPERIMENT,
        pipeline_root=setting("pipeline_root"), ca_file=ca_file, token=Token(environment.get(PREFIX + "TOKEN", ""), token_file),
    )  # fmt: skip
