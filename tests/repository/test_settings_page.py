"""docs/reference/settings.md describes settings with the words of the code, so that a fact is stated once."""

import re
from pathlib import Path

from pydantic import BaseModel

from pipelines.profile.load import Profile

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md").read_text("utf-8")
ROWS: list[tuple[str, str]] = re.findall(r"^\| `([\w.]+)` \| [^|]* \| (.*) \|$", PAGE, re.MULTILINE)


def descriptions(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Return the description of each setting by its dotted key."""
    texts = {}
    for name, field in model.model_fields.items():
        texts[f"{prefix}{name}"] = field.description or ""
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            texts |= descriptions(field.annotation, f"{prefix}{name}.")
    return texts


def test_every_row_is_a_setting_with_its_description() -> None:
    code = descriptions(Profile)
    rows = {key: text for key, text in ROWS if "." in key or key in code}  # other rows name profiles
    assert len(rows) > 80 and rows.keys() <= code.keys()
    assert {key: text for key, text in rows.items() if code[key] and code[key].replace("|", "\\|") != text} == {}
