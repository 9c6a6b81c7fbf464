import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.grasp import Grasp, angle_difference
from graspwise.metric import ANGLE_THRESHOLD, IOU_THRESHOLD, is_hit, is_oblique, matches
from graspwise.rectangle import GraspRectangle

laws = settings(max_examples=60, deadline=None)
SIZE = (200, 150)


def pose(*, x: float = 100, y: float = 75, degrees: float = 0, opening: float = 60, jaw: float = 30) -> GraspRectangle:
    return GraspRectangle.from_pose(center=(x, y), theta=math.radians(degrees), opening=opening, jaw=jaw)


def box(x0: float, y0: float, x1: float, y1: float) -> GraspRectangle:
    return GraspRectangle(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]))


def grasp_at(
    *, x: float = 100, y: float = 75, degrees: float = 0, opening: float | None = None, jaw: float | None = None
) -> Grasp:
    """A grasp from pixels of a picture of SIZE."""
    return Grasp(
        x=(x + 0.5) / SIZE[0],
        y=(y + 0.5) / SIZE[1],
        theta=math.radians(degrees),
        opening=None if opening is None else opening / SIZE[0],
        jaw=None if jaw is None else jaw / SIZE[0],
    )


# ---------------------------------------------------------------- the two thresholds


def test_thresholds_are_the_papers() -> None:
    assert IOU_THRESHOLD == 0.25
    assert math.degrees(ANGLE_THRESHOLD) == pytest.approx(30)


def test_a_quarter_of_overlap_exactly_is_not_enough() -> None:
    assert box(0, 0, 10, 10).iou(box(6, 0, 16, 10)) == 0.25
    assert not matches(box(0, 0, 10, 10), box(6, 0, 16, 10))
    assert matches(box(0, 0, 10, 10), box(5.999, 0, 15.999, 10))
    assert not matches(box(0, 0, 10, 10), box(6.001, 0, 16.001, 10))


def test_thirty_degrees_exactly_is_too_far() -> None:
    exact = [
        (a, b)
        for a, b in ((pose(degrees=d), pose(degrees=d + 30)) for d in range(-90, 90))
        if angle_difference(a.theta, b.theta) == ANGLE_THRESHOLD
    ]
    assert exact
    assert not any(matches(a, b) for a, b in exact)


@pytest.mark.parametrize("degrees", [-89, -61, -45, 0, 17, 45, 75, 90])
@pytest.mark.parametrize("turn", [-180, 0, 180])
def test_within_thirty_degrees_modulo_a_half_turn(degrees: float, turn: float) -> None:
    label = pose(degrees=degrees)
    for off in (-29.999, 0, 29.999):
        assert matches(pose(degrees=degrees + off + turn), label)
    for off in (-90, -30.001, 30.001, 60, 90):
        assert not matches(pose(degrees=degrees + off + turn), label)


# ---------------------------------------------------------------- which width


def test_label_width_is_the_papers() -> None:
    label = pose(degrees=20, opening=60, jaw=12)
    for own in (None, 3, 190):
        assert is_hit(grasp_at(degrees=20, opening=own), labels=[label], image_size=SIZE)
    # Opening and plate are both the label's: 8 pixels across the plates leave 4 of 12, an IoU of 0.2.
    across = (math.sin(math.radians(20)) * 8, math.cos(math.radians(20)) * 8)
    grasp = grasp_at(x=100 + across[0], y=75 + across[1], degrees=20, opening=60, jaw=60)
    assert not is_hit(grasp, labels=[label], image_size=SIZE)


def test_own_width_is_the_grasps() -> None:
    label = pose(opening=60, jaw=30)
    assert is_hit(grasp_at(opening=60), labels=[label], image_size=SIZE, width="own")
    assert not is_hit(grasp_at(opening=25), labels=[label], image_size=SIZE, width="own")
    assert not is_hit(grasp_at(opening=60, jaw=7), labels=[label], image_size=SIZE, width="own")
    assert not is_hit(grasp_at(opening=130), labels=[label], image_size=SIZE, width="own")
    with pytest.raises(ValueError, match="no opening of its own"):
        is_hit(grasp_at(), labels=[label], image_size=SIZE, width="own")


