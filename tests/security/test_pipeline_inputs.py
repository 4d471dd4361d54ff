"""Attacks on the inputs of the pipeline: the folder of the corpus, profiles, addresses and the commands that must write nothing.

The same attacks on single modules are next to their tests: source_files, step_log, store, strict_yaml.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRET = "the-secret-of-another-user"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with the folders `work`, `home` and `tmp`, and a corpus of special files in `poems`."""
    for name in ("work", "home", "tmp", "private", "poems"):
        (tmp_path / name).mkdir()
    (tmp_path / "private" / "secret.txt").write_text(SECRET)
    for number, line in enumerate(("The sea is wide and the night is long.", "The road is dust.", "The wind is cold.", "The moon is old.")):
        (tmp_path / "poems" / f"{number}.txt").write_text(f"{line} Poem {number}.\n" * 30)
    return tmp_path


def command(home: Path, *arguments: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home / "home"), "TMPDIR": str(home / "tmp")}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments], cwd=home / "work", env=environment, capture_output=True, text=True, timeout=seconds
    )


def snapshot(home: Path) -> dict[str, tuple[int, int]]:
    def entries() -> Iterator[Path]:
        for base, folders, files in os.walk(home):
            yield from (Path(base, name) for name in (*folders, *files))

    # Python's tempfile creates and removes a file in TMPDIR to see whether it can, so the time of that folder does not count.
    found = {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in entries()}
    return found | {str(home / "tmp"): (0, 0)}


def test_special_files_neither_stop_the_step_nor_are_read(home: Path) -> None:
    poems = home / "poems"
    os.mkfifo(poems / "pipe.txt")
    (poems / "outside.txt").symlink_to(home / "private" / "secret.txt")
    (poems / "linked").symlink_to(home / "private")
    (poems / "loop").symlink_to(".")
    (poems / "zero.txt").symlink_to("/dev/zero")
    step = subprocess.run(
        [sys.executable, "-m", "components.ingest", "--source", str(poems), "--source-digest", "", "--seed", "42", "--corpus", "corpus", "--dropped", "dropped"],
        cwd=home / "work", env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert step.returncode == 0, step.stderr
    assert "warning: not read, because only regular files below the folder are: linked (a link), loop (a link), outside.txt" in step.stderr
    assert "4 of 4 documents" in step.stderr


ONE_LINE = {
    "registry of another service": (
        ("run", "--explain", "--set", "local.registry=s3://bucket/x"),
        "an address with s3:// is not supported here",
    ),
    "bucket without a name": (
        ("registry", "list", "--registry", "gs://"),
        "the address has no valid name of a bucket; write gs://bucket/prefix",
    ),
    "bucket of the runs": (("runs", "list", "--runs", "s3://bucket"), "an address with s3:// is not supported here"),
    "versions of another service": (("registry", "list", "--registry", "s3://bucket"), "an address with s3:// is not supported here"),
    "bucket to take over": (
        ("registry", "adopt", "--registry", "gs://bucket", "--name", "a", "--why", "b"),
        "an address with gs:// is not supported here",
    ),
    "corpus of another service": (("run", "--explain", "--corpus", "s3://bucket/x"), "s3:// is not supported"),
    "deep value": (("profile", "show", "--set", "train=" + "[" * 100_000), "nested deeper than 50"),
    "infinite number": (("profile", "show", "--set", "train.epochs=1e400"), "train.epochs = inf"),
    "huge integer": (("profile", "show", "--set", "seed=" + "9" * 5000), "the number has too many digits"),
    "explained cluster": (("run", "--explain", "--runner", "cluster"), "a cluster decides itself"),
}


@pytest.mark.parametrize("case", ONE_LINE)
def test_hostile_arguments_are_one_line_and_create_nothing(home: Path, case: str) -> None:
    arguments, message = ONE_LINE[case]
    before = snapshot(home)
    result = command(home, *arguments)
    assert result.returncode == 2 and message in result.stderr
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1 and len(result.stderr) < 5000
    assert snapshot(home) == before


PROFILES = {
    "deep flow": ("train: " + "[" * 100_000, "nested deeper than 50"),
    "deep block": ("".join(f"{' ' * n}a:\n" for n in range(400)), "nested deeper than 50"),
    "bomb": ("a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)), "100,000"),
    "long texts": (f"a: &a {'x' * 20_000}\nb: [{','.join(['*a'] * 1000)}]", "more than 1 million characters"),
    "object": ("train: !!python/object/apply:os.system [touch pwned]", "the tag !!python/object/apply:os.system is not supported"),
    "NUL": ("seed: 1\0", "not YAML"),
    "large": ("#" * 5_000_000, "larger than 4 MB"),
    "merge": ("train: {<<: 5}", "<< takes a mapping"),
    "escape": ("seed: \"\\e[2J\"", "seed = '\\\\x1b[2J'"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROFILES)
def test_a_hostile_profile_is_one_line(home: Path, case: str) -> None:
    from pipelines.profile.load import load_profile
    from robo_poet.errors import BadInput
    from serving.gateway.__main__ import read_settings

    text, message = PROFILES[case]
    (home / "work" / "p.yaml").write_text(text)
    with pytest.raises(BadInput) as error:
        load_profile(str(home / "work" / "p.yaml"))
    assert message in str(error.value) or message.replace("\\\\", "\\") in str(error.value), str(error.value)
    assert str(error.value).isprintable() and len(str(error.value)) < 5000
    with pytest.raises(BadInput):
        read_settings(home / "work" / "p.yaml", {})


def test_a_profile_that_is_a_pipe_or_a_device_ends(home: Path) -> None:
    from pipelines.profile.load import load_profile
    from robo_poet.errors import BadInput

    os.mkfifo(home / "work" / "pipe.yaml")
    (home / "work" / "zero.yaml").symlink_to("/dev/zero")
    for name, kind in (("pipe", "a named pipe"), ("zero", "a device")):
        with pytest.raises(BadInput, match=f"{kind}, not a file"):
            load_profile(str(home / "work" / f"{name}.yaml"))


SLOW = ("explain auto", "describe")  # 6 to 8 s each
READ_ONLY = {
    "explain": ("run", "--explain", "--corpus", "{poems}", "--profile", "ci"),
    "explain auto": ("run", "--explain", "--corpus", "{poems}", "--profile", "auto"),
    "describe": ("data", "describe", "{poems}"),
    "help": ("run", "--help"),
    "profile": ("profile", "show"),
}


@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.soak) if case in SLOW else case for case in READ_ONLY])
def test_a_command_that_only_shows_writes_nothing(home: Path, case: str) -> None:
    before = snapshot(home)
    result = command(home, *(argument.format(poems=home / "poems") for argument in READ_ONLY[case]))
    assert result.returncode in (0, 2), result.stderr
    assert snapshot(home) == before, result.stdout
