"""Antipodal candidates on drawn pictures of heights whose answer is known."""

import math
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.grasp import angle_difference
from graspwise.robot.pose import Gripper
from graspwise.sim import antipodal
from graspwise.sim.antipodal import CLEARANCE, CONE, NEAR, NEAR_ANGLE, Candidate, between, candidates, patch

SIDE, SCALE = 300, 650.0
# An edge of a few centimetres is blurred over some pixels, and so is its direction.
BLUR, LEANING = 0.010, math.radians(7)
GRIPPER = Gripper()


@pytest.fixture(scope="module", autouse=True)
def few_samples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(antipodal, "SAMPLES", 300)
        yield


def scene(*boxes: tuple[tuple[float, float], tuple[float, float], float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Heights and mask of boxes seen from above: middle and sides in metres, height, direction of the first side."""
    height, objects = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.uint8)
    for index, (middle, sides, top, angle) in enumerate(boxes, start=1):
        along = np.array([math.cos(angle), -math.sin(angle)]) * sides[0] / 2
        aside = np.array([math.sin(angle), math.cos(angle)]) * sides[1] / 2
        center = np.array([middle[0], -middle[1]])
        corners = np.array(
            [center + along + aside, center + along - aside, center - along - aside, center - along + aside]
        )
        # Drawn finer and averaged, so that edges have the direction they should.
        fine = np.zeros((4 * SIDE, 4 * SIDE), np.float32)
        cv2.fillPoly(fine, [np.rint((corners * SCALE * 4 + (4 * SIDE - 1) / 2) * 256).astype(np.int32)], 1, shift=8)
        share = cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        height += top * share
        objects[share > 0.5] = index
    return height, objects


def found(
    picture: tuple[np.ndarray, np.ndarray],
    *,
    index: int = 1,
    count: int = 12,
    seed: int = 0,
    gripper: Gripper = GRIPPER,
) -> list[Candidate]:
    rng = np.random.default_rng(seed)
    return candidates(*picture, index=index, scale=SCALE, gripper=gripper, count=count, rng=rng)


def metres(candidate: Candidate) -> tuple[float, float, float]:
    """Centre (x, y up) and opening in metres."""
    px, py = candidate.grasp.pixel(image_size=(SIDE, SIDE))
    middle = (SIDE - 1) / 2
    return (px - middle) / SCALE, (middle - py) / SCALE, candidate.grasp.opening * SIDE / SCALE


@settings(max_examples=20, deadline=None)
@given(angle=st.floats(-math.pi / 2, math.pi / 2), width=st.floats(0.015, 0.055), seed=st.integers(0, 99))
def test_a_bar_is_grasped_square_across_wherever_it_points(angle: float, width: float, seed: int) -> None:
    middle = (0.01, -0.02)
    bar = found(scene((middle, (0.16, width), 0.03, angle)), seed=seed)
    assert len(bar) >= 3
    for candidate in bar:
        assert angle_difference(candidate.grasp.theta, angle + math.pi / 2) < CONE + LEANING
        # Seen from the bar, the middle of the grasp lies between its long sides.
        x, y, opening = metres(candidate)
        across = -(x - middle[0]) * math.sin(angle) + (y - middle[1]) * math.cos(angle)
        assert abs(across) < BLUR / 2 + 0.002
        assert abs((x - middle[0]) * math.cos(angle) + (y - middle[1]) * math.sin(angle)) < 0.08 + BLUR / 2
        assert opening == pytest.approx(min(candidate.width + 2 * CLEARANCE, GRIPPER.max_opening), abs=1e-9)
        assert opening <= GRIPPER.max_opening
        # Slanted within the cone it is wider.
        assert width - BLUR < candidate.width < width / math.cos(CONE + LEANING) + BLUR
        assert candidate.index == 1
        assert candidate.grasp.jaw * SIDE / SCALE == pytest.approx(GRIPPER.pad_width)


def test_a_ball_is_grasped_from_all_sides() -> None:
    radius = 0.03
    across = np.hypot(*(np.indices((SIDE, SIDE)) - (SIDE - 1) / 2)) / SCALE
    dome = radius + np.sqrt(np.maximum(radius**2 - across**2, 0))
    height = np.where(across < radius, dome, 0).astype(np.float32)
    ball = found((height, (across < radius).astype(np.uint8)), count=40)
    assert len(ball) >= 4
    thetas = np.sort([candidate.grasp.theta for candidate in ball])
    assert np.diff([*thetas, thetas[0] + math.pi]).max() < math.radians(75)
    for candidate in ball:
        x, y, _ = metres(candidate)
        assert math.hypot(x, y) < 0.5 * radius


def test_what_is_too_wide_has_no_candidate() -> None:
    cube = scene(((0.0, 0.0), (0.1, 0.1), 0.1, 0.3))
    assert found(cube) == []
    wide = Gripper(max_opening=0.15)
    assert len(found(cube, gripper=wide)) >= 3
    assert found(scene(((0.0, 0.0), (0.16, 0.05), 0.03, 0.3)), gripper=Gripper(max_opening=0.04)) == []


def side_by_side(*, width: float, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Two long bars: the only way to grasp one is to put a finger between them."""
    side = (width + gap) / 2
    return scene(((0.0, side), (0.18, width), 0.03, 0.0), ((0.0, -side), (0.18, width), 0.03, 0.0))


@pytest.mark.parametrize(("gap", "free"), [(0.005, False), (0.05, True)], ids=["5 mm apart", "5 cm apart"])
def test_fingers_need_room_beside_what_they_grasp(gap: float, free: bool) -> None:
    picture = side_by_side(width=0.045, gap=gap)
    for index in (1, 2):
        bar = found(picture, index=index)
        assert bool(bar) == free
        assert all(candidate.index == index for candidate in bar)


def test_a_candidate_lies_on_the_object_that_was_asked_for() -> None:
    picture = scene(((-0.08, 0.05), (0.03, 0.08), 0.03, 0.2), ((0.07, -0.05), (0.03, 0.08), 0.05, 1.2))
    for index in (1, 2):
        few = found(picture, index=index)
        assert few
        for candidate in few:
            x, y = candidate.grasp.pixel(image_size=(SIDE, SIDE))
            assert picture[1][round(y), round(x)] == index


def test_what_is_flat_on_the_table_has_none() -> None:
    assert found(scene(((0.0, 0.0), (0.1, 0.03), 0.004, 0.0))) == []


def test_what_touches_the_border_is_grasped_only_where_there_is_a_picture() -> None:
    edge = SIDE / 2 / SCALE
    for candidate in found(scene(((-edge, 0.0), (0.03, 0.4), 0.03, 0.0))):
        x, y, opening = metres(candidate)
        assert abs(x) + opening / 2 < edge + 0.01 and abs(y) < edge


def test_the_same_seed_finds_the_same_and_the_count_is_kept() -> None:
    picture = scene(((0.0, 0.0), (0.16, 0.03), 0.03, 0.4))
    assert found(picture, seed=3) == found(picture, seed=3)
    assert found(picture, seed=3) != found(picture, seed=4)
    assert [len(found(picture, count=count)) for count in (1, 3)] == [1, 3]


def test_candidates_are_spread_over_the_object() -> None:
    bar = found(scene(((0.0, 0.0), (0.2, 0.03), 0.03, 0.0)), count=30)
    assert len(bar) >= 6
    for number, one in enumerate(bar):
        for other in bar[:number]:
            (x, y, _), (u, v, _) = metres(one), metres(other)
            turned = angle_difference(one.grasp.theta, other.grasp.theta) > NEAR_ANGLE
            assert turned or math.hypot(x - u, y - v) > NEAR * 0.999
    assert np.ptp([metres(candidate)[0] for candidate in bar]) > 0.1


def test_a_gripper_that_hardly_opens_finds_nothing() -> None:
    bar = scene(((0.0, 0.0), (0.16, 0.03), 0.03, 0.4))
    assert found(bar, gripper=Gripper(max_opening=CLEARANCE + 0.002)) == []


def closed_on(picture: tuple[np.ndarray, np.ndarray], first: np.ndarray, second: np.ndarray) -> list[Candidate]:
    height, objects = picture
    return between(first, second, height=height, mask=objects == 1, scale=SCALE, gripper=GRIPPER, index=1)


@settings(max_examples=10, deadline=None)
@given(angle=st.floats(-1.5, 1.5), seed=st.integers(0, 99))
def test_pairs_of_edge_points_do_not_mind_each_other(angle: float, seed: int) -> None:
    picture = scene(((0.0, 0.0), (0.16, 0.03), 0.03, angle), ((0.12, 0.12), (0.05, 0.05), 0.03, 0.0))
    rng = np.random.default_rng(seed)
    # Pairs around the bar's middle, some across it, some that leave the picture.
    first = rng.integers(0, SIDE, (60, 2)).astype(float)
    way = rng.normal(size=(60, 2))
    first[:40] = np.rint(SIDE / 2 - 15 * way[:40] / np.linalg.norm(way[:40], axis=1, keepdims=True))
    second = np.rint(first + rng.uniform(10, 45, (60, 1)) * way / np.linalg.norm(way, axis=1, keepdims=True))
    alone = [one for row in range(60) for one in closed_on(picture, first[row : row + 1], second[row : row + 1])]
    assert closed_on(picture, first, second) == alone
    assert 1 <= len(alone) < 60


def test_a_grasp_lies_between_its_two_edge_points() -> None:
    picture = scene(((0.0, 0.0), (0.16, 0.03), 0.03, 0.0))
    (one,) = closed_on(picture, np.array([[150.0, 139.0]]), np.array([[150.0, 161.0]]))
    assert one.grasp.pixel(image_size=(SIDE, SIDE)) == pytest.approx((150, 150))
    assert abs(one.grasp.theta) == pytest.approx(math.pi / 2)
    assert one.width == pytest.approx(22 / SCALE)
    assert closed_on(picture, np.array([[150.0, 149.0]]), np.array([[150.0, 159.0]])) == []


@pytest.mark.parametrize(("middle", "fits"), [((20.0, 10.0), True), ((4.0, 10.0), False), ((20.0, 28.0), False)])
def test_a_patch_is_a_turned_rectangle_of_the_picture(middle: tuple[float, float], fits: bool) -> None:
    way = np.array([[0.6, 0.8]])
    (rows, columns), inside = patch(np.array([middle]), way, along=6.0, across=3.0, size=(30, 40))
    assert inside.tolist() == [fits]
    assert rows.min() >= 0 and rows.max() < 30 and columns.min() >= 0 and columns.max() < 40
    if fits:
        away = np.stack([columns[0] - middle[0], rows[0] - middle[1]], axis=1)
        # Pixels are whole, so half a diagonal may be added.
        assert np.abs(away @ way[0]).max() == pytest.approx(6, abs=0.71)
        assert np.abs(away @ (-0.8, 0.6)).max() == pytest.approx(3, abs=0.71)
        # Every pixel along, every second across: 12 x 3.
        assert 33 <= len(set(map(tuple, away.tolist()))) <= 36
