from dataclasses import replace
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.model.edge import EdgeModel, load_edge
from robo_poet.model.generate import encode_prompt, generate
from robo_poet.model.load import LoadedModel, load_model
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import END
from serving.edge.write import write

WANTED = {
    "plain": Sampling(40),
    "greedy": Sampling(30, top_k=1),
    "the whole vocabulary": Sampling(30, top_k=0, top_p=1.0, temperature=1.5),
    "a small nucleus": Sampling(30, top_k=0, top_p=0.3),
    "penalised": Sampling(40, repetition_penalty=1.2, temperature=0.3),
    "it may end at once": Sampling(60, min_new=0, temperature=2.0, top_k=0, top_p=1.0),
    "banned and stopped": Sampling(40, min_new=3, stop=("s",), banned=("e", "a")),
}


@pytest.fixture(scope="module")
def graph(version: Path) -> LoadedModel:
    return load_model(version / "model", version / "tokenizer")


@pytest.fixture(scope="module")
def exact(version: Path) -> EdgeModel:
    return load_edge(version / "exact" / "edge", version / "tokenizer")


@pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)
def test_with_exact_weights_it_writes_what_the_graph_writes(graph: LoadedModel, exact: EdgeModel, wanted: Sampling) -> None:
    seeds = [1, 7, 2**40 + 3, 12]
    prompt = encode_prompt(graph, "the night burns")
    expected = [completion.tokens for completion in generate(graph, [prompt] * len(seeds), wanted, seeds)]
    ours = [list(write(exact, prompt, wanted, seed)) for seed in seeds]
    # float32 sums may differ where the noise falls on an edge, and from there on the text is another one
    assert sum(a == b for a, b in zip(ours, expected, strict=True)) >= 3
    assert all(a[:5] == b[:5] for a, b in zip(ours, expected, strict=True))
    assert all(expected) or wanted.min_new == 0


def test_it_writes_to_the_end_of_the_room_and_no_further(graph: LoadedModel, exact: EdgeModel) -> None:
    prompt = encode_prompt(graph, "the night burns")
    ours = list(write(exact, prompt, Sampling(512, min_new=512), 1))
    expected = generate(graph, [prompt], Sampling(512, min_new=512), [1])[0].tokens
    assert len(ours) == len(expected) == 512 - len(prompt) and ours[:40] == expected[:40]


def test_quantised_it_still_keeps_to_the_limits(version: Path) -> None:
    edge = load_edge(version / "model" / "edge", version / "tokenizer")
    prompt = [2, *edge.tokenizer.encode("my heart sleeps")]
    wild = Sampling(50, min_new=5, temperature=2.0, top_k=0, top_p=1.0, banned=("e",))
    for seed in range(20):
        tokens = list(write(edge, prompt, wild, seed))
        assert 5 <= len(tokens) <= 50 and all(END < token < edge.tokenizer.size for token in tokens)
        assert "e" not in edge.tokenizer.decode(tokens)


def test_a_token_comes_before_the_next_one_is_computed(exact: EdgeModel) -> None:
    prompt = [2, *exact.tokenizer.encode("my heart sleeps")]
    tokens = write(exact, prompt, Sampling(40), 3)
    next(tokens)
    assert exact.position == len(prompt)


def test_a_ban_on_everything_or_on_nothing_is_refused(exact: EdgeModel) -> None:
    with pytest.raises(BadInput, match="no token holds 'zyzzyva', so it cannot be banned"):
        write(exact, [2, 40, 41, 42], Sampling(banned=("zyzzyva",)), 1)
    words = exact.tokenizer
    everything = tuple({words.decode([token]) for token in range(END + 1, words.size)})
    with pytest.raises(BadInput, match="banned: no token is left to write with; ban less"):
        write(exact, [2, 40, 41, 42], Sampling(banned=everything), 1)


def test_beam_search_is_refused(exact: EdgeModel) -> None:
    with pytest.raises(BadInput, match="beams: the edge runner has no beam search"):
        write(exact, [2, 40, 41, 42], replace(Sampling(), beams=3), 1)
