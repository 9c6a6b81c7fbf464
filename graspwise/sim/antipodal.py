"""Antipodal grasp candidates from a picture of heights: pairs of opposed edges with room beside them for the fingers.

After Dex-Net 2.0 (Mahler et al. 2017, section IV-B): edges of the picture, pairs whose normals lie within the
friction cone of the line between them. Works on any shape, in clutter too; what it finds is a candidate until a trial
has lifted it.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from graspwise.grasp import Grasp, angle_difference
from graspwise.robot.pose import LEAST_DEPTH, Gripper

# A step this high within a few pixels is an edge, metres.
STEP = 0.005
CONE = math.radians(22)
# Room left at both sides of what is grasped, metres.
CLEARANCE = 0.009
LEAST_TOP = 0.005
TABLE_CLEARANCE = 0.002
SAMPLES = 1500
NEAR, NEAR_ANGLE = 0.010, math.radians(20)


@dataclass(frozen=True)
class Candidate:
    """A grasp with the object it is on.

    Attributes:
        grasp: In the frame of the picture, with opening and jaw.
        index: The object's value in the mask.
        width: Of what is between the jaws, metres.
    """

    grasp: Grasp
    index: int
    width: float


def candidates(
    height: np.ndarray,
    objects: np.ndarray,
    *,
    index: int,
    scale: float,
    gripper: Gripper,
    count: int,
    rng: np.random.Generator,
) -> list[Candidate]:
    """Up to `count` candidates on one object, spread over it.

    Args:
        height: (rows, columns) float32, metres above the table of what each pixel of a picture from above shows.
        objects: Mask of objects of the same size, 0 is the table.
        index: Which object.
        scale: Pixels a metre at the object.
        gripper: Its limits.
        count: At most this many.
        rng: Decides which.
    """
    mask = objects == index
    smooth = cv2.GaussianBlur(height, (0, 0), 1.0)
    gx, gy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)
    slope = np.hypot(gx, gy)
    near = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    ys, xs = np.nonzero((slope > STEP / 4) & near)
    if len(xs) == 0:
        return []
    picked = rng.integers(len(xs), size=SAMPLES)
    start = np.stack([xs[picked], ys[picked]], axis=1).astype(float)
    # Outward normal: downhill, turned a little so that the line need not be square to the edge.
    outward = -np.stack([gx[ys, xs], gy[ys, xs]], axis=1)[picked]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    turn = rng.uniform(-CONE, CONE, SAMPLES)
    cos, sin = np.cos(turn), np.sin(turn)
    line = -np.stack([cos * outward[:, 0] - sin * outward[:, 1], sin * outward[:, 0] + cos * outward[:, 1]], axis=1)
    reach = np.arange(4, int((gripper.max_opening - CLEARANCE) * scale))
    first, second = opposed(start, line, gx=gx, gy=gy, reach=reach, rng=rng)
    found = between(first, second, height=height, mask=mask, scale=scale, gripper=gripper, index=index)
    return spread(found, scale=scale, size=(height.shape[1], height.shape[0]), count=count, rng=rng)


def opposed(
    start: np.ndarray, line: np.ndarray, *, gx: np.ndarray, gy: np.ndarray, reach: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of edge points, two arrays (m, 2) in pixels: a start, and one of the first far edges along its line.

    Args:
        start: Array (n, 2), edge points in pixels.
        line: Array (n, 2), unit vectors from there into the object.
        gx: (rows, columns) slope of the heights to the right, metres a pixel.
        gy: The same downwards.
        reach: Array (k,), how far along the line to look, pixels.
        rng: Decides which of the first six far edges.
    """
    path = np.rint(start[:, None] + reach[:, None] * line[:, None]).astype(int)
    inside = ((path >= 0) & (path < gx.shape[::-1])).all(axis=2)
    px, py = np.where(inside, path[..., 0], 0), np.where(inside, path[..., 1], 0)
    right, down = gx[py, px], gy[py, px]
    slope = np.hypot(right, down)
    # The far edge: steep, and downhill along the line within the friction cone.
    along = -(right * line[:, :1] + down * line[:, 1:])
    far = inside & (slope > STEP / 4) & (along > math.cos(CONE) * slope)
    rows = np.flatnonzero(far.any(axis=1) & (inside.sum(axis=1) > 1))
    far = far[rows]
    pick = rng.integers(np.minimum(far.sum(axis=1), 6))
    ends = (np.cumsum(far, axis=1) <= pick[:, None]).sum(axis=1)
    return start[rows], path[rows, ends].astype(float)


