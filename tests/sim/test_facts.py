"""Sentences about a scene: true for any places of its things."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graspwise.sim.facts import CLEAR, listed, relation, scene_facts
from graspwise.sim.shapes import SimObject

coordinates = st.floats(-400, 400)


@given(x=coordinates, y=coordinates)
def test_what_is_said_of_two_places_is_so(x: float, y: float) -> None:
    assume(abs(x) + abs(y) > 1e-3)
    mug, pen = (SimObject(n, n, n, (), 0.1) for n in ("mug", "pen"))
    said = relation(mug, pen, (x, y))
    assert said.startswith("The mug lies ") and said.endswith(" the pen.")
    words = said.removeprefix("The mug lies ").removesuffix(" the pen.").split(" and ")
    # y runs down in a picture.
    truth = {"left of": x < 0, "right of": x > 0, "above": y < 0, "below": y > 0}
    assert words and all(truth[word] for word in words)
    larger = ("left of" if x < 0 else "right of") if abs(x) > abs(y) else ("above" if y < 0 else "below")
    assert larger in words
    assert len(words) == (2 if min(abs(x), abs(y)) >= CLEAR * max(abs(x), abs(y)) else 1)


@given(x=coordinates, y=coordinates)
def test_the_other_way_round_says_the_opposite(x: float, y: float) -> None:
    assume(abs(x) > 1e-3 and abs(y) > 1e-3)
    mug, pen = (SimObject(n, n, n, (), 0.1) for n in ("mug", "pen"))
    opposite = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
    words = relation(mug, pen, (x, y)).removeprefix("The mug lies ").removesuffix(" the pen.").split(" and ")
    turned = " and ".join(opposite[word] for word in words)
    assert relation(pen, mug, (-x, -y)) == f"The pen lies {turned} the mug."


def test_facts_of_a_thing(things: dict[str, SimObject]) -> None:
    assert scene_facts([things["knife"]], [(10.0, 10.0)]) == [
        "The steel knife is made of steel.",
        "The steel knife is used to cut with.",
        "The steel knife has a handle and a blade.",
        "The blade of the steel knife should not be held.",
    ]


def test_a_thing_of_one_part_without_a_use_has_one_fact(things: dict[str, SimObject]) -> None:
    ball = replace(things["ball"], material="rubber", use="")
    assert scene_facts([ball], [(10.0, 10.0)]) == ["The white ball is made of rubber."]


def test_every_pair_in_sight_is_told_once(things: dict[str, SimObject]) -> None:
    names, middles = ["ball", "mug", "hammer", "crate"], [(100.0, 100.0), (300.0, 100.0), None, (110.0, 300.0)]
    lies = [fact for fact in scene_facts([things[name] for name in names], middles) if " lies " in fact]
    assert lies == [
        "The white ball lies left of the red mug.",
        "The white ball lies above the white crate.",
        "The red mug lies right of and above the white crate.",
    ]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["blade"], "a blade"),
        (["arm"], "an arm"),
        (["handle", "eye"], "a handle and an eye"),
        (["handle", "body", "rim"], "a handle, a body and a rim"),
    ],
)
def test_lists_in_words(names: list[str], words: str) -> None:
    assert listed(names) == words
