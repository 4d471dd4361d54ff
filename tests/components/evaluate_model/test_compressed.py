import gzip
from pathlib import Path

import numpy as np

from components.evaluate_model.compressed import compressed_bytes


def test_it_is_the_size_of_one_gzip_file_of_all_contents(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    contents = [random.integers(0, 50, size).astype(np.uint8).tobytes() for size in (10, 3_000_000, 0)]
    for name, content in zip(("a", "folder/b", "folder/deeper/c"), contents, strict=True):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert compressed_bytes(tmp_path) == len(gzip.compress(b"".join(contents), 6))
