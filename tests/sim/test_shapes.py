"""Pieces: as large as they say, the same however they are moved, hollow where they are hollow."""

import math
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from graspwise.sim.shapes import (
    Paint,
    Piece,
    SimObject,
    box,
    cylinder,
    ellipsoid,
    hull,
    moved,
    part,
    prism,
    ring,
    rod,
    tube,
    turned,
    vessel,
)

PAINT = Paint((0.5, 0.4, 0.3))
lengths = st.floats(0.005, 0.2)
places = st.tuples(*[st.floats(-0.3, 0.3)] * 3)
angles = st.tuples(*[st.floats(-math.pi, math.pi)] * 3)
sizes = st.tuples(lengths, lengths, lengths)
pieces = st.one_of(
    sizes.map(lambda size: box(size, PAINT)),
    st.tuples(lengths, lengths).map(lambda size: cylinder(*size, PAINT)),
    sizes.map(lambda size: ellipsoid(size, PAINT)),
    st.tuples(places, places, lengths).map(lambda ends: rod(*ends, PAINT)),
    sizes.map(lambda s: hull([(0, 0, 0), (s[0], 0, 0), (0, s[1], 0), (0, 0, s[2])], PAINT)),
)


def volume(piece: Piece) -> float:
    return float(ConvexHull(piece.cloud()).volume)


def holds(piece: Piece, point: tuple[float, float, float]) -> bool:
    """Whether a point lies in the piece."""
    planes = ConvexHull(piece.cloud()).equations
    return bool((planes[:, :3] @ np.array(point) + planes[:, 3] < 1e-9).all())


def solid(piece_list: list[Piece], *point: float) -> bool:
    return any(holds(piece, point) for piece in piece_list)


@settings(max_examples=60, deadline=None)
@given(piece=pieces, by=places, turn=angles)
def test_a_moved_piece_keeps_its_distances(piece: Piece, by: tuple, turn: tuple) -> None:
    there = piece.moved(by=by, turn=turn)
    np.testing.assert_allclose(pdist(there.cloud()), pdist(piece.cloud()), atol=1e-9)
    assert (there.kind, there.size, there.paint) == (piece.kind, piece.size, piece.paint)


