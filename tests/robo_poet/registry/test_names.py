from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.registry.names import check_name, corpus_name, model_name, model_names, only_model
from robo_poet.registry.registry import Registry


@pytest.mark.parametrize("name", ["a", "poems", "my-poems_2", "7", "x" * 63])
def test_a_valid_name_is_returned(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "Poems", "a b", "-a", "a-", "a/b", "../a", "é", "x" * 64, "log", "versions", "a\n", "{corpus}"])
def test_another_name_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(BadInput, match="^MODEL: .* is not a name of a model; use 1 to 63") as caught:
        check_name(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("", "shakespeare"), ("/home/ann/poems", "poems"), ("/home/ann/My Poems/", "my-poems"), ("poems.csv", "poems"), ("a.JSONL", "a"),
        ("gs://bucket/odes", "odes"), ("gs://bucket", "bucket"), ("/x/v1.2", "v1-2"), ("/x/po$ems 'new'.txt", "po-ems-new"),
    ],
)  # fmt: skip
def test_a_corpus_names_its_model(source: str, name: str) -> None:
    assert corpus_name(source) == name


@pytest.mark.parametrize("source", ["/x/詩", "/x/---", "/x/log", "/"])
def test_a_corpus_without_a_usable_name_asks_for_one(source: str) -> None:
    with pytest.raises(BadInput, match="no name of a model can be made from .*; give one: MODEL=name"):
        corpus_name(source)


@given(st.text())
def test_any_corpus_gives_a_valid_name_or_is_refused(source: str) -> None:
    try:
        name = corpus_name(source)
    except BadInput:
        return
    assert check_name(name) == name


def test_the_command_line_wins_over_the_profile_and_the_profile_over_the_corpus() -> None:
    assert model_name("mine", "ci-{corpus}", "/x/poems") == "mine"
    assert model_name("", "ci-{corpus}", "/x/poems") == "ci-poems"
    assert model_name("", "fixed", "/x/詩") == "fixed"
    assert model_name("", "", "/x/poems") == "poems"


def test_the_only_model_needs_no_name(tmp_path: Path) -> None:
    root = tmp_path / "registry"
    assert (model_names(root), only_model(root, "")) == ([], "shakespeare")
    Registry(root, "poems").add_source("/poems", who="ada", why="first", same_model=False)
    assert only_model(root, "") == only_model(root, "poems") == "poems"
    with pytest.raises(BadInput, match="there is no model odes; the models are poems"):
        only_model(root, "odes")
    Registry(root, "letters").add_source("/letters", who="ada", why="first", same_model=False)
    with pytest.raises(BadInput, match="the registry has several models; name one with --model: letters, poems"):
        only_model(root, "")
