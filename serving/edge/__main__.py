"""Continue a text with a version's TFLite model. Needs ai-edge-litert, tokenizers and numpy, but no TensorFlow (SERVE-6)."""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from robo_poet.display import terminal_text
from robo_poet.errors import BadInput, BadInputParser
from robo_poet.model.completion import Sampling
from robo_poet.model.edge import load_edge
from robo_poet.model.inputs import encode_prompt
from serving.edge.generation import generate_tokens, stream_text


def find_model(folder: Path, tokenizer: Path | None = None) -> tuple[Path, Path]:
    """Return the folders of the edge model and of its tokenizer.

    Args:
        folder: a version of the registry, a model artifact, or only its `edge/` folder, as on a device.
        tokenizer: the folder of the tokenizer, if there is no `tokenizer/` in `folder` or next to it.

    Raises:
        BadInput: the folder, the model or the tokenizer is missing.
    """
    if not folder.is_dir():
        raise BadInput("no such folder", where=str(folder), remedy="give a version of the registry or a model")
    candidates = (folder / "model" / "edge", folder / "edge", folder)
    edge = next((candidate for candidate in candidates if (candidate / "model.tflite").is_file()), None)
    if edge is None:
        raise BadInput("the folder contains no edge model", where=str(folder), remedy="give a folder with model/edge, edge or model.tflite")
    if tokenizer is None:
        tokenizer = next((candidate for candidate in (folder / "tokenizer", folder.parent / "tokenizer") if candidate.is_dir()), None)
    if tokenizer is None:
        raise BadInput("no tokenizer in this folder or next to it", where=str(folder), remedy="give its folder with --tokenizer")
    return edge, tokenizer


BAD_INPUT = 2  # exit status for invalid input


def _parser() -> argparse.ArgumentParser:
    parser = BadInputParser(prog="python -m serving.edge", description=__doc__)
    parser.add_argument("model", type=Path, help="folder of a registered version, of a model artifact, or only its edge/ folder")
    parser.add_argument("prompt", help="start of the text, at least one character")
    parser.add_argument("--tokenizer", type=Path, help="folder of the tokenizer, if it is not in or next to the model's folder")
    parser.add_argument("--max-length", type=int, default=100, help="largest number of tokens to generate, 1 to 512 (default 100)")
    parser.add_argument(
        "--min-length", type=int, help="smallest number of tokens to generate (default 10, or --max-length if that is less)"
    )
    parser.add_argument(
        "--temperature", type=float, default=0.8, help="sampling temperature, 0.1 to 2.0; higher is more random (default 0.8)"
    )
    parser.add_argument(
        "--top-k", type=int, default=50, help="sample from the k most likely tokens, 1 to 100; 0 is off, 1 is greedy (default 50)"
    )
    parser.add_argument(
        "--top-p", type=float, default=0.9, help="sample from the most likely tokens up to this probability mass, 0.1 to 1.0 (default 0.9)"
    )
    parser.add_argument(
        "--repetition-penalty", type=float, default=1.0, help="penalty of tokens that occurred before, 1.0 to 1.2; 1.0 is off (default 1.0)"
    )
    parser.add_argument("--stop", action="append", default=[], metavar="TEXT", help="stop after this text; repeatable")
    parser.add_argument("--ban", action="append", default=[], metavar="TEXT", help="never write this text; repeatable")
    parser.add_argument("--seed", type=int, help="random seed; the same seed gives the same text (default: a random one)")
    parser.add_argument("--threads", type=int, help="threads of the model, 1 to 64 (default: the CPU cores, at most 4)")
    parser.add_argument("--quiet", action="store_true", help="do not print speed and memory at the end")
    return parser


def run(argv: Sequence[str] | None = None) -> None:
    """Generate a text to standard output as a stream, then print one line of figures to standard error.

    Raises:
        BadInput: an argument, the model or the tokenizer is not valid.
    """
    args = _parser().parse_args(argv)
    sampling = _sampling(args)
    if args.seed is not None and not 0 <= args.seed < 2**63:
        raise BadInput(f"{args.seed} is out of range", where="--seed", remedy="give a value from 0 to 2^63 - 1")
    if args.threads is not None and not 1 <= args.threads <= 64:
        raise BadInput(f"{args.threads} is out of range", where="--threads", remedy="give a value from 1 to 64")
    for name, texts in (("prompt", [args.prompt]), ("--stop", args.stop), ("--ban", args.ban)):
        try:
            "".join(texts).encode()
        except UnicodeEncodeError:  # the command line contains bytes that are not UTF-8
            raise BadInput("not valid UTF-8", where=name) from None
    seed = secrets.randbelow(2**31) if args.seed is None else args.seed
    model = load_edge(*find_model(args.model, args.tokenizer), threads=args.threads)
    prompt = encode_prompt(model, args.prompt)
    started = time.perf_counter()
    _print_text(args.prompt)
    for piece in stream_text(model.tokenizer, generate_tokens(model, prompt, sampling, seed), sampling.stop, sampling.min_new):
        _print_text(piece)
    _print_text("\n")
    if model.position >= model.max_length - 1 and len(prompt) + sampling.max_new > model.max_length:
        print(f"warning: the text ends at the context limit of {model.max_length} tokens", file=sys.stderr)
    if not args.quiet:
        milliseconds = 1000 * (time.perf_counter() - started) / max(1, model.position)
        figures = f"{model.position} tokens read and written, {milliseconds:.2f} ms per token, peak memory {_peak_mebibytes():.0f} MiB"
        print(f"{figures}; --seed {seed} repeats this text", file=sys.stderr)


def _sampling(args: argparse.Namespace) -> Sampling:
    min_new = min(Sampling.min_new, max(args.max_length, 0)) if args.min_length is None else args.min_length
    options = {"max_new": "--max-length", "min_new": "--min-length", "banned": "--ban"}
    try:
        return Sampling(
            args.max_length, min_new, args.temperature, args.top_k, args.top_p, args.repetition_penalty, tuple(args.stop), tuple(args.ban)
        )
    except BadInput as error:  # report the command-line option instead of the field name
        where = options.get(error.where, "--" + error.where.replace("_", "-"))
        raise BadInput(error.what.replace("max_new,", "--max-length"), where=where, remedy=error.remedy) from None


def _peak_mebibytes() -> float:
    """Return the peak memory of this process in MiB. `getrusage` would include the process image from before `exec`."""
    status = Path("/proc/self/status").read_text("utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def _print_text(text: str) -> None:
    sys.stdout.write(terminal_text(text))
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    try:
        run(argv)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reading process has closed the pipe, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
