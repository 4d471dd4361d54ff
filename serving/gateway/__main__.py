"""Run the gateway. Settings come from a file and from environment variables (SERVE-2)."""

import argparse
import asyncio
import gc
import os
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from pydantic import ValidationError

from robo_poet.errors import BadInput, validation_message
from robo_poet.loopback import is_loopback
from robo_poet.permissions import limit_umask
from robo_poet.settings.serve import ServeSettings
from robo_poet.strict_yaml import parse_value, parse_yaml
from serving.gateway.app import make_app
from serving.gateway.assemble import assemble
from serving.gateway.connection.listener import BACKLOG, Listener, connection_limits
from serving.telemetry.operational_log import configure

PREFIX = "ROBO_POET_SERVE_"
LARGEST_FILE = 4_000_000  # bytes of the settings


def read_settings(file: Path | None, environment: Mapping[str, str]) -> ServeSettings:
    """Read the settings. Environment variables override the file.

    Names: `ROBO_POET_SERVE_PORT=8081`, or for a nested setting `ROBO_POET_SERVE_ACCESS__AUDIENCE=poets`.

    Args:
        file: JSON or YAML file; None for the defaults of `ServeSettings`.

    Raises:
        BadInput: the file cannot be read, or a value is invalid. The error names the setting.
    """
    values: Any = {}
    if file is not None:
        try:
            with file.open("rb") as opened:
                text = opened.read(LARGEST_FILE + 1).decode("utf-8")  # the YAML reader refuses a text that is cut here
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(
                f"the settings cannot be read ({type(error).__name__})", where=str(file), remedy="pass a JSON or YAML file"
            ) from None
        values = parse_yaml(text, where=str(file))
        if values is None:
            values = {}
        if not isinstance(values, dict):
            raise BadInput("the settings are not a mapping", where=str(file), remedy="write them as `name: value`")
    for name, text in environment.items():
        if name.startswith(PREFIX):
            _set_nested(values, name.removeprefix(PREFIX).lower().split("__"), parse_value(text, where=name))
    try:
        return ServeSettings.model_validate(values)
    except ValidationError as error:
        first_error = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first_error["loc"]) or "settings"
        raise BadInput(validation_message(first_error["msg"]), where=where, remedy="see robo_poet/settings/serve.py") from None


def _set_nested(values: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        inner = values.get(part)
        values[part] = values = inner if isinstance(inner, dict) else {}
    values[path[-1]] = value


BAD_INPUT = 2  # exit status for an error that the caller can fix


async def serve(settings: ServeSettings) -> None:
    """Serve until SIGTERM or SIGINT. Running requests are then finished, within the request deadline.

    Raises:
        BadInput: a setting, a file or the address cannot be used.
    """
    tls_context = _tls_context(settings)
    if tls_context is None and not settings.plain_http and not is_loopback(settings.host):
        remedy = "set tls_certificate and tls_key, or set plain_http if a proxy terminates TLS"
        raise BadInput("API keys and texts would be sent without encryption", where=f"host: {settings.host}", remedy=remedy)
    _raise_file_limit()
    parts = assemble(settings)
    app = make_app(parts)
    try:
        listening = socket.create_server(
            (settings.host, settings.port), family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET, backlog=BACKLOG
        )
    except OSError as error:
        address = f"{settings.host}:{settings.port}"
        raise BadInput(f"the address cannot be used ({error.strerror})", where=address, remedy="set serve.port to another port") from None
    config = uvicorn.Config(
        app, ws="none", log_config=None, access_log=False, server_header=False, proxy_headers=False, lifespan="on",
        timeout_graceful_shutdown=int(settings.deadline_seconds) + 2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    stopping = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stopping.set)
    serving = asyncio.create_task(server._serve([]))  # not `serve`, which installs its own signal handlers; `Listener` has the socket
    while not server.started and not serving.done():
        await asyncio.sleep(0.02)
    if server.started:
        gc.collect()
        gc.freeze()  # start-up leaves 190,000 objects; a garbage collection over them stops all requests for 0.1 to 0.2 s
        listener = Listener(server, listening, parts.connections, connection_limits(settings), parts.metrics.refused, tls_context)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        port = listening.getsockname()[1]
        listener.start()
        print(f"gateway: ready {'https' if tls_context else 'http'}://{host}:{port}", flush=True)
        await asyncio.wait((serving, asyncio.create_task(stopping.wait())), return_when=asyncio.FIRST_COMPLETED)
        await listener.stop()
        server.should_exit = True
        await serving
        listener.close()
    else:
        await serving


def _raise_file_limit() -> None:
    """Raise the limit of open files to the hard limit, because each connection needs a file descriptor."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


def _tls_context(settings: ServeSettings) -> ssl.SSLContext | None:
    if not settings.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password=lambda: b"")  # not a prompt on the terminal
    except (OSError, ssl.SSLError) as error:
        raise BadInput(f"the certificate or the key cannot be loaded ({type(error).__name__})", where=settings.tls_certificate) from None
    return context


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m serving.gateway", description=__doc__)
    parser.add_argument("--settings", type=Path, help="JSON or YAML file; environment variables ROBO_POET_SERVE_… override it")
    arguments = parser.parse_args(argv)
    limit_umask()
    try:
        settings = read_settings(arguments.settings, os.environ)
        configure(settings.log_level)
        uvloop.run(serve(settings))
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
