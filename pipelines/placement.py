"""Where a step runs on a cluster and with what: image, limits, retries, and the RTX pool for those that ask for a GPU (PIPE-6)."""

from dataclasses import dataclass

from kfp import dsl, kubernetes

from pipelines.cluster.pod import prepare_pod
from pipelines.cluster.settings import Cluster, Resources
from pipelines.code_digest import image
from pipelines.environments import group


@dataclass(frozen=True)
class Placement:
    """Places a task by the `cluster` section of a profile."""

    cluster: Cluster

    def limits(self, step: str) -> Resources:
        """What a step may use."""
        return self.cluster.resources.get(step, self.cluster.default_resources)

    def group(self, step: str) -> str:
        """The dependency group of a step's image, which is another one for a GPU."""
        return group(step, gpu=self.limits(step).gpu > 0)

    def __call__(self, task: dsl.PipelineTask, display_name: str) -> dsl.PipelineTask:
        step = task.name.replace("-", "_")
        limits = self.limits(step)
        task.set_display_name(display_name)
        task.set_container_image(image(step, self.cluster.image_prefix, self.group(step)))
        prepare_pod(task, step, self.cluster)
        if self.cluster.retries:
            task.set_retry(self.cluster.retries, backoff_duration="10s", backoff_factor=2.0, backoff_max_duration="300s")
        if limits.gpu:
            pool = self.cluster.gpu_pool
            task.set_accelerator_type(pool.resource).set_accelerator_limit(limits.gpu)
            kubernetes.add_node_selector(task, pool.label, pool.value)
            kubernetes.add_toleration(task, key=pool.taint, operator="Exists", effect="NoSchedule")
        return task
