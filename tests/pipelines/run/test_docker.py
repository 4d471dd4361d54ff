"""The docker runner over toy steps. Runs wherever a Docker engine with a base image answers; tests of refusals run everywhere."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.containers import docker_runner
from pipelines.images import BASES
from pipelines.run import engine
from pipelines.run.docker import DockerRunner, Mount
from pipelines.run.executor import run_pipeline
from pipelines.run.ir import NO_LIMITS, Container, Resources
from pipelines.run.owner import LABEL, Owner
from pipelines.run.process import Job
from pipelines.run.result import RunResult
from robo_poet.errors import BadInput
from tests.pipelines.run.conftest import IMAGE, ROOT, House, make, shell, use

DRIVER = """
import sys
from pathlib import Path
from pipelines.run.docker import DockerRunner
from pipelines.run.executor import run_pipeline
ir, home = map(Path, sys.argv[1:3])
result = run_pipeline(ir, {}, store=home / "store", runs=home / "runs", runner=DockerRunner(lambda image: {}, grace=1))
print(result.status, result.error, flush=True)
sys.exit(result.exit_status)
"""


@pytest.fixture(scope="module")
def toy() -> Iterator[str]:
    """The toys' image: a base image under their name."""
    try:
        engine.find()
    except BadInput as error:
        pytest.skip(str(error))
    base = next(iter(engine.images([name for name in (os.environ.get("BASE_IMAGE", ""), *BASES) if name])), "")
    if not base:
        pytest.skip("the engine has no base image; infra/images/base.sh makes one")
    engine.call("tag", base, IMAGE)
    yield IMAGE
    engine.call("rmi", "--no-prune", IMAGE)


def containers(pid: int | None = None, *states: str) -> list[str]:
    """Containers of the executor `pid`, of this one if not given, in these states or in any: another test may run some beside us."""
    filters = [f"--filter=status={state}" for state in states]
    shown = '{{.ID}} {{.Label "LABEL"}}'.replace("LABEL", LABEL)
    lines = engine.call("ps", "--all", "--no-trunc", f"--filter=label={LABEL}", *filters, "--format", shown).out.splitlines()
    owned = [(line.split()[0], Owner.parse(line.split()[1])) for line in lines]
    return [number for number, owner in owned if owner and owner.pid == (pid or os.getpid())]


class Dock(House):
    """A house whose steps are containers."""

    def dock(self, ir: Callable[..., Any] | Path, mounts: tuple[Mount, ...] = (), **parameters: Any) -> RunResult:
        ir = self.compile(ir) if callable(ir) else ir
        runner = DockerRunner(lambda image: {}, mounts, grace=1)
        return run_pipeline(ir, parameters, store=self.home / "docked", runs=self.home / "docked-runs", runner=runner)

    def start_docked(self, ir: Path) -> "subprocess.Popen[str]":
        child = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(ir), str(self.home)], env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.children.append(child)
        return child


@pytest.fixture
def dock(toy: str, tmp_path: Path) -> Iterator[Dock]:
    dock = Dock(tmp_path)
    yield dock
    for child in dock.children:
        if child.poll() is None:
            child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()


@pytest.fixture
def run(toy: str, tmp_path: Path) -> Iterator[Callable[..., tuple[int, str]]]:
    """Runs a script in a container; returns how it ended and what it said."""
    work = tmp_path / "a work, folder"  # a comma and blanks, as a person's folder may have
    work.mkdir()
    work.chmod(0o777)
    lock = os.open(work, os.O_RDONLY | os.O_DIRECTORY)

    def run(
        script: str, *arguments: str, runner: DockerRunner | None = None, reads: tuple[Path, ...] = (), cancel: threading.Event | None = None,
        resources: Resources = NO_LIMITS,
    ) -> tuple[int, str]:  # fmt: skip
        runner, log = runner or DockerRunner(lambda image: {}, grace=1), tmp_path / f"{time.monotonic_ns()}.log"
        runner.check(Container(toy, ("sh",), (), {}, resources))
        job = Job(toy, ("sh", "-c", script, "sh", *arguments), {"GIVEN": "by the step"}, work, log, reads, lock, resources)
        return runner.run(job, cancel or threading.Event()), log.read_text()

    yield run
    os.close(lock)


