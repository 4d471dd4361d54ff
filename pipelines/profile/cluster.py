"""The `cluster` section of a profile: the address of Kubeflow and the settings of pods. It contains names of secrets, never values."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipelines.run.quantity import quantity
from robo_poet.local_folder import is_bucket
from robo_poet.settings.base import FolderOrBucket, Settings

CPU = r"^\d+(\.\d+)?m?$"
MEMORY = r"^\d+(Ki|Mi|Gi|K|M|G)$"
NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"  # name of a Kubernetes object


class Resources(Settings):
    """The resources of a step's container on a cluster."""

    cpu: str = Field("1", pattern=CPU, description="CPU limit, such as 2 or 500m")
    memory: str = Field("2Gi", pattern=MEMORY, description="memory limit")
    cpu_request: str = Field("", pattern=rf"{CPU}|^$", description="CPU that a node must have free; empty: the limit")
    memory_request: str = Field("", pattern=rf"{MEMORY}|^$", description="memory that a node must have free; empty: the limit")
    gpu: int = Field(0, ge=0, le=8, description="number of GPUs; a step with GPUs runs on the GPU pool (PIPE-6)")
    minutes: int = Field(60, ge=1, le=14 * 24 * 60, description="time limit in minutes; a pod that runs longer is stopped and retried")

    @model_validator(mode="after")
    def _requests_fit(self) -> Self:
        for name, request, limit in (("cpu", self.cpu_request, self.cpu), ("memory", self.memory_request, self.memory)):
            if request and quantity(request, name) > quantity(limit, name):
                raise ValueError(f"{name}_request {request} is more than the limit, {name} {limit}")
        return self


class GpuPool(Settings):
    """The node pool for GPU steps, selected by label and taint."""

    label: str = "robo-poet.dev/pool"
    value: str = "rtx"
    taint: str = "nvidia.com/gpu"
    resource: str = "nvidia.com/gpu"


class SecretReference(Settings):
    """A reference by name to a Kubernetes secret that steps can read."""

    name: str = Field(pattern=NAME, description="name of the secret in the namespace of the runs")
    env: dict[str, str] = Field({}, description="key in the secret → environment variable")
    mount: str = Field("", pattern=r"^(/[^:]+)?$", description="folder where each key is mounted as a file; empty: not mounted")
    steps: list[str] = Field([], description="steps that get the secret; empty: all")

    @model_validator(mode="after")
    def _is_used(self) -> Self:
        if not self.env and not self.mount:
            raise ValueError(f"secret {self.name} is not used: set env or mount")
        return self


class Cluster(Settings):
    """The cluster and the settings of its pods. Empty values from `host` to `token_file` are read from `ROBO_POET_CLUSTER_…` variables."""

    host: str = Field("", pattern=r"^(https?://\S+)?$", description="address of Kubeflow Pipelines; or ROBO_POET_CLUSTER_HOST")
    ui: str = Field("", pattern=r"^(https?://\S+)?$", description="address of its UI, if it differs from host; or ROBO_POET_CLUSTER_UI")
    namespace: str = Field("", pattern=rf"{NAME}|^$", description="namespace of the runs; or ROBO_POET_CLUSTER_NAMESPACE")
    experiment: str = Field("", description="experiment of the runs; or ROBO_POET_CLUSTER_EXPERIMENT; else Default")
    pipeline_root: str = Field("", pattern=r"^(\w+://\S+)?$", description="artifact folder, gs://…; or ROBO_POET_CLUSTER_PIPELINE_ROOT")
    ca_file: str = Field("", description="CA certificate of the host; or ROBO_POET_CLUSTER_CA_FILE")
    token_file: str = Field("", description="file with the token; or ROBO_POET_CLUSTER_TOKEN_FILE; or the token in ROBO_POET_CLUSTER_TOKEN")
    service_account: str = Field("", pattern=rf"{NAME}|^$", description="service account of the pods; empty: the cluster's default")

    image_prefix: str = Field("robo-poet", min_length=1, description="registry and folder of the images: <image_prefix>/<step>:<tag>")
    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = Field(
        "IfNotPresent", description="pull policy; a tag never changes its content"
    )
    image_pull_secrets: list[str] = Field([], description="Kubernetes secrets for the image registry")
    secrets: list[SecretReference] = Field([], description="Kubernetes secrets for the steps")
    run_as_user: int | None = Field(None, ge=1, description="uid of the containers; null: the uid of the image")
    run_as_group: int | None = Field(None, ge=1, description="gid of the containers; null: the gid of the image")

    checkpoint_root: str = Field(".", description="folder of checkpoints; a relative path is inside the step's working folder")
    checkpoint_claim: str = Field("", description="volume claim mounted at checkpoint_root; empty: none")
    registry: FolderOrBucket = Field("", description="the model registry: a folder in the pods, or gs://bucket/prefix")
    registry_claim: str = Field("", description="volume claim mounted at registry if that is a folder; empty: none")
    requests: str = Field(
        "", pattern=r"^(/.+)?$", description="folder of the request log in the pods of the drift watch, see requests_claim"
    )
    requests_claim: str = Field("", description="volume claim with the request log of the gateway, mounted at requests; empty: none")
    signing_secret: str = Field(
        "", pattern=rf"{NAME}|^$", description="Kubernetes secret whose key signing.key signs versions and log entries of the registry"
    )
    trusted_keys: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{100,200}={0,2}( .*)?$")]] = Field(
        [], description="public keys that the steps trust, as the command `registry key` prints them; empty: the key of signing_secret"
    )
    deletions_secret: str = Field(
        "", pattern=rf"{NAME}|^$", description="Kubernetes secret with key and suppressed.json of the folder deletions, which ingest reads"
    )
    cache: bool = Field(True, description="reuse results of finished steps; applies to local runs too")
    retries: int = Field(2, ge=0, le=10, description="retries of a failed step; local runs do not retry after bad input")
    gpu_pool: GpuPool = GpuPool()
    default_resources: Resources = Resources()
    resources: dict[str, Resources] = Field({}, description="step → resources")

    @model_validator(mode="after")
    def _claims_have_a_place(self) -> Self:
        for name in ("checkpoint", "registry", "requests"):
            folder = self.checkpoint_root if name == "checkpoint" else getattr(self, name)
            if name == "registry" and is_bucket(folder):
                continue  # a bucket needs no volume
            if getattr(self, f"{name}_claim") and not folder.startswith("/"):
                key = "checkpoint_root" if name == "checkpoint" else name
                raise ValueError(f"{name}_claim needs an absolute mount path: set {key}, now {folder!r}")
        return self
