"""Drafts: the commonest way on, and numbers that have begun."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graspwise.answer import GRASP, POINT
from graspwise.model.drafts import LONGEST, Phrases, Tail
from graspwise.model.load import load_model


@pytest.fixture(scope="module")
def tokenizer(tiny_checkpoint):
    return load_model(str(tiny_checkpoint)).tokenizer


def test_phrases_go_on_as_most_texts_did():
    phrases = Phrases([[1, 2, 3, 4, 5], [1, 2, 3, 4, 6], [1, 2, 3, 4, 6], [7, 8]])
    assert phrases.after([]) == [1, 2, 3, 4, 6]
    assert phrases.after([9, 9, 1, 2, 3]) == [4, 6]
    assert phrases.after([7]) == [8]
    assert phrases.after([9]) == []


def test_phrases_stop_where_texts_part():
    assert Phrases([[1, 2, token] for token in range(10, 20)]).after([]) == [1, 2]


def test_without_texts_there_is_no_draft():
    assert Phrases([]).after([]) == []


@given(st.lists(st.lists(st.integers(0, 5), max_size=30), max_size=5), st.lists(st.integers(0, 5), max_size=10))
def test_drafts_of_words_are_short(texts, begun):
    assert len(Phrases(texts).after(begun)) <= LONGEST


VALUES = {"x": 0.523, "y": 0.317, "theta": -0.78}


@pytest.mark.parametrize("answer_format", ["reasoned", "prompted", "bare"])
def test_a_tail_goes_on_from_each_of_its_tokens(tokenizer, answer_format):
    tail = Tail.of(tokenizer, VALUES, answer_format)
    whole = GRASP.render(VALUES, answer_format="bare" if answer_format == "bare" else "prompted")
    ids = tail.after("")
    assert tokenizer.decode(ids) == whole
    for place in range(len(ids)):
        assert tail.after(tokenizer.decode(ids[:place])) == ids[place:]


def test_a_tail_goes_on_from_other_digits(tokenizer):
    tail = Tail.of(tokenizer, VALUES, "bare")
    assert tokenizer.decode(tail.after("[0.9")) == "23, 0.317], -0.78"


def test_nothing_comes_after_the_end(tokenizer):
    whole = GRASP.render(VALUES, answer_format="bare")
    assert Tail.of(tokenizer, VALUES, "bare").after(whole) == []


def test_the_words_before_the_first_number(tokenizer):
    assert tokenizer.decode(Tail.opening(tokenizer, POINT, "prompted").after("")) == "Point coordinates: ["
