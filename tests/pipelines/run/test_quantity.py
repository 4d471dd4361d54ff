import pytest

from pipelines.run.quantity import quantity
from robo_poet.errors import BadInput


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2.0), ("0.5", 0.5), ("500m", 0.5), ("1k", 1e3), ("1K", 1e3), ("4Gi", 4 * 2**30), ("4G", 4e9), ("1Ti", 2**40), ("0", 0.0)],
)
def test_a_quantity_is_a_number_of_cores_or_bytes(text: str, value: float) -> None:
    assert quantity(text, "cluster.memory") == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "four", "4 Gi", "-1", "4gi", "1e3", "4GiB"])
def test_another_form_is_one_line_with_a_remedy(text: str) -> None:
    with pytest.raises(BadInput, match=r"^cluster\.memory: .*write it like 2, 500m or 4Gi$"):
        quantity(text, "cluster.memory")
