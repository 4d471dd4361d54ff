from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from serving.model_server.gpus import GpuCollector


class Nvml:
    """Stands for `pynvml`: answers only after nvmlInit, and only to its own handles, as the library does."""

    class NVMLError(Exception):
        pass

    def __init__(self, gpus: list[tuple[int, int, int] | None], driver: bool = True) -> None:
        self.gpus, self.driver, self.ready = gpus, driver, False

    def nvmlInit(self) -> None:
        if not self.driver:
            raise self.NVMLError("Driver Not Loaded")
        self.ready = True

    def nvmlDeviceGetCount(self) -> int:
        if not self.ready:
            raise self.NVMLError("Uninitialized")
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:
        if self.gpus[index] is None:
            raise self.NVMLError("GPU is lost")
        return ("handle", index)

    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any:
        gpu = self.gpus[handle[1]]
        assert handle[0] == "handle"
        assert gpu
        return SimpleNamespace(used=gpu[0], total=gpu[1])

    def nvmlDeviceGetUtilizationRates(self, handle: Any) -> Any:
        gpu = self.gpus[handle[1]]
        assert gpu
        return SimpleNamespace(gpu=gpu[2], memory=0)


def test_the_stand_in_has_the_names_of_pynvml() -> None:
    import pynvml

    assert all(hasattr(pynvml, name) for name in dir(Nvml) if name.startswith(("nvml", "NVML")))


def test_each_gpu_has_memory_and_utilisation() -> None:
    found = GpuCollector.detect(Nvml([(3 << 30, 24 << 30, 85), (0, 24 << 30, 0)]))
    assert found
    registry = CollectorRegistry()
    registry.register(found)
    value = registry.get_sample_value
    assert value("robo_poet_gpu_memory_used_bytes", {"gpu": "0"}) == 3 << 30
    assert value("robo_poet_gpu_memory_total_bytes", {"gpu": "1"}) == 24 << 30
    assert value("robo_poet_gpu_utilisation_ratio", {"gpu": "0"}) == 0.85
    assert value("robo_poet_gpu_utilisation_ratio", {"gpu": "1"}) == 0.0


def test_a_failed_gpu_does_not_hide_the_others() -> None:
    nvml = Nvml([None, (1, 2, 3)])
    found = GpuCollector.detect(nvml)
    assert found
    registry = CollectorRegistry()
    registry.register(found)
    text = generate_latest(registry).decode()
    assert 'robo_poet_gpu_memory_used_bytes{gpu="1"} 1.0' in text
    assert 'gpu="0"' not in text
    nvml.ready = False  # the whole driver goes
    assert "gpu=" not in generate_latest(registry).decode()


def test_without_driver_or_gpu_there_are_no_series() -> None:
    assert GpuCollector.detect(Nvml([(1, 2, 3)], driver=False)) is None
    assert GpuCollector.detect(Nvml([])) is None
    GpuCollector.detect()  # of this machine, whatever it has
