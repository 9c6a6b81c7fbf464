"""What simulated objects are made of: convex pieces with a paint, gathered into parts, gathered into an object.

All lengths are metres, angles radians, masses kilograms. An object's own frame has z up as it stands on a table in its
first pose; where its origin lies does not matter. Every piece is convex, so that what collides is what is seen.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

Vector = tuple[float, float, float]
Colour = tuple[float, float, float]
Kind = Literal["box", "cylinder", "capsule", "ellipsoid", "hull"]
Pattern = Literal["plain", "speckle", "wood", "stripes", "checker", "dots", "brushed", "label", "weave"]
PATTERNS: tuple[Pattern, ...] = (
    "plain", "speckle", "wood", "stripes", "checker", "dots", "brushed", "label", "weave",
)  # fmt: skip


@dataclass(frozen=True)
class Paint:
    """Surface of a piece.

    Attributes:
        colour: Red, green, blue, 0 to 1.
        pattern: How `second` is laid over `colour`.
        second: The pattern's other colour.
        shine: 0 is matt, 1 is polished.
        opacity: 1 is solid; below that a camera sees through it, and its depth is still the surface's.
    """

    colour: Colour
    pattern: Pattern = "plain"
    second: Colour = (1.0, 1.0, 1.0)
    shine: float = 0.2
    opacity: float = 1.0


@dataclass(frozen=True)
class Piece:
    """One convex body in its object's frame.

    Attributes:
        kind: What `size` means: box half extents; cylinder and capsule radius and half length along its own z;
            ellipsoid radii; a hull has none.
        size: See `kind`.
        position: Of its own frame.
        turn: Its orientation, a quaternion x, y, z, w.
        points: Of a hull: array (n, 3) in its own frame.
        paint: Its surface.
    """

    kind: Kind
    size: tuple[float, ...]
    paint: Paint
    position: Vector = (0.0, 0.0, 0.0)
    turn: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    points: tuple[Vector, ...] = ()

    def moved(self, *, by: Vector = (0.0, 0.0, 0.0), turn: Vector = (0.0, 0.0, 0.0)) -> "Piece":
        """The piece turned about the object's x, then y, then z axis (radians), then shifted."""
        rotation = Rotation.from_euler("xyz", turn)
        position = rotation.apply(self.position) + np.array(by)
        orientation = rotation * Rotation.from_quat(self.turn)
        return replace(self, position=_vector(position), turn=tuple(orientation.as_quat().tolist()))

    def cloud(self) -> np.ndarray:
        """Points (n, 3) in the object's frame whose convex hull encloses the piece closely."""
        if self.kind == "hull":
            own = np.array(self.points)
        elif self.kind == "box":
            own = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * self.size
        elif self.kind == "ellipsoid":
            own = _sphere() * self.size
        else:
            radius, half = self.size
            angles = np.linspace(0, 2 * math.pi, 24, endpoint=False)
            ring = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.zeros(24)], axis=1)
            round_end = _sphere() * radius if self.kind == "capsule" else ring
            own = np.concatenate([round_end + np.array([0, 0, z]) for z in (half, -half)])
        return Rotation.from_quat(self.turn).apply(own) + np.array(self.position)


