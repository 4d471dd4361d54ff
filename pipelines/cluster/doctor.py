"""`robo-poet cluster doctor`: check whether profile and cluster are ready for a run, with a remedy for each problem."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pipelines.cluster.client import connect, find_experiment
from pipelines.cluster.connection import PREFIX, Connection, expiry, find_connection
from pipelines.cluster.errors import ClusterError, Refused
from pipelines.profile.cluster import Cluster
from robo_poet.errors import BadInput


class Level(StrEnum):
    """The severity of a finding."""

    ok = "ok"
    warning = "warning"  # a run may work
    lacking = "lacking"  # a run cannot work
    unchecked = "unchecked"  # can be checked only with kubectl


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    level: Level
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}" if self.remedy else self.what


def findings(cluster: Cluster, connection: Connection) -> Iterator[Finding]:
    """Yield the findings that need no cluster, in the order of a run."""
    yield _pipeline_root(connection)
    yield _images(cluster)
    yield _registry(cluster)
    yield _checkpoints(cluster)
    yield from _unchecked(cluster, connection)


def _pipeline_root(connection: Connection) -> Finding:
    if connection.pipeline_root:
        return Finding(Level.ok, f"artifacts go to {connection.pipeline_root}")
    remedy = f"to choose, set cluster.pipeline_root or {PREFIX}PIPELINE_ROOT, such as gs://bucket/robo-poet"
    return Finding(Level.warning, "no pipeline root is set: artifacts go where the cluster keeps them by default", remedy)


def _images(cluster: Cluster) -> Finding:
    first, slash, _ = cluster.image_prefix.partition("/")
    example = "set cluster.image_prefix to a registry that the nodes pull from, then `make images` and push"
    if not slash or not ("." in first or ":" in first or first == "localhost"):  # Docker's rule for a host name
        what = f"image prefix {cluster.image_prefix} names no image registry: nodes would look on Docker Hub, or for an image they hold"
        return Finding(Level.warning, what, example)
    if first.partition(":")[0] in ("localhost", "127.0.0.1"):
        return Finding(Level.warning, f"image prefix {cluster.image_prefix} is this machine: each node would ask itself", example)
    return Finding(Level.ok, f"images are {cluster.image_prefix}/<step>:<digest of the code>")


def _registry(cluster: Cluster) -> Finding:
    remedy = "set cluster.registry to an absolute folder and cluster.registry_claim to the volume claim that is mounted there"
    if not cluster.registry:
        return Finding(Level.lacking, "no model registry is named: register_model has nowhere to put a version", remedy)
    if "://" in cluster.registry:
        what = f"registry {cluster.registry} is not a folder, and this version of the registry needs one"
        return Finding(Level.lacking, what, remedy)
    if not cluster.registry_claim:
        what = f"registry {cluster.registry} is a folder inside the pod: what is registered would be lost when the step ends"
        return Finding(Level.lacking, what, remedy)
    return Finding(Level.ok, f"the registry is {cluster.registry} on claim {cluster.registry_claim}")


def _checkpoints(cluster: Cluster) -> Finding:
    if cluster.checkpoint_claim:
        return Finding(Level.ok, f"checkpoints are in {cluster.checkpoint_root} on claim {cluster.checkpoint_claim}")
    if cluster.checkpoint_root.startswith("/"):
        what = f"checkpoint_root is {cluster.checkpoint_root}, and no claim is mounted there: the step may not write, or loses it"
        return Finding(Level.lacking, what, "set cluster.checkpoint_claim to a volume claim")
    remedy = "set cluster.checkpoint_root to an absolute folder, and cluster.checkpoint_claim"
    return Finding(Level.warning, "checkpoints are inside the pod: a training that is moved or retried begins anew", remedy)


def _unchecked(cluster: Cluster, connection: Connection) -> Iterator[Finding]:
    """Yield the checks that need kubectl, with the command for each."""
    kubectl = f"kubectl -n {connection.namespace or 'NAMESPACE'} get"
    for claim in sorted({cluster.checkpoint_claim, cluster.registry_claim} - {""}):
        what = f"whether claim {claim} is bound, and writable for the user of the images"
        yield Finding(Level.unchecked, what, f"{kubectl} pvc {claim}")
    for secret in sorted({*cluster.image_pull_secrets, *(reference.name for reference in cluster.secrets)}):
        yield Finding(Level.unchecked, f"whether secret {secret} is there", f"{kubectl} secret {secret}")
    if cluster.service_account:
        yield Finding(
            Level.unchecked, f"whether service account {cluster.service_account} is there", f"{kubectl} sa {cluster.service_account}"
        )
    if steps := [step for step, resources in cluster.resources.items() if resources.gpu]:
        pool = cluster.gpu_pool
        what = f"whether a node for {', '.join(steps)} has a free {pool.resource}"
        yield Finding(Level.unchecked, what, f"kubectl get nodes -l {pool.label}={pool.value}")
    yield Finding(Level.unchecked, "whether the images are pushed and the nodes may pull them", "`robo-poet compile` names them")


SOON = 600.0  # seconds; a token that expires sooner gives a warning


def examine(cluster: Cluster) -> Iterator[Finding]:
    """Yield all findings: first from the cluster, then from the profile, then the checks that need kubectl."""
    try:
        connection = find_connection(cluster)
    except BadInput as error:
        yield _lacking(error)
        return
    yield from _live(connection)
    yield from findings(cluster, connection)


def _live(connection: Connection) -> Iterator[Finding]:
    try:
        client, reached = connect(connection)
    except BadInput as error:  # every later call would fail in the same way
        if isinstance(error, Refused):
            yield Finding(Level.ok, f"something answers at {connection.host}")
        elif error.where == "cluster.namespace":
            yield Finding(Level.ok, f"connects to {connection.host}")
        yield _lacking(error)
        return
    yield Finding(Level.ok, f"connects to {connection.host}")
    if connection.namespace and not reached.namespace:
        what = f"this Kubeflow has one user: namespace {connection.namespace} is not used"
        yield Finding(Level.warning, what, "leave cluster.namespace empty")
    try:
        client.list_experiments(namespace=reached.namespace, page_size=1)
    except ClusterError as error:
        if error.status == 403 and reached.namespace:
            yield Finding(Level.ok, "the token is accepted")
        yield _lacking(error)
        return
    yield _token(connection)
    if reached.namespace:
        yield Finding(Level.ok, f"namespace {reached.namespace} is there, and runs in it may be read")
    try:
        find_experiment(client, reached)
    except BadInput as error:
        yield _lacking(error)
    else:
        yield Finding(Level.ok, f"experiment {reached.experiment} is there")


def _token(connection: Connection) -> Finding:
    if not connection.token:
        return Finding(Level.ok, "lets us in without a token")
    expires = expiry(connection.token.read())
    if expires is None:
        return Finding(Level.ok, "the token is accepted")
    seconds_left = expires - time.time()
    if seconds_left < SOON and not connection.token.file:
        remedy = f"for `wait`, use a file that is kept fresh: {PREFIX}TOKEN_FILE"
        return Finding(Level.warning, f"the token is accepted, but ends in {seconds_left / 60:.0f} minutes", remedy)
    return Finding(Level.ok, f"the token is accepted, and good for {seconds_left / 60:.0f} minutes")


def _lacking(error: BadInput) -> Finding:
    return Finding(Level.lacking, f"{error.where}: {error.what}" if error.where else error.what, error.remedy)
