"""The live view of a replay: acts, what is awaited, and the service at this moment. A terminal gets a table, a file gets lines."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.replay.journal import MARKS, Act, Event, Journal, clock
from cli.replay.record import traffic_query
from cli.replay.story import Scene
from robo_poet.errors import BadInput

STYLES = {"waiting": "dim", "running": "bold cyan", "done": "green", "failed": "bold red", "stopped": "bold yellow"}
COLOURS = ("blue", "magenta", "green", "yellow", "cyan")
REFRESH_SECONDS, LINE_SECONDS = 1.0, 60.0  # of the table; between two lines about something that is awaited, in a file
BAR = 40  # characters


class View:
    """Shows a replay.

    Attributes:
        journal: set before `watching` begins.
    """

    def __init__(self, console: Console, scene: Scene) -> None:
        self._console, self._scene, self._began = console, scene, time.time()
        self.journal: Journal | None = None
        self._stopped, self._newest = threading.Event(), Text()

    def show_change(self, act: Act, event: Event | None) -> None:
        """Print an act or an event that begins or ends, if the output is a file."""
        if self._console.is_terminal:
            return
        if event is None:
            text = f"{act.title}: {act.description}" if act.status == "running" else f"{act.title}: {act.status}"
        elif event.ended:
            text = f"  ✓ {event.text}{f': {event.result}' if event.result else ''}"
        else:
            text = f"  … {event.text}"
        self._console.print(f"{clock(time.time() - self._began)} {text}", markup=False)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Show the replay during the block."""
        thread = threading.Thread(target=self._follow, name="view")
        if self._console.is_terminal:
            with Live(get_renderable=self._render, console=self._console, refresh_per_second=2):
                thread.start()
                try:
                    yield
                finally:
                    self._end(thread)
            return
        thread.start()
        try:
            yield
        finally:
            self._end(thread)

    def _end(self, thread: threading.Thread) -> None:
        self._stopped.set()
        thread.join()

    def _follow(self) -> None:
        """Read the state of the service once a second; in a file, print a line a minute."""
        printed = time.time()
        while not self._stopped.wait(REFRESH_SECONDS):
            with suppress(BadInput, OSError, ValueError, KeyError):  # a file is being written, or a program is not ready
                self._newest = self._now()
            if not self._console.is_terminal and time.time() - printed > LINE_SECONDS:
                printed = time.time()
                self._console.print(f"{clock(printed - self._began)}   {self._newest.plain}", markup=False)

    def _now(self) -> Text:
        """Return what the service and the newest training do, in some lines."""
        scene, text = self._scene, Text()
        if run := self._run(scene):
            text.append(f"training: {run}\n")
        if scene.prometheus is None or scene.users is None:
            return text
        shares = {
            int(series["metric"]["version"]): float(series["value"][1]) for series in scene.prometheus.query(traffic_query("5s"))
        }  # fmt: skip
        if total := sum(shares.values()):
            text.append(f"users: {scene.users.asked} requests, {scene.users.failed} failed; now ")
            for version, rate in sorted(shares.items()):
                if rate:
                    bar = "█" * max(1, round(BAR * rate / total))
                    text.append(f"{bar} version {version} {rate / total:.0%} ", COLOURS[version % len(COLOURS)])
            text.append("\n")
        if judged := scene.history.judged():
            row = judged[-1].row
            known = f"perplexity {row['perplexity']:.0f}" if "perplexity" in row else "no perplexity"
            rise = f", {row['rise']:+.0%} over the baseline" if "rise" in row else ""
            text.append(f"newest window: version {judged[-1].version}, {row['users']} users, {known}{rise}\n")
        names = sorted({series["metric"]["alertname"] for series in scene.prometheus.query('ALERTS{alertstate="firing"}')})
        if names:
            text.append(f"alerts: {', '.join(names)}\n", "bold red")
        return text

    def _run(self, scene: Scene) -> str:
        """Return the newest line of the pipeline that runs, empty if none does."""
        act = self.journal.act if self.journal else None
        event = act.events[-1] if act and act.events else None
        if event is None or event.ended or not event.training:
            return ""
        logs = [*scene.programs.logs.glob("run-*.log"), *_retraining_logs(scene.folder)]
        newest = max(logs, key=lambda path: path.stat().st_mtime, default=None)
        lines = newest.read_text("utf-8", "replace").splitlines() if newest else []
        return lines[-1].strip()[:160] if lines else ""

    def _render(self) -> RenderableType:
        if self.journal is None:
            return Text()
        now = time.time()
        table = Table.grid(padding=(0, 1))
        for act in self.journal.acts:
            mark, style = MARKS[act.status], STYLES[act.status]
            took = (act.ended or now) - act.began if act.began else 0.0
            table.add_row(Text(mark, style), Text(act.title, style), Text(clock(took) if took else "", "dim"))
            if act.status == "running":
                table.add_row("", Text(act.description, "italic"), "")
            for event in act.events if act.status in ("running", "failed", "stopped") else ():
                done = "✓" if event.ended else "…"
                line = Text(f"{done} {event.text}", "" if event.ended else "bold")
                line.append(f": {event.result}" if event.result else "", "dim")
                table.add_row("", line, Text(clock((event.ended or now) - event.began), "dim"))
        return Group(Text(f"replay, {clock(now - self._began)}", "bold"), table, Text(), self._newest)


def _retraining_logs(folder: Path) -> list[Path]:
    return list((folder / ".serve" / "retraining").glob("*/runs/*.log"))
