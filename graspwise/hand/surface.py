"""Triangles with labels: merged, thinned out, taken apart into bodies, their openings closed.

Vertices are arrays (n, 3) of any unit, faces arrays (m, 3) of vertex numbers, counter-clockwise as seen from outside.
Labels are whole numbers (m,), one a face, that stay with it; the project's parts are carried so.
"""

import importlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from graspwise.errors import InputError

INSTALL = "pip install 'graspwise[hands]'"
# As a share of the longest side: corners nearer than this are one.
SAME = 1e-6


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles with labels.

    Attributes:
        vertices: Array (n, 3) float64.
        faces: Array (m, 3) int64.
        labels: Array (m,) int64.
        notes: What was repaired, a line each.
    """

    vertices: np.ndarray
    faces: np.ndarray
    labels: np.ndarray
    notes: tuple[str, ...] = ()


def library(name: str) -> Any:
    """An optional library.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"hands and meshes need {name}, which is not installed; valid after: {INSTALL}") from error


def merged(surface: Surface) -> Surface:
    """Without double corners, without faces that have no area or are there twice."""
    size = max(float(np.ptp(surface.vertices, axis=0).max()), 1e-300)
    cells = np.rint((surface.vertices - surface.vertices.min(axis=0)) / (SAME * size)).astype(np.int64)
    first, number = distinct(cells)
    faces = number[surface.faces]
    a, b, c = surface.vertices[first][faces].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    kept = np.flatnonzero(area > (SAME * size) ** 2)
    kept = kept[np.sort(distinct(np.sort(faces[kept], axis=1))[0])]
    return compact(Surface(surface.vertices[first], faces[kept], surface.labels[kept], surface.notes))


def distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of rows (n, 3) of whole numbers from 0: where each different one is first, and which of these (n,) each row is.

    As `numpy.unique` along an axis, which is far slower.
    """
    base, size, number = int(rows.max(initial=0)) + 1, 1, np.zeros(len(rows), np.int64)
    for column in rows.T:
        # As one number of 63 bits where that is enough, which sorts fastest.
        if size * base >= 2**63:
            number, size = np.unique(number, return_inverse=True)[1], len(rows)
        number, size = number * base + column, size * base
    _, first, number = np.unique(number, return_index=True, return_inverse=True)
    return first, number


def compact(surface: Surface) -> Surface:
    """Without corners that no face has."""
    used = has_faces(surface)
    return Surface(surface.vertices[used], (np.cumsum(used) - 1)[surface.faces], surface.labels, surface.notes)


def has_faces(surface: Surface) -> np.ndarray:
    """Which corners a face has, (n,) bool."""
    used = np.zeros(len(surface.vertices), bool)
    used[surface.faces] = True
    return used


def thinned(surface: Surface, *, most: int) -> Surface:
    """At most `most` faces, by edge collapses of least quadric error; each takes the label of the nearest old face."""
    found = len(surface.faces)
    if found <= most:
        return surface
    simplify = library("fast_simplification").simplify
    vertices, faces = simplify(surface.vertices, surface.faces.astype(np.int32), target_count=most)
    vertices, faces = np.asarray(vertices, float), np.asarray(faces, np.int64)
    labels = np.full(len(faces), surface.labels[0])
    if surface.labels.min() != surface.labels.max():
        nearest = cKDTree(surface.vertices[surface.faces].mean(axis=1)).query(vertices[faces].mean(axis=1))[1]
        labels = surface.labels[nearest]
    return Surface(vertices, faces, labels, (*surface.notes, f"{found} faces: thinned out to {len(faces)}"))


def bodies_of(faces: np.ndarray) -> np.ndarray:
    """Number (m,) of the body each face is of: faces hang together by edges that exactly two of them share."""
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    owner = np.repeat(np.arange(len(faces)), 3)
    order = np.lexsort(edges.T)
    edges, owner = edges[order], owner[order]
    starts = np.flatnonzero(np.r_[True, (edges[1:] != edges[:-1]).any(axis=1)])
    pairs = starts[np.diff(np.r_[starts, len(edges)]) == 2]
    links = coo_matrix((np.ones(len(pairs)), (owner[pairs], owner[pairs + 1])), shape=(len(faces),) * 2)
    return np.asarray(connected_components(links, directed=False)[1])


def filled(body: Surface) -> tuple[Surface | None, float]:
    """The body with a lid on every opening, and its widest opening's length; None where an edge has too many faces."""
    edges = body.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    count = len(body.vertices)
    there, back = edges @ (count, 1), edges @ (1, count)
    if len(np.unique(there)) < len(there):
        return None, 0.0
    vertices, lids, widest = [body.vertices], [], 0.0
    for loop in loops(edges[~np.isin(there, back)][:, ::-1]):
        corners = body.vertices[loop]
        widest = max(widest, float(np.ptp(corners, axis=0).max()))
        lids += [(count, a, b) for a, b in pairwise([*loop, loop[0]])]
        vertices.append(corners.mean(axis=0)[None])
        count += 1
    if not lids:
        return body, 0.0
    labels = np.r_[body.labels, np.full(len(lids), np.bincount(body.labels - body.labels.min()).argmax())]
    labels[len(body.labels) :] += body.labels.min()
    return Surface(np.concatenate(vertices), np.concatenate([body.faces, lids]), labels), widest


def loops(edges: np.ndarray) -> list[list[int]]:
    """Closed walks that directed edges (k, 2) make, none through a corner twice; as many edges enter it as leave it."""
    following: dict[int, list[int]] = {}
    for start, end in edges.tolist():
        following.setdefault(start, []).append(end)
    found = []
    for first, ends in following.items():
        while ends:
            path, at = [first], ends.pop()
            while True:
                # A corner met again ends a loop of its own.
                if at in path:
                    place = path.index(at)
                    found.append(path[place:])
                    del path[place + 1 :]
                    if place == 0:
                        break
                else:
                    path.append(at)
                at = following[path[-1]].pop()
    return found


def volume_of(surface: Surface) -> float:
    """Signed volume: positive where the faces look outwards."""
    a, b, c = surface.vertices[surface.faces].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)


def area_of(surface: Surface) -> float:
    a, b, c = surface.vertices[surface.faces].transpose(1, 0, 2)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
