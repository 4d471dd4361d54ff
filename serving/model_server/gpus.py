"""A Prometheus collector of the GPUs of this machine (MON-1). It reads NVIDIA's management library (NVML) at each scrape.

The model server exports it, because it runs where the GPUs are. Beside TensorFlow Serving, NVIDIA's DCGM exporter does the same.
Without a driver there are no GPU series.
"""

import importlib
from collections.abc import Iterator
from typing import Any, Self

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class GpuCollector(Collector):
    """A Prometheus collector of the memory (bytes) and utilisation (0 to 1) of each GPU. It reads the values at each scrape.

    Args:
        nvml: the initialised module `pynvml`.
    """

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml

    @classmethod
    def detect(cls, nvml: Any = None) -> Self | None:
        """Return a collector, or None if `pynvml`, the driver or a GPU is missing."""
        try:
            nvml = nvml or importlib.import_module("pynvml")
        except ImportError:
            return None
        try:
            nvml.nvmlInit()
            return cls(nvml) if nvml.nvmlDeviceGetCount() else None
        except nvml.NVMLError:
            return None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        used = GaugeMetricFamily("robo_poet_gpu_memory_used_bytes", "Used GPU memory of all processes, in bytes.", labels=["gpu"])
        total = GaugeMetricFamily("robo_poet_gpu_memory_total_bytes", "Total memory of the GPU, in bytes.", labels=["gpu"])
        busy = GaugeMetricFamily(
            "robo_poet_gpu_utilisation_ratio", "Share of the last sample period in which the GPU was busy, 0 to 1.", labels=["gpu"]
        )
        for index in range(self._count()):
            try:
                device = self._nvml.nvmlDeviceGetHandleByIndex(index)
                memory = self._nvml.nvmlDeviceGetMemoryInfo(device)
                share = self._nvml.nvmlDeviceGetUtilizationRates(device).gpu / 100
            except self._nvml.NVMLError:
                continue  # a failed GPU must not hide the others
            used.add_metric([str(index)], memory.used)
            total.add_metric([str(index)], memory.total)
            busy.add_metric([str(index)], share)
        yield from (used, total, busy)

    def _count(self) -> int:
        try:
            return int(self._nvml.nvmlDeviceGetCount())
        except self._nvml.NVMLError:
            return 0
