import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from pipelines.images.programs import ROOT, lock_file
from serving.edge.__main__ import main


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_seed_gives_the_same_text_from_each_folder_layout(version: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    device = tmp_path / "device"
    shutil.copytree(version / "model" / "edge", device / "edge")
    shutil.copytree(version / "tokenizer", device / "tokenizer")
    places: list[tuple[object, ...]] = [
        (version,), (version / "model",), (device,), (device / "edge",), (device / "edge", "--tokenizer", version / "tokenizer"),
    ]  # fmt: skip
    texts = set()
    for folder, *more in places:
        status, out, err = run(capsys, folder, "the night burns", "--seed", 4, "--max-length", 20, *more)
        assert status == 0 and out.startswith("the night burns") and out.endswith("\n")
        assert re.fullmatch(r"\d+ tokens read and written, [\d.]+ ms per token, peak memory \d+ MiB; --seed 4 repeats this text\n", err)
        texts.add(out)
    assert len(texts) == 1
    assert run(capsys, version, "the night burns", "--seed", 5, "--max-length", 20, "--quiet")[1:] != (texts.pop(), "")


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_warning_says_that_the_context_is_full(version: Path, capsys: pytest.CaptureFixture[str], quiet: list[str]) -> None:
    _, _, err = run(capsys, version, "the night burns " * 60, "--max-length", 500, "--min-length", 500, *quiet)
    assert "warning: the text ends at the context limit of 512 tokens" in err
    assert "context" not in run(capsys, version, "the night burns", "--max-length", 20)[2]


def test_without_a_seed_the_chosen_seed_is_printed(version: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = run(capsys, version, "the night burns", "--max-length", 15)
    seed = re.search(r"--seed (\d+)", err)
    assert seed and run(capsys, version, "the night burns", "--max-length", 15, "--seed", seed[1])[1] == out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere", "the night burns"], "nowhere: no such folder; give a version of the registry or a model"),
        ([".", "the night burns"], r"\.: the folder contains no edge model; give a folder with model/edge, edge or model\.tflite"),
        (["V", "the night burns", "--tokenizer", "."], r"\.: the folder holds no tokenizer \(.*\); .*"),
        (["V", ""], "prompt: the text is empty; give at least one character"),
        (["V", "x y z " * 300], r"prompt: too long: \d+ tokens; give at most 510 tokens"),
        (["V", "\udcff is not text"], "prompt: not valid UTF-8"),
        (["V", "the night burns", "--temperature", "3"], "--temperature: 3.0 is out of range; give a value from 0.1 to 2.0"),
        (["V", "the night burns", "--temperature", "nan"], "--temperature: nan is out of range; give a value from 0.1 to 2.0"),
        (["V", "the night burns", "--top-k", "101"], "--top-k: 101 is out of range; give a value from 0 to 100"),
        (["V", "the night burns", "--top-p", "0"], "--top-p: 0.0 is out of range; give a value from 0.1 to 1.0"),
        (["V", "the night burns", "--max-length", "513"], "--max-length: 513 is out of range; give a value from 1 to 512"),
        (["V", "the night burns", "--max-length", "-5"], "--max-length: -5 is out of range; give a value from 1 to 512"),
        (["V", "the night burns", "--min-length", "9", "--max-length", "8"], "--min-length: 9 is more than --max-length 8; lower the minimum or raise the maximum"),
        (["V", "the night burns", "--ban", ""], "--ban: contains an empty text; remove it"),
        (["V", "the night burns", "--stop", "\udcff"], "--stop: not valid UTF-8"),
        (["V", "the night burns", "--repetition-penalty", "2"], "--repetition-penalty: 2.0 is out of range; give a value from 1.0 to 1.2"),
        (["V", "the night burns", "--seed", "-1"], r"--seed: -1 is out of range; give a value from 0 to 2\^63 - 1"),
        (["V", "the night burns", "--threads", "0"], "--threads: 0 is out of range; give a value from 1 to 64"),
        (["V", "the night burns", "--top-k", "many"], "command line: argument --top-k: invalid int value: 'many'; see --help"),
        (["V"], "command line: the following arguments are required: prompt; see --help"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(
    arguments: list[str], line: str, version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *(version if argument == "V" else argument for argument in arguments))
    assert (status, out) == (2, "") and re.fullmatch(rf"error: {line}\n", err), err


def test_a_closed_pipe_is_not_an_error(version: Path) -> None:
    command = f"{sys.executable} -m serving.edge {version} 'the night burns' --min-length 400 --max-length 500 --quiet | head -c 5"
    done = subprocess.run(["bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("the n0\n", "")


# Everything that is installed here and not in the lock of the group cannot be imported, as in an environment of its own.
ALONE = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1].split(",")))
from serving.edge.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


def not_in(group: str) -> list[str]:
    locked = {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock_file(group).read_text(), re.M)}
    ours = {"robo_poet", "serving", "monitoring", "components", "pipelines", "cli"}
    found = packages_distributions()
    return [
        module for module, providers in found.items()
        if module not in ours and not {re.sub(r"[-_.]+", "-", name).lower() for name in providers} & locked
    ]  # fmt: skip


def test_the_runner_needs_only_the_packages_of_its_group(version: Path, tmp_path: Path) -> None:
    missing = not_in("edge")
    assert {"tensorflow", "keras", "pydantic", "pyarrow"} <= set(missing) and not {"numpy", "tokenizers"} & set(missing)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, ",".join(missing), str(version), "the night burns", "--quiet"],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == "" and len(done.stdout) > len("the night burns\n"), done.stderr
