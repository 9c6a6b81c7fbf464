"""A solid as a few convex bodies, so that what a physics engine feels is close to what a camera sees.

Plane cuts, each time those that save the most volume of convex hull for every body that they add. Upright planes at
many angles and cuts into quarters suit what is round, such as bowls: halves of a ring have the hull that the ring has.
Works on points, so a scan may have holes or loose pieces.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

MOST_HULLS = 24
MOST_POINTS = 60
# As shares of the solid's longest side: hollows shallower than the first stay filled; points nearer to a cut than the
# second belong to both sides, so that neighbours touch.
HOLLOW, SHARED = 0.012, 0.004
CUTS = 8
# A side of a cut needs this many points: fewer make a hull by chance.
FEWEST = 40
_ANGLES = np.arange(8) * math.pi / 8
_SLANT = math.sqrt(0.5)
UPRIGHT = np.stack([np.cos(_ANGLES), np.sin(_ANGLES), np.zeros(8)], axis=1)
PLANES = np.array(
    [*UPRIGHT, (0, 0, 1), (_SLANT, 0, _SLANT), (-_SLANT, 0, _SLANT), (0, _SLANT, _SLANT), (0, -_SLANT, _SLANT)]
)
# Pairs of planes that quarter.
CROSSES = [(UPRIGHT[i], UPRIGHT[i + 4]) for i in range(4)] + [(PLANES[8], UPRIGHT[0]), (PLANES[8], UPRIGHT[4])]


# Planes, each its normal and its place along it.
Cut = tuple[tuple[np.ndarray, float], ...]


@dataclass(frozen=True, eq=False)
class Cell:
    """A piece of the solid and the best way to cut it.

    Attributes:
        points: Array (n, 3).
        outer: Array (n,) bool, which of them lie on the solid's outside.
        gain: Volume of hull that the cut saves for every body that it adds, 0 where there is no cut to make.
        sides: Arrays (n,) bool, which points lie in each of the pieces that the cut makes.
    """

    points: np.ndarray
    outer: np.ndarray
    gain: float
    sides: tuple[np.ndarray, ...]


def convex_hulls(surface: np.ndarray, inside: np.ndarray, *, most: int = MOST_HULLS) -> list[np.ndarray]:
    """Corners of convex bodies that together fill a solid.

    Args:
        surface: Points (n, 3) spread at random over its outside.
        inside: Points (m, 3) within it; without them, what lies between two cuts would be lost.
        most: At most this many bodies.

    Returns:
        Arrays (k, 3) in the frame of the points, k at most `MOST_POINTS`.

    Raises:
        ValueError: the points lie in one plane.
    """
    points = np.concatenate([surface, inside])
    if not math.isfinite(hull_volume(points)):
        raise ValueError("the points lie in one plane")
    longest = float(np.ptp(points, axis=0).max())
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    cells = [cell_of(points, np.arange(len(points)) < len(surface), middle=middle, longest=longest)]
    while True:
        room = most - len(cells) + 1
        cell = max((cell for cell in cells if len(cell.sides) <= room), key=lambda cell: cell.gain, default=None)
        if cell is None or cell.gain == 0:
            return [corners(cell.points) for cell in cells]
        cells.remove(cell)
        cells += [cell_of(cell.points[s], cell.outer[s], middle=middle, longest=longest) for s in cell.sides]


def cell_of(points: np.ndarray, outer: np.ndarray, *, middle: np.ndarray, longest: float) -> Cell:
    """The cell with its best cut; `middle` and `longest` are the whole solid's.

    Volume alone would cut what is convex too, because between two clouds of points a gap is always saved.
    """
    if hollow(points, outer) <= HOLLOW * longest:
        return Cell(points, outer, 0.0, ())
    volume, best, gain = hull_volume(points), None, 0.0
    for cut in cuts(points, middle):
        sides = sides_of(points, cut)
        if min(side.sum() for side in sides) < FEWEST:
            continue
        saved = (volume - sum(hull_volume(points[side]) for side in sides)) / (len(sides) - 1)
        if saved > gain:
            gain, best = saved, cut
    return Cell(points, outer, gain, sides_of(points, best, shared=SHARED * longest) if best else ())


def cuts(points: np.ndarray, middle: np.ndarray) -> Iterator[Cut]:
    """Cuts worth a trial: along each plane at several places and through the middle, and crosswise there."""
    for plane in PLANES:
        along = points @ plane
        for place in (*np.linspace(along.min(), along.max(), CUTS)[1:-1], middle @ plane):
            yield ((plane, float(place)),)
    for cross in CROSSES:
        yield tuple((plane, float(middle @ plane)) for plane in cross)


def sides_of(points: np.ndarray, cut: Cut, *, shared: float = 0.0) -> tuple[np.ndarray, ...]:
    """Which points (n,) bool lie in each piece; those up to `shared` beyond a cut belong to both its sides."""
    sides = [np.ones(len(points), bool)]
    for plane, place in cut:
        along = points @ plane - place
        sides = [side & half for side in sides for half in (along < shared, along >= -shared)]
    return tuple(sides)


def hollow(points: np.ndarray, outer: np.ndarray) -> float:
    """How deep below their convex hull the outer ones of the points lie, but for the deepest fiftieth."""
    shell = points[outer]
    if len(shell) == 0:
        return 0.0
    planes = ConvexHull(points).equations
    chosen = shell[np.linspace(0, len(shell) - 1, min(len(shell), 1500)).astype(int)]
    return float(np.quantile(-(chosen @ planes[:, :3].T + planes[:, 3]).max(axis=1), 0.98))


def hull_volume(points: np.ndarray) -> float:
    """Volume of the points' convex hull; infinite where it has none."""
    try:
        return float(ConvexHull(points).volume)
    except QhullError:
        return math.inf


def corners(points: np.ndarray) -> np.ndarray:
    """The points of the convex hull, thinned to those that stand out farthest in `MOST_POINTS` directions."""
    hull = points[ConvexHull(points).vertices]
    if len(hull) <= MOST_POINTS:
        return hull
    count = MOST_POINTS - 6
    n = np.arange(count) + 0.5
    polar, around = np.arccos(1 - 2 * n / count), math.pi * (1 + 5**0.5) * n
    ways = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=1)
    # Along the axes too, so that it stays as long, wide and high as it was.
    ways = np.concatenate([ways, np.eye(3), -np.eye(3)])
    low, high = hull.min(axis=0), hull.max(axis=0)
    return hull[np.unique((((hull - low) / (high - low) - 0.5) @ ways.T).argmax(axis=0))]
