"""A mesh file as what is seen and what collides: read, turned upright, split into convex bodies, kept in a cache."""

import hashlib
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from graspwise.errors import InputError
from graspwise.files import replacing
from graspwise.model.weights import cache_folder
from graspwise.sim.convex import MOST_HULLS, convex_hulls, hull_volume
from graspwise.sim.shapes import Colour, Look, Vector

if TYPE_CHECKING:
    import trimesh

INSTALL = "pip install 'graspwise[meshes]'"
# Counts up whenever the same file would be converted to something else.
FORMAT = 1
# Longest side, metres, of what can lie on the table.
SMALLEST, LARGEST = 0.005, 0.5
PICTURE_SIDE = 512
SAMPLES, TIPS = 5000, 1500
VOXELS = 32
# A hull with at most this share more volume than its solid stands for it.
NEARLY_CONVEX = 0.10


@dataclass(frozen=True)
class Recipe:
    """How a file becomes a thing of real size that stands on the table.

    Attributes:
        scale: Metres to a unit of the file, one number or one for each of its axes.
        turn: About the file's x, then y, then z axis, so that it stands; radians.
        colour: Where it has no picture.
        hulls: At most this many convex bodies.
    """

    scale: float | Vector
    turn: Vector = (0.0, 0.0, 0.0)
    colour: Colour = (0.8, 0.8, 0.8)
    hulls: int = MOST_HULLS


def read_solid(path: Path, recipe: Recipe, *, picture: Path | None = None) -> tuple[Look, list[np.ndarray]]:
    """What is seen of a mesh, and corners (k, 3) of the convex bodies that fill it; from the cache if it is there.

    Both are in metres, the middle of the mesh's box above the origin, its lowest point at z = 0.

    Args:
        path: OBJ, STL, PLY or OFF file.
        recipe: Its size and how it stands.
        picture: Laid over it by the file's own texture coordinates.

    Raises:
        InputError: a file is missing or damaged, or its size cannot be right.
    """
    for file in (path, picture):
        if file is not None and not file.is_file():
            raise InputError(f"{file}: no such file")
    name = hashlib.sha256(repr((FORMAT, recipe)).encode())
    for file in (path, picture):
        name.update(file.read_bytes() if file else b"")
    cached = cache_folder() / "meshes" / f"{name.hexdigest()[:32]}.npz"
    if not cached.is_file():
        look, hulls = convert(path, recipe, picture=picture)
        with replacing(cached) as temporary:
            np.savez_compressed(
                temporary, vertices=look.vertices, faces=look.faces, uv=look.uv, picture=look.picture,
                corners=np.concatenate(hulls), ends=np.cumsum([len(points) for points in hulls]),
            )  # fmt: skip
        return look, hulls
    try:
        with np.load(cached) as kept:
            hulls = np.split(kept["corners"], kept["ends"][:-1])
            return Look(kept["vertices"], kept["faces"], kept["uv"], kept["picture"]), hulls
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{cached}: damaged ({error}); remove it and it is made anew") from error


def convert(path: Path, recipe: Recipe, *, picture: Path | None) -> tuple[Look, list[np.ndarray]]:
    """As `read_solid`, without the cache."""
    mesh = load_mesh(path)
    mesh.apply_scale(recipe.scale)
    upright = np.eye(4)
    upright[:3, :3] = Rotation.from_euler("xyz", recipe.turn).as_matrix()
    mesh.apply_transform(upright)
    low, high = mesh.bounds
    longest = float((high - low).max())
    if not SMALLEST <= longest <= LARGEST:
        raise InputError(f"{path}: is {longest:.3g} m long; valid is {SMALLEST} to {LARGEST} m, so the scale is wrong")
    mesh.apply_translation([-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]])
    uv = getattr(mesh.visual, "uv", None)
    if picture is None or uv is None:
        tile = np.full((2, 2, 3), np.rint(255 * np.array(recipe.colour)), np.uint8)
        uv = np.zeros((len(mesh.vertices), 2))
    else:
        tile, uv = laid_out(picture, np.asarray(uv))
    look = Look(np.asarray(mesh.vertices), np.asarray(mesh.faces), uv, tile)
    try:
        return look, hulls_of(mesh, most=recipe.hulls)
    except ValueError as error:
        raise InputError(f"{path}: is no solid body ({error}); valid is a mesh with a volume") from error


