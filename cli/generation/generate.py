"""`robo-poet generate`: continue a prompt with a version from the registry."""

import json
import secrets
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.generation.sampling_options import HELP, LARGEST_SEED, sampling_of, unescape
from cli.profile import Model
from cli.registry.opening import HOME, Folder
from robo_poet.errors import BadInput
from robo_poet.model.completion import Sampling


def generate(
    prompt: Annotated[
        str | None, typer.Argument(help="Beginning of the text, at least one character. - reads it from standard input.")
    ] = None,
    prompt_file: Annotated[
        Path | None, typer.Option(help="Text file with the prompt, instead of PROMPT. A line break at its end is removed.")
    ] = None,
    version: Annotated[int, typer.Option("--version", "-v", help="Number of a version of the registry; 0 is the champion.")] = 0,
    max_length: Annotated[int, typer.Option(help=HELP["max-length"])] = Sampling.max_new,
    min_length: Annotated[int | None, typer.Option(help=HELP["min-length"])] = None,
    temperature: Annotated[float, typer.Option(help=HELP["temperature"])] = Sampling.temperature,
    top_k: Annotated[int, typer.Option(help=HELP["top-k"])] = Sampling.top_k,
    top_p: Annotated[float, typer.Option(help=HELP["top-p"])] = Sampling.top_p,
    repetition_penalty: Annotated[float, typer.Option(help=HELP["repetition-penalty"])] = Sampling.repetition_penalty,
    stop: Annotated[list[str] | None, typer.Option(help=HELP["stop"])] = None,
    ban: Annotated[list[str] | None, typer.Option(help=HELP["ban"])] = None,
    beams: Annotated[int, typer.Option(help=HELP["beams"])] = Sampling.beams,
    length_penalty: Annotated[float, typer.Option(help=HELP["length-penalty"])] = Sampling.length_penalty,
    samples: Annotated[int, typer.Option("--samples", "-n", min=1, max=100, help="Number of texts, with consecutive seeds.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the sampling: the same seed gives the same text. Default: random.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per text: text, tokens, log_probs, reason, seed, version.")
    ] = False,
    model: Model = "",
    registry: Folder = HOME,
) -> None:
    """Continue a prompt with the champion or another version of the registry.

    The text is printed on standard output while it is generated; the version, the
    seed and the speed on standard error.

    Example: `robo-poet generate "Shall I compare thee" --max-length 60
    --temperature 0.6 --seed 1`
    """
    settings = {
        "max_new": max_length, "temperature": temperature, "top_k": top_k, "top_p": top_p, "repetition_penalty": repetition_penalty,
        "stop": unescape(stop or []), "banned": unescape(ban or []), "beams": beams, "length_penalty": length_penalty,
    }  # fmt: skip
    sampling = sampling_of(settings if min_length is None else {**settings, "min_new": min_length}, "--")
    if samples > 1 and beams > 1:
        raise BadInput("beam search always returns the same text", where="--samples", remedy="omit --samples or --beams")
    _write(_read(prompt, prompt_file), sampling, samples, seed, registry, model, version, as_json)


def _read(prompt: str | None, file: Path | None) -> str:
    """Return the prompt from the command line, standard input or a file."""
    if (prompt is None) == (file is None):
        fault = "no prompt is given" if prompt is None else "both PROMPT and --prompt-file are given"
        raise BadInput(fault, where="prompt", remedy="give a text, - or --prompt-file")
    try:
        if file is not None:
            return file.read_text("utf-8-sig").removesuffix("\n")
        if prompt == "-":
            return sys.stdin.buffer.read().decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n")
        assert prompt is not None  # the first check rules it out
        prompt.encode()
    except UnicodeError:  # invalid UTF-8; also in an argument of the command line
        raise BadInput("the text is not valid UTF-8", where=str(file or "prompt")) from None
    return prompt


def _write(prompt: str, sampling: Sampling, samples: int, seed: int | None, registry: str, model: str, number: int, as_json: bool) -> None:
    from cli.generation.loaded_version import load_version
    from cli.generation.terminal import ENDINGS, note, speed, stream_text, write
    from robo_poet.model.completion import without_partial_character
    from robo_poet.model.inputs import encode_prompt
    from robo_poet.model.saved_model import generate as complete
    from robo_poet.model.saved_model import stream

    loaded = load_version(registry, model, number)
    ids = encode_prompt(loaded.model, prompt)
    first_seed = seed if seed is not None else secrets.randbelow(2**31)
    seeds = range(first_seed, first_seed + samples)
    started = time.perf_counter()
    if samples == 1 and not as_json:
        write(prompt, "bold")
        completions = [stream_text(stream(loaded.model, ids, sampling, first_seed))]
        write("\n")
    else:
        completions = complete(loaded.model, [ids] * samples, sampling, seeds)
    seconds = time.perf_counter() - started
    if as_json:
        for completion_seed, completion in zip(seeds, completions, strict=True):
            fields = {
                "text": without_partial_character(completion.text), "tokens": completion.tokens,
                "log_probs": completion.log_probs, "reason": completion.reason.name.lower(),
            }  # fmt: skip
            sampling_seed = None if sampling.beams > 1 else completion_seed
            print(json.dumps({"prompt": prompt, **fields, "seed": sampling_seed, "version": loaded.version.number}))
        return
    if samples > 1:
        for position, completion in enumerate(completions, 1):
            write(f"--- {position} of {samples}, seed {seeds[position - 1]}\n", "dim")
            write(prompt, "bold")
            write(f"{without_partial_character(completion.text)}\n\n")
    repeat_hint = "beam search repeats this text" if sampling.beams > 1 else f"--seed {first_seed} repeats this text"
    ends = [(ENDINGS[completion.reason], f"text {position}: " if samples > 1 else "") for position, completion in enumerate(completions, 1)]
    endings = [f"{label}{end}" for end, label in ends if end]
    note(" · ".join([
        f"version {loaded.version.number}", repeat_hint,
        speed(sum(len(completion.tokens) for completion in completions), seconds), *endings,
    ]))  # fmt: skip
