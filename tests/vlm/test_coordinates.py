"""Conventions of places: texts go there and back within half a number, and the angle is never touched."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graspwise.answer import FORMATS, GRASP, parse_grasp, render_grasp
from graspwise.grasp import Grasp
from graspwise.transform import Transform
from graspwise.vlm.coordinates import FRACTION, LOCATION, THOUSAND, Coordinates, pixels

UNIT = st.floats(0, 1)
CONVENTIONS = st.one_of(st.sampled_from([FRACTION, THOUSAND, LOCATION]), st.integers(28, 2016).map(pixels))
GRASPS = st.builds(Grasp, x=UNIT, y=UNIT, theta=st.floats(-1.5, 1.5))
WRITTEN_BY_FRACTION = 0.0005


def step(coordinates: Coordinates) -> float:
    return 10**-coordinates.x.decimals / coordinates.scale


@given(CONVENTIONS, UNIT)
def test_a_number_stands_for_a_place_within_half_a_step(coordinates, fraction):
    number = float(coordinates.x.render(coordinates.number(fraction)))
    assert coordinates.x.low <= number <= coordinates.x.high
    assert abs(coordinates.fraction(number) - fraction) <= step(coordinates) / 2 + 1e-12
    # A number is the number of its own place.
    assert float(coordinates.x.render(coordinates.number(coordinates.fraction(number)))) == number


@given(CONVENTIONS, GRASPS, st.sampled_from(FORMATS))
def test_an_answer_goes_there_and_back(coordinates, grasp, answer_format):
    text = render_grasp(grasp, answer_format=answer_format, reasoning="By the rim, since it is hot.")
    written = coordinates.written(text)
    assert re.fullmatch(coordinates.schema.pattern(answer_format), written)
    reasoning, back = parse_grasp(coordinates.read(written))
    asked, given_ = parse_grasp(text)
    assert (reasoning, back.theta) == (asked, given_.theta)
    for axis in ("x", "y"):
        apart = abs(getattr(back, axis) - getattr(grasp, axis))
        assert apart <= step(coordinates) / 2 + 2 * WRITTEN_BY_FRACTION + 1e-9
    # And what was read is written as before, wherever the numbers are no finer than the project's.
    if step(coordinates) >= 1 / 1000:
        assert coordinates.written(coordinates.read(written)) == written


@given(st.integers(0, 3000), st.integers(1, 3000))
def test_whole_numbers_have_the_pattern_up_to_their_limit_and_no_further(value, limit):
    number = pixels(limit).x
    assert bool(re.fullmatch(number.pattern, str(value))) == (value <= limit)
    assert not re.fullmatch(number.pattern, f"0{value}")


@given(GRASPS, st.tuples(st.integers(30, 2000), st.integers(30, 2000)), st.integers(28, 1344))
def test_pixels_are_those_of_the_letterboxed_picture(grasp, size, side):
    """The number of a grasp in a letterboxed picture is its pixel there, half a pixel on: an edge is 0 or the side."""
    fit = Transform.letterbox(source_size=size, size=(side, side))
    seen = fit.grasp(grasp)
    px, py = fit.points([grasp.pixel(image_size=size)])[0]
    assert pixels(side).number(seen.x) == pytest.approx(px + 0.5, abs=1e-6)
    assert pixels(side).number(seen.y) == pytest.approx(py + 0.5, abs=1e-6)
    assert seen.theta == pytest.approx(grasp.theta)


@pytest.mark.parametrize(
    ("coordinates", "written"),
    [
        (FRACTION, "[0.523, 1.000], -0.78"),
        (THOUSAND, "[523, 1000], -0.78"),
        (pixels(672), "[351, 672], -0.78"),
        (LOCATION, "<loc1023><loc0535>, -0.78"),
    ],
)
def test_each_convention_by_example(coordinates, written):
    assert coordinates.written("[0.523, 1.000], -0.78") == written


@pytest.mark.parametrize(
    ("coordinates", "text"),
    [
        (THOUSAND, "no numbers"),
        (THOUSAND, "[1001, 5], -0.78"),
        (THOUSAND, "[0.500, 0.250], -0.78"),
        (pixels(56), "[57, 3], +0.10"),
        (LOCATION, "<loc1024><loc0000>, +0.10"),
        (FRACTION, "[ 0.500 ,0.250 ], and [1.234, 0.1]"),
    ],
)
def test_what_is_no_point_of_the_convention_stays_as_it_is(coordinates, text):
    assert coordinates.read(text) == text


@pytest.mark.parametrize("text", ["[ 523,250 ], -0.78", "Here.\n[523, 250] -0.78"])
def test_a_point_with_other_blanks_is_read(text):
    assert "[0.523, 0.250]" in THOUSAND.read(text)


def test_the_projects_own_convention_changes_no_text():
    assert FRACTION.schema is GRASP
    for text in ("[0.523, 0.250], -0.78", "[ 0.523 ,0.250 ]", "[1.234, 0.500]"):
        assert FRACTION.written(text) == text == FRACTION.read(text)
