"""Recall at k: laws of the suppression, and what counts as right."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.evaluation.wish_metric import recall_at, suppressed
from graspwise.grasp import Grasp
from graspwise.metric import matches
from graspwise.rectangle import GraspRectangle

SIZE = (320, 240)
laws = settings(max_examples=150, deadline=None)
# Close together, so that many suppress each other.
grasps = st.lists(
    st.builds(
        Grasp, x=st.floats(0.3, 0.6), y=st.floats(0.3, 0.6), theta=st.floats(-1.5, 1.5),
        opening=st.floats(0.05, 0.4) | st.none(), jaw=st.floats(0.03, 0.1) | st.none(), quality=st.floats(0, 1),
    ),
    max_size=9,
)  # fmt: skip


def at(x: float, *, y: float = 0.5, degrees: float = 0.0, opening: float | None = 0.2) -> Grasp:
    return Grasp(x=x, y=y, theta=math.radians(degrees), opening=opening, jaw=0.1)


def label(grasp: Grasp) -> GraspRectangle:
    return grasp.rectangle(image_size=SIZE)


@laws
@given(grasps)
def test_suppressing_twice_is_suppressing_once(ranked):
    once = suppressed(ranked, image_size=SIZE)
    assert suppressed(once, image_size=SIZE) == once


@laws
@given(grasps)
def test_what_is_left_keeps_its_order_and_the_first_stays(ranked):
    left = suppressed(ranked, image_size=SIZE)
    places = [next(i for i, grasp in enumerate(ranked) if grasp is one) for one in left]
    assert places == sorted(places)
    assert left[:1] == ranked[:1]


@laws
@given(grasps)
def test_what_is_gone_had_a_better_one_beside_it_and_what_is_left_has_none(ranked):
    left = suppressed(ranked, image_size=SIZE)
    for place, grasp in enumerate(ranked):
        stays = any(grasp is one for one in left)
        before = [g for g in ranked[:place] if any(g is one for one in left) and g.opening is not None]
        beside = grasp.opening is not None and any(matches(label(grasp), label(other)) for other in before)
        assert stays is not beside


@laws
@given(grasps, grasps)
def test_recall_grows_with_k(ranked, others):
    right = [label(grasp) for grasp in others if grasp.opening is not None]
    found = [recall_at(ranked, right, k=k, image_size=SIZE) for k in range(1, 6)]
    assert found == sorted(found)


@laws
@given(grasps)
def test_a_right_answer_is_right_at_once(ranked):
    if ranked and ranked[0].opening is not None:
        assert recall_at(ranked, [label(ranked[0])], k=1, image_size=SIZE)


def test_copies_of_one_grasp_do_not_use_up_the_ranks():
    wrong, copies = at(0.2), [at(0.2 + step / 1000) for step in range(5)]
    right = at(0.8)
    assert recall_at([wrong, *copies, right], [label(right)], k=2, image_size=SIZE)
    assert not recall_at([wrong, *copies, right], [label(right)], k=1, image_size=SIZE)
    # Across the others it is a grasp of its own.
    crossing = at(0.2, degrees=60)
    assert suppressed([wrong, *copies, crossing, right], image_size=SIZE) == [wrong, crossing, right]


def test_the_answer_leads_whatever_the_quality_of_the_others():
    said, better = replace(at(0.5), quality=None), replace(at(0.51), quality=0.9)
    assert suppressed([said, better], image_size=SIZE) == [said]


def test_its_own_opening_counts():
    right = [label(at(0.5))]
    assert recall_at([at(0.5)], right, k=1, image_size=SIZE)
    assert not recall_at([at(0.5, opening=0.9)], right, k=1, image_size=SIZE)
    # Without an opening there is no rectangle.
    blank = at(0.5, opening=None)
    assert suppressed([blank, blank, at(0.5)], image_size=SIZE) == [blank, blank, at(0.5)]
    assert not recall_at([blank], right, k=1, image_size=SIZE)


def test_nothing_is_right_where_nothing_is_said_or_nothing_is_a_target():
    assert not recall_at([], [label(at(0.5))], k=3, image_size=SIZE)
    assert not recall_at([at(0.5)], [], k=3, image_size=SIZE)
    with pytest.raises(ValueError, match="k is 0"):
        recall_at([at(0.5)], [], k=0, image_size=SIZE)
