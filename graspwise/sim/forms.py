"""Bars, plates and blocks that several modules of objects build from, and the ways that pieces and objects are turned.

Lengths are metres, angles radians. A bar runs along x; its rows are in order along it, and between every two of them
is one convex piece, so that a bar of n rows is n - 1 pieces.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from graspwise.sim.shapes import Paint, Piece, Vector, hull

# ---- turns of a piece whose own axis is z

ALONG_X: Vector = (0.0, math.pi / 2, 0.0)
ALONG_Y: Vector = (math.pi / 2, 0.0, 0.0)
# Along x too, but rolled: round things with 14, 18 or 22 sides then lie on a flat one.
ALONG_X_FACET: Vector = (-math.pi / 2, 0.0, -math.pi / 2)

# ---- poses of an object: what faces up

UPRIGHT: Vector = (0.0, 0.0, 0.0)
# What faced y as it stood.
ON_SIDE: Vector = (math.pi / 2, 0.0, 0.0)
# What faced -y as it stood: the front, of things that have one.
OTHER_SIDE: Vector = (-math.pi / 2, 0.0, 0.0)
ON_BACK = OTHER_SIDE
UPSIDE_DOWN: Vector = (math.pi, 0.0, 0.0)
FLAT: tuple[Vector, ...] = (UPRIGHT,)
EITHER_FACE: tuple[Vector, ...] = (UPRIGHT, UPSIDE_DOWN)

# Corners of the section of `swept`, as shares of its half width and half height.
_OCTAGON = ((1, 0.55), (0.7, 1), (-0.7, 1), (-1, 0.55), (-1, -0.55), (-0.7, -1), (0.7, -1), (1, -0.55))


def loft(rows: Sequence[tuple[float, float, float]], paint: Paint) -> list[Piece]:
    """A straight bar along x with rounded edges, its middle line at y = z = 0.

    Args:
        rows: (x, full width along y, full height along z) of each section; its edges are cut by 0.29 of the lesser.
        paint: Of all of it.
    """
    rings = []
    for x, width, height in rows:
        y, z, cut = width / 2, height / 2, 0.29 * min(width, height)
        corners = [(y - cut, -z), (y, cut - z), (y, z - cut), (y - cut, z)]
        rings.append([(x, side * a, b) for side in (-1, 1) for a, b in corners])
    return [hull([*a, *b], paint) for a, b in pairwise(rings)]


def swept(stations: Sequence[tuple[float, float, float, float, float]], paint: Paint) -> list[Piece]:
    """A bar along x that bends any way and whose eight-cornered section changes.

    Args:
        stations: (x, y, z, half width along y, half height along z) of each section.
        paint: Of all of it.
    """
    sections = [[(x, y + a * w, z + b * h) for a, b in _OCTAGON] for x, y, z, w, h in stations]
    return [hull(a + b, paint) for a, b in pairwise(sections)]


def bar(stations: Sequence[tuple[float, float, float, float]], paint: Paint, *, square: float = 0.6) -> list[Piece]:
    """A bar along x that bends up and down and is rounder or squarer in section.

    Args:
        stations: (x, z of the middle, full width along y, full height) of each section of twelve corners.
        paint: Of all of it.
        square: 1 makes round sections, towards 0 rectangular ones.
    """
    angles = (np.arange(12) + 0.5) * math.pi / 6
    y, z = (np.sign(wave) * np.abs(wave / wave.max()) ** square / 2 for wave in (np.cos(angles), np.sin(angles)))
    rings = [[(x, w * b, middle + h * c) for b, c in zip(y, z, strict=True)] for x, middle, w, h in stations]
    return [hull([*a, *b], paint) for a, b in pairwise(rings)]


def strip(path: Sequence[tuple[float, float, float]], paint: Paint, *, height: float) -> list[Piece]:
    """A flat bar that bends in x-y, with round ends and joints, its middle at z = 0.

    Args:
        path: (x, y, full width) of each joint.
        paint: Of all of it.
        height: Full height along z.
    """
    turns = np.linspace(0, 2 * math.pi, 10, endpoint=False).tolist()
    levels = (-height / 2, height / 2)
    discs = [[(x + w / 2 * math.cos(t), y + w / 2 * math.sin(t), z) for t in turns for z in levels] for x, y, w in path]
    return [hull([*a, *b], paint) for a, b in pairwise(discs)]


def plan(length: float, width: float, power: float, *, count: int = 24) -> list[tuple[float, float]]:
    """Outline of a superellipse about the origin, count x (x, y).

    Args:
        length: Full length along x.
        width: Full width along y.
        power: 2 is an ellipse, more is squarer.
        count: Corners, the first of them half a step off the x axis.
    """
    around = np.linspace(0, 2 * math.pi, count, endpoint=False) + math.pi / count
    x, y = (np.sign(wave) * np.abs(wave) ** (2 / power) for wave in (np.cos(around), np.sin(around)))
    return list(zip((x * length / 2).tolist(), (y * width / 2).tolist(), strict=True))


def slab(length: float, width: float, levels: Sequence[tuple[float, float]], paint: Paint, *, power: float = 2.0,
         at: Vector = (0, 0, 0)) -> Piece:  # fmt: skip
    """A convex block with a superellipse for its plan, its edges drawn in or out with height.

    Args:
        length: Full length along x, where nothing is drawn in.
        width: Full width along y, likewise.
        levels: (height, how far the edge is drawn in there) from the bottom up.
        paint: Of all of it.
        power: As of `plan`.
        at: How far the block is shifted.
    """
    points = [(x, y, z) for z, inset in levels for x, y in plan(length - 2 * inset, width - 2 * inset, power)]
    return hull(points, paint).moved(by=at)


def sticker(
    radius: float, around: float, across: float, low: float, high: float, paint: Paint, *, rise: float = 0.0
) -> Piece:
    """A patch on a cylinder about z, a third of a millimetre proud.

    Args:
        radius: Of the cylinder.
        around: Angle of the patch's middle.
        across: Its width as an angle.
        low: Height of its lower end.
        high: Height of its upper end.
        paint: Of the patch.
        rise: How much higher its far end is than its near one.
    """
    return hull(
        [(r * math.cos(around + across * share), r * math.sin(around + across * share), z + rise * share)
         for share in (-0.5, -0.25, 0, 0.25, 0.5) for r in (radius - 0.003, radius + 0.00035) for z in (low, high)],
        paint,
    )  # fmt: skip


def stretched(pieces: Sequence[Piece], *, by: Vector) -> list[Piece]:
    """Hulls that stand in the object's own frame, scaled along x, y, z: a round spoon becomes an oval one."""
    return [hull((np.array(piece.points) * by).tolist(), piece.paint) for piece in pieces]
