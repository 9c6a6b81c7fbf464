"""What a model of the right human hand is: parameters in, a posed surface and its joints out.

The hand's own frame: the origin is the wrist joint; of the resting hand x points to the knuckle of the middle finger,
y to the thumb's side, z out of the back of the hand. A hand is placed by `T_object_hand`, which takes its points to
the frame of the object's mesh file. Metres and radians.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
# Where a hand can touch a thing.
REGIONS = (*FINGERS, "palm")
# Of every model, in this order: the wrist, then of each finger its three joints from the palm outwards and its tip.
JOINTS = ("wrist", *(f"{finger}_{joint}" for finger in FINGERS for joint in (1, 2, 3, "tip")))


@dataclass(frozen=True)
class Posed:
    """Hands as they stand, in the frame they were placed in.

    Attributes:
        vertices: (B, V, 3) metres.
        joints: (B, 21, 3) metres, in the order of `JOINTS`.
    """

    vertices: Tensor
    joints: Tensor


@dataclass(frozen=True)
class Layout:
    """How a hand's parameters lie in one vector: rotation (6), translation (3), articulation (A), shape (S).

    The rotation is its matrix' first two columns, which any six numbers can stand for (Zhou et al. 2019).

    Attributes:
        articulation: A.
        shape: S.
    """

    articulation: int
    shape: int

    @property
    def size(self) -> int:
        return 9 + self.articulation + self.shape

    def split(self, vector: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Transform (B, 4, 4), articulation (B, A) and shape (B, S) of vectors (B, size)."""
        place, articulation, shape = vector.split([9, self.articulation, self.shape], dim=-1)
        return transform_from_nine(place), articulation, shape

    def join(self, transform: Tensor, articulation: Tensor, shape: Tensor) -> Tensor:
        """Vectors (B, size), from which `split` gives the same again."""
        return torch.cat([nine_from_transform(transform), articulation, shape], dim=-1)


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What of a hand model does not move; the part of a `HandModel` that all of ours hold alike.

    Attributes:
        name: The model's name.
        articulation: Names of the A articulation parameters.
        limits: (A, 2) radians.
        rest: (A,) radians.
        faces: (F, 3), closed at the wrist.
        bones: Names; the first is the wrist's.
        bone_of: (V,) the bone that moves a vertex most.
        regions: Vertices of the fingers and of the palm.
        pads: The inner ones of them.
    """

    name: str
    articulation: tuple[str, ...]
    limits: Tensor
    rest: Tensor
    faces: np.ndarray
    bones: tuple[str, ...]
    bone_of: np.ndarray
    regions: dict[str, np.ndarray]
    pads: dict[str, np.ndarray]


class HandModel(Protocol):
    """A right hand: global transform, articulation and shape give its surface, differentiably.

    All that has no batch is constant; arrays are NumPy's, index by them as they are.
    """

    @property
    def name(self) -> str: ...

    @property
    def articulation(self) -> tuple[str, ...]:
        """Names of the A articulation parameters."""

    @property
    def layout(self) -> Layout: ...

    @property
    def limits(self) -> Tensor:
        """(A, 2) radians, float32: least and greatest value of each articulation parameter."""

    @property
    def rest(self) -> Tensor:
        """(A,) radians, float32: articulation of the resting hand, within the limits."""

    @property
    def faces(self) -> np.ndarray:
        """(F, 3) int64: a closed surface, wound so that normals point outwards."""

    @property
    def bones(self) -> tuple[str, ...]: ...

    @property
    def bone_of(self) -> np.ndarray:
        """(V,) int64: the bone that moves a vertex most, an index of `bones`."""

    @property
    def regions(self) -> Mapping[str, np.ndarray]:
        """For each of `REGIONS` its vertices: fingers all round, the palm on its inner side; none twice."""

    @property
    def pads(self) -> Mapping[str, np.ndarray]:
        """As `regions`, the inner sides only: what a grasp should bring to the object."""

    def pose(self, transform: Tensor, articulation: Tensor, shape: Tensor) -> Posed:
        """The hands of these parameters, on the parameters' device.

        Args:
            transform: (B, 4, 4) rigid, `T_object_hand`.
            articulation: (B, A).
            shape: (B, S) in standard deviations; 0 is the mean hand.
        """


def transform_from_nine(nine: Tensor) -> Tensor:
    """Rigid transforms (B, 4, 4) of two columns and a translation (B, 9); the columns need not be orthonormal."""
    first = torch.nn.functional.normalize(nine[..., :3], dim=-1)
    second = nine[..., 3:6] - (first * nine[..., 3:6]).sum(-1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=-1)
    columns = torch.stack([first, second, torch.linalg.cross(first, second), nine[..., 6:]], dim=-1)
    last = nine.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(*columns.shape[:-2], 1, 4)
    return torch.cat([columns, last], dim=-2)


def nine_from_transform(transform: Tensor) -> Tensor:
    """The first two columns and the translation (B, 9) of transforms (B, 4, 4)."""
    return torch.cat([transform[..., :3, 0], transform[..., :3, 1], transform[..., :3, 3]], dim=-1)


def place_points(transform: Tensor, points: Tensor) -> Tensor:
    """Points (B, N, 3) of the frame `from` in the frame `to` of transforms (B, 4, 4)."""
    return points @ transform[:, :3, :3].transpose(-1, -2) + transform[:, None, :3, 3]


def cross_matrix(vectors: Tensor) -> Tensor:
    """Matrices (..., 3, 3) that multiply by as the cross product with the vectors (..., 3) does."""
    x, y, z = vectors.unbind(-1)
    none = torch.zeros_like(x)
    return torch.stack([none, -z, y, z, none, -x, -y, x, none], dim=-1).unflatten(-1, (3, 3))


def hand_axes(*, wrist: np.ndarray, knuckles: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) that takes directions to the hand's own frame.

    Args:
        wrist: (3,) the wrist joint.
        knuckles: (4, 3) the first joints of index, middle, ring and pinky, all of the resting hand.
    """
    x = unit(knuckles[1] - wrist)
    across = knuckles[0] - knuckles[3]
    y = unit(across - (across @ x) * x)
    return np.stack([x, y, np.cross(x, y)])


