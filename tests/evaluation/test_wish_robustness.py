"""Bad input: which cases there are, and that nothing a model does escapes."""

import numpy as np
import pytest
from wish_drawn import Says, draw_scene, grasp_on

from graspwise.conversation import INSTRUCTION_LIMIT
from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import read_scene
from graspwise.evaluation.wish_baselines import ModelAsker
from graspwise.evaluation.wish_questions import NOTHING, Question, Stage
from graspwise.evaluation.wish_robustness import cases_of, empty_table, misspelt, try_cases
from graspwise.predict import Model


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    scenes = {
        "seen/000000": draw_scene(folder / "seen" / "000000", "mug", "screwdriver", "banana"),
        "unseen/000000": draw_scene(folder / "unseen" / "000000", "hammer", owner="household"),
    }
    thirsty = Question(
        "seen", "000000", 3, "object implicit", "I am thirsty, please help.", "f", (Target(1, "mug", None),)
    )
    none = Question("unseen", "000000", 1, NOTHING, "I want to eat.", "f", ())
    return cases_of([thirsty, none], lambda place: Stage(read_scene(scenes[place])))


def test_the_cases_of_the_issue_are_there(cases):
    texts = {case.name: case.text for case in cases}
    assert texts["in capitals"] == "I AM THIRSTY, PLEASE HELP."
    assert texts["with typing errors"] == "I am tihrsty, please hlep."
    assert any(name.startswith("trap:") and "ignore" in text.lower() for name, text in texts.items())
    assert any(not text.isascii() for name, text in texts.items() if name.startswith("in "))
    assert {"an empty table, a wish", "1 in view, named", "1 in view, nothing serves"} <= set(texts)
    assert texts["1 in view, named"] == "Pick up the hammer."
    assert len(texts["as long as is allowed"]) == INSTRUCTION_LIMIT
    assert len(texts) == len(cases)


def test_an_empty_table_is_the_table_alone(tmp_path):
    picture = empty_table(Stage(read_scene(draw_scene(tmp_path / "000000", "mug", "banana"))))
    assert np.abs(picture.rgb.astype(int) - 200).max() <= 12
    assert picture.depth.shape == (96, 96) and np.allclose(picture.depth, 0.7)


def test_answers_and_refusals_are_told_apart_and_scored_where_a_target_is_known(cases):
    right = {row.name: row for row in try_cases(ModelAsker(Model(Says(grasp_on(1)))), cases)}
    assert {row.outcome for row in right.values()} == {"answer"}
    assert right["in capitals"].right is True and right["an empty table, a wish"].right is None
    wrong = try_cases(ModelAsker(Model(Says(grasp_on(2)))), cases)
    assert {row.right for row in wrong} == {False, None}
    refused = try_cases(ModelAsker(Model(Says(refused=True))), cases)
    assert {row.outcome for row in refused} == {"refusal"}
    assert {row.outcome for row in try_cases(ModelAsker(Model(Says())), cases)} == {"no grasp"}


def test_an_exception_is_an_outcome(cases):
    class Breaks(Says):
        def respond(self, pictures, conversations):
            raise RuntimeError("shapes do not fit")

    rows = try_cases(ModelAsker(Model(Breaks())), cases)
    assert {row.outcome for row in rows} == {"error: RuntimeError: shapes do not fit"}


@pytest.mark.parametrize(
    ("text", "wrong"), [("I am", "I am"), ("thirsty people drink", "tihrsty people dirnk"), ("", "")]
)
def test_every_other_long_word_is_misspelt(text, wrong):
    assert misspelt(text) == wrong
