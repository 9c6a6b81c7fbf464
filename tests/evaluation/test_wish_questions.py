"""What is asked of a scene: one wish a kind, the same for every model and every run."""

from pathlib import Path

import pytest
from wish_drawn import draw_scene, grasp_on

from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import read_scene
from graspwise.data.wishes import KINDS
from graspwise.errors import InputError
from graspwise.evaluation.wish_questions import (
    ANYTHING,
    NOTHING,
    Question,
    Stage,
    kept_questions,
    questions_of,
    value_at,
)
from graspwise.files import read_json, write_json
from graspwise.grasp import Grasp


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(read_scene(draw_scene(tmp_path / "000000", "mug", "screwdriver", "banana")))


def test_a_scene_is_asked_each_kind_it_can_answer_one_to_refuse_and_one_without_a_target(stage):
    asked = questions_of(stage.scene, objects="seen", seed=3)
    kinds = [question.kind for question in asked]
    assert len(set(kinds)) == len(kinds) and set(kinds) <= {*KINDS, NOTHING, ANYTHING}
    assert {NOTHING, ANYTHING, "object explicit"} <= set(kinds)
    for question in asked:
        assert (question.place, question.things) == ("seen/000000", 3)
        assert bool(question.targets) is (question.kind != NOTHING)
        # Whatever is asked for can be grasped.
        assert bool(stage.right(question.targets)) is (question.kind != NOTHING)
    anything = asked[kinds.index(ANYTHING)]
    assert len(anything.targets) == 3


def test_a_wish_without_a_target_is_now_and_then_the_plainest(stage):
    asked = [question for seed in range(20) for question in questions_of(stage.scene, objects="seen", seed=seed)]
    texts = {question.text for question in asked if question.kind == ANYTHING}
    assert "Pick up the object." in texts and len(texts) > 2
    # It is the one text that training has too, and says so.
    families = {(q.text == "Pick up the object.", q.family) for q in asked if q.kind == ANYTHING}
    assert families == {(True, "any: training"), (False, "any: testing")}


def test_the_same_seed_asks_the_same_and_sets_are_asked_apart(stage):
    asked = [questions_of(stage.scene, objects=objects, seed=seed) for objects, seed in [("seen", 3)] * 2]
    assert asked[0] == asked[1]
    texts = {
        tuple(q.text for q in questions_of(stage.scene, objects=objects, seed=seed))
        for objects in ("seen", "unseen")
        for seed in range(3)
    }
    assert len(texts) > 1


def test_where_nothing_can_be_grasped_only_a_refusal_is_asked_for(tmp_path):
    scene = read_scene(draw_scene(tmp_path / "000000", "mug", "screwdriver", labelled=False))
    assert [question.kind for question in questions_of(scene, objects="seen", seed=0)] == [NOTHING]


def test_an_empty_scene_is_asked_nothing(tmp_path):
    assert questions_of(read_scene(draw_scene(tmp_path / "000000")), objects="seen", seed=0) == []


def test_what_was_asked_stays_when_scenes_are_added(tmp_path):
    scenes = [read_scene(draw_scene(tmp_path / f"00000{i}", "mug", "hammer", "banana")) for i in range(2)]
    path = tmp_path / "questions.json"
    first = kept_questions(path, [("seen", scenes[0])], seed=0)
    # A question that no seed would draw shows that the file is believed.
    rows = read_json(path)
    write_json(path, [{**rows[0], "text": "As it was."}, *rows[1:]])
    both = kept_questions(path, [("seen", scenes[0]), ("unseen", scenes[1])], seed=0)
    assert [q.text for q in both[: len(first)]] == ["As it was.", *(q.text for q in first[1:])]
    assert {q.place for q in both} == {"seen/000000", "unseen/000001"}
    assert [Question.from_json(row) for row in read_json(path)] == both
    assert kept_questions(path, [("unseen", scenes[1])], seed=0) == [q for q in both if q.objects == "unseen"]


def test_a_damaged_file_is_refused(tmp_path):
    write_json(tmp_path / "questions.json", [{"text": "Hello"}])
    with pytest.raises(InputError, match=r"questions\.json: holds no questions"):
        kept_questions(tmp_path / "questions.json", [], seed=0)


def test_a_grasp_is_on_a_target_where_its_part_is(stage):
    mug, handle, other = Target(1, "mug", None), Target(1, "mug", "handle"), Target(2, "screwdriver", "body")
    assert stage.is_on(grasp_on(1, "handle"), [handle]) and not stage.is_on(grasp_on(1, "body"), [handle])
    assert stage.is_on(grasp_on(1, "body"), [mug]) and not stage.is_on(grasp_on(2), [mug])
    assert stage.is_on(grasp_on(2, "body"), [handle, other])
    # A part that is not in view is nowhere.
    assert not stage.is_on(grasp_on(1), [Target(1, "mug", "lid")])
    corner = Grasp(x=1.0, y=1.0, theta=0.0, opening=0.1)
    assert stage.index_at(corner) == 0 and value_at(stage.objects, corner) == 0


def test_right_grasps_are_those_of_the_target_and_its_part(stage):
    assert len(stage.right([Target(1, "mug", None)])) == 2
    (held,) = stage.right([Target(1, "mug", "handle")])
    assert held.center == pytest.approx((14, 20), abs=0.01)
