"""`robo-poet cluster doctor`: check whether profile and cluster are ready for a run, with a remedy for each problem."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pipelines.cluster.client import connect, find_experiment
from pipelines.cluster.connection import PREFIX, Connection, expiry, find_connection
from pipelines.cluster.errors import ClusterError, Refused
from pipelines.profile.cluster import Cluster
from robo_poet.commands import command, make
from robo_poet.errors import BadInput
from robo_poet.local_folder import is_bucket
from robo_poet.registry.trust.keys import named_keys
from robo_poet.registry.trust.trust import KEY_NAME


class Severity(StrEnum):
    """The severity of a finding."""

    ok = "ok"
    warning = "warning"  # a run may work
    problem = "problem"  # a run cannot work
    unchecked = "unchecked"  # can be checked only with kubectl


@dataclass(frozen=True)
class CheckResult:
    """The result of one check."""

    severity: Severity
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}" if self.remedy else self.what


def check_profile(cluster: Cluster, connection: Connection) -> Iterator[CheckResult]:
    """Yield the results of the checks that need no cluster, in the order of a run."""
    yield _pipeline_root(connection)
    yield _images(cluster)
    yield _registry(cluster)
    yield _signing(cluster)
    yield _checkpoints(cluster)
    yield from _unchecked(cluster, connection)


def _pipeline_root(connection: Connection) -> CheckResult:
    if connection.pipeline_root:
        return CheckResult(Severity.ok, f"artifacts are stored in {connection.pipeline_root}")
    remedy = f"to change it, set cluster.pipeline_root or {PREFIX}PIPELINE_ROOT, such as gs://bucket/robo-poet"
    return CheckResult(Severity.warning, "no pipeline root is set: artifacts are stored in the cluster's default folder", remedy)


def _images(cluster: Cluster) -> CheckResult:
    first, slash, _ = cluster.image_prefix.partition("/")
    remedy = f"set cluster.image_prefix to a registry that the nodes can pull from, then run {make('images')} and push the images"
    if not slash or not ("." in first or ":" in first or first == "localhost"):  # Docker's rule for a host name
        what = f"image prefix {cluster.image_prefix} has no registry host: nodes pull from Docker Hub, or use local images"
        return CheckResult(Severity.warning, what, remedy)
    if first.partition(":")[0] in ("localhost", "127.0.0.1"):
        what = f"image prefix {cluster.image_prefix} is a local address: each node would pull from itself"
        return CheckResult(Severity.warning, what, remedy)
    return CheckResult(Severity.ok, f"images are named {cluster.image_prefix}/<step>:<digest of the code>")


def _registry(cluster: Cluster) -> CheckResult:
    remedy = "set cluster.registry to gs://bucket/prefix, or to an absolute folder and cluster.registry_claim to the claim to mount there"
    if is_bucket(cluster.registry):
        return CheckResult(Severity.ok, f"the registry is {cluster.registry}; it needs no volume")
    if not cluster.registry:
        return CheckResult(Severity.problem, "no model registry is set: register_model cannot store a version", remedy)
    if not cluster.registry_claim:
        what = f"registry {cluster.registry} is inside the pod: registered versions would be lost when the step ends"
        return CheckResult(Severity.problem, what, remedy)
    return CheckResult(Severity.ok, f"the registry is {cluster.registry} on claim {cluster.registry_claim}")


def _signing(cluster: Cluster) -> CheckResult:
    remedy = f"make a secret with the file {KEY_NAME}, and set cluster.signing_secret and cluster.trusted_keys (docs/how-to/sign.md)"
    if not cluster.signing_secret:
        return CheckResult(Severity.problem, "no signing key is set: register_model cannot sign a version", remedy)
    if not cluster.trusted_keys:
        what = "no trusted keys are set: steps that only read the registry mount the signing key too"
        return CheckResult(Severity.warning, what, f"set cluster.trusted_keys to the line that {command('registry key')} prints")
    keys = named_keys(cluster.trusted_keys, "cluster.trusted_keys")
    return CheckResult(Severity.ok, f"versions are signed with the secret {cluster.signing_secret}; trusted keys: {len(keys)}")


def _checkpoints(cluster: Cluster) -> CheckResult:
    if cluster.checkpoint_claim:
        return CheckResult(Severity.ok, f"checkpoints are stored in {cluster.checkpoint_root} on claim {cluster.checkpoint_claim}")
    if cluster.checkpoint_root.startswith("/"):
        what = f"no claim is mounted at checkpoint_root {cluster.checkpoint_root}: checkpoints cannot be written or would be lost"
        return CheckResult(Severity.problem, what, "set cluster.checkpoint_claim to a volume claim")
    remedy = "set cluster.checkpoint_root to an absolute folder, and cluster.checkpoint_claim to the claim to mount there"
    return CheckResult(
        Severity.warning, "checkpoints are inside the pod: training restarts from the beginning if the pod is moved or retried", remedy
    )


def _unchecked(cluster: Cluster, connection: Connection) -> Iterator[CheckResult]:
    """Yield the checks that need kubectl, with the command for each."""
    kubectl = f"kubectl -n {connection.namespace or 'NAMESPACE'}"
    if is_bucket(cluster.registry):
        who = cluster.service_account or "the cluster's default service account"
        what = f"the pods ({who}) must have the role Storage Object User for {cluster.registry}"
        yield CheckResult(Severity.unchecked, what, f"{kubectl} get sa {cluster.service_account or 'default'} -o yaml")
    registry_claim = "" if is_bucket(cluster.registry) else cluster.registry_claim
    for claim in sorted({cluster.checkpoint_claim, registry_claim} - {""}):
        what = f"claim {claim} must be bound, and writable for the user of the images"
        yield CheckResult(Severity.unchecked, what, f"{kubectl} get pvc {claim}")
    if claim := cluster.requests_claim:
        what = f"claim {claim} must be bound, and readable for the user of the images"
        yield CheckResult(Severity.unchecked, what, f"{kubectl} get pvc {claim}")
    for secret in sorted(
        {*cluster.image_pull_secrets, *(reference.name for reference in cluster.secrets), cluster.deletions_secret} - {""}
    ):
        yield CheckResult(Severity.unchecked, f"secret {secret} must exist", f"{kubectl} get secret {secret}")
    if cluster.signing_secret:
        # `describe` lists the names of the files. `get -o yaml` would print the key.
        what = f"secret {cluster.signing_secret} must exist, with the file {KEY_NAME}"
        yield CheckResult(Severity.unchecked, what, f"{kubectl} describe secret {cluster.signing_secret}")
    if cluster.service_account:
        what = f"service account {cluster.service_account} must exist"
        yield CheckResult(Severity.unchecked, what, f"{kubectl} get sa {cluster.service_account}")
    if steps := [step for step, resources in cluster.resources.items() if resources.gpu]:
        pool = cluster.gpu_pool
        what = f"a node for {', '.join(steps)} must have a free {pool.resource}"
        yield CheckResult(Severity.unchecked, what, f"kubectl get nodes -l {pool.label}={pool.value}")
    yield CheckResult(
        Severity.unchecked, "the images must be pushed, and the nodes must be able to pull them", f"{command('compile')} lists them"
    )


SOON = 600.0  # seconds; a token that expires sooner gives a warning


def examine(cluster: Cluster) -> Iterator[CheckResult]:
    """Yield all results: first from the cluster, then from the profile, then the checks that need kubectl."""
    try:
        connection = find_connection(cluster)
    except BadInput as error:
        yield _problem(error)
        return
    yield from _live(connection)
    yield from check_profile(cluster, connection)


def _live(connection: Connection) -> Iterator[CheckResult]:
    try:
        client, reached = connect(connection)
    except BadInput as error:  # every later call would fail in the same way
        if isinstance(error, Refused):
            yield CheckResult(Severity.ok, f"a server responds at {connection.host}")
        elif error.where == "cluster.namespace":
            yield CheckResult(Severity.ok, f"connected to {connection.host}")
        yield _problem(error)
        return
    yield CheckResult(Severity.ok, f"connected to {connection.host}")
    if connection.namespace and not reached.namespace:
        what = f"this Kubeflow is single-user: namespace {connection.namespace} is ignored"
        yield CheckResult(Severity.warning, what, "leave cluster.namespace empty")
    try:
        client.list_experiments(namespace=reached.namespace, page_size=1)
    except ClusterError as error:
        if error.status == 403 and reached.namespace:
            yield CheckResult(Severity.ok, "the token is accepted")
        yield _problem(error)
        return
    yield _token(connection)
    if reached.namespace:
        yield CheckResult(Severity.ok, f"namespace {reached.namespace} exists, and its runs are readable")
    try:
        find_experiment(client, reached)
    except BadInput as error:
        yield _problem(error)
    else:
        yield CheckResult(Severity.ok, f"experiment {reached.experiment} exists")


def _token(connection: Connection) -> CheckResult:
    if not connection.token:
        return CheckResult(Severity.ok, "no token is required")
    expires = expiry(connection.token.read())
    if expires is None:
        return CheckResult(Severity.ok, "the token is accepted")
    seconds_left = expires - time.time()
    if seconds_left < SOON and not connection.token.file:
        remedy = f"for `wait`, set {PREFIX}TOKEN_FILE to a file that is renewed"
        return CheckResult(Severity.warning, f"the token is accepted, but expires in {seconds_left / 60:.0f} minutes", remedy)
    return CheckResult(Severity.ok, f"the token is accepted, and valid for {seconds_left / 60:.0f} minutes")


def _problem(error: BadInput) -> CheckResult:
    return CheckResult(Severity.problem, f"{error.where}: {error.what}" if error.where else error.what, error.remedy)
