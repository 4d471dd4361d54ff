"""Where a cluster is: the profile's `cluster` section, and the environment for what it leaves empty."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.cluster.settings import Cluster
from pipelines.cluster.token import Token
from robo_poet.errors import BadInput

PREFIX = "ROBO_POET_CLUSTER_"
DEFAULT_EXPERIMENT = "Default"  # Kubeflow makes it


@dataclass(frozen=True)
class Connection:
    """All that is needed to talk to a cluster.

    Attributes:
        host: address of Kubeflow Pipelines without a slash at the end; empty if nobody named one.
        pages: address that the UI is opened at.
        pipeline_root: empty leaves it to the cluster.
    """

    host: str
    pages: str
    namespace: str
    experiment: str
    pipeline_root: str
    ca_file: Path | None
    token: Token

    def run_address(self, run_id: str) -> str:
        """Where the UI shows a run."""
        return f"{self.pages}/#/runs/details/{run_id}"

    def recurring_address(self, recurring_id: str) -> str:
        """Where the UI shows a recurring run."""
        return f"{self.pages}/#/recurringrun/details/{recurring_id}"


def find_connection(cluster: Cluster, environment: Mapping[str, str] = os.environ) -> Connection:
    """The connection that a profile and the environment name.

    Raises:
        BadInput: the environment names an address that is none, or a CA file that is not there.
    """

    def setting(name: str) -> str:
        return str(getattr(cluster, name)) or environment.get(PREFIX + name.upper(), "").strip()

    host, pages = (setting(name).rstrip("/") for name in ("host", "ui"))
    for name, address in (("HOST", host), ("UI", pages)):
        if address and not address.startswith(("http://", "https://")):
            raise BadInput(f"{address!r} is no address", where=PREFIX + name, remedy="it begins with https:// or http://")
    ca_file, token_file = (Path(text).expanduser() if (text := setting(name)) else None for name in ("ca_file", "token_file"))
    if ca_file and not ca_file.is_file():
        raise BadInput("no such file", where=str(ca_file), remedy=f"correct cluster.ca_file or {PREFIX}CA_FILE")
    return Connection(
        host=host, pages=pages or host, namespace=setting("namespace"), experiment=setting("experiment") or DEFAULT_EXPERIMENT,
        pipeline_root=setting("pipeline_root"), ca_file=ca_file, token=Token(environment.get(PREFIX + "TOKEN", ""), token_file),
    )  # fmt: skip
