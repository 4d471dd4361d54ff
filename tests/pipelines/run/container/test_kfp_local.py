"""The docker runner beside KFP's own, `kfp.local` with its DockerRunner: the same compiled pipelines, the same outcome."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import ContainerCollection
from kfp import components, dsl, local
from kfp.local.config import LocalExecutionConfig
from kfp.local.orchestrator import task_executor
from kfp.local.status import Status
from pytest import param

from pipelines.run.container import engine
from pipelines.run.ir.values import plain
from pipelines.run.result import RunResult
from robo_poet.digest import digest_path
from tests.pipelines.run.container.conftest import Dock, base_as

pytestmark = pytest.mark.images

IMAGE = f"registry.example/robo-poet/toy:{os.getpid()}"  # other tests on this engine may be removing the name of theirs
LABEL = "robo-poet.test"
# kfp.local makes no folder for an output, and forgets an artifact that the executor output does not state: these steps do both.
PRELUDE = """
import json, sys
from pathlib import Path

def put(path, text):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)

def state(path, parameters={}, **artifacts):
    stated = {name: {"artifacts": [{"name": name, "uri": uri, "metadata": said}]} for name, (uri, said) in artifacts.items()}
    put(path, json.dumps({"parameterValues": parameters, "artifacts": stated}))
"""
Outcome = dict[str, str]  # the run's status under the empty name; each step that ran, and its outputs: `turn`, `turn.words`, `turn.turned`
STATED = dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER


def python(program: str, *arguments: Any) -> dsl.ContainerSpec:
    """A program that has `put` and `state`, with its arguments in `sys.argv`."""
    return dsl.ContainerSpec(image=IMAGE, command=["python3", "-c", PRELUDE + program], args=list(arguments))


@dsl.container_component
def values(  # type: ignore[no-untyped-def]
    word: str, number: int, share: float, flag: bool, items: list, table: dict,
    a_word: dsl.OutputPath(str), a_number: dsl.OutputPath(int), a_share: dsl.OutputPath(float), a_flag: dsl.OutputPath(bool),
    some_items: dsl.OutputPath(list), a_table: dsl.OutputPath(dict),
):  # fmt: skip
    """One value of each kind, each made into another of its kind."""
    return python(
        """
word, (number, share, flag, items, table) = sys.argv[1], map(json.loads, sys.argv[2:7])
made = [word + "!", number + 1, share / 4, not flag, [*items, number, [flag, word]], {**table, word: {"share": share, "items": items}}]
for path, value in zip(sys.argv[7:], made):
    put(path, str(value) if isinstance(value, (str, bool)) else json.dumps(value))
""",
        word, number, share, flag, items, table, a_word, a_number, a_share, a_flag, some_items, a_table,
    )  # fmt: skip


@dsl.container_component
def write(text: str, file: dsl.Output[dsl.Dataset]):  # type: ignore[no-untyped-def]
    """A file."""
    return python("_, text, file, stated = sys.argv; put(file, text); state(stated, file=(file, {}))", text, file.path, STATED)


@dsl.container_component
def turn(file: dsl.Input[dsl.Dataset], by: int, turned: dsl.Output[dsl.Dataset], words: dsl.OutputPath(int)):  # type: ignore
    """Its words, the first `by` of them moved to the end; with metadata."""
    return python(
        """
_, file, by, turned, words, stated = sys.argv
line = Path(file).read_text().split()
put(turned, " ".join(line[int(by):] + line[:int(by)]))
put(words, str(len(line)))
state(stated, turned=(turned, {"first": line[int(by)], "by": int(by), "share": 0.5, "turned": True, "all": line, "of": {"words": len(line)}}))
""",
        file.path, by, turned.path, words, STATED,
    )  # fmt: skip


@dsl.container_component
def bind(left: dsl.Input[dsl.Dataset], right: dsl.Input[dsl.Dataset], book: dsl.Output[dsl.Model], first: dsl.OutputPath(str)):  # type: ignore
    """A folder with both files, one of them further down."""
    return python(
        """
_, left, right, book, first, stated = sys.argv
put(book + "/left", Path(left).read_text())
put(book + "/deep/er/right", Path(right).read_text())
put(first, Path(left).read_text().split()[0] + Path(right).read_text().split()[0])
state(stated, book=(book, {"pages": 2}))
""",
        left.path, right.path, book.path, first, STATED,
    )  # fmt: skip


@dsl.container_component
def measure(file: dsl.Input[dsl.Dataset], metrics: dsl.Output[dsl.Metrics], letters: dsl.OutputPath(int), ratio: dsl.OutputPath(float)):  # type: ignore
    """Metrics that are metadata alone; parameters in the executor output and in no file of their own."""
    return python(
        """
