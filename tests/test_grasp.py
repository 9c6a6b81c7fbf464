import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.grasp import Grasp, angle_difference, canonical_angle
from graspwise.rectangle import GraspRectangle

laws = settings(max_examples=100, deadline=None)


def next_to(value: float, *, steps: int) -> float:
    for _ in range(abs(steps)):
        value = math.nextafter(value, math.copysign(math.inf, steps))
    return value


seams = st.builds(next_to, st.integers(-7, 7).map(lambda k: k * math.pi / 2), steps=st.integers(-3, 3))
angles = st.one_of(st.floats(-50, 50), seams, st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1e9, -1e9]))
shares = st.floats(0, 1)
openings = st.floats(1e-3, 2)
sizes = st.tuples(st.integers(16, 5000), st.integers(16, 5000))


# ---------------------------------------------------------------- angles


@laws
@given(angles)
def test_canonical_angle_is_in_range_and_equal_modulo_pi(theta: float) -> None:
    folded = canonical_angle(theta)
    assert -math.pi / 2 < folded <= math.pi / 2
    assert canonical_angle(folded) == folded
    tolerance = 1e-15 * (10 + abs(theta))
    assert math.cos(2 * folded) == pytest.approx(math.cos(2 * theta), abs=4 * tolerance)
    assert math.sin(2 * folded) == pytest.approx(math.sin(2 * theta), abs=4 * tolerance)


@laws
@given(st.floats(-math.pi / 2, math.pi / 2, exclude_min=True))
def test_a_canonical_angle_stays_as_it_is(theta: float) -> None:
    assert canonical_angle(theta) == theta


@laws
@given(angles, st.integers(-5, 5))
def test_half_turns_change_nothing(theta: float, halves: int) -> None:
    assert angle_difference(theta, theta + halves * math.pi) <= 1e-14 * (10 + abs(theta))


@laws
@given(angles, angles)
def test_angle_difference_is_symmetric_and_at_most_a_right_angle(a: float, b: float) -> None:
    assert 0 <= angle_difference(a, b) <= math.pi / 2
    assert angle_difference(a, b) == pytest.approx(angle_difference(b, a), abs=1e-15 * (10 + abs(a) + abs(b)))


@pytest.mark.parametrize(
    ("a", "b", "difference"),
    [(0, 0, 0), (0, 90, 90), (0, 180, 0), (80, -80, 20), (-89, 89, 2), (45, -45, 90), (10, 40, 30), (170, -170, 20)],
)
def test_angle_difference_in_degrees(a: float, b: float, difference: float) -> None:
    assert math.degrees(angle_difference(math.radians(a), math.radians(b))) == pytest.approx(difference, abs=1e-9)


def test_no_angle_has_no_canonical_one() -> None:
    assert math.isnan(canonical_angle(math.nan))


# ---------------------------------------------------------------- the grasp


@given(shares, shares, angles)
@laws
def test_a_grasp_is_canonical(x: float, y: float, theta: float) -> None:
    assert Grasp(x=x, y=y, theta=theta).theta == canonical_angle(theta)


VALID = {"x": 0.5, "y": 0.5, "theta": 0.0}
INVALID = [
    *((field, value) for field in ("x", "y") for value in (-1e-9, 1 + 1e-9, 523, math.nan, math.inf)),
    *(("theta", value) for value in (math.nan, math.inf, -math.inf)),
    *((field, value) for field in ("opening", "jaw") for value in (0.0, -0.1, math.nan, math.inf)),
]


@pytest.mark.parametrize(("field", "value"), INVALID)
def test_refuses_what_is_no_grasp(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"Grasp\.{field} is .*; valid is"):
        Grasp(**{**VALID, field: value})


def test_pixels_are_centres() -> None:
    assert Grasp(x=0.5, y=0.5, theta=0).pixel(image_size=(10, 4)) == (4.5, 1.5)
    assert Grasp(x=0, y=1, theta=0).pixel(image_size=(10, 4)) == (-0.5, 3.5)


@laws
@given(shares, shares, sizes)
def test_normalised_is_pixel_and_a_half_over_size(x: float, y: float, image_size: tuple[int, int]) -> None:
    px, py = Grasp(x=x, y=y, theta=0).pixel(image_size=image_size)
    assert (px + 0.5) / image_size[0] == pytest.approx(x, abs=1e-12)
    assert (py + 0.5) / image_size[1] == pytest.approx(y, abs=1e-12)


@laws
@given(shares, shares, angles, openings, openings, sizes)
def test_grasp_and_rectangle_are_each_others_inverse(
    x: float, y: float, theta: float, opening: float, jaw: float, image_size: tuple[int, int]
) -> None:
    # Half a pixel off the border, where the way back may round out of the picture.
    grasp = Grasp(x=0.01 + 0.98 * x, y=0.01 + 0.98 * y, theta=theta, opening=opening, jaw=jaw)
    back = Grasp.from_rectangle(grasp.rectangle(image_size=image_size), image_size=image_size)
    assert (back.x, back.y) == pytest.approx((grasp.x, grasp.y), abs=1e-9)
    assert (back.opening, back.jaw) == pytest.approx((opening, jaw), rel=1e-6)
    assert angle_difference(back.theta, grasp.theta) < 1e-6


def test_opening_is_a_fraction_of_the_width_also_where_it_stands_upright() -> None:
    rectangle = Grasp(x=0.5, y=0.5, theta=math.pi / 2, opening=0.25).rectangle(image_size=(400, 100))
    assert (rectangle.opening, rectangle.jaw) == pytest.approx((100, 50))
    xs, ys = rectangle.corners.T
    assert (xs.max() - xs.min(), ys.max() - ys.min()) == pytest.approx((50, 100))


def test_the_caller_may_say_opening_and_jaw() -> None:
    grasp = Grasp(x=0.5, y=0.5, theta=0.3, opening=0.5, jaw=0.1)
    said = grasp.rectangle(image_size=(100, 100), opening=30)
    assert (said.opening, said.jaw) == pytest.approx((30, 15))
    said = grasp.rectangle(image_size=(100, 100), opening=30, jaw=7)
    assert (said.opening, said.jaw) == pytest.approx((30, 7))
    said = grasp.rectangle(image_size=(100, 100), jaw=7)
    assert (said.opening, said.jaw) == pytest.approx((50, 7))


def test_a_grasp_without_opening_asks_for_one() -> None:
    with pytest.raises(ValueError, match="pass opening= in pixels"):
        Grasp(**VALID).rectangle(image_size=(100, 100))
    assert Grasp(**VALID).rectangle(image_size=(100, 100), opening=20).opening == pytest.approx(20)


def test_with_opening_keeps_the_pose_and_drops_the_plate() -> None:
    grasp = Grasp(x=0.1, y=0.2, theta=0.3, opening=0.4, jaw=0.3, quality=0.9)
    assert grasp.with_opening(0.2) == Grasp(x=0.1, y=0.2, theta=0.3, opening=0.2, quality=0.9)
    assert grasp.with_opening(None).opening is None


def test_a_rectangle_outside_the_picture_is_no_grasp_of_it() -> None:
    outside = GraspRectangle.from_pose(center=(-20, 5), theta=0, opening=10)
    with pytest.raises(ValueError, match=r"Grasp\.x"):
        Grasp.from_rectangle(outside, image_size=(100, 100))
