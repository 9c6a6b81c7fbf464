"""What a run keeps of the reasons that it taught."""

from dataclasses import replace

import pytest

from graspwise.answer import SPT
from graspwise.conversation import assistant_turn, user_turn
from graspwise.data.store import Dataset
from graspwise.train.taught import MOST, evenly, taught_reasons


@pytest.fixture
def sample(dataset_folder):
    return next(iter(Dataset(dataset_folder)))


def said(sample, *answers):
    turns = [turn for answer in answers for turn in (user_turn("Grasp it."), assistant_turn(answer))]
    return replace(sample, messages=turns)


NUMBERS = "Grasp point coordinates: [0.500, 0.500]\nRotation angle in radians: +0.10"


def test_every_reason_once_without_numbers(sample):
    first, second = f"It is a mug.\n{NUMBERS}", f"Then further left.\n{NUMBERS}"
    samples = [said(sample, first), said(sample, first, second)]
    assert taught_reasons(samples, marked=False) == ("It is a mug.", "Then further left.")


def test_a_target_is_marked_where_the_model_marks_it(sample):
    [reason] = taught_reasons([said(replace(sample, category="mug"), f"It is a mug.\n{NUMBERS}")], marked=True)
    assert reason == f"It is a {SPT} mug {SPT}."


def test_answers_without_reasons_leave_nothing(sample):
    assert taught_reasons([said(sample, NUMBERS)], marked=False) == ()


def test_there_are_at_most_so_many_and_some_are_older(sample):
    samples = [said(sample, f"It is {'very ' * place}round.\n{NUMBERS}") for place in range(MOST + 50)]
    kept = taught_reasons(samples, marked=False, before=[f"Old {'x' * place}." for place in range(MOST)])
    assert len(kept) == MOST
    assert sum(text.startswith("Old") for text in kept) == MOST // 4


def test_evenly_takes_all_where_there_are_few():
    assert [*evenly(["a", "b"], 5)] == ["a", "b"]
    assert [*evenly(["a", "b", "c", "d"], 2)] == ["a", "c"]
    assert [*evenly([], 3)] == []
