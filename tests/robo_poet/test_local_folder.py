from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.local_folder import (
    absolute_address,
    is_bucket,
    local_path,
    local_setting,
    registry_address,
    registry_setting,
    scheme_of,
)


@pytest.mark.parametrize("address", ["gs://bucket/x", "s3://b", "file:///data", "HDFS://h", "gs:", "gs:/b", "./gs://b"])
def test_an_address_is_refused_where_a_folder_is_needed(address: str) -> None:
    assert scheme_of(address) and scheme_of(Path(address))
    with pytest.raises(ValueError, match="is not supported here; give a folder of this machine"):
        local_setting(address)
    with pytest.raises(BadInput, match=r"^\w+:.*: an address with \w+:// is not supported here; give a folder of this machine$"):
        local_path(Path(address))


@pytest.mark.parametrize("path", ["registry", "/data/registry", "../a:b", "a b", "1:/x", "/data/gs:/x", ""])
def test_a_path_is_accepted(path: str) -> None:
    assert scheme_of(path) == "" and local_setting(path) == path
    assert local_path(Path(path)) == Path(path)
    assert local_path(None) is None


def test_a_nul_is_refused() -> None:
    with pytest.raises(BadInput, match="a path has no NUL"):
        local_path(Path("a\0b"))


@pytest.mark.parametrize("address", ["gs://bucket/a/b", "gs://bucket", "gs://my.bucket_1/x", "gs://bucket/x:/y"])
def test_a_registry_may_be_a_bucket(address: str) -> None:
    assert is_bucket(address) and registry_setting(address) == absolute_address(address) == address
    assert registry_address(Path(address)) == registry_address(f"{address}/") == address


@pytest.mark.parametrize("address", ["gs:", "gs://", "gs:/bucket", "gs:///x", "gs://B/x", "gs://b", "./gs://bucket"])
def test_an_address_without_a_bucket_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match="no valid name of a bucket; write gs://bucket/prefix"):
        registry_address(address)
    with pytest.raises(ValueError, match="no valid name of a bucket"):
        registry_setting(address)


@pytest.mark.parametrize("address", ["s3://bucket/x", "file:///data", "GS://bucket"])
def test_a_registry_of_another_service_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match=r"is not supported here; give a folder of this machine, or gs://bucket/prefix"):
        registry_address(address)


def test_a_registry_may_be_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert registry_address("registry") == registry_setting("registry") == "registry"
    assert absolute_address("registry") == absolute_address(Path("registry")) == str(tmp_path / "registry")
    assert not is_bucket("/gs:/x")
    with pytest.raises(BadInput, match="an address has no NUL"):
        registry_address("a\0b")
