"""Solids as convex bodies: what is convex stays one, what is hollow stays hollow, nothing is lost."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from graspwise.sim.convex import MOST_HULLS, MOST_POINTS, convex_hulls, hull_volume


def box(low: tuple[float, float, float], high: tuple[float, float, float], *, step: float = 0.004) -> np.ndarray:
    """Points (n, 3) of a box, its surface and its inside, a step apart."""
    axes = [np.linspace(a, b, max(round((b - a) / step), 1) + 1) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def wall(points: np.ndarray) -> np.ndarray:
    """Those of a box's points that lie on its surface."""
    return points[((points == points.min(axis=0)) | (points == points.max(axis=0))).any(axis=1)]


def pipe(*, within: bool = False) -> np.ndarray:
    """Points (n, 3) at random on both faces of an upright pipe's wall, 6 mm thick and 50 mm high, or within it."""
    rng = np.random.default_rng(3)
    around = rng.uniform(0, 2 * np.pi, 3000)
    radius = rng.uniform(0.03, 0.036, 3000) if within else rng.choice([0.03, 0.036], 3000)
    z = rng.uniform(-0.005, 0.055, 3000).clip(0, 0.05)
    return np.column_stack([radius * np.cos(around), radius * np.sin(around), z])


def inside_any(points: np.ndarray, hulls: list[np.ndarray]) -> np.ndarray:
    """Which points lie in one of the hulls, (n,) bool; a micrometre outside counts as inside."""
    planes = [ConvexHull(corners).equations for corners in hulls]
    return np.any([(points @ p[:, :3].T + p[:, 3] < 1e-6).all(axis=1) for p in planes], axis=0)


def test_a_box_stays_one_body_with_its_corners() -> None:
    points = box((0, 0, 0), (0.1, 0.06, 0.04))
    (body,) = convex_hulls(wall(points), points)
    assert hull_volume(body) == pytest.approx(0.1 * 0.06 * 0.04)


def test_an_angle_loses_neither_its_notch_nor_its_material() -> None:
    arms = [box((0, 0, 0), (0.1, 0.02, 0.04)), box((0, 0, 0), (0.02, 0.1, 0.04))]
    surface = np.concatenate([wall(arms[0]), wall(arms[1])])
    bodies = convex_hulls(surface, np.concatenate(arms))
    assert 2 <= len(bodies) <= MOST_HULLS
    assert inside_any(np.concatenate(arms), bodies).mean() > 0.99
    assert not inside_any(np.array([[0.05, 0.05, 0.02], [0.09, 0.09, 0.02], [0.03, 0.03, 0.02]]), bodies).any()


def test_a_pipe_stays_open() -> None:
    bodies = convex_hulls(pipe(), pipe(within=True))
    rng = np.random.default_rng(0)
    bore = np.column_stack([rng.uniform(-0.018, 0.018, (300, 2)), rng.uniform(0, 0.05, 300)])
    assert not inside_any(bore, bodies).any()
    # Flat sides fill a little of the bore and cut a little off the outside.
    assert sum(map(hull_volume, bodies)) == pytest.approx(np.pi * (0.036**2 - 0.03**2) * 0.05, rel=0.15)


@pytest.mark.parametrize("most", [1, 3, MOST_HULLS])
def test_no_more_bodies_and_corners_than_allowed(most: int) -> None:
    bodies = convex_hulls(pipe(), pipe(within=True), most=most)
    assert len(bodies) <= most
    assert all(4 <= len(body) <= MOST_POINTS for body in bodies)


def test_a_ball_keeps_its_size_with_few_corners() -> None:
    ways = np.random.default_rng(1).normal(size=(500, 3))
    ball = 0.05 * ways / np.linalg.norm(ways, axis=1, keepdims=True)
    (body,) = convex_hulls(ball, 0.5 * ball)
    np.testing.assert_allclose(np.ptp(body, axis=0), np.ptp(ball, axis=0))
    assert hull_volume(body) > 0.8 * 4 / 3 * np.pi * 0.05**3
    assert inside_any(body, [ball]).all()


def test_the_same_points_give_the_same_bodies() -> None:
    first, second = (convex_hulls(pipe()[::3], pipe(within=True)[::3], most=5) for _ in range(2))
    assert len(first) == 5
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_flat_sheet_is_no_solid() -> None:
    sheet = box((0, 0, 0), (0.1, 0.1, 0.01)) * (1, 1, 0)
    with pytest.raises(ValueError, match="in one plane"):
        convex_hulls(sheet, np.zeros((0, 3)))
