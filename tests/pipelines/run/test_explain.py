"""Why each step would run or not, without running (PIPE-4)."""

from types import SimpleNamespace
from typing import Any

from kfp import dsl

from pipelines.run.explain import differences, explain


def verdicts(house: Any, ir: Any, **parameters: Any) -> dict[str, str]:
    before = sorted(house.home.rglob("*"))
    said = {one.task: str(one) for one in explain(ir, parameters, store=house.store)}
    assert [path for path in sorted(house.home.rglob("*")) if path.name not in ("store", "done")] == [
        path for path in before if path.name not in ("store", "done")
    ]
    return said


def test_what_would_run_and_why(house: Any, toys: SimpleNamespace) -> None:
    @dsl.container_component
    def train(settings: dict, corpus: dsl.Input[dsl.Dataset], text: dsl.OutputPath(str)):  # type: ignore
        return dsl.ContainerSpec(
            image="x/robo-poet/train:1", command=["sh", "-c", 'printf yes > "$1"'], args=["train", text, settings, corpus.path]
        )

    def pipeline(body: str = "a", settings: dict = {"learning_rate": 0.001, "deep": {"x": [1]}}) -> None:  # type: ignore  # noqa: B006
        made = toys.make(script='printf %s "$0" > "$3"')
        corpus = toys.use(script='printf %s "$3" > "$2"', file=made.outputs["file"], given=body)
        trained = train(settings=settings, corpus=made.outputs["file"]).after(corpus)
        with dsl.If(trained.outputs["text"] == "yes"):
            toys.shell(script="true").set_caching_options(False)
        with dsl.If(trained.outputs["text"] == "no", name="The text is no"):
            toys.shell(script="false")

    ir = house.compile(pipeline)
    assert verdicts(house, ir) == {
        "make": "would run: no stored result",
        "use": "would run: waits for make, whose outputs may change",
        "train": "would run: waits for make, whose outputs may change",
        "shell": "open: the condition depends on text of train, which is not known yet",
        "shell-2": "open: the condition depends on text of train, which is not known yet",
    }
    assert house.run(ir).status == "succeeded"
    told = verdicts(house, ir)
    assert [told[name] for name in ("make", "use", "train", "shell")] == ["cached", "cached", "cached", "would run: caching is disabled"]
    assert told["shell-2"] == "skipped: it runs only if the text is no"
    told = verdicts(house, ir, settings={"learning_rate": 0.0003, "deep": {"x": [1]}, "new": 1})
    assert told["train"] == "would run: parameter settings.learning_rate 0.001 → 0.0003; parameter settings.new nothing → 1"
    assert verdicts(house, ir, body="b")["use"] == "would run: parameter given a → b"
    made = next(one for one in explain(ir, {}, store=house.store) if one.task == "make")
    (house.store / "done" / made.key / "artifacts" / "file").write_text("other")
    assert (
        verdicts(house, ir)["make"] == "would run: the stored result cannot be used: the content of file differs from what the step wrote"
    )


def test_explain_reports_interrupted_work(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        toys.shell(script="exit 1")

    house.run(pipeline)
    verdict = verdicts(house, house.home / "pipeline.yaml")["shell"]
    assert verdict == "would run: an earlier run did not finish it; it continues in its working folder"


def test_differences_are_described() -> None:
    old: dict[str, Any] = {
        "image": "x/ingest:aa", "command": [], "args": [], "env": {}, "parameters": {"corpus_digest": "1"}, "artifacts": {"corpus": "1"},
        "outputs": {},
    }  # fmt: skip
    assert differences(old, old | {"image": "x/ingest:bb"}) == ["code changed (image tag aa → bb)"]
    assert differences(old, old | {"image": "y/ingest:aa"}) == ["image changed (x/ingest:aa → y/ingest:aa)"]
    assert differences(old, old | {"args": ["a"], "outputs": {"a": 1}}) == ["command changed", "declared outputs changed"]
    assert differences(old, old | {"artifacts": {"corpus": "2"}, "parameters": {"corpus_digest": "2"}}) == ["input artifact corpus changed"]