_, file, metrics, stated = sys.argv
letters = len(Path(file).read_text())
state(stated, {"letters": letters, "ratio": letters / 8}, metrics=(metrics, {"letters": letters, "loss": 0.1}))
""",
        file.path, metrics.path, STATED,
    )  # fmt: skip


@dsl.container_component
def shell(script: str):  # type: ignore[no-untyped-def]
    """A script."""
    return dsl.ContainerSpec(image=IMAGE, command=["sh", "-c"], args=[script])


@dsl.container_component
def jot(text: str, note: dsl.Output[dsl.Dataset], letters: dsl.OutputPath(int)):  # type: ignore
    """As a program may be that knows nothing of KFP: it writes where it is told, makes no folder and states nothing."""
    script = 'printf %s "$1" > "$2"; printf %s "${#1}" > "$3"'
    return dsl.ContainerSpec(image=IMAGE, command=["sh", "-c"], args=[script, "jot", text, note.path, letters])


def chain(word: str = "rose", number: int = 2**40, share: float = 1e-7, flag: bool = True, items: list = [], table: dict = {}):  # noqa: B006
    first = values(word=word, number=number, share=share, flag=flag, items=items, table=table)
    made = first.outputs
    values(
        word=f"{made['a_word']} {word}", number=made["a_number"], share=made["a_share"], flag=made["a_flag"],
        items=made["some_items"], table=made["a_table"],
    )  # fmt: skip


def constants() -> None:
    values(
        word="$(id) 'α' \"b\" \\ <c> & \n", number=-3, share=2.0, flag=False, items=[1, 2.5, "<&>", [True]], table={"b": {"a": 1}, "ä": []}
    )


def diamond(text: str = "so long lives this") -> None:
    top = write(text=text)
    left, right = turn(file=top.outputs["file"], by=1), turn(file=top.outputs["file"], by=3)
    book = bind(left=left.outputs["turned"], right=right.outputs["turned"])
    turn(file=left.outputs["turned"], by=2).after(book)


def stated() -> None:
    measure(file=write(text="by heart").outputs["file"])


def failing() -> None:
    written = write(text="no more of this")
    failed = turn(file=written.outputs["file"], by=4)  # there is no such word
    bind(left=written.outputs["file"], right=failed.outputs["turned"])
    shell(script="exit 0").after(failed)


def watched() -> None:
    with dsl.ExitHandler(exit_task=write(text="it is over")):
        failed = shell(script="exit 3")
        turn(file=write(text="not reached").after(failed).outputs["file"], by=1)


def branches(mood: str = "glad", number: int = 2) -> None:
    with dsl.If(mood == "glad"):
        written = write(text="a feast")
        with dsl.If(number > 2):  # type: ignore[operator]
            turn(file=written.outputs["file"], by=1)
    with dsl.Else():
        shell(script="exit 0")


@dsl.pipeline(name="inner")
def inner(text: str, by: int) -> dsl.Dataset:
    return turn(file=write(text=text).outputs["file"], by=by).outputs["turned"]


def nested(text: str = "one two three") -> None:
    measure(file=inner(text=text, by=2).outputs["Output"])


def as_json(value: Any) -> str:
    """A value with its type; 1 and 1.0 are one number to the IR."""
    return json.dumps(plain(value), sort_keys=True)


def contents(path: Path, metadata: Mapping[str, Any]) -> str:
    """The digest of an artifact, and its metadata."""
    return f"{digest_path(path) if path.exists() else 'no content'} {as_json(dict(metadata))}"


def ours(result: RunResult) -> Outcome:
    """What our executor came to, in the words of the comparison."""
    outcome = {"": result.status}
    for name, task in result.tasks.items():
        outcome |= {name: task.state} if task.state in ("ran", "failed") else {}
        outcome |= {f"{name}.{key}": as_json(value) for key, value in task.parameters.items()}
        outcome |= {f"{name}.{key}": contents(one.path, one.metadata) for key, one in task.artifacts.items()}
    return outcome


def named(outcome: Outcome, expected: Outcome) -> Outcome:
    """The run and its steps, and of the outputs those that are expected."""
    return {name: said for name, said in outcome.items() if "." not in name or name in expected}


@pytest.fixture(scope="module")
def toy() -> Iterator[str]:
    """A base image under the name that the toys here have."""
    yield from base_as(IMAGE)


@pytest.fixture
def theirs(toy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Outcome]]:
    """Runs a compiled pipeline with `kfp.local`, as our runner runs steps: without a network, as the caller.

    Its containers are kept until the end: where the engine removes one before it asks how that ended, it takes the step for a success.
    """
    outcome: Outcome = {}
    execute, run = task_executor.execute_single_task, ContainerCollection.run

    def executed(*, task_name: str, **given: Any) -> Any:
        outputs, status = execute(task_name=task_name, **given)
        outcome[task_name] = "ran" if status is Status.SUCCESS else "failed"
        for key, one in outputs.items():
            outcome[f"{task_name}.{key}"] = contents(Path(one.path), one.metadata) if isinstance(one, dsl.Artifact) else as_json(one)
        return outputs, status

    def kfp_local(ir: Path, **parameters: Any) -> Outcome:
        uid, gid = (0, 0) if engine.find().rootless else (os.getuid(), os.getgid())
        runner = local.DockerRunner(network_mode="none", user=f"{uid}:{gid}", labels={LABEL: str(os.getpid())})
        for folder in ("kfp", "workspace"):
            (tmp_path / folder).mkdir()
        local.init(runner, pipeline_root=str(tmp_path / "kfp"), workspace_root=str(tmp_path / "workspace"))
        try:
            components.load_component_from_file(str(ir))(**parameters)
            return {"": "succeeded", **outcome}
        except RuntimeError as error:
            assert "finished with status" in str(error)
            return {"": "failed", **outcome}

    monkeypatch.setattr(task_executor, "execute_single_task", executed)
    monkeypatch.setattr(ContainerCollection, "run", lambda self, *, auto_remove, **options: run(self, **options))
    monkeypatch.setattr(LocalExecutionConfig, "instance", None)  # or each component called later in this process would run
    monkeypatch.setenv("DOCKER_HOST", engine.call("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").out.strip())
    yield kfp_local
    if kept := engine.call("ps", "--all", "--quiet", f"--filter=label={LABEL}={os.getpid()}").out.split():
        engine.call("rm", "--force", *kept)


@pytest.mark.parametrize(
    ("pipeline", "given", "expected"),
    [
        param(chain, {"word": "thorn & <all>", "items": ["a", 1.5], "table": {"z": 1}},
              {"": "succeeded", "values": "ran", "values-2": "ran", "values-2.a_word": '"thorn & <all>! thorn & <all>!"',
               "values-2.a_number": str(2**40 + 2), "values-2.a_share": "6.25e-09", "values-2.a_flag": "true"}, id="parameters passed on"),
        param(chain, {"share": 3.0, "flag": False}, {"": "succeeded", "values": "ran", "values-2": "ran", "values.a_share": "0.75"}, id="defaults"),
        param(constants, {}, {"": "succeeded", "values": "ran", "values.a_number": "-2", "values.a_flag": "true"}, id="constants of every kind"),
        param(diamond, {}, {"": "succeeded", "write": "ran", "turn": "ran", "turn-2": "ran", "bind": "ran", "turn-3": "ran", "bind.first": '"longthis"'},
              id="diamond of artifacts"),
        param(stated, {}, {"": "succeeded", "write": "ran", "measure": "ran", "measure.letters": "8", "measure.ratio": "1",
                           "measure.metrics": 'no content {"letters": 8, "loss": 0.1}'}, id="executor output"),
        param(failing, {}, {"": "failed", "write": "ran", "turn": "failed"}, id="a failure stops what depends on it"),
        param(watched, {}, {"": "failed", "shell": "failed", "write": "ran"}, id="an exit handler runs after a failure"),
        param(branches, {}, {"": "succeeded", "write": "ran"}, id="one condition holds"),
        param(branches, {"number": 3}, {"": "succeeded", "write": "ran", "turn": "ran", "turn.words": "2"}, id="two conditions hold"),
        param(branches, {"mood": "sad"}, {"": "succeeded", "shell": "ran"}, id="none holds"),
        param(nested, {}, {"": "succeeded", "write": "ran", "turn": "ran", "measure": "ran", "measure.letters": "13"}, id="a pipeline in a pipeline"),
    ],
)  # fmt: skip
def test_kfps_docker_runner_gives_the_same_results(
    dock: Dock, theirs: Callable[..., Outcome], pipeline: Callable[..., Any], given: dict[str, Any], expected: Outcome
) -> None:
    ir = dock.compile(pipeline)
    here = ours(dock.dock(ir, **given))
    assert here == theirs(ir, **given)
    assert named(here, expected) == expected


def silent() -> None:
    turn(file=jot(text="a word").outputs["note"], by=1)


def decided() -> None:
    with dsl.If(jot(text="four").outputs["letters"] == 4):
        shell(script="exit 0")


def woven(number: int = 3) -> None:
    jot(text=f"{number} witches, {jot(text='toad').outputs['letters']} toads")


def brief() -> None:
    shell(script="exit 3")


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        param(silent, {"": "succeeded", "jot": "ran", "turn": "ran", "turn.words": "2"}, id="folders are there, what is written is found"),
        param(decided, {"": "succeeded", "jot": "ran", "shell": "ran"}, id="a condition sees a named output"),
        param(woven, {"": "succeeded", "jot": "ran", "jot-2": "ran", "jot-2.letters": "18"}, id="a whole number in a text is whole"),
        param(brief, {"": "failed", "shell": "failed"}, id="who fails at once has failed"),
    ],
)
def test_errors_of_kfp_local_do_not_occur_here(dock: Dock, pipeline: Callable[..., Any], expected: Outcome) -> None:
    assert named(ours(dock.dock(pipeline)), expected) == expected
