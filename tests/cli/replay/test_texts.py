"""The corpora of a replay are equal in each replay, so the data steps of the second one are cached; prompts are in none of them."""

from pathlib import Path

from cli.replay.texts import BOTH, LOWER_CASE, PLAYS, write_texts


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(folder.iterdir())}


def test_texts(tmp_path: Path) -> None:
    first, second = write_texts(tmp_path / "a"), write_texts(tmp_path / "b")
    plays, lower, both = (contents(tmp_path / "a" / name) for name in (PLAYS, LOWER_CASE, BOTH))
    assert (plays, lower, both) == tuple(contents(tmp_path / "b" / name) for name in (PLAYS, LOWER_CASE, BOTH))
    assert first.play_prompts == second.play_prompts and first.speech_prompts == second.speech_prompts
    assert lower == {name: text.lower() for name, text in plays.items()}
    trained_on = " ".join(" ".join(text.split()) for text in (*plays.values(), *both.values()))
    longer = [prompt for prompt in (*first.play_prompts, *first.speech_prompts) if len(prompt.split()) > 9][::20]
    assert sum(prompt in trained_on for prompt in longer) / len(longer) < 0.02  # a formula such as "Exeunt all but …" may be in both