def load_mesh(path: Path) -> "trimesh.Trimesh":
    """The file as one mesh in its own units.

    Raises:
        InputError: the reader is not installed, or the file is damaged or holds no faces.
    """
    try:
        import trimesh
    except ImportError as error:
        raise InputError(
            f"{path}: reading meshes needs trimesh, which is not installed; valid after: {INSTALL}"
        ) from error
    try:
        mesh = trimesh.load_mesh(path, skip_materials=True)
    # The reader raises whatever its parser stumbles over.
    except Exception as error:
        raise InputError(f"{path}: not a mesh that can be read ({type(error).__name__}: {error})") from error
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0 or not np.isfinite(mesh.vertices).all():
        raise InputError(f"{path}: holds no mesh with faces; valid is an OBJ, STL, PLY or OFF file")
    return mesh


def laid_out(picture: Path, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of a picture that is used, at most `PICTURE_SIDE` wide and high, and `uv` in it.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with Image.open(picture) as opened:
            whole = opened.convert("RGB")
    except OSError as error:
        raise InputError(f"{picture}: not a picture that can be read ({error})") from error
    # Coordinates beyond the picture repeat it.
    if uv.min() >= 0 and uv.max() <= 1:
        size = np.array(whole.size)
        low = np.maximum(np.floor(uv.min(axis=0) * size) - 1, 0)
        high = np.minimum(np.ceil(uv.max(axis=0) * size) + 1, size)
        whole = whole.crop((int(low[0]), int(size[1] - high[1]), int(high[0]), int(size[1] - low[1])))
        uv = (uv * size - low) / (high - low)
    whole.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    return np.asarray(whole), uv


def hulls_of(mesh: "trimesh.Trimesh", *, most: int) -> list[np.ndarray]:
    """Corners of convex bodies that fill a mesh.

    Raises:
        ValueError: it has no volume.
    """
    import trimesh

    solid = mesh.copy()
    solid.merge_vertices(merge_tex=True, merge_norm=True)
    around = hull_volume(solid.vertices)
    if not math.isfinite(around):
        raise ValueError("its corners lie in one plane")
    if solid.is_watertight and around < (1 + NEARLY_CONVEX) * abs(solid.volume):
        most = 1
    surface, chosen = trimesh.sample.sample_surface(solid, SAMPLES, seed=0)
    normals = solid.face_normals[chosen]
    pitch = solid.extents.max() / VOXELS
    grid = solid.voxelized(pitch).fill()
    deep = ndimage.binary_erosion(grid.matrix, structure=np.ones((3, 3, 3)))
    cell = np.clip(grid.points_to_indices(surface), 0, np.array(deep.shape) - 1)
    # Faces within the solid, where pieces of it overlap, are no part of its outside.
    outside = ~deep[tuple(cell.T)]
    surface, normals = surface[outside], normals[outside]
    # Walls thinner than the grid: a little way below the surface, as long as the nearest surface is still overhead.
    under = surface - normals * np.random.default_rng(0).uniform(0, pitch, (len(surface), 1))
    nearest = cKDTree(surface).query(under)[1]
    under = under[((under - surface[nearest]) * normals[nearest]).sum(axis=1) < 0]
    tips = solid.vertices[np.linspace(0, len(solid.vertices) - 1, min(len(solid.vertices), TIPS)).astype(int)]
    return convex_hulls(surface, np.concatenate([grid.indices_to_points(np.argwhere(deep)), under, tips]), most=most)
