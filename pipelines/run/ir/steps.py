"""The data model of a pipeline: a flat graph of steps, each with its container, inputs and conditions.

Conditions are the CEL expressions that KFP compiles from `dsl.If`, `Elif` and `Else`: comparisons, `!` and `&&`.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from robo_poet.errors import BadInput

Decision = Callable[[Mapping[str, Any]], Any]
_COMPARE = {ast.Eq: eq, ast.NotEq: ne, ast.Lt: lt, ast.Gt: gt, ast.LtE: le, ast.GtE: ge}
# The tokens in which CEL and Python differ. Quoted text is kept. A backslash becomes `?`, a syntax error: CEL escapes are not supported.
_WORDS = re.compile(r"'[^'\\]*'|&&|!(?!=)|\btrue\b|\bfalse\b|\bdouble\b|\\")
_PYTHON = {"&&": " and ", "!": " not ", "true": "True", "false": "False", "double": "float", "\\": "?"}


@dataclass(frozen=True)
class Condition:
    """A condition and the names of the parameters that it reads."""

    text: str
    names: frozenset[str]
    decision: Decision

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether the condition holds for these parameter values.

        Raises:
            BadInput: the condition compares values of different types, which Kubeflow rejects too.
        """
        return bool(self.decision(values))


def parse(text: str, where: str) -> Condition:
    """Parse a condition.

    Raises:
        BadInput: the condition contains anything except comparisons of parameters and literals, `!`, `&&` and brackets.
    """
    names: set[str] = set()
    try:
        tree = ast.parse(_WORDS.sub(lambda match: _PYTHON.get(match[0], match[0]), text).strip(), mode="eval")
        decision = _truth(tree.body, names)
    except (SyntaxError, NotImplementedError):
        raise BadInput(f"the condition {text!r} is not supported by the local executor", where=where) from None
    return Condition(text, frozenset(names), decision)


def _truth(node: ast.expr, names: set[str]) -> Decision:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            terms = [_truth(part, names) for part in parts]
            return lambda values: all(term(values) for term in terms)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            term = _truth(inner, names)
            return lambda values: not term(values)
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARE:
            first, second, compare = _operand(left, names), _operand(right, names), _COMPARE[type(sign)]

            def decide(values: Mapping[str, Any]) -> bool:
                a, b = first(values), second(values)
                if _kind(a) is not _kind(b):
                    raise BadInput(f"a condition compares {a!r} with {b!r}")
                return bool(compare(a, b))

            return decide
    raise NotImplementedError


def _operand(node: ast.expr, names: set[str]) -> Decision:
    match node:
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id="inputs"), attr="parameter_values"), slice=ast.Constant(value=str(name))):
            names.add(name)
            return lambda values: values[name]
        case ast.Call(func=ast.Name(id=("int" | "float") as cast), args=[inner], keywords=[]):
            number, operand = {"int": int, "float": float}[cast], _operand(inner, names)
            return lambda values: number(operand(values))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=(int() | float()) as literal)):
            return lambda values: -literal
        case ast.Constant(value=(str() | int() | float()) as constant):
            return lambda values: constant
    raise NotImplementedError


def _kind(value: Any) -> type:
    return float if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value)


@dataclass(frozen=True)
class Constant:
    """A constant value in the IR."""

    value: Any


@dataclass(frozen=True)
class Argument:
    """A reference to a parameter of the pipeline."""

    name: str


@dataclass(frozen=True)
class Output:
    """A reference to the output `key` of the step `step`."""

    step: str
    key: str


@dataclass(frozen=True)
class Text:
    """A template with values to insert, compiled from an f-string in the pipeline's definition."""

    template: str
    parts: Mapping[str, "Source"]


Source = Constant | Argument | Output | Text


@dataclass(frozen=True)
class Limits:
    """Limits of a container: `2` or `500m` cores, `4Gi` memory (Kubernetes notation). Empty or 0: no limit. Not part of the cache key."""

    cpu: str = ""
    memory: str = ""
    gpu: int = 0


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Container:
    """An image and its command. `command` and `args` are templates with placeholders."""

    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: Mapping[str, str]
    resources: Limits = NO_LIMITS


@dataclass(frozen=True)
class Retry:
    """The retry policy of a step: `count` retries. The wait grows from `seconds` by `factor` up to `longest` seconds."""

    count: int = 0
    seconds: float = 0.0
    factor: float = 2.0
    longest: float = 3600.0

    def wait(self, attempt: int) -> float:
        """Return the seconds to wait after the failed attempt number `attempt`, which counts from 1."""
        return min(self.seconds * self.factor ** (attempt - 1), self.longest)


@dataclass(frozen=True)
class Guard:
    """A condition of a step, with the sources of the parameters that it reads. `name` is its name in `dsl.If`, if it has one."""

    condition: Condition
    sources: Mapping[str, Source]
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.condition.text

    @property
    def words(self) -> str:
        """The condition after the word "if"."""
        return f"{self.name[:1].lower()}{self.name[1:]}" if self.name else f"this holds: {self.condition.text}"


@dataclass(frozen=True)
class Step:
    """One container of the graph.

    Args:
        parameters, artifacts: input name → source. Optional inputs without a source are left out.
        output_parameters, output_artifacts: name → IR type.
        guards: conditions that must all hold, outermost first.
        after: names of all steps that must end before this step.
        always: an exit handler: it runs even if those steps failed.
        cache: whether a stored result may be used.
    """

    name: str
    display: str
    container: Container
    parameters: Mapping[str, Source]
    artifacts: Mapping[str, Output]
    output_parameters: Mapping[str, str]
    output_artifacts: Mapping[str, str]
    guards: tuple[Guard, ...] = ()
    after: frozenset[str] = frozenset()
    always: bool = False
    cache: bool = True
    retry: Retry = field(default_factory=Retry)

    @property
    def image_name(self) -> str:
        """The image's name without registry and tag: `ingest` for `…/robo-poet/ingest:1a2b`."""
        return self.container.image.rpartition("/")[2].partition("@")[0].partition(":")[0]


@dataclass(frozen=True)
class Parameter:
    """An input parameter of the pipeline."""

    kind: str
    required: bool
    default: Any


@dataclass(frozen=True)
class Pipeline:
    """The whole graph. Its steps are in topological order."""

    name: str
    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    digest: str

    def consumed(self, name: str) -> dict[str, str]:
        """Return the outputs of the step `name` that other steps read → name of one reader."""
        readers: dict[str, str] = {}
        for step in self.steps.values():
            guarded = [source for guard in step.guards for key, source in guard.sources.items() if key in guard.condition.names]
            for source in [*step.parameters.values(), *step.artifacts.values(), *guarded]:
                readers.update({output.key: step.name for output in outputs_in(source) if output.step == name})
        return readers


def outputs_in(source: Source) -> Iterator[Output]:
    """Yield the step outputs that a source refers to."""
    if isinstance(source, Output):
        yield source
    elif isinstance(source, Text):
        for part in source.parts.values():
            yield from outputs_in(part)
