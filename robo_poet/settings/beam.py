"""Settings of the data steps past one machine: the Beam runner, its workers and options (contract 12)."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from robo_poet.settings.base import LocalFolder, Settings

PLAIN, EMBEDDED, DASK = "none", "embedded", "dask"
_OPTION = re.compile(r"--[a-z][a-z0-9_]*(?:=.*)?", re.DOTALL)


def _option(text: str) -> str:
    """Return an option of Beam.

    Raises:
        ValueError: it is not of the form --name=value, or it is the runner.
    """
    if not _OPTION.fullmatch(text):
        raise ValueError("an option of Beam must have the form --name=value")
    if text.split("=")[0] == "--runner":
        raise ValueError("give the runner in beam.runner")
    return text


class BeamSettings(Settings):
    """Section `beam` of a profile. The outputs do not depend on it."""

    runner: str = Field(
        PLAIN,
        pattern=r"^(?:none|embedded|dask|[A-Z][A-Za-z]*Runner)$",
        description="what runs the large data steps: none (this process), embedded (Beam on this machine), dask, or a runner of Beam such "
        "as FlinkRunner",
    )
    workers: int = Field(1, ge=1, le=1024, description="worker processes of embedded, and of dask without --dask_client_address")
    options: tuple[Annotated[str, AfterValidator(_option)], ...] = Field(
        (), max_length=100, description="options of Beam, each --name=value; for example --dask_client_address=tcp://scheduler:8786"
    )
    shard_megabytes: float = Field(
        8,
        gt=0,
        le=10_000,
        description="largest size of the parts of a corpus that workers take, in MB of its compressed file",
    )
    folder: LocalFolder = Field(
        "", description="folder that all workers reach under the same path; empty if they run on the machine of the step"
    )
    claim: str = Field("", description="volume claim mounted at folder on a cluster; empty: none")

    @model_validator(mode="after")
    def _claim_has_a_place(self) -> Self:
        if self.claim and not self.folder.startswith("/"):
            raise ValueError(f"claim needs an absolute mount path: set folder, now {self.folder!r}")
        return self
