import pytest
from pydantic import ValidationError

from robo_poet.settings.beam import BeamSettings


@pytest.mark.parametrize("runner", ["none", "embedded", "dask", "FlinkRunner", "DataflowRunner", "SparkRunner", "PortableRunner"])
def test_runners(runner: str) -> None:
    assert BeamSettings(runner=runner).runner == runner


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runner": "spark"}, "should match pattern"),
        ({"runner": ""}, "should match pattern"),
        ({"runner": "os.system"}, "should match pattern"),
        ({"workers": 0}, "greater than or equal to 1"),
        ({"options": ["streaming"]}, "must have the form --name=value"),
        ({"options": ["--project x"]}, "must have the form --name=value"),
        ({"options": ["--runner=DirectRunner"]}, "give the runner in beam.runner"),
        ({"shard_megabytes": 0}, "greater than 0"),
        ({"folder": "gs://bucket/x"}, "an address with gs:// is not supported here"),
        ({"claim": "c"}, "claim needs an absolute mount path: set folder, now ''"),
    ],
)
def test_wrong_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        BeamSettings.model_validate(settings)


def test_the_folder_and_the_claim() -> None:
    assert BeamSettings(folder="/shared", claim="c").claim == "c"