def between(
    first: np.ndarray,
    second: np.ndarray,
    *,
    height: np.ndarray,
    mask: np.ndarray,
    scale: float,
    gripper: Gripper,
    index: int,
) -> list[Candidate]:
    """The grasps that close on pairs of edge points, arrays (n, 2) in pixels, where the fingers have room."""
    way = second - first
    wide = np.linalg.norm(way, axis=1)
    way /= wide[:, None]
    opening = np.minimum(wide / scale + 2 * CLEARANCE, gripper.max_opening)
    middle = (first + second) / 2
    across = gripper.pad_width / 2 * scale
    room, floor = np.ones(len(way), bool), np.zeros(len(way))
    for sign in (-1, 1):
        place = middle + sign * way * (opening / 2 + gripper.finger_thickness / 2)[:, None] * scale
        spots, inside = patch(place, way, along=gripper.finger_thickness / 2 * scale, across=across, size=height.shape)
        floor = np.maximum(floor, height[spots].max(axis=1))
        room &= inside
    holds, top = np.zeros(len(way), bool), np.zeros(len(way))
    # As many points along the opening as it has pixels: those of one number go together.
    for length in np.unique(wide[room].astype(int)):
        rows = np.flatnonzero(room & (wide.astype(int) == length))
        spots, inside = patch(middle[rows], way[rows], along=wide[rows] / 2, across=across, size=height.shape)
        owned = inside & (mask[spots].mean(axis=1) >= 0.3)
        holds[rows], top[rows] = owned, np.quantile(height[spots], 0.95, axis=1)
    # On low things the table itself leaves less to hold.
    holds &= (top - floor >= np.minimum(LEAST_DEPTH, 0.7 * top)) & (top >= LEAST_TOP)
    rows, columns = height.shape
    return [
        Candidate(
            Grasp(
                x=float(middle[one, 0] + 0.5) / columns, y=float(middle[one, 1] + 0.5) / rows,
                theta=math.atan2(-way[one, 1], way[one, 0]), opening=float(opening[one]) * scale / columns,
                jaw=gripper.pad_width * scale / columns,
            ),
            index,
            float(wide[one]) / scale,
        )
        for one in np.flatnonzero(holds)
    ]  # fmt: skip


def patch(
    middle: np.ndarray, way: np.ndarray, *, along: np.ndarray | float, across: float, size: tuple[int, ...]
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Pixels of turned rectangles in a picture of `size` (rows, columns).

    Args:
        middle: Array (n, 2), pixels.
        way: Array (n, 2), unit vectors along the rectangles.
        along: Half of their length in pixels, of whole pixels the same for all, one for all or (n,).
        across: Half of their width in pixels.
        size: Of the picture.

    Returns:
        Indices of rows and of columns, two arrays (n, k), and whether (n,) a rectangle lies in the picture; where it
        does not, its indices are those of the nearest pixels.
    """
    steps = max(int(2 * np.max(along)), 3)
    a = np.atleast_2d(np.linspace(-along, along, steps, axis=-1))[:, :, None]
    b = np.linspace(-across, across, max(int(across), 3))
    x, y = (
        np.rint(middle[:, axis, None, None] + a * way[:, axis, None, None] + b * aside[:, None, None]).astype(int)
        for axis, aside in enumerate((-way[:, 1], way[:, 0]))
    )
    x, y = (part.reshape(len(way), steps * len(b)) for part in (x, y))
    rows, columns = np.clip(y, 0, size[0] - 1), np.clip(x, 0, size[1] - 1)
    return (rows, columns), (rows == y).all(axis=1) & (columns == x).all(axis=1)


def spread(
    found: list[Candidate], *, scale: float, size: tuple[int, int], count: int, rng: np.random.Generator
) -> list[Candidate]:
    """At most `count` candidates, none near another in place and angle."""
    kept: list[Candidate] = []
    for number in rng.permutation(len(found)):
        grasp = found[number].grasp
        if all(
            math.hypot((grasp.x - k.grasp.x) * size[0], (grasp.y - k.grasp.y) * size[1]) > NEAR * scale
            or angle_difference(grasp.theta, k.grasp.theta) > NEAR_ANGLE
            for k in kept
        ):
            kept.append(found[number])
        if len(kept) == count:
            break
    return kept