@settings(max_examples=40, deadline=None)
@given(piece=pieces, by=places, turn=angles)
def test_a_piece_is_turned_about_x_then_y_then_z_and_then_shifted(piece: Piece, by: tuple, turn: tuple) -> None:
    points = piece.cloud()
    for axis, angle in zip("xyz", turn, strict=True):
        points = Rotation.from_euler(axis, angle).apply(points)
    np.testing.assert_allclose(piece.moved(by=by, turn=turn).cloud(), points + by, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(first=pieces, second=pieces, by=places, turn=angles)
def test_pieces_move_together(first: Piece, second: Piece, by: tuple, turn: tuple) -> None:
    both = np.concatenate([first.cloud(), second.cloud()])
    there = np.concatenate([piece.cloud() for piece in moved([first, second], by=by, turn=turn)])
    np.testing.assert_allclose(pdist(there), pdist(both), atol=1e-9)


@given(size=sizes, at=places)
def test_a_box_has_its_full_lengths_around_its_place(size: tuple, at: tuple) -> None:
    cloud = box(size, PAINT, at=at).cloud()
    np.testing.assert_allclose(np.ptp(cloud, axis=0), size)
    np.testing.assert_allclose(cloud.mean(axis=0), at, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(radius=lengths, length=lengths, radii=sizes)
def test_round_pieces_fill_what_they_should(radius: float, length: float, radii: tuple) -> None:
    # A cloud is a polygon in the circle, so a little smaller and never larger.
    assert 0.97 < volume(cylinder(radius, length, PAINT)) / (math.pi * radius**2 * length) < 1
    assert 0.8 < volume(ellipsoid(radii, PAINT)) / (4 / 3 * math.pi * math.prod(radii)) < 1
    capsule = rod((0, 0, 0), (0, 0, length), radius, PAINT)
    assert 0.8 < volume(capsule) / (math.pi * radius**2 * (length + 4 / 3 * radius)) < 1


@settings(max_examples=40, deadline=None)
@given(start=places, end=places, radius=lengths)
def test_a_rod_reaches_from_end_to_end_and_no_farther_than_its_radius(start: tuple, end: tuple, radius: float) -> None:
    cloud, a, b = rod(start, end, radius, PAINT).cloud(), np.array(start), np.array(end)
    share = np.clip((cloud - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-12), 0, 1)
    away = np.linalg.norm(cloud - a - share[:, None] * (b - a), axis=1)
    assert away.max() <= radius + 1e-9
    for tip in (a, b):
        assert np.linalg.norm(cloud - tip, axis=1).min() <= radius + 1e-9


def test_a_tube_is_one_rod_a_stretch_and_has_no_gap() -> None:
    path = [(0.0, 0.0, 0.0), (0.05, 0.0, 0.0), (0.05, 0.04, 0.0), (0.05, 0.04, 0.03)]
    bent = tube(path, 0.004, PAINT)
    assert len(bent) == 3
    for a, b in pairwise(path):
        for share in np.linspace(0, 1, 21):
            assert solid(bent, *(np.array(a) + share * (np.array(b) - np.array(a))).tolist())


def footprint(piece: Piece) -> shapely.Geometry:
    return shapely.MultiPoint(piece.cloud()[:, :2]).convex_hull


@settings(max_examples=40, deadline=None)
@given(
    radii=st.lists(st.floats(0.02, 0.1), min_size=5, max_size=14), thickness=st.floats(0.001, 0.05), z=st.floats(-1, 1)
)
def test_a_prism_covers_its_outline_exactly_once(radii: list[float], thickness: float, z: float) -> None:
    around = np.linspace(0, 2 * math.pi, len(radii), endpoint=False)
    outline = [(r * math.cos(t), r * math.sin(t)) for r, t in zip(radii, around, strict=True)]
    plate, polygon = prism(outline, thickness, PAINT, z=z), shapely.Polygon(outline)
    feet = [footprint(piece) for piece in plate]
    assert sum(foot.area for foot in feet) == pytest.approx(polygon.area, rel=1e-6)
    assert shapely.union_all(feet).symmetric_difference(polygon).area == pytest.approx(0, abs=1e-9)
    for piece in plate:
        assert (piece.cloud()[:, 2].min(), piece.cloud()[:, 2].max()) == pytest.approx(
            (z - thickness / 2, z + thickness / 2)
        )


def test_a_prism_of_an_l_leaves_its_notch_free_and_a_convex_one_is_one_piece() -> None:
    ell = prism([(0, 0), (0.1, 0), (0.1, 0.02), (0.02, 0.02), (0.02, 0.1), (0, 0.1)], 0.01, PAINT)
    assert solid(ell, 0.09, 0.01, 0) and solid(ell, 0.01, 0.09, 0)
    assert not solid(ell, 0.03, 0.03, 0)
    assert len(prism([(0, 0), (0.1, 0), (0.1, 0.02), (0, 0.02)], 0.01, PAINT)) == 1


@pytest.mark.parametrize("outline", [[(0, 0), (1, 1), (1, 0), (0, 1)], [(0, 0), (1, 0), (2, 0)]], ids=["bow", "line"])
def test_a_prism_of_no_polygon_is_refused(outline: list) -> None:
    with pytest.raises(ValueError, match="must be a simple polygon"):
        prism(outline, 0.01, PAINT)


@settings(max_examples=30, deadline=None)
@given(radii=st.lists(st.floats(0.005, 0.05), min_size=2, max_size=6), step=st.floats(0.005, 0.05))
def test_a_turned_solid_is_a_stack_of_cone_slices(radii: list[float], step: float) -> None:
    slices = turned([(r, number * step) for number, r in enumerate(radii)], PAINT)
    assert len(slices) == len(radii) - 1
    for number, (a, b) in enumerate(pairwise(radii)):
        cone = math.pi * step / 3 * (a * a + a * b + b * b)
        # 28 flat sides.
        assert volume(slices[number]) == pytest.approx(cone * math.sin(math.tau / 28) / (math.tau / 28), rel=1e-6)
        assert slices[number].cloud()[:, 2].min() == pytest.approx(number * step)


def test_a_turned_solid_may_end_in_a_point_and_skips_flat_steps() -> None:
    slices = turned([(0.0, 0.0), (0.03, 0.0), (0.03, 0.02), (0.0, 0.06)], PAINT)
    assert len(slices) == 2
    assert volume(slices[1]) == pytest.approx(math.pi / 3 * 0.03**2 * 0.04, rel=0.02)


def test_a_vessel_is_hollow_and_open() -> None:
    cup = vessel([(0.03, 0.0), (0.04, 0.05), (0.04, 0.1)], PAINT, wall=0.004, base=0.006)
    for z in np.linspace(0.007, 0.2, 30):
        assert not solid(cup, 0, 0, z)
        assert not solid(cup, 0.024, 0.005, z)
    assert solid(cup, 0, 0, 0.003) and solid(cup, 0.02, 0.01, 0.003)
    for angle in np.linspace(0.05, 6.2, 17):
        assert solid(cup, 0.038 * math.cos(angle), 0.038 * math.sin(angle), 0.08)
        assert not solid(cup, 0.0345 * math.cos(angle), 0.0345 * math.sin(angle), 0.08)
        assert not solid(cup, 0.0405 * math.cos(angle), 0.0405 * math.sin(angle), 0.08)


def test_the_inside_of_a_vessel_has_its_own_paint() -> None:
    coffee = Paint((0.2, 0.1, 0.05))
    cup = vessel([(0.03, 0.0), (0.03, 0.1)], PAINT, wall=0.004, base=0.06, inside=coffee)
    assert {piece.paint for piece in cup if holds(piece, (0, 0, 0.059))} == {coffee}
    assert {piece.paint for piece in cup if holds(piece, (0.028, 0.0001, 0.08))} == {PAINT}


def test_a_ring_has_a_hole_and_the_volume_of_one() -> None:
    band = ring(0.05, 0.01, 0.02, PAINT, at=(0.1, 0, 0), turn=(math.pi / 2, 0, 0))
    assert not solid(band, 0.1, 0, 0)
    assert solid(band, 0.145, 0, 0.001) and solid(band, 0.1, 0.009, 0.0445)
    # Twenty flat sides.
    flat = 10 * math.sin(math.tau / 20)
    assert sum(map(volume, band)) == pytest.approx(flat * (0.05**2 - 0.04**2) * 0.02, rel=1e-6)


def test_a_part_takes_pieces_and_lists_of_them_and_an_object_is_all_its_parts() -> None:
    one, bent = box((0.1, 0.1, 0.1), PAINT), tube([(0, 0, 0), (0.1, 0, 0), (0.1, 0.1, 0)], 0.01, PAINT)
    blade = part("blade", one, bent, (piece for piece in bent), avoid=True)
    assert blade.pieces == (one, *bent, *bent)
    assert blade.avoid and not part("handle", one).avoid
    thing = SimObject("x", "x", "x", (blade, part("handle", box((0.1, 0.1, 0.1), PAINT, at=(0, 0, 1)))), 0.1)
    assert len(thing.cloud()) == sum(len(piece.cloud()) for p in thing.parts for piece in p.pieces)
    assert thing.cloud()[:, 2].max() == pytest.approx(1.05)
