"""Metrics on cases with known answers: two balls, a cube on a plate."""

import math

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from plain_solids import ball, box, solid

from graspwise.hand.mesh import Distance, Solid
from graspwise.hand.metrics import (
    cluster_diversity,
    contact_fingers,
    frechet_distance,
    gap,
    gaussian,
    intersection_volume,
    mean_pairwise_error,
    mean_vertex_error,
    part_agreement,
    penetration_depth,
)

PLATE = Distance(solid(box((-0.1, -0.1, -0.02), (0.1, 0.1, 0))))


def cube(height: float) -> trimesh.Trimesh:
    """40 mm wide, its bottom at that height."""
    return box((-0.02, -0.02, height), (0.02, 0.02, height + 0.04), step=0.01)


def test_mean_vertex_error_is_the_mean_distance() -> None:
    hands = np.random.default_rng(0).normal(size=(3, 10, 3))
    assert mean_vertex_error(hands, hands) == 0
    assert mean_vertex_error(hands, hands + np.array([0.003, 0, -0.004])) == pytest.approx(0.005)
    moved = hands.copy()
    moved[0, 0, 0] += 0.3
    assert mean_vertex_error(hands, moved) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="same shape"):
        mean_vertex_error(hands, hands[:, :5])


@pytest.mark.parametrize(
    ("height", "depth", "free"), [(0.01, 0, 0.01), (0, 0, 0), (-0.004, 0.004, 0), (-0.01, 0.01, 0)]
)
def test_a_cube_on_a_plate(height: float, depth: float, free: float) -> None:
    hand = cube(height)
    assert penetration_depth(hand.vertices, PLATE) == pytest.approx(depth, abs=1e-9)
    assert gap(hand.vertices, PLATE) == pytest.approx(free, abs=1e-9)
    volume = intersection_volume(hand.vertices, hand.faces, PLATE.solid)
    assert volume == pytest.approx(0.04 * 0.04 * depth, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("apart", [0.04, 0.05, 0.06])
def test_two_balls_share_a_lens(apart: float) -> None:
    first, second, radii = ball(0.03), ball(0.04, at=(apart, 0, 0)), (0.03, 0.04)
    overlap = sum(radii) - apart
    lens = math.pi * overlap**2 * (apart**2 + 2 * apart * sum(radii) - 3 * (radii[0] - radii[1]) ** 2) / (12 * apart)
    distance = Distance(solid(second))
    found = intersection_volume(first.vertices, first.faces, distance.solid, cell=0.001)
    assert found == pytest.approx(lens, rel=0.03, abs=1e-9)
    # The corner on the axis is the deepest, and leaves the other ball the way it came.
    assert penetration_depth(first.vertices, distance) == pytest.approx(overlap, rel=0.01)


def test_the_lattice_only_rounds_the_volume() -> None:
    hand, other = ball(0.03), solid(ball(0.03, at=(0.03, 0.004, 0)))
    volumes = [intersection_volume(hand.vertices, hand.faces, other, cell=cell) for cell in (0.0015, 0.002, 0.003)]
    assert volumes[1:] == pytest.approx([volumes[0]] * 2, rel=0.1)


def test_balls_apart_share_nothing() -> None:
    first, second = ball(0.03, fine=2), solid(ball(0.03, at=(0.07, 0, 0), fine=2))
    assert intersection_volume(first.vertices, first.faces, second) == 0
    assert gap(first.vertices, Distance(second)) == pytest.approx(0.01, abs=2e-4)


def tool() -> Solid:
    """A handle from x = 0 to 100 mm and a head from there to 140 mm, one body beside the other."""
    mesh = trimesh.util.concatenate(
        [box((0, -0.01, -0.01), (0.1, 0.01, 0.01)), box((0.1, -0.02, -0.02), (0.14, 0.02, 0.02))]
    )
    return solid(mesh, parts=("handle", "head"), face_parts=np.repeat([0, 1], 12))


def test_fingers_touch_what_is_nearest_within_three_millimetres() -> None:
    hand = np.array(
        [[0.05, 0, 0.0129], [0.05, 0, 0.0131], [0.12, 0, 0.022], [0.12, 0, 0.0215], [0.095, 0, 0.012], [0.12, 0, 0.018]]
    )
    regions = {
        "thumb": np.array([0]), "index": np.array([1]), "middle": np.array([2, 3, 4]), "ring": np.array([5]),
        "pinky": np.zeros(0, int),
    }  # fmt: skip
    distance = Distance(tool())
    assert contact_fingers(hand, distance, regions=regions) == {
        "thumb": ("handle",), "middle": ("head", "handle"), "ring": ("head",),
    }  # fmt: skip
    assert "index" in contact_fingers(hand, distance, regions=regions, within=0.004)
    nameless = Distance(solid(box((0, -0.01, -0.01), (0.1, 0.01, 0.01))))
    assert contact_fingers(hand, nameless, regions={"thumb": np.array([0])}) == {"thumb": ()}


@pytest.mark.parametrize(
    ("asked", "free", "share"),
    [
        ([("thumb", "handle")], (), 1.0),
        ([("thumb", "head")], (), 0.0),
        ([("thumb", "handle"), ("index", "handle")], (), 0.5),
        ([(None, "head")], (), 1.0),
        ([(None, "cap")], (), 0.0),
        ([("pinky", "handle")], (), 0.0),
        ([("thumb", "handle")], ("head",), 0.5),
        ([], ("cap",), 1.0),
    ],
)
def test_agreement_is_the_share_that_holds(
    asked: list[tuple[str | None, str]], free: tuple[str, ...], share: float
) -> None:
    touched = {"thumb": ("handle",), "index": ("head",)}
    assert part_agreement(touched, asked=asked, free=free) == share


def test_nothing_asked_has_no_agreement() -> None:
    with pytest.raises(ValueError, match="nothing asked"):
        part_agreement({}, asked=[])


def test_diversity_of_equal_hands_is_nothing() -> None:
    hand = np.random.default_rng(0).normal(size=(8, 3))
    assert mean_pairwise_error(np.stack([hand] * 4)) == 0
    # Three hands in a row, 10 mm apart: pairs of 10, 10 and 20 mm.
    assert mean_pairwise_error(hand + np.arange(3)[:, None, None] * (0.01, 0, 0)) == pytest.approx(0.04 / 3)
    with pytest.raises(ValueError, match="two hands"):
        mean_pairwise_error(hand[None])


def test_even_clusters_have_the_most_entropy() -> None:
    corners = 100 * np.random.default_rng(0).normal(size=(5, 4))
    even = np.repeat(corners, 8, axis=0)
    entropy, spread = cluster_diversity(even, clusters=5)
    assert entropy == pytest.approx(math.log(5)) and spread == pytest.approx(0, abs=1e-9)
    uneven = np.concatenate([np.repeat(corners[:1], 100, axis=0), even])
    assert cluster_diversity(uneven, clusters=5)[0] < entropy
    with pytest.raises(ValueError, match="clusters need"):
        cluster_diversity(corners, clusters=6)


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_frechet_distance_is_a_distance(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (gaussian(rng.normal(size=(50, size)) * rng.uniform(0.1, 3, size)) for _ in range(2))
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first), rel=1e-6, abs=1e-9)
    assert frechet_distance(first, second) > 0
    shift = rng.normal(size=size)
    assert frechet_distance(first, (first[0] + shift, first[1])) == pytest.approx(shift @ shift, rel=1e-6, abs=1e-6)


def test_frechet_distance_of_diagonal_gaussians_is_known() -> None:
    first, second = (np.zeros(2), np.diag([4.0, 1.0])), (np.array([1.0, 2.0]), np.diag([1.0, 9.0]))
    assert frechet_distance(first, second) == pytest.approx(1 + 4 + 1 + 4)
    # A covariance without full rank, as few grasps give.
    flat = (np.zeros(3), np.zeros((3, 3)))
    assert frechet_distance(flat, (np.ones(3), np.eye(3))) == pytest.approx(6)


def test_a_gaussian_needs_two_rows() -> None:
    with pytest.raises(ValueError, match="two rows"):
        gaussian(np.zeros((1, 3)))
