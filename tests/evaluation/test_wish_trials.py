"""Robot trials of wishes: which ones, what counts as executed; one real scene."""

from pathlib import Path

import pytest

from graspwise.data.sim import SimConfig, make_scene
from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import grasps_of, read_scene
from graspwise.errors import InputError
from graspwise.evaluation.wish_questions import Question, Stage
from graspwise.evaluation.wish_score import Said, record_of
from graspwise.evaluation.wish_trials import WishTrial, run_wish_trials, trial_figures, trial_questions
from graspwise.sim import antipodal


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
    trials = [WishTrial(str(i), "w", True, i < 3, i < 1, None, ()) for i in range(4)]
    found = trial_figures(trials)
    assert (found["n"], found["token"]["count"], found["pose"]["count"], found["executed"]["count"]) == (4, 4, 3, 1)
    assert found["pose"]["percent"] == 75
    nameless = trial_figures([WishTrial("0", "w", None, True, True, None, ())])
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
    (nothing,) = run_wish_trials(
        [wish], [record_of(wish, Said((), None, True, "", 0.0), stage)], household,
        seed=0, names_targets=False, workers=1,
    )  # fmt: skip
    assert (nothing.token, nothing.pose, nothing.executed, nothing.cause) == (None, False, False, "no grasp")
