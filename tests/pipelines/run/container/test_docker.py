"""The docker runner over toy steps. Runs wherever a Docker engine with a base image answers.

Covers: engine.
"""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pipelines.run.container import engine
from pipelines.run.container.docker import DockerRunner, Mount
from pipelines.run.container.engine import LABEL, Owner
from pipelines.run.ir.steps import NO_LIMITS, Container, Limits
from robo_poet.errors import BadInput
from tests.pipelines.run.conftest import IMAGE, make, shell, use
from tests.pipelines.run.container.conftest import Dock, containers

pytestmark = pytest.mark.images


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
def test_the_exit_status_is_that_of_the_step(run: Any, script: str, status: int) -> None:
    assert run(script)[0] == status


def test_a_container_sees_only_its_folder_and_no_network(run: Any, tmp_path: Path) -> None:
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
    assert run('cat "$1"', str(corpus), runner=runner) == (0, "verse\n")  # the log ends every line
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
    assert run(f"{limit}; true", resources=Limits("500m", "64Mi")) == (0, f"{64 << 20}\n")
    assert run("true", resources=Limits("4000", ""))[0] == 0  # more cores than there are


def test_an_out_of_memory_error_names_the_limit(dock: Dock) -> None:
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


def test_only_containers_of_dead_executors_are_removed(run: Any) -> None:
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


def refusal(runner: DockerRunner, image: str, resources: Limits = NO_LIMITS) -> str:
    with pytest.raises(BadInput) as caught:
        runner.check(Container(image, ("sh",), (), {}, resources))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_image_that_is_not_right_is_one_line(toy: str) -> None:
    runner = DockerRunner(lambda image: {})
    assert refusal(runner, "robo-poet/none:0") == "robo-poet/none:0: the engine has no such image; run make images"
    locked = DockerRunner(lambda image: {"robo-poet.lock": "0" * 64})
    assert refusal(locked, toy) == f"{toy}: the image was built for another lock file; run make images"
    assert "needs a GPU" in refusal(runner, toy, Limits(gpu=1)) or engine.find().nvidia
    assert "'much' is not a quantity" in refusal(runner, toy, Limits(memory="much"))
