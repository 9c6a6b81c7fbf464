"""Synthetic pictures on an uneven table; every expected pose is written down by hand, not taken from the code."""

import math

import cv2
import numpy as np
import pytest

from graspwise.errors import InputError
from graspwise.grasp import Grasp, angle_difference
from graspwise.metric import is_hit
from graspwise.model.baselines import BASELINES, TYPICAL_OPENING, baseline
from graspwise.rectangle import GraspRectangle

SIDE = 352
TABLE = (205, 198, 190)


def empty_table(side: int = SIDE, *, slope: float = 40.0) -> np.ndarray:
    """A table that is `slope` grey levels darker at its right lower corner, with a camera's noise."""
    y, x = np.mgrid[0:side, 0:side] / side
    light = -slope * (x + y) / 2
    noise = np.random.default_rng(3).normal(0, 1.5, (side, side, 3))
    levels = np.clip(np.array(TABLE) + light[:, :, None] + noise, 0, 255)
    return np.asarray(levels, dtype=np.uint8)


def bar(picture: np.ndarray, corners: list[tuple[float, float]], colour: tuple[int, int, int]) -> np.ndarray:
    """`picture` with a filled polygon, corners in pixels."""
    points = np.rint(np.array(corners) * 16).astype(np.int32)
    drawn = cv2.fillPoly(picture.copy(), [points], colour, lineType=cv2.LINE_AA, shift=4)
    return np.asarray(drawn)


def rising_bar(*, degrees: float, centre: tuple[float, float], length: float = 120, width: float = 24) -> np.ndarray:
    """A dark bar whose right end points `degrees` above the horizontal as seen."""
    angle = math.radians(degrees)
    # As seen: right is +x, up is -y.
    along = np.array([math.cos(angle), -math.sin(angle)]) * length / 2
    aside = np.array([-math.sin(angle), -math.cos(angle)]) * width / 2
    middle = np.array(centre)
    corners = [middle + along + aside, middle + along - aside, middle - along - aside, middle - along + aside]
    return bar(empty_table(), [(float(x), float(y)) for x, y in corners], (40, 45, 60))


@pytest.mark.parametrize("degrees", [0, 20, 35, 45, 60, 80, 90, 110, 135, 155])
def test_blob_opens_across_a_bar_whatever_its_angle(degrees: float) -> None:
    centre = (150.0, 210.0)
    grasp = baseline("blob")(rising_bar(degrees=degrees, centre=centre))
    # Square to the bar: a bar that rises to the right at 35 degrees is taken with jaws opening at 125, that is -55.
    assert angle_difference(grasp.theta, math.radians(degrees + 90)) < math.radians(2)
    assert grasp.pixel(image_size=(SIDE, SIDE)) == pytest.approx(centre, abs=1.5)
    assert grasp.opening is not None
    assert 24 < grasp.opening * SIDE < 42


def test_blob_has_the_sign_of_the_angle_right() -> None:
    """A slash, its right end high as seen: jaws open along a backslash, its right end low, so theta is negative."""
    picture = bar(empty_table(), [(60, 280), (84, 300), (290, 80), (266, 60)], (30, 30, 30))
    assert baseline("blob")(picture).theta == pytest.approx(-math.radians(43.2), abs=0.05)
    assert baseline("blob")(picture[:, ::-1].copy()).theta == pytest.approx(math.radians(43.2), abs=0.05)
    assert baseline("blob")(picture[::-1].copy()).theta == pytest.approx(math.radians(43.2), abs=0.05)


def test_blob_hits_a_label_across_the_bar() -> None:
    label = GraspRectangle.from_pose(center=(150, 210), theta=math.radians(-55), opening=36, jaw=24)
    grasp = baseline("blob")(rising_bar(degrees=35, centre=(150, 210)))
    assert is_hit(grasp, labels=[label], image_size=(SIDE, SIDE), width="own")
    assert not is_hit(
        Grasp(x=grasp.x, y=grasp.y, theta=-grasp.theta), labels=[label], image_size=(SIDE, SIDE), width="label"
    )


