import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest

from pipelines.images.programs import APART, ON_BEAM, PROGRAMS, ROOT, image, interpreter, program_files
from pipelines.steps import GROUPS
from robo_poet.errors import BadInput


def names(program: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in program_files(program)}


def test_a_steps_code_is_its_folder_its_imports_and_its_lock() -> None:
    train = names("train_model")
    assert {
        "components/train_model/training/trainer.py",
        "robo_poet/model/tokenizer.py",
        "robo_poet/step/program.py",
        "requirements/train.txt",
    } <= train
    assert {"robo_poet/__init__.py", "robo_poet/model/__init__.py", "components/__init__.py"} <= train
    assert not any(
        name.startswith(("robo_poet/registry", "components/ingest", "robo_poet/corpus/plan", "cli/", "pipelines/")) for name in train
    )
    privacy = {name for name in train if name.startswith("robo_poet/privacy")}
    assert privacy == {"robo_poet/privacy/__init__.py", "robo_poet/privacy/canary_strings.py"}, "no recogniser of personal data"
    assert "components/validate_data/schema.pbtxt" in names("validate_data")
    assert all(f"components/{step}/component.py" in names(step) for step in GROUPS)


def test_server_images_contain_page_word_lists_and_subprograms() -> None:
    gateway, server, sync = names("gateway"), names("model_server"), names("model_sync")
    assert {"serving/playground/static/index.html", "serving/content_filter/lists/restricted.txt", "requirements/gateway.txt"} <= gateway
    assert {"robo_poet/request_log/__main__.py", "robo_poet/request_log/writer.py", "robo_poet/privacy/scrub.py"} <= gateway
    assert {"serving/model_server/rest.py", "serving/__init__.py", "requirements/model-server.txt"} <= server
    assert {"serving/model_sync/plan.py", "robo_poet/registry/registry.py", "requirements/model-sync.txt"} <= sync
    for files, others in (
        (gateway, ("serving/model_server/", "serving/edge/")),
        (server, ("serving/gateway/", "serving/access/", "serving/playground/")),
        (sync, ("serving/gateway/", "serving/model_server/", "robo_poet/model/")),
    ):
        assert not any(name.startswith((*others, "components/", "pipelines/", "cli/")) for name in files)
    assert not any("__pycache__" in name for program in PROGRAMS for name in names(program))


def test_the_tag_follows_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("components", "serving", "monitoring", "robo_poet", "requirements"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("pipelines.images.programs.ROOT", tmp_path)

    def tags() -> dict[str, str]:
        return {program: image(program, "prefix") for program in PROGRAMS}

    def changed(file: str) -> set[str]:
        before = tags()
        (tmp_path / file).write_text((tmp_path / file).read_text() + "\n# another thought\n")
        return {program for program, tag in tags().items() if tag != before[program]}

    assert all(re.fullmatch(rf"prefix/{program}:[0-9a-f]{{16}}", tag) for program, tag in tags().items())
    assert len({tag.split(":")[1] for tag in tags().values()}) == len(PROGRAMS)
    assert changed("components/train_model/training/trainer.py") == {"train_model"}
    assert changed("components/train_model/component.py") == {"train_model"}
    assert changed("robo_poet/model/tokenizer.py") == {
        "train_tokenizer", "train_model", "evaluate_model", "audit_model", "measure_text", "compare_champion", "gateway", "collect_window",
    }  # fmt: skip
    assert changed("components/audit_model/suite/en/templates.toml") == {"audit_model"}
    assert changed("requirements/scrub.txt") == {"scrub_pii"}
    assert changed("robo_poet/step/program.py") == set(GROUPS)
    assert changed("robo_poet/__init__.py") == set(PROGRAMS)
    assert changed("serving/playground/static/index.html") == {"gateway"}
    assert changed("robo_poet/request_log/spool.py") == {"gateway", "collect_window", "judge_drift"}
    assert changed("monitoring/drift/traffic.py") == {"collect_window", "judge_drift"}
    assert changed("serving/model_server/rpc.py") == {"model_server"}
    assert changed("serving/model_sync/plan.py") == {"model_sync"}


def test_every_step_folder_is_a_step() -> None:
    folders = {p.name for p in (ROOT / "components").iterdir() if (p / "component.py").exists()}
    assert folders == set(GROUPS)


def locked(group: str) -> set[str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements" / f"{group}.txt").read_text(), re.M)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_lock_of_an_image_has_all_imports_of_its_program(name: str) -> None:
    ours, program = ("components", "serving", "monitoring", "robo_poet"), PROGRAMS[name]
    graph = grimp.build_graph(*ours, include_external_packages=True, cache_dir=None)
    mains = {f"{package}.__main__" for package in program.packages}
    modules = {m for m in mains | {up for main in mains for up in graph.find_upstream_modules(main)} if m.split(".")[0] in ours}
    external = {m.split(".")[0] for module in modules for m in graph.find_modules_directly_imported_by(module)}
    if program.group == APART:
        script = "import json, importlib.metadata as m; print(json.dumps(dict(m.packages_distributions())))"
        printed = subprocess.run([interpreter(f"x/{name}"), "-c", script], capture_output=True, text=True, check=True).stdout
        providers = json.loads(printed)
    else:
        providers = dict(packages_distributions())
    for module in external - {*ours, *sys.stdlib_module_names}:
        provided = {re.sub(r"[-_.]+", "-", name).lower() for name in providers.get(module, [module])}
        importers = {up for up in modules if any(m.split(".")[0] == module for m in graph.find_modules_directly_imported_by(up))}
        if importers == {"robo_poet.distributed.beam"}:  # imported only if a profile names a runner; the step has another image then
            assert provided & locked(ON_BEAM.get(program.group, program.group))
            continue
        assert provided & locked(program.group), f"{name} imports {module}, which is not in requirements/{program.group}.txt"


@pytest.mark.parametrize("step", GROUPS)
def test_every_step_program_has_a_help_text(step: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [interpreter(f"robo-poet/{step}:tag"), "-m", f"components.{step}", "--help"],
        capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "--executor-output" in done.stdout and f"components.{step}" in done.stdout


def test_an_unknown_image_is_refused() -> None:
    with pytest.raises(BadInput, match="no such step: cook"):
        interpreter("robo-poet/cook:1")
