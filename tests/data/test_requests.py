"""What a request asks: directions of the picture, sizes that show, and the best answer among several grasps."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graspwise.data.requests import (
    KEPT,
    LITTLE,
    SIDES,
    STEP,
    TURNED,
    Hold,
    Request,
    choose,
    meets,
    shortfall,
    steady,
)
from graspwise.grasp import Grasp

SIZE = (352, 352)
LEFT, RIGHT, UP, DOWN = (Request("direction", side) for side in SIDES)
fractions = st.floats(0.05, 0.95)
grasps = st.builds(Grasp, x=fractions, y=fractions, theta=st.floats(-1.5, 1.5))
plain = [LEFT, RIGHT, UP, DOWN, Request("other end"), Request("turn"), Request("other")]


def at(x: float, y: float, theta: float = 0.0) -> Grasp:
    return Grasp(x=x, y=y, theta=theta)


def does(request: Request, before: Grasp, after: Grasp, *holds: Hold, size: tuple[int, int] = SIZE) -> bool:
    return meets(request, before=[before], after=after, image_size=size, holds=holds)


@pytest.mark.parametrize(
    ("request_", "after", "expected"),
    [
        (LEFT, (0.4, 0.5), True),
        (LEFT, (0.6, 0.5), False),
        (RIGHT, (0.6, 0.5), True),
        (UP, (0.5, 0.4), True),
        (UP, (0.5, 0.6), False),
        (DOWN, (0.5, 0.6), True),
        # Along a slanting handle it also goes up.
        (LEFT, (0.4, 0.4), True),
        (UP, (0.4, 0.4), True),
        # More than 60 degrees off.
        (LEFT, (0.45, 0.3), False),
        # Too little to be seen.
        (LEFT, (0.48, 0.5), False),
    ],
)
def test_directions_are_those_of_the_picture(request_: Request, after: tuple[float, float], expected: bool) -> None:
    assert does(request_, at(0.5, 0.5), at(*after)) is expected


def test_a_picture_that_is_not_square_counts_in_its_width() -> None:
    """10 pixels up in 400 x 100 are as far as 10 pixels to the left."""
    size = (400, 100)
    assert does(UP, at(0.5, 0.5), at(0.5, 0.4), size=size) and does(LEFT, at(0.5, 0.5), at(0.475, 0.5), size=size)
    assert not does(UP, at(0.5, 0.5), at(0.5, 0.42), size=size)


def test_keeping_the_angle_is_part_of_what_was_asked_and_a_bit_of_what_stays() -> None:
    keep = replace(LEFT, keep_angle=True)
    turned = at(0.4, 0.5, KEPT + 0.05)
    assert does(LEFT, at(0.5, 0.5), turned) and not does(keep, at(0.5, 0.5), turned)
    assert does(keep, at(0.5, 0.5), at(0.4, 0.5, KEPT - 0.05))
    little, before = replace(LEFT, little=True), [at(0.5, 0.5)]
    assert steady(little, before=before, after=at(0.5 - LITTLE + 0.01, 0.5), image_size=SIZE) is True
    assert steady(little, before=before, after=at(0.5 - LITTLE - 0.01, 0.5), image_size=SIZE) is False
    assert steady(LEFT, before=before, after=at(0.1, 0.5), image_size=SIZE) is True
    assert steady(LEFT, before=before, after=turned, image_size=SIZE) is False


def test_a_quarter_turn_stays_about_where_it_is_and_knows_no_half_turn() -> None:
    turn, before = Request("turn"), at(0.5, 0.5, 1.5)
    assert does(turn, before, at(0.5, 0.5, 1.5 - math.pi / 2))
    assert not does(turn, before, at(0.5, 0.5, -1.5))
    assert not does(turn, before, at(0.8, 0.5, 0.0))
    assert steady(turn, before=[before], after=at(0.5, 0.52, 0), image_size=SIZE) is True
    assert steady(turn, before=[before], after=at(0.5, 0.6, 0), image_size=SIZE) is False


def test_the_other_end_lies_beyond_the_middle_of_the_holds() -> None:
    holds = [Hold(at(x, 0.5)) for x in (0.2, 0.4, 0.5, 0.6, 0.8)]
    end = Request("other end")
    assert does(end, at(0.2, 0.5), at(0.8, 0.5), *holds) and does(end, at(0.8, 0.5), at(0.2, 0.5), *holds)
    assert not does(end, at(0.2, 0.5), at(0.6, 0.5), *holds)
    assert not does(end, at(0.5, 0.5), at(0.8, 0.5), *holds), "the middle has no other end"
    assert not does(end, at(0.2, 0.5), at(0.8, 0.5)), "nothing tells where the ends are"


def test_the_other_end_is_along_the_line_between_both_ends() -> None:
    """A wide thing has grasps beside its middle, which are at no end, however far aside."""
    holds = [Hold(at(x, y)) for x, y in ((0.2, 0.5), (0.8, 0.5), (0.5, 0.4), (0.5, 0.6), (0.55, 0.65))]
    end = Request("other end")
    for aside in ((0.5, 0.4), (0.55, 0.65)):
        for other in holds:
            assert not does(end, at(*aside), other.grasp, *holds)
    # A share of the way to an end is needed, and is enough.
    assert not does(end, at(0.43, 0.4), at(0.8, 0.5), *holds)
    assert does(end, at(0.4, 0.4), at(0.8, 0.5), *holds)
    assert not does(end, at(0.4, 0.4), at(0.55, 0.65), *holds), "it lies across the thing"


def test_a_hold_of_an_unknown_part_is_no_other_part() -> None:
    holds = [Hold(at(0.2, 0.5), "handle"), Hold(at(0.45, 0.5)), Hold(at(0.8, 0.5), "head")]
    by, off = Request("part", part="handle"), Request("away", part="handle")
    assert not does(off, at(0.2, 0.5), at(0.45, 0.5), *holds), "the nearest that is known is the handle"
    assert not does(by, at(0.8, 0.5), at(0.45, 0.5), *holds)
    assert does(off, at(0.2, 0.5), at(0.8, 0.5), *holds)
    assert not does(off, at(0.2, 0.5), at(0.8, 0.5), *holds[:2]), "no other part is known"


def test_a_bit_is_a_bit_where_anything_is_near() -> None:
    little, before = replace(LEFT, little=True), [at(0.6, 0.5)]
    near, far = replace(at(0.5, 0.5, 1.0), quality=0.1), replace(at(0.2, 0.5), quality=0.9)
    assert choose(LEFT, before=before, options=[near, far], image_size=SIZE) == (far, True)
    assert choose(little, before=before, options=[near, far], image_size=SIZE) == (near, True)
    assert choose(little, before=before, options=[far], image_size=SIZE) == (far, True)
    assert (little.key, LEFT.key) == ("a bit left", "left")


def test_what_cannot_be_met_is_answered_with_an_option_and_not_with_a_wrong_grasp_that_was_there() -> None:
    options = [at(0.3, 0.5), at(0.6, 0.5)]
    assert choose(LEFT, before=[at(0.1, 0.5)], options=options, image_size=SIZE) == (options[0], False)
    assert choose(LEFT, before=[options[0]], options=options, image_size=SIZE) == (options[0], False), "it stays"


def test_parts_are_those_of_the_nearest_hold() -> None:
    holds = [Hold(at(0.2, 0.5), "handle"), Hold(at(0.3, 0.5), "handle"), Hold(at(0.7, 0.5), "head")]
    by, off = Request("part", part="handle"), Request("away", part="head")
    for request in (by, off):
        assert does(request, at(0.7, 0.5), at(0.25, 0.55), *holds)
        assert not does(request, at(0.7, 0.5), at(0.65, 0.5), *holds)
    assert choose(by, before=[at(0.7, 0.5)], options=[h.grasp for h in holds], image_size=SIZE, holds=holds)[1]


def test_another_one_differs_from_all_before_and_the_previous_one_is_it() -> None:
    before = [at(0.2, 0.5), at(0.5, 0.5)]
    other, previous = Request("other"), Request("previous")
    assert meets(other, before=before, after=at(0.8, 0.5), image_size=SIZE)
    assert meets(other, before=before, after=at(0.5, 0.5, 1.0), image_size=SIZE)
    assert not meets(other, before=before, after=at(0.21, 0.5), image_size=SIZE)
    assert meets(previous, before=before, after=at(0.2005, 0.5), image_size=SIZE)
    assert not meets(previous, before=before, after=at(0.3, 0.5), image_size=SIZE)
    assert choose(previous, before=before, options=[], image_size=SIZE) == (before[0], True)
    with pytest.raises(ValueError, match="for previous 2"):
        meets(previous, before=before[:1], after=before[0], image_size=SIZE)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "direction"},
        {"kind": "turn", "side": "left"},
        {"kind": "part"},
        {"kind": "other", "part": "handle"},
        {"kind": "turn", "keep_angle": True},
        {"kind": "other end", "little": True},
    ],
)
def test_a_request_whose_fields_do_not_go_together_is_refused(fields: dict) -> None:
    with pytest.raises(ValueError, match="valid is"):
        Request(**fields)


@given(grasps, grasps)
def test_in_the_mirror_left_is_right_and_up_stays_up(before: Grasp, after: Grasp) -> None:
    def mirrored(grasp: Grasp) -> Grasp:
        return Grasp(x=1 - grasp.x, y=grasp.y, theta=-grasp.theta)

    def missing(request: Request, a: Grasp, b: Grasp) -> float:
        return shortfall(request, before=[a], after=b, image_size=SIZE)

    pairs = [(LEFT, RIGHT), (RIGHT, LEFT), (UP, UP), (DOWN, DOWN), (Request("turn"), Request("turn"))]
    for request, seen in pairs:
        assert missing(request, before, after) == pytest.approx(
            missing(seen, mirrored(before), mirrored(after)), abs=1e-9
        )


@given(grasps, st.sampled_from(plain), st.lists(grasps, min_size=2, max_size=6))
def test_no_change_does_nothing(before: Grasp, request: Request, others: list[Grasp]) -> None:
    holds = [Hold(grasp) for grasp in (before, *others)]
    assert not meets(request, before=[before], after=before, image_size=SIZE, holds=holds)


@given(grasps, st.sampled_from(plain), st.lists(grasps, min_size=1, max_size=8))
def test_the_best_answer_does_it_where_any_does_else_it_is_no_further_from_it(
    before: Grasp, request: Request, options: list[Grasp]
) -> None:
    grasp, met = choose(request, before=[before], options=options, image_size=SIZE)
    holds = [Hold(option) for option in options]

    def missing(one: Grasp) -> float:
        return shortfall(request, before=[before], after=one, image_size=SIZE, holds=holds)

    able = [option for option in options if missing(option) <= 1e-9]
    assert met == bool(able) and (not met or grasp in able)
    assert grasp in options and (met or missing(grasp) == min(map(missing, options)))


@given(grasps, st.lists(grasps, min_size=1, max_size=8), st.sampled_from([LEFT, RIGHT, UP, DOWN]))
def test_a_way_that_the_angle_survives_is_taken_first(before: Grasp, options: list[Grasp], request: Request) -> None:
    grasp, met = choose(request, before=[before], options=options, image_size=SIZE)
    able = [o for o in options if meets(request, before=[before], after=o, image_size=SIZE)]
    if met and any(steady(request, before=[before], after=o, image_size=SIZE) for o in able):
        assert steady(request, before=[before], after=grasp, image_size=SIZE)


def test_of_equally_good_grasps_the_nearer_one_is_taken() -> None:
    near, far = at(0.4, 0.5), at(0.1, 0.5)
    assert choose(LEFT, before=[at(0.5, 0.5)], options=[far, near], image_size=SIZE) == (near, True)
    poor = replace(near, quality=0.01)
    chosen, _ = choose(LEFT, before=[at(0.5, 0.5)], options=[replace(far, quality=0.9), poor], image_size=SIZE)
    assert chosen.x == far.x


def test_where_the_angle_cannot_stay_the_way_counts_more() -> None:
    keep, turned = replace(LEFT, keep_angle=True), at(0.4, 0.5, 1.0)
    assert choose(keep, before=[at(0.5, 0.5)], options=[at(0.6, 0.5), turned], image_size=SIZE) == (turned, False)


def test_the_thresholds_are_in_order() -> None:
    assert 0 < STEP < LITTLE and KEPT < TURNED < math.pi / 2
