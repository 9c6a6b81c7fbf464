"""Robot trials of wishes: which ones, what counts as executed; one real scene."""

from dataclasses import replace
from pathlib import Path

import pytest
from wish_drawn import draw_scene, grasp_on

from graspwise.data.sim import SimConfig, make_scene
from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import grasps_of, read_scene
from graspwise.errors import InputError
from graspwise.evaluation.wish_questions import Question, Stage
from graspwise.evaluation.wish_score import Said, record_of
from graspwise.evaluation.wish_trials import (
    WishTrial,
    index_to_lift,
    run_wish_trials,
    trial_figures,
    trial_questions,
)
from graspwise.sim import antipodal, trial
from graspwise.sim.trial import Outcome


def asked(scene: str, kind: str, *, objects: str = "unseen", things: int = 3) -> Question:
    return Question(objects, scene, things, kind, f"{kind} in {scene}", "f", (Target(1, "mug", None),))


def test_one_implicit_wish_a_household_scene_of_several_things():
    questions = [
        asked("0", "object implicit", objects="seen"),
        asked("0", "object implicit", things=1),
        asked("1", "object explicit"),
        asked("1", "object implicit"),
        asked("1", "part implicit"),
        asked("2", "part implicit", things=2),
    ]
    assert [(q.scene, q.kind) for q in trial_questions(questions, 2)] == [
        ("1", "object implicit"), ("2", "part implicit"),
    ]  # fmt: skip
    assert trial_questions(questions, 0) == []
    with pytest.raises(InputError, match="--trials is 3; found 2 household scenes"):
        trial_questions(questions, 3)


def test_figures_are_counts_and_a_model_without_names_has_no_token():
    trials = [WishTrial(str(i), f"household/{i}", "w", True, i < 3, i < 1, None, ()) for i in range(4)]
    found = trial_figures(trials)
    assert (found["n"], found["token"]["count"], found["pose"]["count"], found["executed"]["count"]) == (4, 4, 3, 1)
    assert found["pose"]["percent"] == 75
    # Intervals are over objects: one object in all of them has no other mean.
    assert found["pose"]["ci95"] != [75, 75]
    assert trial_figures([replace(trial, object_id="household/mug") for trial in trials])["pose"]["ci95"] == [75, 75]
    nameless = trial_figures([WishTrial("0", "household/mug", "w", None, True, True, None, ())])
    assert nameless["token"] is None and nameless["executed"]["percent"] == 100


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one real scene of two household things, marker 1 or 2."""
    folder = tmp_path_factory.mktemp("unseen")
    config = SimConfig(
        objects=("household:marker", "household:banana"), scenes=1, fewest=2, most=2, candidates=3, trials=1
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(antipodal, "SAMPLES", 300)
        make_scene(0, config=config, folder=folder, sets=("household",))
    return folder


def test_the_right_thing_is_lifted_and_another_is_not(household):
    scene = read_scene(household / "000000")
    right = Target(next(t.index for t in scene.things if t.category == "marker"), "marker", None)
    other = Target(next(t.index for t in scene.things if t.category == "banana"), "banana", None)
    wish = Question("unseen", "000000", 2, "object implicit", "I want to write.", "f", (right,))
    elsewhere = Question("unseen", "000000", 2, "part implicit", "I am hungry.", "f", (other,))
    grasp = grasps_of(scene, [right])[0].grasp
    stage, said = Stage(scene), Said((grasp,), "marker", False, "", 0.0)
    records = [record_of(question, said, stage) for question in (wish, elsewhere)]
    rows = run_wish_trials([wish, elsewhere], records, household, seed=0, names_targets=True, workers=1)
    assert [(row.token, row.pose, row.executed) for row in rows] == [(True, True, True), (False, False, False)]
    assert rows[0].cause is None and rows[0].parts and rows[1].cause is not None
    assert [row.object_id for row in rows] == [records[0].object_id, records[1].object_id]
    assert rows[0].object_id.startswith("household/marker")
    (nothing,) = run_wish_trials(
        [wish], [record_of(wish, Said((), None, True, "", 0.0), stage)], household,
        seed=0, names_targets=False, workers=1,
    )  # fmt: skip
    assert (nothing.token, nothing.pose, nothing.executed, nothing.cause) == (None, False, False, "no grasp")


@pytest.mark.parametrize(
    ("outcome", "targets", "executed"),
    [
        (Outcome(True, None, ("body",), True), ["body"], True),
        # By what should be left alone.
        (Outcome(True, None, ("body",), False), ["body"], False),
        (Outcome(True, None, ("tip",), True), ["body"], False),
        # Any right part of the thing will do, not the first alone.
        (Outcome(True, None, ("tip",), True), ["body", "tip"], True),
        (Outcome(True, None, ("tip",), True), [None], True),
        (Outcome(False, "slipped", ("body",)), ["body"], False),
    ],
)
def test_executed_is_lifted_by_a_right_part_and_no_forbidden_one(household, monkeypatch, outcome, targets, executed):
    scene = read_scene(household / "000000")
    index = scene.things[0].index
    aims = tuple(Target(index, scene.things[0].category, part) for part in targets)
    question = Question("unseen", "000000", 2, "part implicit", "I want it.", "f", aims)
    lifted = []
    monkeypatch.setattr(trial, "try_grasp", lambda *args, target, **given: lifted.append(target) or outcome)
    record = record_of(question, Said((grasp_on(1),), None, False, "", 0.0), Stage(scene))
    (row,) = run_wish_trials([question], [record], household, seed=0, names_targets=False, workers=1)
    assert (row.executed, lifted) == (executed, [index])


def test_what_is_to_be_lifted_is_the_thing_whose_label_the_grasp_matches(tmp_path):
    stage = Stage(read_scene(draw_scene(tmp_path / "000000", "mug", "bottle", "banana")))
    both = Question("unseen", "000000", 3, "object implicit", "w", "f", (Target(1, "mug", None), Target(2, "b", None)))
    assert [index_to_lift(both, grasp_on(index), stage) for index in (1, 2)] == [1, 2]
    # Its middle is on the table, but it overlaps the bottle's label.
    off = replace(grasp_on(2), x=grasp_on(2).x - 7 / 96, jaw=24 / 96)
    assert stage.index_at(off) == 0 and index_to_lift(both, off, stage) == 2
    # It matches none: where it lies; what is not right, or no grasp at all, is the first target's miss.
    assert index_to_lift(both, grasp_on(2, theta=0.0), stage) == 2
    assert index_to_lift(both, replace(grasp_on(2), opening=None, jaw=None), stage) == 2
    assert index_to_lift(both, grasp_on(3), stage) == 1
    assert index_to_lift(both, None, stage) == 1
