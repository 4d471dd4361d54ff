from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.local_folder import local_path, local_setting, scheme_of


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