def test_the_same_pipeline_gives_the_same_contents_as_in_processes(dock: Dock) -> None:
    def pipeline(word: str = "rose") -> None:
        made = make(script='printf "a %s" it > "$1"; echo 3 > "$2"; mkdir -p "$3/in"; echo thorn > "$3/in/side"')
        used = use(script='cat "$1/in/side" > "$2"; printf "%s" "$3" >> "$2"', file=made.outputs["file"], given=made.outputs["text"])
        shell(script=f"test '{used.outputs['text']}'").after(used)

    ir = dock.compile(pipeline)
    results = [dock.run(ir), dock.dock(ir)]
    assert [result.status for result in results] == ["succeeded"] * 2, [result.error for result in results]
    outputs = [
        {name: (task.parameters, {key: one.digest for key, one in task.artifacts.items()}, task.key) for name, task in result.tasks.items()}
        for result in results
    ]
    assert outputs[0] == outputs[1] and outputs[0]["use"][0] == {"text": "thorn\na it"}
    assert {task.state for task in dock.dock(ir).tasks.values()} == {"cached"}
    assert {path.stat().st_uid for path in dock.home.rglob("*")} == {os.getuid()}


@pytest.mark.parametrize(
    ("script", "status"),
    [("true", 0), ("exit 1", 1), ("exit 3", 3), ("exit 125", 125), ("no-such-program", 127), ("kill -9 $$", -9), ("kill -TERM $$", -15)],
)
def test_it_ends_as_the_step_ended(run: Any, script: str, status: int) -> None:
    assert run(script)[0] == status


def test_a_container_is_alone_with_its_folder(run: Any, tmp_path: Path) -> None:
    given, other = tmp_path / "given", tmp_path / "other"
    given.mkdir()
    other.write_text("not for this step")
    (given / "text").write_text("a rose")
    said = run('id -u; pwd; cat "$1/text"; grep -c : /proc/net/dev; echo "$GIVEN"; env | grep -c DOCKER_HOST', str(given), reads=(given,))[
        1
    ]
    assert said.split("\n") == [str(os.getuid()), str(tmp_path / "a work, folder"), "a rose1", "by the step", "0", ""]
    for writes in (f'touch "{given}/x"', "touch /x", "touch /app", f'cat "{other}"', "touch /etc/passwd", "mount -t proc p /proc"):
        assert run(writes, reads=(given,))[0] != 0, writes
    assert run("touch here /tmp/there && test -w /tmp")[0] == 0 and [p.name for p in (tmp_path / "a work, folder").iterdir()] == ["here"]


def test_a_step_reaches_the_paths_that_its_arguments_name(run: Any, tmp_path: Path) -> None:
    corpus, registry = tmp_path / "corpus.txt", tmp_path / "made" / "registry"
    corpus.write_text("verse")
    runner = DockerRunner(lambda image: {}, [Mount(corpus), Mount(registry, writable=True)])
    assert run('cat "$1"', str(corpus), runner=runner) == (0, "verse")
    assert run(f"cat {corpus}", runner=runner)[0] != 0 and not registry.exists()
    assert run('echo x > "$1"', str(corpus), runner=runner)[0] != 0
    assert run('echo one > "$1/entry"', str(registry), runner=runner)[0] == 0 and (registry / "entry").read_text() == "one\n"


@pytest.mark.parametrize("user", [None, (12345, 12345)])
def test_what_a_step_writes_belongs_to_the_caller(run: Any, tmp_path: Path, user: tuple[int, int] | None) -> None:
    runner = DockerRunner(lambda image: {}, user=user)
    assert run("mkdir -p out/deep && echo x > out/deep/file && id -u", runner=runner) == (0, f"{(user or (os.getuid(),))[0]}\n")
    written = list((tmp_path / "a work, folder").rglob("*"))
    assert len(written) == 3 and {(p.stat().st_uid, p.stat().st_gid) for p in written} == {user or (os.getuid(), os.getgid())}


def test_the_limits_of_the_ir_hold(run: Any) -> None:
    limit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
    assert run(f"{limit}; true", resources=Resources("500m", "64Mi")) == (0, f"{64 << 20}\n")
    assert run("true", resources=Resources("4000", ""))[0] == 0  # more cores than there are


def test_out_of_memory_is_said_with_its_limit(dock: Dock) -> None:
    def pipeline() -> None:
        shell(script="python3 -c 'bytearray(10**9)'").set_memory_limit("48Mi").set_cpu_limit("1")

    result = dock.dock(pipeline)
    assert result.status == "failed" and "out of memory: the limit of 48Mi was reached" in result.error and result.error.count("\n") == 0
    assert not containers()


def test_a_cancelled_container_is_asked_then_stopped(run: Any) -> None:
    for script, status in (("trap 'exit 7' TERM; while :; do sleep 0.05; done", 7), ("trap '' TERM; while :; do sleep 0.05; done", -9)):
        cancel = threading.Event()
        threading.Timer(1.5, cancel.set).start()
        assert run(script, cancel=cancel)[0] == status
    cancel = threading.Event()
    cancel.set()  # before the engine has even made it
    assert run("sleep 60", cancel=cancel)[0] != 0
    assert not containers()