def test_a_fixed_width_is_in_pixels_with_a_plate_of_half() -> None:
    label = pose(opening=60, jaw=30)
    # 40 by 20 inside 60 by 30 is 0.44; 28 by 14 is 0.22.
    assert is_hit(grasp_at(opening=1), labels=[label], image_size=SIZE, width=40)
    assert not is_hit(grasp_at(opening=60), labels=[label], image_size=SIZE, width=28.0)


def test_any_label_is_enough_and_none_is_not() -> None:
    labels = [pose(x=30), pose(degrees=80), pose(x=102, degrees=5)]
    assert is_hit(grasp_at(), labels=labels, image_size=SIZE)
    assert not is_hit(grasp_at(), labels=labels[:2], image_size=SIZE)
    assert not is_hit(grasp_at(), labels=[], image_size=SIZE)


def test_one_label_must_meet_both() -> None:
    right_place, right_angle = pose(degrees=60), pose(x=170)
    assert not is_hit(grasp_at(), labels=[right_place, right_angle], image_size=SIZE)


# ---------------------------------------------------------------- the sign of theta


@laws
@given(st.floats(20.01, 69.99), st.sampled_from([-1, 1]), st.floats(8, 60), st.floats(8, 60))
def test_a_flipped_sign_fails_on_oblique_labels(degrees: float, sign: int, opening: float, jaw: float) -> None:
    label = pose(degrees=sign * degrees, opening=opening, jaw=jaw)
    right = Grasp.from_rectangle(label, image_size=SIZE)
    assert is_oblique(label)
    assert is_hit(right, labels=[label], image_size=SIZE)
    assert not is_hit(replace(right, theta=-right.theta), labels=[label], image_size=SIZE)


@pytest.mark.parametrize(
    ("degrees", "oblique"),
    [
        (0, False),
        (19.9, False),
        (20.1, True),
        (45, True),
        (69.9, True),
        (70.1, False),
        (90, False),
        (160.1, False),
        (140, True),
    ],
)
def test_oblique_is_off_both_axes(degrees: float, oblique: bool) -> None:
    assert is_oblique(pose(degrees=degrees)) == is_oblique(pose(degrees=-degrees)) == oblique


# ---------------------------------------------------------------- against counting points


def covered(rectangle: GraspRectangle, points: np.ndarray) -> np.ndarray:
    """Which of the points (n, 2) lie on the inner side of all four edges."""
    inside = np.ones(len(points), bool)
    for start, end in zip(rectangle.corners, np.roll(rectangle.corners, -1, axis=0), strict=True):
        (ex, ey), (px, py) = end - start, (points - start).T
        inside &= ex * py - ey * px >= 0
    return inside


def slow_iou(a: GraspRectangle, b: GraspRectangle, *, step: float = 0.25) -> float:
    corners = np.concatenate([a.corners, b.corners])
    low, high = corners.min(axis=0), corners.max(axis=0)
    x, y = np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step))
    points = np.stack([x.ravel(), y.ravel()], axis=-1)
    in_a, in_b = covered(a, points), covered(b, points)
    return float((in_a & in_b).sum() / (in_a | in_b).sum())


poses = st.builds(
    pose, x=st.floats(95, 105), y=st.floats(70, 80), degrees=st.floats(-180, 180),
    opening=st.floats(15, 45), jaw=st.floats(15, 45),
)  # fmt: skip


@laws
@given(poses, poses)
def test_agrees_with_a_slow_count(a: GraspRectangle, b: GraspRectangle) -> None:
    slow = slow_iou(a, b)
    assert a.iou(b) == pytest.approx(slow, abs=0.02)
    turned = angle_difference(a.theta, b.theta)
    if abs(slow - 0.25) > 0.02 and abs(turned - math.pi / 6) > 1e-6:
        assert matches(a, b) == matches(b, a) == (slow > 0.25 and turned < math.pi / 6)
