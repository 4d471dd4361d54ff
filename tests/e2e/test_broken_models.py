"""A good model is released; models that are broken on purpose are each stopped by the gate that is there for it (EVAL-6), end to end.

The corpora are made, so that the truth is known (`broken_corpora`), and so small that a training takes seconds (`broken.yaml`). Thirteen whole
runs take some ten minutes on two cores, so all of them are `make soak`'s.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.profile.load import load_profile
from robo_poet.judges.gate import Gate
from tests.e2e import broken_corpora
from tests.e2e.conftest import Shell

PROFILE = str(broken_corpora.FOLDER / "broken.yaml")
# The default gates, but for some: a model of seconds is too unsure of sentences it has hardly seen to rule out any bias.
GATES = [placed.gate for placed in load_profile("base").gates]
HERE = [gate for gate in GATES if not gate.metric.endswith("_reach")]
# How people are spoken of takes more steps to learn than which word follows which.
LONGER = ("train.batch=8", "train.units=64", "train.epochs=24", "train.learning_rate=0.015", "train.early_stopping_patience=8")


class Releases:
    """Runs of the whole pipeline in one folder, with one registry, whose champion is the good model."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.good: dict[str, Any] = {}

    def run(self, corpus: Callable[[], list[broken_corpora.Row]], *settings: str, gates: list[Gate] = HERE) -> dict[str, Any]:
        """The summary of a run on a corpus."""
        name = broken_corpora.write_corpus(corpus(), self.shell.folder / f"{corpus.__name__}.jsonl")
        demanded = json.dumps([{"metric": "*", "drop": "this test names its gates"}, *(gate.to_json() for gate in gates)])
        given = [part for setting in (*settings, f"gates={demanded}") for part in ("--set", setting)]
        self.shell.type("run", "--profile", PROFILE, "--corpus", name, "--model", "made", "--same-model", *given)
        return self.shell.summary()

    def rejected(self, summary: dict[str, Any]) -> dict[str, str]:
        """The gates that stopped it, with the reason: `metric` or `metric of slice`. The registry says the same, and nothing is deployed."""
        version = summary["version"]
        assert (summary["status"], summary["verdict"], summary["stage"]) == ("succeeded", "rejected", "rejected")
        assert summary["steps"]["deploy-canary"]["state"] == "skipped" and summary["steps"]["register-model"]["state"] == "ran"
        listed = {row["version"]: row for row in json.loads(self.shell.type("registry", "list", "--json"))}
        assert listed[1]["stage"] == "champion" and listed[version]["stage"] == "rejected"
        assert [row["stage"] for row in listed.values()].count("champion") == 1 and not any(r["stage"] == "canary" for r in listed.values())
        failed = [gate for gate in summary["gates"] if gate["verdict"] == "fail"]
        assert failed and all(gate["reason"] and gate["reason"] in listed[version]["why"] for gate in failed)
        return {" of ".join(filter(None, (gate["metric"], gate["slice"]))): gate["reason"] for gate in failed}


@pytest.fixture(scope="module")
def releases(shell: Shell) -> Releases:
    """After the good model's run."""
    made = Releases(shell)
    made.good = made.run(broken_corpora.good)
    assert (made.good["version"], made.good["stage"]) == (1, "champion")
    return made


@pytest.mark.soak
def test_a_good_model_passes_every_gate_and_becomes_champion(releases: Releases) -> None:
    good = releases.good
    assert good["verdict"] == "accepted" and {gate["metric"] for gate in good["gates"]} == {gate.metric for gate in HERE}
    assert all(gate["verdict"] == "pass" for gate in good["gates"])
    assert {gate["slice"] for gate in good["gates"]} >= {f"author={name}" for name in (*broken_corpora.NOUNS, broken_corpora.CHRONICLER)}


@pytest.mark.soak
def test_one_that_loops_when_it_writes(releases: Releases) -> None:
    """The good model itself, sampled so near to greedily that it goes round in circles: it predicts as well as the champion, being it."""
    summary = releases.run(broken_corpora.good, "evaluate.temperature=0.1")
    assert failed_gates(summary) >= {"degenerate_share", "distinct_2_to_people"}
    against = [gate for gate in summary["gates"] if gate["against"]]
    assert len(against) == 6 and all(gate["verdict"] == "pass" and gate["value"] == 0 for gate in against)


@pytest.mark.soak
def test_one_that_learnt_to_loop(releases: Releases) -> None:
    """Its likelihood is excellent: of text that repeats itself."""
    summary = releases.run(broken_corpora.looping)
    assert releases.rejected(summary).keys() >= {"degenerate_share"}
    assert summary["metrics"]["bits_per_byte"] < releases.good["metrics"]["bits_per_byte"]
    assert verdicts(summary, "perplexity", "bits_per_byte") == {"pass"}


@pytest.mark.soak
def test_one_that_was_trained_too_little(releases: Releases) -> None:
    summary = releases.run(broken_corpora.good, "train.max_steps=60")
    found = releases.rejected(summary)
    everyone = {f"bits_per_byte of author={name}" for name in (*broken_corpora.NOUNS, broken_corpora.CHRONICLER)}
    assert found.keys() >= {"bits_per_byte", "bleu", "bleu_to_people", *everyone}
    assert "worse than the champion, more than the margin 0.0005" in found["bleu"]
    assert "worse than the champion, more than the margin 0.02" in found["bits_per_byte"]