def sleeping() -> None:
    shell(script="echo up > up; sleep 120")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_runs_on_after_ctrl_c_or_a_kill(dock: Dock, number: signal.Signals) -> None:
    executor = dock.start_docked(dock.compile(sleeping))
    dock.until(lambda: list(dock.home.glob("store/work/*/up")), 30)
    assert len(containers(executor.pid)) == 1
    executor.send_signal(number)
    assert executor.wait(30) == (-9 if number == signal.SIGKILL else 130)
    dock.until(lambda: not containers(executor.pid), 20)


def test_an_executor_killed_at_any_moment_leaves_nothing_running(dock: Dock) -> None:
    ir = dock.compile(sleeping)
    for tenths in range(8):
        executor = dock.start_docked(ir)
        dock.until(lambda: list(dock.home.glob("runs/2*/logs/*.log")), 30)
        time.sleep(tenths / 10)
        executor.kill()
        executor.wait()
        dock.until(lambda pid=executor.pid: not containers(pid, "running"), 20)
        for log in dock.home.glob("runs/2*/logs/*.log"):
            log.unlink()


def test_what_a_dead_executor_left_is_removed_and_nothing_else(run: Any) -> None:
    me = Owner.me()
    ended = subprocess.Popen(["true"])
    ended.wait()
    owners = {
        "dead": Owner(me.boot, me.namespace, ended.pid, "1"), "reused": Owner(me.boot, me.namespace, me.pid, "1"),
        "alive": me, "elsewhere": Owner(me.boot, "pid:[1]", 1, "1"), "another machine": Owner("other", me.namespace, 1, "1"), "odd": "x",
    }  # fmt: skip
    made = {
        name: engine.call("run", "--detach", "--network=none", f"--label={LABEL}={owner}", IMAGE, "sleep", "60").out.strip()
        for name, owner in owners.items()
    }
    try:
        assert run("true")[0] == 0
        there = engine.call("ps", "--all", "--quiet", "--no-trunc").out.split()
        assert {name for name, number in made.items() if number in there} == {"alive", "elsewhere", "another machine", "odd"}
    finally:
        engine.call("rm", "--force", *made.values())


def refusal(runner: DockerRunner, image: str, resources: Resources = NO_LIMITS) -> str:
    with pytest.raises(BadInput) as caught:
        runner.check(Container(image, ("sh",), (), {}, resources))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_image_that_is_not_right_is_one_line(toy: str) -> None:
    runner = DockerRunner(lambda image: {})
    assert refusal(runner, "robo-poet/none:0") == "robo-poet/none:0: the engine has no such image; run make images"
    locked = DockerRunner(lambda image: {"robo-poet.lock": "0" * 64})
    assert refusal(locked, toy) == f"{toy}: the image was built for another lock; run make images"
    assert "asks for a GPU" in refusal(runner, toy, Resources(gpu=1)) or engine.find().nvidia
    assert "'much' is no amount" in refusal(runner, toy, Resources(memory="much"))


def test_no_engine_is_one_line_before_anything_runs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(
        BadInput, match=r"^unix:///nowhere/docker.sock: .*; start one, or let DOCKER_HOST name one; RUNNER=process needs none$"
    ):
        run_pipeline(house.compile(sleeping), {}, store=house.store, runs=house.runs, runner=DockerRunner(lambda image: {}))
    assert not house.runs.exists()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInput, match="docker is not installed"):
        engine.find()


def test_a_bucket_cannot_be_reached_and_that_is_said() -> None:
    with pytest.raises(BadInput, match=r"^source gs://poems/all: containers run without a network here and cannot reach it; copy it"):
        docker_runner({"source": "gs://poems/all", "registry": "/registry"})
    runner = docker_runner({"source": "", "registry": "/registry", "checkpoint_root": "."})
    assert runner.mounts == (Mount(Path("/registry"), writable=True),)


def test_without_roots_rights_the_engines_root_is_the_caller(tmp_path: Path) -> None:
    job = Job("image", ("sh",), {}, tmp_path, tmp_path / "log", (), 0)
    for rootless, user in ((False, f"{os.getuid()}:{os.getgid()}"), (True, "0:0")):
        runner = DockerRunner(lambda image: {})
        runner.engine = engine.Engine("28", 2, nvidia=False, rootless=rootless)
        assert f"--user={user}" in runner.options(job)


def test_limits_are_read_from_the_ir_and_change_no_key(house: House) -> None:
    from pipelines.run.read import read_pipeline

    def limited() -> None:
        shell(script="true").set_memory_limit("4Gi").set_cpu_limit("500m").set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(2)

    def free() -> None:
        shell(script="true")

    assert read_pipeline(house.compile(limited)).steps["shell"].container.resources == Resources("500m", "4Gi", 2)
    assert read_pipeline(house.compile(free)).steps["shell"].container.resources == Resources()
    keys = [house.run(ir).tasks["shell"].key for ir in (limited, free)]
    assert keys[0] == keys[1]
