"""Pictures of the wishes' report: which answers are shown, and what is said of them."""

import pytest

from graspwise.data.wish_facts import Target
from graspwise.data.wishes import KINDS
from graspwise.evaluation.wish_gallery import MOST, gallery_of, picks, tile_path, tile_title
from graspwise.evaluation.wish_questions import NOTHING, Question
from graspwise.evaluation.wish_score import WishRecord

SCENES = [(objects, f"00000{number}") for objects in ("seen", "unseen") for number in range(2)]
QUESTIONS = [
    Question(objects, scene, 3, kind, f"{kind} wish", "f", (Target(1, "mug", None),) if kind != NOTHING else ())
    for objects, scene in SCENES
    for kind in (*KINDS, NOTHING)
]  # fmt: skip


def record(question: Question) -> WishRecord:
    """The first kind is missed, the others are hit, and what nothing serves is neither."""
    hit = None if question.kind == NOTHING else question.kind != KINDS[0]
    return WishRecord(
        objects=question.objects, scene=question.scene, object_id="train/mug-00", things=3, kind=question.kind,
        wish=question.text, refused=hit is None, target="mug", named=hit, placed=hit, hit_first=hit, hit_three=hit,
        grasps=(), reasoning="Why.", seconds=1.0,
    )  # fmt: skip


def test_pictures_are_of_hits_and_misses_of_several_scenes():
    records = [record(question) for question in QUESTIONS]
    found = picks(QUESTIONS, records, seed=0)
    assert [pick["right"] for pick in found] == [False] * 4 + [True] * MOST
    for shown in (found[:4], found[4:8]):
        assert {(pick["objects"], pick["scene"]) for pick in shown} == set(SCENES)
    assert picks(QUESTIONS, records, seed=0) == found
    assert all(pick["kind"] in KINDS for pick in found)
    assert len({tile_path(pick) for pick in found}) == len(found)


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"right": True}, "object explicit, seen: hit"),
        ({"later": True, "placed": True}, "object explicit, seen: miss, a later one of its grasps is right"),
        ({"placed": True}, "object explicit, seen: miss, the right target"),
        ({}, "object explicit, seen: miss"),
    ],
)
def test_a_title_says_how_near_a_miss_is(changes, title):
    pick = {"objects": "seen", "kind": KINDS[0], "right": False, "later": False, "placed": False, **changes}
    assert tile_title(pick) == title


def test_without_answers_there_are_no_pictures():
    assert gallery_of({"gallery": None}) is None
    assert gallery_of({"gallery": {"model": "small", "picks": []}}) is None
