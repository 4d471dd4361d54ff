"""`robo-poet generate`: a version from the registry writes."""

import secrets
from pathlib import Path
from typing import Annotated

import typer


def generate(
    prompt: Annotated[str, typer.Argument(help="How the text begins: a few words, at least 3 tokens.")],
    version: Annotated[int, typer.Option("--version", "-v", help="A version's number; 0 is the champion.")] = 0,
    max_length: Annotated[int, typer.Option(help="Tokens to write at most, 1 to 512.")] = 100,
    min_length: Annotated[int | None, typer.Option(help="Tokens to write at least; 10 if there is room for them.")] = None,
    temperature: Annotated[float, typer.Option(help="0.1 (plain) to 2.0 (wild).")] = 0.8,
    top_k: Annotated[int, typer.Option(help="Draw from the k likeliest tokens; 0 is off, 1 is greedy.")] = 50,
    top_p: Annotated[float, typer.Option(help="Draw from the likeliest tokens of this mass together, 0.1 to 1.0.")] = 0.9,
    samples: Annotated[int, typer.Option("--samples", "-n", min=1, max=100, help="How many texts.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**62, help="The same seed writes the same text; without one, each time another.")
    ] = None,
    registry: Annotated[Path, typer.Option(help="Folder of the registry.")] = Path("registry"),
) -> None:
    """The champion, or a version of your choice, continues a text."""
    from rich.console import Console
    from rich.text import Text

    from cli.plain import plain
    from robo_poet.errors import BadInput
    from robo_poet.model.generate import Sampling, encode_prompt
    from robo_poet.model.generate import generate as complete
    from robo_poet.model.load import load_model
    from robo_poet.registry.registry import Registry

    try:
        prompt.encode()
    except UnicodeEncodeError:  # bytes of the command line that are no UTF-8
        raise BadInput("it is not UTF-8", where="prompt") from None
    if min_length is not None and min_length > max_length:
        raise BadInput(f"{min_length} is more than --max-length {max_length}", where="--min-length", remedy="lower it or raise the other")
    least = min(10, max_length) if min_length is None else min_length
    sampling = Sampling(max_length, least, temperature, top_k, top_p)
    store = Registry(registry)
    chosen = store.version(version) if version else store.champion()
    if chosen is None:
        raise BadInput("no champion yet", where=str(registry), remedy="train one with make run-pipeline")
    chosen.verify()
    model = load_model(chosen.folder / "model", chosen.folder / "tokenizer")
    ids = encode_prompt(model, prompt)
    first = seed if seed is not None else secrets.randbelow(2**31)
    console = Console(highlight=False)
    for completion in complete(model, [ids] * samples, sampling, range(first, first + samples)):
        console.print(Text(plain(prompt), style="bold") + Text(plain(completion.text)))
        if samples > 1:
            console.rule(style="dim")
    if seed is None:
        Console(stderr=True, highlight=False).print(f"version {chosen.number} · --seed {first} writes this again", style="dim")