@pytest.mark.parametrize("colour", [(250, 250, 250), (10, 10, 10), (215, 160, 160), (150, 190, 150)])
def test_blob_finds_light_dark_and_pale_things_on_an_uneven_table(colour: tuple[int, int, int]) -> None:
    picture = bar(empty_table(), [(200, 90), (300, 90), (300, 120), (200, 120)], colour)
    grasp = baseline("blob")(picture)
    assert grasp.pixel(image_size=(SIDE, SIDE)) == pytest.approx((250, 105), abs=3)
    assert abs(grasp.theta) > math.radians(85)


def test_blob_leaves_the_table_edge_alone() -> None:
    """What hugs the frame is larger and darker than the thing itself."""
    picture = bar(empty_table(), [(0, 0), (351, 0), (351, 30), (0, 14)], (20, 15, 10))
    picture = bar(picture, [(150, 200), (170, 200), (170, 280), (150, 280)], (150, 170, 180))
    grasp = baseline("blob")(picture)
    assert grasp.pixel(image_size=(SIDE, SIDE)) == pytest.approx((160, 240), abs=4)
    assert abs(grasp.theta) < math.radians(5)


def test_blob_takes_a_close_up_that_leaves_the_frame() -> None:
    picture = bar(empty_table(), [(130, 120), (351, 120), (351, 220), (130, 220)], (30, 60, 120))
    grasp = baseline("blob")(picture)
    assert grasp.pixel(image_size=(SIDE, SIDE)) == pytest.approx((240, 170), abs=5)
    assert abs(grasp.theta) > math.radians(80)


@pytest.mark.parametrize("side", [16, 64, 352, 1000])
def test_blob_works_at_any_size(side: int) -> None:
    scale = side / SIDE
    small = cv2.resize(rising_bar(degrees=35, centre=(176, 176), width=40), (side, side), interpolation=cv2.INTER_AREA)
    grasp = baseline("blob")(np.asarray(small))
    assert grasp.pixel(image_size=(side, side)) == pytest.approx((176 * scale, 176 * scale), abs=max(4 * scale, 1))
    assert angle_difference(grasp.theta, math.radians(125)) < math.radians(10)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((SIDE, SIDE, 3), np.uint8),
        np.full((SIDE, SIDE, 3), 255, np.uint8),
        empty_table(),
        empty_table(slope=90),
    ],
    ids=["black", "white", "noise", "steep light"],
)
def test_blob_answers_the_centre_where_nothing_stands_out(picture: np.ndarray) -> None:
    assert baseline("blob")(picture) == baseline("centre")(picture)


def test_centre_is_the_centre() -> None:
    grasp = baseline("centre")(empty_table())
    assert (grasp.x, grasp.y, grasp.theta, grasp.opening) == (0.5, 0.5, 0.0, TYPICAL_OPENING)


def test_random_depends_on_the_content_alone() -> None:
    picture = empty_table()
    first = baseline("random")(picture)
    np.random.seed(7)
    assert baseline("random")(picture.copy()) == first
    # Not on how the same pixels lie in memory.
    assert baseline("random")(np.asfortranarray(picture)) == first
    changed = picture.copy()
    changed[0, 0, 0] ^= 1
    assert baseline("random")(changed) != first


def test_random_covers_all_places_and_angles() -> None:
    random = np.random.default_rng(0)
    grasps = [baseline("random")(random.integers(0, 255, (16, 16, 3), dtype=np.uint8)) for _ in range(400)]
    thetas = [g.theta / math.pi + 0.5 for g in grasps]
    for values in ([g.x for g in grasps], [g.y for g in grasps], thetas):
        assert np.histogram(values, bins=4, range=(0, 1))[0].min() > 60


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_leaves_its_input_alone_and_opens(name: str) -> None:
    picture = rising_bar(degrees=35, centre=(150, 210))
    kept = picture.copy()
    grasp = baseline(name)(picture)
    assert (picture == kept).all()
    assert grasp.opening is not None
    assert type(grasp.x) is type(grasp.y) is type(grasp.theta) is type(grasp.opening) is float


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize(
    "picture", [np.zeros((9, 8, 3), np.uint8), np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32)]
)
def test_every_baseline_refuses_what_is_no_square_picture(name: str, picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="square picture"):
        baseline(name)(picture)


def test_an_unknown_baseline_lists_the_valid_ones() -> None:
    with pytest.raises(InputError, match="'best'; valid: random, centre, blob"):
        baseline("best")
