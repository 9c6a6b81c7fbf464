"""Distance to an object on a lattice: quick, and it can be differentiated, where `Distance` is exact and cannot.

Metres, in the solid's own frame. Between the lattice's points values are interpolated, so walls thinner than a cell
have no inside here, and distances are off by up to a fraction of a cell near edges.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy.ndimage import label
from torch import Tensor

from graspwise.hand.mesh import Distance, Solid
from graspwise.hand.surface import library

# About as many points has a lattice, however long and thin the object is: a mug's cells then are 2.7 mm.
POINTS = 200_000
MARGIN = 0.02


@dataclass(frozen=True, eq=False)
class Field:
    """A distance on a lattice; call it with points.

    Attributes:
        low: (3,) the lattice's first corner, metres.
        high: (3,) its last.
        values: (4, z, y, x) of distance, metres, and its gradient's direction.
    """

    low: Tensor
    high: Tensor
    values: Tensor

    @classmethod
    def of(cls, solid: Solid, *, points: int = POINTS, margin: float = MARGIN) -> Self:
        """Signed distance to a solid, negative inside; a second or two.

        Args:
            solid: To which.
            points: About how many points the lattice has.
            margin: How far it reaches beyond the solid's box, metres.
        """
        exact, axes = Distance(solid), lattice(solid, points=points, margin=margin)
        at = corners(axes)
        values = unsigned(solid, solid.faces, at)
        # No surface is between neighbours that are both farther from it than a cell: one of them tells for all.
        regions, count = label(values > max(np.diff(axis).max() for axis in axes))
        asked = np.concatenate([np.flatnonzero(regions == 0), np.unique(regions, return_index=True)[1]])
        inside = np.zeros(values.size, bool)
        inside[asked] = exact.inside(at.reshape(-1, 3)[asked])
        deep = np.zeros(count + 1, bool)
        deep[regions.reshape(-1)[asked]] = inside[asked]
        inside = np.where(regions > 0, deep[regions], inside.reshape(values.shape))
        return cls._with(axes, np.where(inside, -values, values))

    @classmethod
    def to_parts(
        cls, solid: Solid, names: Collection[str], *, points: int = POINTS, margin: float = MARGIN
    ) -> Self:  # fmt: skip
        """Distance to the surface of some parts of a solid, nowhere negative, on the lattice that `of` takes.

        Raises:
            ValueError: the solid has no surface of these parts.
        """
        faces = solid.faces[
            np.isin(solid.face_parts, [number for number, name in enumerate(solid.parts) if name in names])
        ]
        if len(faces) == 0:
            raise ValueError(f"{solid.name} has no surface of {', '.join(names)}")
        axes = lattice(solid, points=points, margin=margin)
        return cls._with(axes, unsigned(solid, faces, corners(axes)))

    @classmethod
    def _with(cls, axes: list[np.ndarray], values: np.ndarray) -> Self:
        gradient = np.stack(np.gradient(values, *axes[::-1])[::-1])
        gradient /= np.maximum(np.linalg.norm(gradient, axis=0), 1e-9)
        return cls(
            torch.tensor([axis[0] for axis in axes], dtype=torch.float32),
            torch.tensor([axis[-1] for axis in axes], dtype=torch.float32),
            torch.from_numpy(np.concatenate([values[None], gradient])).float(),
        )

    def __call__(self, points: Tensor) -> Tensor:
        """Metres (B, N) from points (B, N, 3); beyond the lattice, its border's value and the way to there."""
        outside = (points - points.clamp(self.low.to(points), self.high.to(points))).norm(dim=-1)
        return self._at(points, self.values[:1])[0] + outside

    def normals(self, points: Tensor) -> Tensor:
        """Directions (B, N, 3) away from the object at points (B, N, 3), about of length 1."""
        return torch.nn.functional.normalize(self._at(points, self.values[1:]).movedim(0, -1), dim=-1)

    def _at(self, points: Tensor, values: Tensor) -> Tensor:
        """Channels (C, B, N) of values (C, z, y, x) at points (B, N, 3)."""
        low, high = self.low.to(points), self.high.to(points)
        grid = ((points - low) / (high - low) * 2 - 1)[None, :, :, None]
        found = torch.nn.functional.grid_sample(
            values.to(points)[None], grid, mode="bilinear", padding_mode="border", align_corners=True
        )
        return found[0, ..., 0]


def lattice(solid: Solid, *, points: int, margin: float) -> list[np.ndarray]:
    """Coordinates along x, y and z of about so many points around a solid, about as far apart along each."""
    low, high = solid.vertices.min(axis=0) - margin, solid.vertices.max(axis=0) + margin
    cell = float(np.prod(high - low) / points) ** (1 / 3)
    return [np.linspace(a, b, int(np.ceil((b - a) / cell)) + 1) for a, b in zip(low, high, strict=True)]


def corners(axes: list[np.ndarray]) -> np.ndarray:
    """The lattice's points (z, y, x, 3); x runs fastest, as in a picture."""
    z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
    return np.stack([x, y, z], axis=-1)


def unsigned(solid: Solid, faces: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Metres (...) from points (..., 3) to some faces (F, 3) of a solid."""
    vertices, tree = np.ascontiguousarray(solid.vertices, np.float64), library("igl").AABB()
    tree.init(vertices, np.ascontiguousarray(faces, np.int64))
    squared = tree.squared_distance(vertices, np.ascontiguousarray(faces, np.int64), points.reshape(-1, 3))[0]
    return np.asarray(np.sqrt(squared)).reshape(points.shape[:-1])
