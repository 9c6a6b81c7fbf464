"""Scores of answers, and figures counted by hand."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from wish_drawn import draw_scene, grasp_on

from graspwise.data.wish_facts import Target, Thing
from graspwise.data.wish_scenes import read_scene
from graspwise.data.wishes import KINDS
from graspwise.evaluation.wish_questions import ANYTHING, NOTHING, Question, Stage
from graspwise.evaluation.wish_score import (
    Said,
    WishRecord,
    named_right,
    paired,
    record_of,
    summarise_wishes,
    with_plate,
)
from graspwise.grasp import Grasp

MUG = Target(1, "mug", None)
WISH = Question("seen", "000000", 3, "object implicit", "I am thirsty.", "f", (MUG,))
PART = replace(WISH, kind="part explicit", targets=(Target(1, "mug", "handle"),))
REFUSE = replace(WISH, kind=NOTHING, targets=())
TABLE = Grasp(x=0.5, y=0.5, theta=0.0, opening=0.1)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(read_scene(draw_scene(tmp_path_factory.mktemp("s") / "000000", "mug", "paint brush", "brush")))


def said(*grasps: Grasp, target: str | None = None, refused: bool = False) -> Said:
    return Said(grasps, target, refused, "Why.", 0.5)


@pytest.mark.parametrize(
    ("question", "answer", "first", "three", "placed"),
    [
        (WISH, said(grasp_on(1)), True, True, True),
        (WISH, said(grasp_on(1, "body")), True, True, True),
        # The right thing, by another part.
        (PART, said(grasp_on(1, "body")), False, False, False),
        (PART, said(grasp_on(1, "body"), TABLE, grasp_on(1)), False, True, False),
        (PART, said(grasp_on(1, theta=0.0)), False, False, True),
        (PART, said(grasp_on(2)), False, False, False),
        # On the mug, but across the jaws of no label.
        (WISH, said(grasp_on(1, theta=0.0)), False, False, True),
        (WISH, said(grasp_on(2), TABLE, grasp_on(3), grasp_on(1)), False, False, False),
        (WISH, said(TABLE), False, False, False),
        (WISH, said(refused=True), False, False, False),
        (REFUSE, said(grasp_on(1)), None, None, None),
        (REFUSE, said(refused=True), None, None, None),
    ],
)
def test_grasps_are_scored_by_kind_of_wish(stage, question, answer, first, three, placed):
    record = record_of(question, answer, stage)
    assert (record.hit_first, record.hit_three, record.placed) == (first, three, placed)
    assert (record.refused, record.place, record.things) == (answer.refused, "seen/000000", 3)


def test_a_grasp_in_a_corner_is_on_the_table(stage):
    corner = Grasp(x=1.0, y=1.0, theta=0.0, opening=0.1)
    assert record_of(WISH, said(corner), stage).placed is False


def things(first: str) -> list[Thing]:
    """In view: what is asked for, of which a can looks like a category of its own, and three more."""
    description = "tomato soup can" if first == "can" else f"red {first}"
    others = [name for name in ("mug", "paint brush", "brush") if name != first]
    seen = [(first, description), *((name, f"blue {name}") for name in others)]
    return [Thing(index, name, text, "steel", ()) for index, (name, text) in enumerate(seen, start=1)]


@pytest.mark.parametrize(
    ("name", "target", "right"),
    [
        ("mug", "mug", True),
        ("the red Mug.", "mug", True),
        ("handle of the mug", "mug", True),
        ("smug look", "mug", False),
        ("paint brush", "brush", False),
        ("paint brush", "paint brush", True),
        ("brush", "brush", True),
        ("lamp", "mug", False),
        # Names of what is not in view are names as well.
        ("brush of a spray bottle", "brush", False),
        ("mug brush, a utility knife", "mug", False),
        # A part may be called as a thing is, and "object" says nothing.
        ("bowl of the mug", "mug", True),
        ("mug object", "mug", True),
        # As long a name beside it: nobody knows which is meant.
        ("mug or can", "mug", False),
        ("pen-like tomato soup can", "can", True),
        ("", "mug", False),
        (None, "mug", False),
    ],
)
def test_the_longest_name_in_view_is_what_is_meant(name, target, right):
    question = replace(WISH, targets=(Target(1, target, None),))
    assert named_right(name, question, things(target)) is right


def test_a_refusal_names_nothing(stage):
    assert record_of(WISH, said(target="mug", refused=True), stage).named is False
    assert record_of(REFUSE, said(target="mug"), stage).named is None


def test_a_record_knows_the_object_that_is_the_first_target(stage):
    several = replace(WISH, targets=(Target(3, "brush", None), MUG))
    assert record_of(several, said(TABLE), stage).object_id == "train/brush-00"
    assert record_of(REFUSE, said(TABLE), stage).object_id == "seen/000000"


def test_an_answer_without_a_plate_gets_the_labels_one(stage):
    """A wide opening's half is far longer than a plate: the same pose is a miss by it and a hit by the labels' own."""
    wide = replace(grasp_on(1), opening=0.4, jaw=None)
    label_plate = grasp_on(1).jaw
    slim = with_plate(said(wide, grasp_on(2)), label_plate)
    assert [g.jaw for g in slim.grasps] == [label_plate, grasp_on(2).jaw] and slim.reasoning == "Why."
    assert record_of(WISH, said(wide), stage).hit_first is False
    assert record_of(WISH, slim, stage).hit_first is True
    assert with_plate(said(wide), None) == said(wide)


def test_a_record_comes_back_from_json(stage):
    made = record_of(WISH, said(grasp_on(1), target="mug"), stage)
    assert WishRecord.from_json(json.loads(json.dumps(asdict(made)))) == made


def record(scene: str, kind: str = "object implicit", hit: bool | None = True, **given: object) -> WishRecord:
    values = {
        "objects": "seen", "scene": scene, "object_id": f"{given.get('objects', 'seen')}/{scene}", "things": 2,
        "kind": kind, "wish": "w", "refused": False, "target": "mug", "named": hit, "placed": hit, "hit_first": hit,
        "hit_three": hit, "grasps": (), "reasoning": "", "seconds": 1.0,
    }  # fmt: skip
    return WishRecord(**{**values, **given})


RECORDS = [
    record("0"), record("1", hit=False, placed=True, things=5, seconds=3.0), record("2", hit=False, hit_three=True),
    record("0", "part explicit"), record("3", objects="unseen", hit=False),
    record("0", NOTHING, None, refused=True), record("1", NOTHING, None, things=5), record("2", ANYTHING, refused=True),
    record("1", "object explicit", hit=False, refused=True, things=5),
]  # fmt: skip


def test_figures_are_counted_by_hand():
    found = summarise_wishes(RECORDS)
    implicit = found["kinds"]["object implicit"]
    assert (implicit["seen"]["n"], implicit["unseen"]["n"]) == (3, 1)
    assert (implicit["seen"]["r1"]["percent"], implicit["seen"]["r3"]["percent"]) == (33.33, 66.67)
    assert implicit["unseen"]["r1"]["percent"] == 0
    # The four kinds together: 2 of 5 right, 3 placed, and of those 2 right.
    seen = found["targets"]["seen"]
    assert (seen["r1"]["percent"], seen["placed"]["percent"]) == (40, 60)
    assert (seen["r1_of_placed"]["percent"], seen["r1_of_placed"]["n"]) == (66.67, 3)
    blank = {"percent": None, "ci95": None, "n": 0}
    unasked = found["kinds"]["part implicit"]["seen"]
    assert unasked == {"n": 0, "r1": blank, "r3": blank, "named": blank, "placed": blank, "r1_of_placed": blank}
    assert set(found["kinds"]) == set(KINDS)


def test_refusals_are_counted_by_hand():
    found = summarise_wishes(RECORDS)["refusals"]["seen"]
    assert (found["recall"]["percent"], found["recall"]["n"]) == (50, 2)
    # Three refusals, one of them of a wish that nothing serves.
    assert (found["precision"]["percent"], found["precision"]["n"]) == (33.33, 3)
    assert (found["wrongly"]["percent"], found["wrongly"]["n"]) == (20, 5)
    assert (found["any_target"]["percent"], found["any_target"]["n"]) == (100, 1)


def test_accuracy_and_time_by_the_count_of_things():
    found = summarise_wishes(RECORDS)["by_things"]
    assert list(found) == ["2", "5"]
    assert (found["2"]["percent"], found["2"]["n"], found["2"]["seconds_median"]) == (50, 4, 1)
    assert (found["5"]["percent"], found["5"]["n"], found["5"]["seconds_median"]) == (0, 2, 1)


def test_a_model_that_names_nothing_is_scored_by_place_alone():
    nameless = [replace(r, target=None) for r in RECORDS]
    assert summarise_wishes(nameless)["targets"]["seen"]["named"]["percent"] is None
    # One that names targets is wrong where it does not.
    some = [replace(r, target=None if r.kind == "part explicit" else r.target, named=False) for r in RECORDS]
    assert summarise_wishes(some)["targets"]["seen"]["named"] == {"percent": 0.0, "ci95": [0.0, 0.0], "n": 5}


def test_intervals_are_over_objects():
    # One object in many scenes is one object.
    same = [record(str(i), hit=i % 2 == 0, object_id="train/mug-00") for i in range(20)]
    assert summarise_wishes(same)["targets"]["seen"]["r1"]["ci95"] == [50.0, 50.0]
    assert paired(same, [replace(r, hit_first=False) for r in same], objects="seen")["ci95"] == [50.0, 50.0]
    one = [record("0", kind, hit) for kind, hit in zip(KINDS, (True, False, True, False), strict=True)]
    assert summarise_wishes(one)["targets"]["seen"]["r1"]["ci95"] == [50.0, 50.0]
    many = [record(str(i), hit=i % 2 == 0) for i in range(20)]
    low, high = summarise_wishes(many)["targets"]["seen"]["r1"]["ci95"]
    assert 20 < low < 50 < high < 80
    # The same scene number in both sets is two.
    both = [record("0"), record("0", objects="unseen", hit=False)]
    assert summarise_wishes(both)["by_things"]["2"]["ci95"] == [0.0, 100.0]


def test_paired_differences_are_on_the_wishes_both_were_asked():
    theirs = [record("0", hit=False), record("1", hit=False), record("9"), record("0", NOTHING, None)]
    found = paired(RECORDS, theirs, objects="seen")
    assert (found["points"], found["n"]) == (50, 2)
    assert paired(RECORDS, theirs, objects="unseen") is None


def test_a_summary_of_nothing_has_no_figures():
    assert summarise_wishes([])["seconds_median"] is None


def test_a_stage_has_picture_depth_and_mask(tmp_path: Path) -> None:
    stage = Stage(read_scene(draw_scene(tmp_path / "000000", "mug")))
    assert stage.picture.size == (96, 96) and stage.picture.depth is not None
    assert set(stage.objects.ravel().tolist()) == {0, 1}
