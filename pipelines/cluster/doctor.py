"""What a live cluster, or the profile, lacks for a run: in plain words, one thing a line."""

import time
from collections.abc import Iterator

from pipelines.cluster.client import connect
from pipelines.cluster.connection import PREFIX, Connection, find_connection
from pipelines.cluster.errors import ClusterError, Refused
from pipelines.cluster.experiment import find_experiment
from pipelines.cluster.readiness import Finding, Level, findings
from pipelines.cluster.settings import Cluster
from pipelines.cluster.token import expiry
from robo_poet.errors import BadInput

SOON = 600.0  # seconds; a token that ends sooner than that is warned of


def examine(cluster: Cluster) -> Iterator[Finding]:
    """All findings: first what the cluster answers, then what the profile says, then what only kubectl can tell."""
    try:
        connection = find_connection(cluster)
    except BadInput as error:
        yield _lacking(error)
        return
    yield from _live(connection)
    yield from findings(cluster, connection)


def _live(connection: Connection) -> Iterator[Finding]:
    try:
        client, used = connect(connection)
    except BadInput as error:  # every later question would have the same answer
        if isinstance(error, Refused):
            yield Finding(Level.ok, f"something answers at {connection.host}")
        elif error.where == "cluster.namespace":
            yield Finding(Level.ok, f"connects to {connection.host}")
        yield _lacking(error)
        return
    yield Finding(Level.ok, f"connects to {connection.host}")
    if connection.namespace and not used.namespace:
        what = f"this Kubeflow has one user: namespace {connection.namespace} is not used"
        yield Finding(Level.warning, what, "leave cluster.namespace empty")
    try:
        client.list_experiments(namespace=used.namespace, page_size=1)
    except ClusterError as error:
        if error.status == 403 and used.namespace:
            yield Finding(Level.ok, "the token is accepted")
        yield _lacking(error)
        return
    yield _token(connection)
    if used.namespace:
        yield Finding(Level.ok, f"namespace {used.namespace} is there, and runs in it may be read")
    try:
        find_experiment(client, used)
    except BadInput as error:
        yield _lacking(error)
    else:
        yield Finding(Level.ok, f"experiment {used.experiment} is there")


def _token(connection: Connection) -> Finding:
    if not connection.token:
        return Finding(Level.ok, "lets us in without a token")
    ends = expiry(connection.token.read())
    if ends is None:
        return Finding(Level.ok, "the token is accepted")
    left = ends - time.time()
    if left < SOON and not connection.token.file:
        remedy = f"for `wait`, use a file that is kept fresh: {PREFIX}TOKEN_FILE"
        return Finding(Level.warning, f"the token is accepted, but ends in {left / 60:.0f} minutes", remedy)
    return Finding(Level.ok, f"the token is accepted, and good for {left / 60:.0f} minutes")


def _lacking(error: BadInput) -> Finding:
    return Finding(Level.lacking, f"{error.where}: {error.what}" if error.where else error.what, error.remedy)
