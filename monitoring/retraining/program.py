"""Runs the trigger of one model until it is stopped: the receiver in the main thread, and a thread that looks at waiting requests."""

import asyncio
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn

from monitoring.retraining.receiver import LOOK, TriggerSeries, receiver
from monitoring.retraining.trigger import Trigger
from robo_poet.atomic import create_once
from robo_poet.errors import BadInput
from robo_poet.folder_lock import locked_folder
from robo_poet.permissions import check_private, make_private_folder
from robo_poet.regular_file import read_limited

LOOK_SECONDS = 5.0  # between two looks at a run and at waiting requests; an alert is looked at immediately
FIRST_RETRY, LONGEST_RETRY = 5.0, 300.0  # seconds until the next look after an error; the wait doubles
LOCK = "retrain.lock"
MOST_CONNECTIONS = 64
SHORTEST_TOKEN = 16  # characters


def read_token(path: Path) -> bytes:
    """Return the token of the receiver. A missing file is created with a random token, and only its owner can read it.

    Raises:
        BadInput: other users can read the file, or it has no token of at least 16 visible characters.
    """
    if not path.exists():
        make_private_folder(path.parent)
        create_once(path, secrets.token_urlsafe(32).encode(), mode=0o600)
    check_private(path, "token file")
    token = read_limited(path, 4096).strip()
    if len(token) < SHORTEST_TOKEN or not all(33 <= byte <= 126 for byte in token):
        remedy = "remove the file, and a new token is made; give the new one to Alertmanager"
        raise BadInput(f"the token needs at least {SHORTEST_TOKEN} visible ASCII characters", where=str(path), remedy=remedy)
    return token


def listen(
    trigger: Trigger, folder: Path, token: bytes, host: str, port: int, say: Callable[[str], None], *, look_seconds: float = LOOK_SECONDS
) -> None:
    """Take alerts and start runs until SIGTERM or SIGINT. A run that goes on then is found again at the next start.

    Args:
        folder: of the trigger; a second trigger in it is refused.
        say: called with a line for each change and each new error.
        look_seconds: time between two looks.

    Raises:
        BadInput: the address cannot be used, the log cannot be read, or another trigger uses the folder.
    """
    with locked_folder(folder, "stop the other one, or use another --folder", name=LOCK, program="trigger") as lock:
        trigger.state()  # a damaged log is an error at the start
        listening = _bound(host, port)
        address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        lock.describe(address)
        series, awake, stopped = TriggerSeries(trigger), threading.Event(), threading.Event()
        defects = list[Exception]()

        def work() -> None:
            try:
                _work(trigger, series, awake, stopped, say, look_seconds)
            except Exception as error:  # a bug: without this thread nothing starts, so the program must not go on
                defects.append(error)

        worker = threading.Thread(target=work, name="retraining")
        app = receiver(trigger, token, series, awake.set)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none", limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=5, timeout_graceful_shutdown=10,
        )  # fmt: skip
        worker.start()
        try:
            ready = f"retrain: ready, alerts at {address}/alerts"
            asyncio.run(_serve(uvicorn.Server(config), listening, lambda: say(ready), worker.is_alive))
        finally:
            stopped.set()
            awake.set()
            worker.join()
            listening.close()
        if defects:
            raise defects[0]
        running = trigger.state().running
        if running:
            say(f"the run {running.runs[-1].id} goes on; the next `retrain listen` records its end")


async def _serve(server: uvicorn.Server, listening: socket.socket, ready: Callable[[], None], works: Callable[[], bool]) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    serving = asyncio.create_task(server._serve([listening]))  # not `serve`, which installs its own signal handlers
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if not serving.done():
        ready()
        while works() and not stopping.is_set() and not serving.done():
            await asyncio.sleep(0.1)
        server.should_exit = True
    await serving


def _work(
    trigger: Trigger, series: TriggerSeries, awake: threading.Event, stopped: threading.Event, say: Callable[[str], None], wait: float
) -> None:
    trouble, retry = "", FIRST_RETRY
    while not stopped.is_set():
        awake.clear()
        try:
            for line in trigger.look():
                say(line)
            series.gauges[LOOK].set(time.time())
            trouble, retry, pause = "", FIRST_RETRY, wait
        except (BadInput, OSError) as error:
            series.errors.inc()
            if trouble != str(error):
                trouble = str(error)
                say(f"no retraining is started: {error}")
            pause, retry = retry, min(2 * retry, LONGEST_RETRY)
        awake.wait(pause)


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        remedy = "set monitoring.retraining.port to a free one"
        raise BadInput(f"the address cannot be used ({reason})", where=f"{host}:{port}", remedy=remedy) from None
