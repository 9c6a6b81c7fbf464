import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.grasp import angle_difference
from graspwise.rectangle import GraspRectangle

laws = settings(max_examples=100, deadline=None)
lengths = st.floats(2, 200)
points = st.tuples(st.floats(-500, 500), st.floats(-500, 500))
rectangles = st.builds(
    GraspRectangle.from_pose, center=points, theta=st.floats(-4, 4), opening=lengths, jaw=st.none() | lengths
)


def box(x0: float, y0: float, x1: float, y1: float) -> GraspRectangle:
    return GraspRectangle(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]))


# By hand, on squared paper: corners, theta in degrees, opening, jaw. Right and up is a positive angle.
ASLANT = math.degrees(math.atan2(3, 4))
BY_HAND: dict[str, tuple[list[list[float]], float, float, float]] = {
    "level": ([[0, 0], [40, 0], [40, 10], [0, 10]], 0, 40, 10),
    "up to the right": ([[0, 30], [40, 0], [55, 20], [15, 50]], ASLANT, 50, 25),
    "up to the right, from the other end": ([[55, 20], [15, 50], [0, 30], [40, 0]], ASLANT, 50, 25),
    "down to the right": ([[15, 0], [55, 30], [40, 50], [0, 20]], -ASLANT, 50, 25),
    "steeply up": ([[0, 40], [30, 0], [50, 15], [20, 55]], 90 - ASLANT, 50, 25),
    "upright": ([[0, 40], [0, 0], [10, 0], [10, 40]], 90, 40, 10),
    "upright, from the top": ([[10, 0], [10, 40], [0, 40], [0, 0]], 90, 40, 10),
    "level, from the right": ([[40, 10], [0, 10], [0, 0], [40, 0]], 0, 40, 10),
    "narrower than its plates": ([[0, 0], [8, -6], [20, 10], [12, 16]], ASLANT, 10, 20),
}


@pytest.mark.parametrize(("corners", "theta", "opening", "jaw"), BY_HAND.values(), ids=BY_HAND)
def test_by_hand(corners: list[list[float]], theta: float, opening: float, jaw: float) -> None:
    rectangle = GraspRectangle(np.array(corners))
    assert math.degrees(rectangle.theta) == pytest.approx(theta, abs=1e-9)
    assert (rectangle.opening, rectangle.jaw) == pytest.approx((opening, jaw))
    assert rectangle.is_clockwise
    again = GraspRectangle.from_pose(center=rectangle.center, theta=rectangle.theta, opening=opening, jaw=jaw)
    # A half-turn may have renamed the corners.
    assert min(np.abs(np.roll(again.corners, turn, axis=0) - corners).max() for turn in (0, 2)) < 1e-9


def test_corner_order_of_a_pose() -> None:
    rectangle = GraspRectangle.from_pose(center=(27.5, 25), theta=math.atan2(3, 4), opening=50, jaw=25)
    assert rectangle.corners == pytest.approx(np.array([[0, 30], [40, 0], [55, 20], [15, 50]]))


@laws
@given(points, st.floats(-4, 4), lengths, lengths)
def test_a_pose_is_read_back(center: tuple[float, float], theta: float, opening: float, jaw: float) -> None:
    rectangle = GraspRectangle.from_pose(center=center, theta=theta, opening=opening, jaw=jaw)
    assert rectangle.is_clockwise
    assert rectangle.center == pytest.approx(center, abs=1e-9)
    assert (rectangle.opening, rectangle.jaw) == pytest.approx((opening, jaw))
    assert angle_difference(rectangle.theta, theta) < 1e-9
    assert rectangle.polygon.area == pytest.approx(opening * jaw)


def test_a_plate_is_half_the_opening_unless_given() -> None:
    assert GraspRectangle.from_pose(center=(0, 0), theta=1, opening=30).jaw == pytest.approx(15)


def test_the_other_way_round_is_not_clockwise() -> None:
    assert not GraspRectangle(box(0, 0, 4, 2).corners[::-1]).is_clockwise


@pytest.mark.parametrize(
    "corners",
    [np.zeros((3, 2)), np.zeros((4, 3)), np.zeros(8), np.full((4, 2), np.nan), [[0, 0], [1, 0], [1, np.inf], [0, 1]]],
)
def test_refuses_what_is_not_four_points(corners: np.ndarray) -> None:
    with pytest.raises(ValueError, match="four finite corners"):
        GraspRectangle(corners)


def test_corners_are_copied_and_frozen() -> None:
    given_corners = box(0, 0, 4, 2).corners.copy()
    rectangle = GraspRectangle(given_corners)
    given_corners[0] = 99
    assert rectangle.corners[0].tolist() == [0, 0]
    with pytest.raises(ValueError, match="read-only"):
        rectangle.corners[0] = 99


# ---------------------------------------------------------------- intersection over union

DIAMOND = GraspRectangle.from_pose(center=(5, 5), theta=math.pi / 4, opening=10, jaw=10)
IOU: dict[str, tuple[GraspRectangle, GraspRectangle, float]] = {
    "the same": (box(0, 0, 10, 10), box(0, 0, 10, 10), 1),
    "half over": (box(0, 0, 10, 10), box(5, 0, 15, 10), 1 / 3),
    "a quarter over": (box(0, 0, 10, 10), box(5, 5, 15, 15), 25 / 175),
    "inside": (box(0, 0, 10, 10), box(2, 2, 7, 6), 0.2),
    "a cross": (box(0, 4, 12, 8), box(4, 0, 8, 12), 16 / 80),
    "an octagon": (box(0, 0, 10, 10), DIAMOND, math.sqrt(0.5)),
    "touching": (box(0, 0, 10, 10), box(10, 0, 20, 10), 0),
    "apart": (box(0, 0, 10, 10), box(30, 0, 40, 10), 0),
    "a line": (box(0, 0, 10, 10), box(0, 5, 10, 5), 0),
    "two points": (box(1, 1, 1, 1), box(1, 1, 1, 1), 0),
    "crossed corners": (box(0, 0, 10, 10), GraspRectangle(np.array([[0, 0], [10, 10], [10, 0], [0, 10]])), 1),
}


@pytest.mark.parametrize(("a", "b", "iou"), IOU.values(), ids=IOU)
def test_iou_by_hand(a: GraspRectangle, b: GraspRectangle, iou: float) -> None:
    assert a.iou(b) == pytest.approx(iou, abs=1e-12)
    assert b.iou(a) == pytest.approx(iou, abs=1e-12)


@laws
@given(rectangles)
def test_iou_with_itself_is_one(rectangle: GraspRectangle) -> None:
    assert rectangle.iou(rectangle) == pytest.approx(1)
    assert rectangle.iou(GraspRectangle(rectangle.corners[[2, 3, 0, 1]])) == pytest.approx(1)
