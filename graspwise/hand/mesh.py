"""Objects that a hand can hold: closed surfaces with named parts, and how far points are from them.

Metres, in the frame of the file or thing that the object comes from.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from graspwise.errors import InputError
from graspwise.hand.surface import Surface, has_faces, library, merged, thinned
from graspwise.hand.union import outer_surface

if TYPE_CHECKING:
    from graspwise.sim.shapes import Piece, SimObject

Unit = Literal["auto", "m", "mm"]
FORMATS = ("obj", "stl", "ply", "glb")
MOST_FACES = 20_000
# Longest side, metres, of what a hand can hold, and what a file in metres may measure; beyond, it is in millimetres.
SMALLEST, LARGEST = 0.01, 1.5
# Round pieces are drawn with flat faces that come this near to them, metres.
ROUND = 1e-4
# Pieces of a thing stand up to 0.3 mm apart; each grows by this much to every side, metres, to close such slits.
SLIT = 0.00016


@dataclass(frozen=True, eq=False)
class Solid:
    """An object as the outer surface of all its bodies.

    Attributes:
        name: Of the thing or its file.
        vertices: Array (N, 3) float64, metres, in the frame of the file.
        faces: Array (M, 3) int64 of vertex numbers, counter-clockwise as seen from outside.
        parts: Names of its parts; may be empty.
        face_parts: Array (M,) int64, which part each face is of, -1 for none.
        notes: What was repaired, one line each.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    parts: tuple[str, ...]
    face_parts: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> np.ndarray:
        """Lengths (3,) of its box, metres."""
        return np.ptp(self.vertices, axis=0)

    def samples(self, count: int, *, rng: np.random.Generator) -> "Samples":
        """Points spread at random over the surface, evenly by area."""
        a, b, c = self.vertices[self.faces].transpose(1, 0, 2)
        normals = np.cross(b - a, c - a)
        area = np.linalg.norm(normals, axis=1)
        chosen = rng.choice(len(area), size=count, p=area / area.sum())
        u, v = rng.uniform(size=(2, count, 1))
        flip = u + v > 1
        u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
        points = a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen]
        return Samples(points, normals[chosen] / area[chosen, None], self.face_parts[chosen])


@dataclass(frozen=True, eq=False)
class Samples:
    """Points on a surface.

    Attributes:
        points: Array (n, 3), metres.
        normals: Array (n, 3), outward, of length 1.
        parts: Array (n,) of places in the solid's `parts`, -1 for none.
    """

    points: np.ndarray
    normals: np.ndarray
    parts: np.ndarray


@dataclass(frozen=True, eq=False)
class Nearest:
    """What of a surface is nearest to each of P points.

    Attributes:
        distance: Array (P,), metres, negative inside.
        points: Array (P, 3) on the surface.
        faces: Array (P,), of which face each is.
    """

    distance: np.ndarray
    points: np.ndarray
    faces: np.ndarray


class Distance:
    """Signed distance to a solid: exact to its triangles, its sign by the generalised winding number.

    Jacobson et al. 2013, in the fast form of Barill et al. 2018: a point is inside where the surface winds around it
    more than half, so that small holes and several overlapping bodies do no harm.

    Attributes:
        solid: What the distance is to.
    """

    def __init__(self, solid: Solid) -> None:
        igl = library("igl")
        self.solid = solid
        self._vertices = np.ascontiguousarray(solid.vertices, np.float64)
        self._faces = np.ascontiguousarray(solid.faces, np.int64)
        self._tree, self._winding = igl.AABB(), igl.FastWindingNumberBVH()
        self._tree.init(self._vertices, self._faces)
        self._winding.init(self._vertices, self._faces)

    def signed(self, points: np.ndarray) -> np.ndarray:
        """Metres (P,) from points (P, 3), negative inside."""
        return self.nearest(points).distance

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Which points (P, 3) lie inside, (P,) bool; cheaper than the distance."""
        return np.asarray(self._winding.winding_number(_checked(points)) > 0.5).reshape(-1)

    def nearest(self, points: np.ndarray) -> Nearest:
        """The surface's nearest points to points (P, 3)."""
        points = _checked(points)
        if len(points) == 0:
            return Nearest(np.zeros(0), np.zeros((0, 3)), np.zeros(0, np.int64))
        squared, faces, on_surface = self._tree.squared_distance(self._vertices, self._faces, points)
        distance = np.sqrt(np.asarray(squared).reshape(-1))
        sign = np.where(self.inside(points), -1.0, 1.0)
        return Nearest(sign * distance, np.asarray(on_surface).reshape(-1, 3), np.asarray(faces).reshape(-1))

    def parts(self, faces: np.ndarray) -> np.ndarray:
        """Which part (P,) each of the faces (P,) is of, -1 for none."""
        return np.asarray(self.solid.face_parts[faces])


