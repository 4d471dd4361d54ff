"""Where a step runs on a cluster and with what: image, limits, retries, and the RTX pool for those that ask for a GPU (PIPE-6)."""

from dataclasses import dataclass

from kfp import dsl, kubernetes

from pipelines.code_digest import image
from pipelines.profile import Cluster


@dataclass(frozen=True)
class Placement:
    """Places a task by the `cluster` section of a profile."""

    cluster: Cluster

    def __call__(self, task: dsl.PipelineTask, display_name: str) -> dsl.PipelineTask:
        step = task.name.replace("-", "_")
        limits = self.cluster.resources.get(step, self.cluster.default_resources)
        task.set_display_name(display_name)
        task.set_container_image(image(step, self.cluster.image_prefix))
        task.set_cpu_limit(limits.cpu).set_memory_limit(limits.memory)
        if self.cluster.retries:
            task.set_retry(self.cluster.retries, backoff_duration="10s", backoff_factor=2.0, backoff_max_duration="300s")
        if step == "train_model" and self.cluster.checkpoint_claim:
            kubernetes.mount_pvc(task, pvc_name=self.cluster.checkpoint_claim, mount_path=self.cluster.checkpoint_root)
        if limits.gpu:
            pool = self.cluster.gpu_pool
            task.set_accelerator_type(pool.resource).set_accelerator_limit(limits.gpu)
            kubernetes.add_node_selector(task, pool.label, pool.value)
            kubernetes.add_toleration(task, key=pool.taint, operator="Exists", effect="NoSchedule")
        return task
