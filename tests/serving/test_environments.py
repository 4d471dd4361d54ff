import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def names(lock: str) -> set[str]:
    """Packages that a lock installs."""
    return set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / f"{lock}.txt").read_text(), re.MULTILINE))


def test_the_gateway_carries_no_tensorflow() -> None:
    gateway = names("gateway")
    assert not gateway & {"tensorflow", "keras", "tensorflow-serving-api", "torch"}
    assert {"fastapi", "tokenizers", "httpx", "limits", "redis", "pyjwt", "cryptography", "prometheus-client", "pyarrow"} <= gateway


def test_the_model_server_carries_nothing_that_concerns_people() -> None:
    server = names("model-server")
    assert {"tensorflow", "tensorflow-serving-api", "grpcio", "starlette", "uvicorn"} <= server
    assert not server & {"fastapi", "pyjwt", "limits", "presidio-analyzer", "spacy", "tokenizers"}
    assert not server & {"cryptography", "google-cloud-storage"}, "it reads a folder; model_sync reads the registry"
