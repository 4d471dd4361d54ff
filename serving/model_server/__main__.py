"""`python -m serving.model_server`: serve exported models with TensorFlow Serving's protocol."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow then does not import Keras 3, which no SavedModel needs: the start takes 5.4 s instead of 6.8 s on 2 cores.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
# Without it, TensorFlow reserves the whole memory of a GPU at the start, and the alert on 90 % always fires (MON-2).
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

from robo_poet.errors import BadInput
from robo_poet.loopback import is_loopback
from robo_poet.permissions import limit_umask, warnings
from serving.model_server.batching import Batching, read_batching
from serving.model_server.config import ModelConfig, parse_flags, read_config


def say(line: str) -> None:
    """Print a log line to standard error."""
    print(f"model_server: {line}", file=sys.stderr, flush=True)


async def serve(flags: Any) -> None:
    """Serve until SIGTERM or SIGINT, then finish the running requests."""
    import uvicorn

    from serving.model_server.gpus import GpuCollector
    from serving.model_server.metrics import ServerMetrics
    from serving.model_server.rest import make_app
    from serving.model_server.rpc import make_server
    from serving.model_server.servable import Servable
    from serving.model_server.tls import read_tls
    from serving.model_server.versions import LoadedVersions

    tls = read_tls(flags.ssl_config_file) if flags.ssl_config_file else None
    batching = read_batching(flags.batching_parameters_file) if flags.batching_parameters_file else Batching()
    if not flags.enable_batching:
        batching = replace(batching, pad_variable_length_inputs=False, share_batches=False)
    versions = LoadedVersions(
        partial(Servable, batching=batching, xla=flags.xla_cpu_compilation_enabled, warm_up=flags.enable_model_warmup), say
    )
    models = _initial_config(flags)
    read = [("model configuration", flags.model_config_file)] if flags.model_config_file else []
    for line in warnings([*read, *(("model folder", model.base) for model in models.values())]):
        say(f"warning: {line}")

    async def apply(wanted: dict[str, ModelConfig]) -> None:
        nonlocal models
        models = wanted
        await asyncio.to_thread(versions.apply, wanted)

    address = _bound_socket(flags.host, flags.rest_api_port)  # bind first: a busy port fails before seconds are spent on loading
    await apply(models)
    unavailable = [name for name in models if not any(name == served for served, _, _ in versions.loaded())]
    if len(unavailable) == len(models):
        raise BadInput("no version could be loaded", where=", ".join(unavailable), remedy="the log lines above name the reasons")
    metrics = ServerMetrics(versions, GpuCollector.detect())
    app = make_app(versions, metrics, local=is_loopback(flags.host))
    http = uvicorn.Server(uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=35,
        ssl_context_factory=(lambda *_: tls.context) if tls else None,
    ))  # fmt: skip
    http.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    grpc, port = make_server(versions, metrics, apply, f"{flags.host}:{flags.port}", tls.credentials if tls else None)
    await grpc.start()
    stopping = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stopping.set)
    http_address = f"{flags.host}:{address.getsockname()[1]}"
    http_task = asyncio.create_task(http._serve([address]))  # not `serve`, which installs its own signal handlers
    while not http.started and not http_task.done():
        await asyncio.sleep(0.01)
    if http_task.done():
        await http_task  # raises OSError: another program took the port meanwhile
    watcher = asyncio.create_task(_watch(flags, lambda: models, apply))
    print(f"model_server: ready {'https' if tls else 'http'} {http_address} grpc {flags.host}:{port}", flush=True)
    if tls is None and not is_loopback(flags.host):
        say("connections from other machines are not encrypted; pass --ssl_config_file, or use a network that encrypts them")
    await stopping.wait()
    say("stopping; running requests are finished first")
    watcher.cancel()
    http.should_exit = True
    await asyncio.gather(http_task, grpc.stop(35))
    await asyncio.to_thread(versions.close)


def _bound_socket(host: str, port: int) -> socket.socket:
    """Return a TCP socket with this address that does not listen yet.

    It listens when the models are loaded, as in TensorFlow Serving. Until then a connection is refused, and the gateway answers 503 without
    a wait. Nagle's algorithm is off: otherwise each answer waits 40 ms for the client's delayed acknowledgement. Accepted connections
    inherit the option.

    Raises:
        BadInput: the address cannot be used.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise BadInput(
            f"the address cannot be used ({os.strerror(error.errno or 0)})", where=f"{host}:{port}", remedy="choose another --rest_api_port"
        ) from None
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def _initial_config(flags: Any) -> dict[str, ModelConfig]:
    if flags.model_config_file:
        return read_config(flags.model_config_file)
    if not flags.model_base_path.is_dir():
        raise BadInput("no such folder", where=str(flags.model_base_path), remedy="create it, or change --model_base_path")
    return {flags.model_name: ModelConfig(flags.model_base_path)}


async def _watch(flags: Any, current_models: Any, apply: Any) -> None:
    """Poll for new versions in the folders and, if enabled, for changes of the configuration file. An invalid file changes nothing."""
    poll = flags.model_config_file_poll_wait_seconds if flags.model_config_file else 0.0
    reported = ""
    while True:
        await asyncio.sleep(poll or flags.file_system_poll_wait_seconds or 1.0)
        try:
            await apply(read_config(flags.model_config_file) if poll else current_models())
            reported = ""
        except Exception as error:  # any error: the next poll may succeed
            reason = str(error) if isinstance(error, BadInput) else f"{type(error).__name__}: {error}"
            if reason != reported:
                say(f"the previous configuration stays in use: {reason}")
            reported = reason


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    limit_umask()
    try:
        flags = parse_flags(argv)
        if flags.model_config_file and not Path(flags.model_config_file).is_file():
            raise BadInput("no such file", where=str(flags.model_config_file))
        uvloop.run(serve(flags))
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # for example a folder without read permission
        print(f"error: {error.filename or 'model_server'}: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Skip the teardown of the interpreter: with it, 2 of 5 stops with running calls ended with SIGSEGV, without it none of 5.
    os._exit(status)