@dataclass(frozen=True, eq=False)
class Look:
    """A surface that is seen where a part's pieces only collide: a scan.

    Attributes:
        vertices: Array (n, 3) in the object's frame.
        faces: Array (m, 3) of vertex numbers, counter-clockwise from outside.
        uv: Array (n, 2), where in the picture each vertex lies: 0, 0 is its bottom left corner, 1, 1 its top right.
        picture: Array (height, width, 3) uint8.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    picture: np.ndarray


@dataclass(frozen=True)
class Part:
    """A named part.

    Attributes:
        name: As people call it: handle, rim, blade, cap.
        pieces: Its convex pieces.
        avoid: A gripper should not hold it: a blade is sharp, a lens smears.
        look: Seen in place of the pieces, which then are invisible.
    """

    name: str
    pieces: tuple[Piece, ...]
    avoid: bool = False
    look: Look | None = None


@dataclass(frozen=True)
class SimObject:
    """A rigid thing on the table.

    Attributes:
        name: Unique in its set.
        category: What it is, as a person would say: mug, screwdriver.
        description: A few words with its colour: red mug.
        parts: At least one.
        mass: Kilograms, the whole object's.
        friction: Sliding friction coefficient against rubber pads.
        poses: Ways it can lie on a table: turns about x, then y, then z in radians; the first is as its frame stands.
        material: What it is mostly made of: ceramic, steel, wood.
        use: What people do with it, a verb phrase: drink coffee from.
    """

    name: str
    category: str
    description: str
    parts: tuple[Part, ...]
    mass: float
    friction: float = 0.7
    poses: tuple[Vector, ...] = ((0.0, 0.0, 0.0),)
    material: str = "plastic"
    use: str = ""

    def cloud(self) -> np.ndarray:
        """Points (n, 3) around all its pieces, in its frame."""
        return np.concatenate([piece.cloud() for part in self.parts for piece in part.pieces])


# ---- pieces, each centred at its own middle unless it says otherwise; move them with `at` and `turn`


def box(size: Vector, paint: Paint, *, at: Vector = (0, 0, 0), turn: Vector = (0, 0, 0)) -> Piece:
    """A box of full lengths `size` along x, y, z."""
    return Piece("box", tuple(s / 2 for s in size), paint).moved(by=at, turn=turn)


def cylinder(radius: float, length: float, paint: Paint, *, at: Vector = (0, 0, 0), turn: Vector = (0, 0, 0)) -> Piece:
    """A cylinder along z."""
    return Piece("cylinder", (radius, length / 2), paint).moved(by=at, turn=turn)


def ellipsoid(radii: Vector, paint: Paint, *, at: Vector = (0, 0, 0), turn: Vector = (0, 0, 0)) -> Piece:
    """An ellipsoid; equal radii make a ball."""
    return Piece("ellipsoid", radii, paint).moved(by=at, turn=turn)


def rod(start: Vector, end: Vector, radius: float, paint: Paint) -> Piece:
    """A rod with round ends from one point to another."""
    a, b = np.array(start, dtype=float), np.array(end, dtype=float)
    length = float(np.linalg.norm(b - a))
    if length < 1e-9:
        return Piece("ellipsoid", (radius,) * 3, paint, position=_vector(a))
    rotation = Rotation.align_vectors([(b - a) / length], [(0.0, 0.0, 1.0)])[0]
    return Piece("capsule", (radius, length / 2), paint, _vector((a + b) / 2), tuple(rotation.as_quat().tolist()))


def tube(path: Iterable[Vector], radius: float, paint: Paint) -> list[Piece]:
    """A bent rod through points, e.g. a handle."""
    points = list(path)
    return [rod(a, b, radius, paint) for a, b in pairwise(points)]


def hull(points: Iterable[Sequence[float]], paint: Paint) -> Piece:
    """The convex hull of points, which must not lie in one plane."""
    return Piece("hull", (), paint, points=tuple(_vector(p) for p in points))


def prism(outline: Sequence[tuple[float, float]], thickness: float, paint: Paint, *, z: float = 0.0) -> list[Piece]:
    """A plate with that outline in x, y, convex or not, its middle at height z.

    Raises:
        ValueError: the outline crosses itself or has no area.
    """
    import shapely

    polygon = shapely.Polygon(outline)
    if not polygon.is_valid or polygon.area == 0:
        raise ValueError(f"a prism's outline must be a simple polygon; found {list(outline)}")
    flat = [polygon] if polygon.equals(polygon.convex_hull) else shapely.constrained_delaunay_triangles(polygon).geoms
    return [
        hull(
            [(x, y, z + side * thickness / 2) for side in (-1, 1) for x, y in part.exterior.coords[:-1]],
            paint,
        )
        for part in flat
    ]


def turned(profile: Sequence[tuple[float, float]], paint: Paint, *, segments: int = 28) -> list[Piece]:
    """A solid of revolution about z from (radius, height) pairs, bottom to top, e.g. a bottle; a slice a pair."""
    slices = []
    for (r0, z0), (r1, z1) in pairwise(profile):
        if z1 - z0 > 1e-6:
            slices.append(hull([*_ring(r0, z0, segments), *_ring(r1, z1, segments)], paint))
    return slices


def vessel(
    profile: Sequence[tuple[float, float]],
    paint: Paint,
    *,
    wall: float,
    base: float,
    inside: Paint | None = None,
    segments: int = 20,
) -> list[Piece]:
    """A hollow, open-topped solid of revolution about z from its outer (radius, height) pairs, bottom to top.

    Args:
        profile: Outside of the wall; the first row is the bottom.
        paint: Of the wall.
        wall: Thickness of the wall.
        base: Thickness of the bottom, on which it stands.
        inside: Paint of the bottom, e.g. of what is in it.
        segments: Flat sides around.
    """
    pieces = []
    angles = np.linspace(0, 2 * math.pi, segments + 1)
    # The bottom alone stands on the table: twenty wall pieces there would be eighty contacts.
    raised = [(profile[0][0], profile[0][1] + min(0.0003, base / 2)), *profile[1:]]
    for (r0, z0), (r1, z1) in pairwise(raised):
        for a, b in pairwise(angles):
            corners = [
                (r * math.cos(t), r * math.sin(t), z)
                for t in (a, b)
                for r, z in ((r0, z0), (r1, z1), (max(r0 - wall, 1e-4), z0), (max(r1 - wall, 1e-4), z1))
            ]
            pieces.append(hull(corners, paint))
    r0, z0 = profile[0]
    pieces.append(hull([*_ring(r0 * 0.98, z0, segments), *_ring(r0 * 0.98, z0 + base, segments)], inside or paint))
    return pieces


def ring(
    radius: float, thickness: float, height: float, paint: Paint, *, at: Vector = (0, 0, 0), turn: Vector = (0, 0, 0),
    segments: int = 20,
) -> list[Piece]:  # fmt: skip
    """A flat ring about z: outer radius, radial thickness, height."""
    wall = vessel([(radius, -height / 2), (radius, height / 2)], paint, wall=thickness, base=0.0, segments=segments)
    return [piece.moved(by=at, turn=turn) for piece in wall[:-1]]


def moved(pieces: Iterable[Piece], *, by: Vector = (0, 0, 0), turn: Vector = (0, 0, 0)) -> list[Piece]:
    """Pieces turned about the object's x, y, z axes, then shifted, together."""
    return [piece.moved(by=by, turn=turn) for piece in pieces]


def part(name: str, *pieces: Piece | Iterable[Piece], avoid: bool = False, look: Look | None = None) -> Part:
    """A part from pieces and lists of pieces."""
    flat: list[Piece] = []
    for piece in pieces:
        flat += [piece] if isinstance(piece, Piece) else list(piece)
    return Part(name, tuple(flat), avoid, look)


def _ring(radius: float, z: float, count: int) -> list[Vector]:
    angles = np.linspace(0, 2 * math.pi, count, endpoint=False)
    return [(max(radius, 1e-4) * math.cos(a), max(radius, 1e-4) * math.sin(a), z) for a in angles.tolist()]


def _sphere() -> np.ndarray:
    """Points (n, 3) on the unit sphere, spread evenly."""
    n = np.arange(60) + 0.5
    polar, around = np.arccos(1 - 2 * n / 60), math.pi * (1 + 5**0.5) * n
    return np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=1)


def _vector(value: Sequence[float] | np.ndarray) -> Vector:
    x, y, z = (float(v) for v in value)
    return x, y, z
