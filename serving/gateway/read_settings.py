"""Settings of the gateway, from a file and from the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from robo_poet.errors import BadInput
from robo_poet.settings.serve import ServeSettings

PREFIX = "ROBO_POET_SERVE_"


def read_settings(file: Path | None, environment: Mapping[str, str]) -> ServeSettings:
    """Read them. `ROBO_POET_SERVE_PORT=8081`, or of a part `ROBO_POET_SERVE_ACCESS__AUDIENCE=poets`, goes before the file.

    Args:
        file: JSON or YAML; none: all is as the settings' class has it.

    Raises:
        BadInput: there is no such file, or a value is not as it should be; names it.
    """
    values: Any = {}
    if file is not None:
        try:
            values = yaml.safe_load(file.read_text("utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise BadInput(f"no settings here ({type(error).__name__})", where=str(file), remedy="give a JSON or YAML file") from None
        if not isinstance(values, dict):
            raise BadInput("settings are names and values", where=str(file))
    for name, text in environment.items():
        if name.startswith(PREFIX):
            _put(values, name.removeprefix(PREFIX).lower().split("__"), _value(name, text))
    try:
        return ServeSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        raise BadInput(first["msg"].removeprefix("Value error, "), where=where, remedy="see robo_poet/settings/serve.py") from None


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        inner = values.get(part)
        values[part] = values = inner if isinstance(inner, dict) else {}
    values[path[-1]] = value


def _value(name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise BadInput("no value that can be read", where=name) from None