def closed(faces: np.ndarray) -> np.ndarray:
    """The faces (F, 3) and those that close each hole of the surface over the vertices of its rim."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    known = set(map(tuple, edges.tolist()))
    # The rim is passed against the direction of the faces that end in it.
    following = {b: a for a, b in known if (b, a) not in known}
    caps = []
    while following:
        start, at = following.popitem()
        rim = [start, at]
        while (at := following.pop(at)) != start:
            rim.append(at)
        caps += [(start, b, c) for b, c in pairwise(rim[1:])]
    return np.concatenate([faces, np.array(caps, dtype=faces.dtype).reshape(-1, 3)])


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Outward unit normals (V, 3), the faces (F, 3) around a vertex weighted by their area."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    across = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for i in range(3):
        np.add.at(normals, faces[:, i], across)
    return unit(normals)


def contact_regions(
    *, vertices: np.ndarray, faces: np.ndarray, bone_of: np.ndarray, regions_of: np.ndarray, inner: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """`regions` and `pads` of a hand at rest, in its own frame.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3).
        bone_of: (V,) each vertex' bone.
        regions_of: (bones,) index of `REGIONS` that a bone is of.
        inner: (bones, 3) direction out of a bone's inner side.
    """
    of = regions_of[bone_of]
    inside = (vertex_normals(vertices, faces) * inner[bone_of]).sum(1) > 0
    # What lies behind the wrist joint is the arm.
    palm = (of == REGIONS.index("palm")) & inside & (vertices[:, 0] > 0)
    regions = {finger: np.flatnonzero(of == i) for i, finger in enumerate(FINGERS)} | {"palm": np.flatnonzero(palm)}
    return regions, {name: found[inside[found]] for name, found in regions.items()}


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) with length 1; 0 stays 0."""
    scaled: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return scaled
