"""Balls and boxes with known volumes and distances, for tests of meshes and metrics."""

from collections.abc import Sequence

import numpy as np
import trimesh

from graspwise.hand.mesh import Solid


def ball(radius: float, *, at: Sequence[float] = (0, 0, 0), fine: int = 4) -> trimesh.Trimesh:
    """A ball with a corner at each end of its axes."""
    mesh = trimesh.creation.icosphere(subdivisions=fine, radius=radius)
    mesh.apply_transform(trimesh.geometry.align_vectors(mesh.vertices[0], (1, 0, 0)))
    mesh.apply_translation(at)
    return mesh


def box(low: Sequence[float], high: Sequence[float], *, step: float | None = None) -> trimesh.Trimesh:
    """A box between two corners, its edges cut until none is longer than `step`."""
    mesh = trimesh.creation.box(bounds=[low, high])
    return mesh if step is None else mesh.subdivide_to_size(step)


def solid(mesh: trimesh.Trimesh, *, parts: tuple[str, ...] = (), face_parts: np.ndarray | None = None) -> Solid:
    labels = np.full(len(mesh.faces), -1) if face_parts is None else face_parts
    return Solid("thing", np.asarray(mesh.vertices), np.asarray(mesh.faces), parts, labels)


def mesh_of(thing: Solid) -> trimesh.Trimesh:
    return trimesh.Trimesh(thing.vertices, thing.faces, process=False)
