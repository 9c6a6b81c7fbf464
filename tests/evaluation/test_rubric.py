"""What a text says of a thing, by keywords, on a table of texts; figures counted by hand; bad rubrics refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graspwise.data.cornell import object_table
from graspwise.data.templates import load_reasoning
from graspwise.errors import InputError
from graspwise.evaluation.rubric import judge, load_rubric, rubric_figures
from graspwise.evaluation.score import Record

RUBRIC = load_rubric()
RIGHT, HARMFUL, FOREIGN, NONE = "right", "harmful", "foreign", "none"


@pytest.mark.parametrize(
    ("category", "text", "part", "held", "shape"),
    [
        # A part of the thing's own, whatever the thing is called.
        ("peeler", "This is a brush, slender and light. Grip the handle crosswise.", RIGHT, {"handle"}, RIGHT),
        ("spoon", "A spoon, which is curved, is held by its shaft.", RIGHT, {"handle"}, RIGHT),
        # A part that the thing has not.
        ("can", "A can, which is a long tube, is held by the handle.", FOREIGN, {"handle"}, RIGHT),
        ("orange", "The object is a ball, a round cylinder. Grip the handle.", FOREIGN, {"handle"}, FOREIGN),
        # One that must not be held, or cannot be spanned.
        ("razor", "I see a razor. Take it by the blade.", HARMFUL, {"blade"}, NONE),
        ("frisbee", "The object is a frisbee. Grasp it crosswise at the middle.", HARMFUL, {"width", "middle"}, NONE),
        ("scissors", "Grip the handle and the blades.", HARMFUL, {"handle", "blade"}, NONE),
        # What is kept away from, and what is near, is not held; the middle is a place near which to hold.
        ("razor", "Grip the handle, away from the blade.", RIGHT, {"handle"}, NONE),
        ("razor", "Hold the handle near the head, never the blade.", RIGHT, {"handle"}, NONE),
        ("razor", "Do not grip the blade.", NONE, set(), NONE),
        ("sunglasses", "Pinch the bridge between the lenses so the glass stays clean.", RIGHT, {"bridge"}, NONE),
        ("pen", "Close the jaws near the center, behind the tip.", RIGHT, {"middle"}, NONE),
        ("flashlight", "This one is round, so hold its barrel there.", RIGHT, {"body"}, RIGHT),
        # A part goes before a place, and what only stands there is not held.
        ("tape", "Pinch the wall at the middle.", RIGHT, {"rim"}, NONE),
        ("tape", "Pinch it at the middle.", HARMFUL, {"middle"}, NONE),
        ("mug", "I see a mug with a handle. Pinch its rim.", RIGHT, {"rim"}, NONE),
        # Names are no shapes and parts, and what lies flat need not be flat.
        ("can", "The object is a rolling pin, a lotion tube, a box.", NONE, set(), NONE),
        ("orange", "I see an orange lying flat.", NONE, set(), NONE),
        ("orange", "The object is an orange, flat and round.", NONE, set(), FOREIGN),
        ("box", "", NONE, set(), NONE),
    ],
)
def test_texts(category: str, text: str, part: str, held: set[str], shape: str):
    judged = judge(text, category, RUBRIC)
    assert (judged.part, set(judged.held), judged.shape) == (part, held, shape)
    assert judged.own == (part == RIGHT and not held <= {"body", "middle", "width"})


def test_every_category_of_the_label_file_has_facts():
    assert set(RUBRIC.categories) == {category for _, category, _ in object_table().values()}


def test_the_right_categorys_own_texts_are_nearly_all_right():
    """Written by the same hand: what fails here is the reading, so this bounds its error."""
    templates = load_reasoning()
    judged = [judge(text, category, RUBRIC) for category in RUBRIC.categories for text in templates[category]]
    assert sum(one.part == RIGHT for one in judged) >= 0.95 * len(judged)
    assert not any(one.part in (HARMFUL, FOREIGN) for one in judged)


@given(category=st.sampled_from(sorted(RUBRIC.categories)), words=st.lists(st.sampled_from(
    ["grip", "the", "handle", "rim", "middle", "away from", "near", "not", ",", ".", "blade", "round", "flat"]
)))  # fmt: skip
def test_a_verdict_follows_from_what_is_named(category: str, words: list[str]):
    facts, judged = RUBRIC.categories[category], judge(" ".join(words), category, RUBRIC)
    assert (judged.part == NONE) == (not judged.held) and (judged.shape == NONE) == (not judged.shapes)
    assert (judged.part == RIGHT) == (bool(judged.held) and judged.held <= facts.hold)
    assert (judged.part == HARMFUL) == bool(judged.held & facts.avoid)
    assert judged.shape != HARMFUL


def record(category: str, reasoning: str) -> Record:
    return Record(
        image=reasoning, object_id="1", category=category, seen=False, oblique=False, hit=True, hit_own=None,
        hit_any=True, names_category=False, intervened=False, unconstrained_fails=False, grasp=None,
        reasoning=reasoning, seconds=0.0,
    )  # fmt: skip


def test_figures_by_hand():
    records = [
        record("razor", "A thing, long and light. Grip the handle."),
        record("razor", "Take the blade."),
        record("orange", "Grip the handle."),
        record("orange", "Nothing is said."),
        # Without a reason, or without facts: not counted.
        record("razor", ""),
        record("spaceship", "Grip the handle."),
    ]
    figures = rubric_figures(records, ["jar"] * len(records))
    assert figures is not None and (figures["n"], figures["categories"]) == (4, 2)
    model = {name: value["percent"] for name, value in figures["model"].items()}
    assert model == {"sensible": 25, "own_part": 50, "harmful": 25, "foreign": 25, "shape": 25, "wrong_shape": 0}
    # An orange has no part of its own.
    assert figures["model"]["own_part"]["n"] == 2 and "n" not in figures["model"]["sensible"]
    for name, value in figures["minus_commonest"].items():
        assert value["points"] == pytest.approx(model[name] - figures["commonest"][name]["percent"], abs=0.011)
    assert figures["own"]["sensible"]["percent"] > 95 > figures["commonest"]["own_part"]["percent"] == 0
    assert figures["anything"]["shape"]["percent"] == 0


def test_a_text_about_the_commonest_category_is_no_better_than_itself():
    texts = load_reasoning()["jar"]
    records = [record(category, text) for category in sorted(RUBRIC.categories) for text in texts]
    figures = rubric_figures(records, ["jar"] * len(records))
    assert figures is not None
    for value in figures["minus_commonest"].values():
        assert value["points"] == 0 and value["ci95"][0] <= 0 <= value["ci95"][1]


def test_without_the_commonest_category_there_is_no_comparison_and_without_reasons_nothing():
    figures = rubric_figures([record("razor", "Take the blade.")], ())
    assert figures is not None and figures["minus_commonest"] is None and "commonest" not in figures
    assert rubric_figures([replace(record("razor", "x"), reasoning="")], ()) is None
    assert rubric_figures([], ()) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": ["handle"]}, "parts: found list; valid is a mapping of names to words"),
        ({"parts": {"a": ["x"], "b": ["x"]}}, "parts: 'x' is of a and b; valid is one of them"),
        ({"parts": {"a": []}}, "parts: a: found .*; valid is a list"),
        ({"parts": {"handle": ["middle"]}}, "places: found middle, words of parts too"),
        ({"categories": []}, "categories: found list"),
        ({"categories": {"mug": {"hold": ["handle"]}}}, "mug: found .*; valid are lists shape, hold, avoid"),
        ({"categories": {"mug": {"shape": ["loud"], "hold": ["middle"], "avoid": []}}}, "mug: shape has loud"),
        ({"categories": {"mug": {"shape": ["round"], "hold": ["ear"], "avoid": []}}}, "mug: hold has ear"),
        ({"categories": {"mug": {"shape": ["round"], "hold": [], "avoid": ["middle"]}}}, "mug: hold: found"),
        ({"categories": {"mug": {"shape": ["round"], "hold": ["middle"], "avoid": ["middle"]}}}, "middle is in hold"),
        ({"categories": {"mug": {"shape": ["round"], "hold": ["handle"], "avoid": []}}}, "middle is in neither"),
        ({"more": {}}, "valid are exactly parts, places, shapes, categories"),
    ],
)
def test_bad_rubrics_are_refused(tmp_path: Path, change: dict, message: str):
    good = {
        "parts": {"handle": ["handle"]}, "places": {"middle": ["middle"]}, "shapes": {"round": ["round"]},
        "categories": {"mug": {"shape": ["round"], "hold": ["handle", "middle"], "avoid": []}},
    }  # fmt: skip
    path = tmp_path / "parts.yaml"
    path.write_text(yaml.safe_dump(good))
    assert judge("Grip the handle.", "mug", load_rubric(path)).own
    path.write_text(yaml.safe_dump(good | change))
    with pytest.raises(InputError, match=message):
        load_rubric(path)
