"""Placement of steps on a cluster: image, resources, node pool, retries and pod settings of each step (PIPE-6)."""

from dataclasses import dataclass, field

from kfp import dsl, kubernetes

from pipelines.images.programs import group, image
from pipelines.profile.cluster import Cluster, Resources
from pipelines.steps import SIGNERS
from robo_poet.local_folder import is_bucket
from robo_poet.registry.trust.trust import KEY_NAME, SIGNING_KEY, TRUSTED_KEYS
from robo_poet.settings.beam import PLAIN, BeamSettings


@dataclass(frozen=True)
class Placement:
    """A callable that configures a KFP task by the sections `cluster` and `beam` of a profile."""

    cluster: Cluster
    beam: BeamSettings = field(default_factory=BeamSettings)

    def limits(self, step: str) -> Resources:
        """Return the resource limits of a step."""
        return self.cluster.resources.get(step, self.cluster.default_resources)

    def group(self, step: str) -> str:
        """Return the dependency group of a step's image: the variant with CUDA or with Beam if the step uses it."""
        return group(step, gpu=self.limits(step).gpu > 0, beam=self.beam.runner != PLAIN)

    def __call__(self, task: dsl.PipelineTask) -> dsl.PipelineTask:
        step = task.name.replace("-", "_")
        limits = self.limits(step)
        task.set_container_image(image(step, self.cluster.image_prefix, self.group(step)))
        prepare_pod(task, step, self.cluster)
        if step in BEAM_STEPS and self.beam.claim:
            kubernetes.mount_pvc(task, pvc_name=self.beam.claim, mount_path=self.beam.folder)
        if self.cluster.retries:
            task.set_retry(self.cluster.retries, backoff_duration="10s", backoff_factor=2.0, backoff_max_duration="300s")
        if limits.gpu:
            pool = self.cluster.gpu_pool
            task.set_accelerator_type(pool.resource).set_accelerator_limit(limits.gpu)
            kubernetes.add_node_selector(task, pool.label, pool.value)
            kubernetes.add_toleration(task, key=pool.taint, operator="Exists", effect="NoSchedule")
        return task


SIGNING_FOLDER = "/etc/robo-poet/signing"  # where their pods have the secret with the signing key
SUPPRESSION_FOLDER = "/etc/robo-poet/deletions"  # where the pod of ingest has the list of deleted documents and its key
BEAM_STEPS = ("ingest", "validate_data", "scrub_pii")  # steps whose work Beam distributes
REGISTRY_STEPS = ("validate_data", "compare_champion", "register_model", "deploy_canary", "collect_window")  # steps that use the registry


def prepare_pod(task: dsl.PipelineTask, step: str, cluster: Cluster) -> None:
    """Set limits, requests, time limit, volumes, secrets, user and labels of the pod that runs `step`."""
    resources = cluster.resources.get(step, cluster.default_resources)
    task.set_cpu_limit(resources.cpu).set_memory_limit(resources.memory)
    task.set_cpu_request(resources.cpu_request or resources.cpu)
    task.set_memory_request(resources.memory_request or resources.memory)
    kubernetes.set_timeout(task, resources.minutes * 60)
    if not cluster.cache:
        task.set_caching_options(False)

    if step == "train_model" and cluster.checkpoint_claim:
        kubernetes.mount_pvc(task, pvc_name=cluster.checkpoint_claim, mount_path=cluster.checkpoint_root)
    if step in REGISTRY_STEPS and cluster.registry_claim and not is_bucket(cluster.registry):
        kubernetes.mount_pvc(task, pvc_name=cluster.registry_claim, mount_path=cluster.registry)
    if step == "collect_window" and cluster.requests_claim:
        kubernetes.mount_pvc(task, pvc_name=cluster.requests_claim, mount_path=cluster.requests)
    if step in REGISTRY_STEPS and cluster.trusted_keys:
        task.set_env_variable(TRUSTED_KEYS, ",".join(key.split()[0] for key in cluster.trusted_keys))
    # Without trusted keys, readers take the public key from the secret too.
    if cluster.signing_secret and (step in SIGNERS or (step in REGISTRY_STEPS and not cluster.trusted_keys)):
        kubernetes.use_secret_as_volume(task, secret_name=cluster.signing_secret, mount_path=SIGNING_FOLDER)
        task.set_env_variable(SIGNING_KEY, f"{SIGNING_FOLDER}/{KEY_NAME}")

    if step == "ingest" and cluster.deletions_secret:
        kubernetes.use_secret_as_volume(task, secret_name=cluster.deletions_secret, mount_path=SUPPRESSION_FOLDER)

    for secret in cluster.secrets:
        if secret.steps and step not in secret.steps:
            continue
        if secret.env:
            kubernetes.use_secret_as_env(task, secret_name=secret.name, secret_key_to_env=secret.env)
        if secret.mount:
            kubernetes.use_secret_as_volume(task, secret_name=secret.name, mount_path=secret.mount)

    kubernetes.set_image_pull_policy(task, cluster.image_pull_policy)
    if cluster.image_pull_secrets:
        kubernetes.set_image_pull_secrets(task, cluster.image_pull_secrets)
    # KFP already drops all capabilities and forbids privilege escalation; kfp-kubernetes can set only user and group.
    kubernetes.set_security_context(
        task, run_as_user=cluster.run_as_user, run_as_group=cluster.run_as_group, run_as_non_root=True
    )  # fmt: skip
    kubernetes.add_pod_label(task, "app.kubernetes.io/part-of", "robo-poet")  # selector for network policies and dashboards
    kubernetes.add_pod_label(task, "app.kubernetes.io/component", task.name)