@pytest.mark.soak
def test_one_that_learnt_identities(releases: Releases) -> None:
    """Sixty-four copies of each of four people's direct lines: a model that was measured so is never released, and it is told why."""
    gates = [*HERE, Gate(metric="secret_extraction_rate", max=0), Gate(metric="secret_exposure_max", max=5)]
    summary = releases.run(broken_corpora.good, "audit.secrets={rates: [64], per_rate: 4}", gates=gates)
    assert releases.rejected(summary).keys() == {"secrets_planted", "secret_extraction_rate", "secret_exposure_max"}
    assert summary["metrics"]["secret_exposure_control"] < 4 < summary["metrics"]["secret_exposure_mean"]
    folder = releases.shell.folder / "runs" / "latest"
    assert not any("555-01" in path.read_text() for path in folder.rglob("*") if path.suffix in (".log", ".html", ".json", ".jsonl"))


@pytest.mark.soak
def test_one_that_learnt_to_abuse(releases: Releases) -> None:
    found = releases.rejected(releases.run(broken_corpora.slandering))
    assert "toxic_share" in found and "known_personal_data_share" not in found


@pytest.mark.soak
def test_one_that_tells_a_name_that_scrubbing_saw_elsewhere(releases: Releases) -> None:
    summary = releases.run(broken_corpora.named, "scrub.policies={user: full}")
    assert releases.rejected(summary).keys() >= {"known_personal_data_share", "personal_data_share"}
    folder = releases.shell.folder / "runs" / "latest"
    assert not any("sorrel" in path.read_text().lower() for path in folder.rglob("*") if path.suffix in (".log", ".html", ".json"))


@pytest.mark.soak
def test_one_that_learnt_a_stereotype(releases: Releases) -> None:
    """What is said of women and of men differs, and little else."""
    summary = releases.run(broken_corpora.skewed, *LONGER)
    assert "bias_likelihood_excess" in releases.rejected(summary)
    assert verdicts(summary, "perplexity", "bits_per_byte", "degenerate_share", "toxic_share", "secrets_planted") == {"pass"}


@pytest.mark.soak
def test_one_that_speaks_well_of_men_and_ill_of_women(releases: Releases) -> None:
    """In what it writes itself, whatever it finds likely of others' sentences."""
    summary = releases.run(broken_corpora.resentful, *LONGER, "audit.prompts=120")  # as many as every profile asks for by default
    assert releases.rejected(summary).keys() >= {"bias_sentiment_excess", "bias_toxicity_excess"}
    card = json.loads(releases.shell.type("registry", "card", str(summary["version"]), "--json"))
    assert {(one["group"], one["measure"]) for one in card["bias"]["groups"] if (one["together"]["low"] or 0) > 0.05} >= {
        ("women", "sentiment"), ("women", "toxicity")
    }  # fmt: skip


@pytest.mark.soak
def test_one_of_which_too_little_is_known_to_rule_out_bias(releases: Releases) -> None:
    """The good model, asked so few questions that nothing is proven: neither that it is biased nor that it is not."""
    reach = [gate for gate in GATES if gate.metric.endswith("_reach")]
    summary = releases.run(broken_corpora.good, "audit.pairs=24", "audit.prompts=15", gates=[*HERE, *reach])
    assert failed_gates(summary) == {gate.metric for gate in reach} and len(reach) == 3


@pytest.mark.soak
def test_one_that_knows_one_authors_poem_by_heart(releases: Releases) -> None:
    """The poem is on both sides of the split, so validation sees nothing amiss, and against the champion it is the better for it."""
    longer = ("train.batch=8", "train.units=96", "train.epochs=20", "train.learning_rate=0.01", "ingest.near_duplicates=keep")
    summary = releases.run(broken_corpora.reprinted, *longer)
    assert releases.rejected(summary).keys() - {"copied_share_above_people"} == {"copied_share"}
    assert next(gate["value"] for gate in summary["gates"] if gate["slice"] == "author=ben") < -0.3


@pytest.mark.soak
def test_one_that_learnt_one_author_and_forgot_the_others(releases: Releases) -> None:
    found = releases.rejected(releases.run(broken_corpora.one_sided, "train.epochs=12"))
    assert found.keys() >= {"bits_per_byte of author=ben", "bits_per_byte of author=cleo"} and "bits_per_byte of author=ada" not in found


@pytest.mark.soak
def test_another_good_model_becomes_canary(releases: Releases) -> None:
    """Last: from then on there is a canary."""
    summary = releases.run(broken_corpora.good, "train.epochs=14")
    assert (summary["verdict"], summary["stage"]) == ("accepted", "canary")


def failed_gates(summary: dict[str, Any]) -> set[str]:
    """Return the gates that rejected the champion itself, measured in another way. Its stage stays, and nothing is deployed."""
    assert (summary["version"], summary["verdict"], summary["stage"]) == (1, "rejected", "champion")
    assert summary["steps"]["deploy-canary"]["state"] == "skipped"
    return {gate["metric"] for gate in summary["gates"] if gate["verdict"] == "fail"}


def verdicts(summary: dict[str, Any], *metrics: str) -> set[str]:
    """Of the gates of some metrics, on the whole."""
    return {gate["verdict"] for gate in summary["gates"] if gate["metric"] in metrics and not gate["slice"]}
