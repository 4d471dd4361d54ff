"""Reading a compiled pipeline and the parameters that a caller gives it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pipelines.run.flatten import Flattener
from pipelines.run.ir import Pipeline
from pipelines.run.refuse import check
from pipelines.run.values import typed
from robo_poet.errors import BadInput

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_pipeline(ir: Path | Mapping[str, Any]) -> Pipeline:
    """Read compiled IR: a YAML file of one or two documents (the second holds what only a cluster needs), or its first document.

    Raises:
        BadInput: not a compiled pipeline, or it uses what this executor does not support; names it.
    """
    where = str(ir) if isinstance(ir, Path) else "pipeline"
    try:
        document = next(iter(yaml.load_all(ir.read_text("utf-8"), _LOADER)), None) if isinstance(ir, Path) else ir
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read ({error})", where=where) from None
    if not isinstance(document, Mapping) or not str(document.get("schemaVersion", "")).startswith("2.1"):
        raise BadInput("not a compiled pipeline of schema 2.1", where=where, remedy="compile it with kfp 2")
    try:
        check(document)
        return Flattener(document).pipeline()
    except KeyError as error:
        raise BadInput(f"not a complete pipeline: {error} is missing", where=where, remedy="compile it again") from None


def check_arguments(pipeline: Pipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    """The pipeline's parameters, checked against its definition, with the defaults filled in.

    Raises:
        BadInput: an unknown name, a missing value or a wrong type; names the parameter.
    """
    for name in given:
        if name not in pipeline.parameters:
            raise BadInput(
                "the pipeline has no such parameter",
                where=f"parameter {name}",
                remedy="it has " + ", ".join(sorted(pipeline.parameters)),
            )
    values = {}
    for name, parameter in pipeline.parameters.items():
        if name in given:
            values[name] = typed(parameter.kind, given[name], f"parameter {name}")
        elif parameter.required:
            raise BadInput("no value given", where=f"parameter {name}")
        else:
            values[name] = parameter.default
    return values