def _checked(points: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(points, np.float64).reshape(-1, 3)


def read_solid(path: Path | str, *, unit: Unit = "auto", most_faces: int = MOST_FACES) -> Solid:
    """A mesh file as a solid; objects or groups that it names are its parts.

    Several bodies may overlap. Openings are closed, bodies that are inside out are turned, meshes of more faces are
    thinned out, and `notes` says so.

    Args:
        path: OBJ, STL, PLY or GLB file.
        unit: Of its numbers; "auto" takes metres where the longest side then is 10 mm to 1.5 m, else millimetres.
        most_faces: At most about this many faces are kept.

    Raises:
        InputError: the file is missing, cannot be read, is empty, has corners that are not finite, encloses nothing,
            or its size cannot be right.
    """
    path = Path(path)
    names, surface = _triangles(path)
    used = surface.vertices[has_faces(surface)]
    broken = int((~np.isfinite(used).all(axis=1)).sum())
    if broken:
        raise InputError(f"{path}: {broken} of its {len(used)} vertices are not finite; valid are numbers")
    scale, note = _scale(path, longest=float(np.ptp(used, axis=0).max()), unit=unit)
    surface = Surface(surface.vertices * scale, surface.faces, surface.labels, (note,) if note else ())
    try:
        surface = outer_surface([thinned(merged(surface), most=most_faces)])
    except ValueError as error:
        raise InputError(f"{path}: is no solid ({error}); valid is a mesh with a volume") from error
    return _solid(path.stem, names if len(names) > 1 else [], surface)


def _triangles(path: Path) -> tuple[list[str], Surface]:
    """Names of what the file holds, and all its triangles, labelled by them, in the file's unit."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix.lower().lstrip(".") not in FORMATS:
        raise InputError(f"{path}: found a {path.suffix or 'nameless'} file; valid are {', '.join(FORMATS)}")
    trimesh = library("trimesh")
    splitting = {"split_objects": True, "split_groups": True} if path.suffix.lower() == ".obj" else {}
    try:
        scene = trimesh.load_scene(path, process=False, skip_materials=True, **splitting)
        meshes = [(str(mesh.metadata.get("name") or ""), mesh) for mesh in scene.dump()]
    # The reader raises whatever its parser stumbles over.
    except Exception as error:
        raise InputError(f"{path}: not a mesh that can be read ({type(error).__name__}: {error})") from error
    meshes = [(name, mesh) for name, mesh in meshes if len(getattr(mesh, "faces", ())) > 0]
    if not meshes:
        raise InputError(f"{path}: holds no faces; valid is a mesh of triangles or polygons")
    names = sorted({name for name, _ in meshes})
    starts = np.cumsum([0, *(len(mesh.vertices) for _, mesh in meshes)])
    return names, Surface(
        np.concatenate([np.asarray(mesh.vertices, np.float64) for _, mesh in meshes]),
        np.concatenate([np.asarray(mesh.faces, np.int64) + s for (_, mesh), s in zip(meshes, starts, strict=False)]),
        np.concatenate([np.full(len(mesh.faces), names.index(name)) for name, mesh in meshes]),
    )


def _scale(path: Path, *, longest: float, unit: Unit) -> tuple[float, str]:
    """Metres to a unit of the file, and a line to say so where it was guessed to be millimetres."""
    scales = {"m": 1.0, "mm": 0.001}
    for name in scales if unit == "auto" else (unit,):
        metres = longest * scales[name]
        if SMALLEST <= metres <= LARGEST:
            note = f"{longest:.4g} long: read as millimetres" if name == "mm" and unit == "auto" else ""
            return scales[name], note
    raise InputError(
        f"{path}: is {longest:.3g} long, unit {unit}; valid is {SMALLEST} to {LARGEST} m or "
        f"{1000 * SMALLEST:.0f} to {1000 * LARGEST:.0f} mm"
    )


def solid_of(thing: "SimObject") -> Solid:
    """A thing of the simulator as a solid in its own frame, with its own parts.

    Raises:
        InputError: it encloses nothing.
    """
    surfaces = []
    for number, part in enumerate(thing.parts):
        if part.look is not None:
            seen = part.look
            surfaces.append(Surface(seen.vertices, seen.faces.astype(np.int64), np.full(len(seen.faces), number)))
        else:
            surfaces += [_hull(piece, number) for piece in part.pieces]
    try:
        surface = outer_surface(surfaces)
    except ValueError as error:
        raise InputError(f"{thing.name}: is no solid ({error}); valid is a thing with a volume") from error
    return _solid(thing.name, [part.name for part in thing.parts], surface)


def _solid(name: str, parts: Sequence[str], surface: Surface) -> Solid:
    labels = surface.labels if parts else np.full(len(surface.faces), -1)
    return Solid(name, surface.vertices, surface.faces, tuple(parts), labels, surface.notes)


def _hull(piece: "Piece", label: int) -> Surface:
    """The surface of one convex piece in its thing's frame."""
    points = _cloud(piece)
    middle, half = (points.max(axis=0) + points.min(axis=0)) / 2, np.ptp(points, axis=0) / 2
    points = middle + (points - middle) * (1 + SLIT / half)
    hull = ConvexHull(points)
    a, b, c = points[hull.simplices].transpose(1, 0, 2)
    inward = (np.cross(b - a, c - a) * hull.equations[:, :3]).sum(axis=1) < 0
    faces = np.where(inward[:, None], hull.simplices[:, ::-1], hull.simplices).astype(np.int64)
    return Surface(points, faces, np.full(len(faces), label))


def _cloud(piece: "Piece") -> np.ndarray:
    """Points (n, 3) whose convex hull is the piece, round ones to `ROUND`: finer than the simulator needs."""
    if piece.kind in ("box", "hull"):
        return piece.cloud()
    radius = max(piece.size) if piece.kind == "ellipsoid" else piece.size[0]
    if piece.kind == "cylinder":
        turns = np.arange(count := _between(12, math.pi / math.sqrt(2 * ROUND / radius), 64)) * 2 * math.pi / count
        own = np.stack([radius * np.cos(turns), radius * np.sin(turns), np.zeros(count)], axis=1)
    else:
        # A triangle of a sphere's evenly spread points is about as wide as its share of the sphere's area.
        n = np.arange(count := _between(60, 2.4 * radius / ROUND, 1500)) + 0.5
        polar, around = np.arccos(1 - 2 * n / count), math.pi * (1 + 5**0.5) * n
        own = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=1)
        own = own * (piece.size if piece.kind == "ellipsoid" else radius)
    if piece.kind != "ellipsoid":
        own = np.concatenate([own + np.array([0, 0, z]) for z in (piece.size[1], -piece.size[1])])
    return Rotation.from_quat(piece.turn).apply(own) + np.array(piece.position)


def _between(least: int, number: float, most: int) -> int:
    return int(min(max(number, least), most))
