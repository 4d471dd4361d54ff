"""The token of a cluster: where it comes from, and when it ends. It is never printed, and never part of an error."""

import base64
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.cluster.errors import TOKEN_REMEDY, Refused
from robo_poet.errors import BadInput


@dataclass(frozen=True)
class Token:
    """A bearer token given as text, or as a file that is read before each call, so that one that is renewed stays good for a long wait."""

    text: str = field(default="", repr=False)
    file: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.text or self.file)

    def read(self) -> str:
        """The token now.

        Raises:
            BadInput: the file is not there, or empty.
            Refused: it says of itself that it has expired.
        """
        value = self.text.strip() or self._from_file()
        if not value.isascii() or not value.isprintable() or " " in value:
            raise BadInput(
                "is not a token: it has blanks or odd characters", where=self.where, remedy="give the token alone, without Bearer"
            )
        ends = expiry(value)
        if ends is not None and ends < time.time():
            when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(ends))
            raise Refused(f"the token expired at {when}", where=self.where, remedy=TOKEN_REMEDY)
        return value

    @property
    def where(self) -> str:
        """What to call its source."""
        return str(self.file) if self.file and not self.text else "ROBO_POET_CLUSTER_TOKEN"

    def refresh_api_key_hook(self, configuration: Any) -> None:
        """Called by the KFP client before each call (`kfp.client.TokenCredentialsBase`)."""
        configuration.api_key["authorization"] = self.read()
        configuration.api_key_prefix["authorization"] = "Bearer"

    def _from_file(self) -> str:
        assert self.file is not None
        try:
            value = self.file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror or "cannot be read" if isinstance(error, OSError) else "is not text"
            raise BadInput(f"no token: {reason.lower()}", where=str(self.file), remedy=TOKEN_REMEDY) from None
        if not value:
            raise BadInput("no token: the file is empty", where=str(self.file), remedy=TOKEN_REMEDY)
        return value


def expiry(token: str) -> float | None:
    """When a JSON Web Token ends, in seconds of the epoch (RFC 7519, `exp`); None for other tokens. The signature is not looked at."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    ends = claims.get("exp") if isinstance(claims, dict) else None
    return float(ends) if isinstance(ends, int | float) else None
