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
    found = []
    reach = np.arange(4, int((gripper.max_opening - CLEARANCE) * scale))
    side = np.array([height.shape[1], height.shape[0]])
    for origin, way in zip(start, line, strict=True):
        path = np.rint(origin + reach[:, None] * way).astype(int)
        path = path[((path >= 0) & (path < side)).all(axis=1)]
        if len(path) < 2:
            continue
        px, py = path.T
        # The far edge: steep, and downhill along the line within the friction cone.
        along = -(gx[py, px] * way[0] + gy[py, px] * way[1])
        far = (slope[py, px] > STEP / 4) & (along > math.cos(CONE) * slope[py, px])
        if not far.any():
            continue
        ends = np.flatnonzero(far)
        end = int(ends[rng.integers(min(len(ends), 6))])
        candidate = between(origin, path[end].astype(float), height=height, mask=mask, scale=scale,
                            gripper=gripper, index=index)  # fmt: skip
        if candidate is not None:
            found.append(candidate)
    return spread(found, scale=scale, size=(height.shape[1], height.shape[0]), count=count, rng=rng)


def between(
    first: np.ndarray,
    second: np.ndarray,
    *,
    height: np.ndarray,
    mask: np.ndarray,
    scale: float,
    gripper: Gripper,
    index: int,
) -> Candidate | None:
    """The grasp that closes on two edge points (pixels), where the fingers have room; None where they have not."""
    way = second - first
    wide = float(np.linalg.norm(way))
    if wide < 1:
        return None
    way /= wide
    width = wide / scale
    opening = min(width + 2 * CLEARANCE, gripper.max_opening)
    middle = (first + second) / 2
    inner = patch(height, middle, way, along=wide / 2, across=gripper.pad_width / 2 * scale)
    owned = patch(mask, middle, way, along=wide / 2, across=gripper.pad_width / 2 * scale)
    if inner is None or owned is None or owned.mean() < 0.3:
        return None
    top = float(np.quantile(inner, 0.95))
    floor = 0.0
    for sign in (-1, 1):
        place = middle + sign * way * (opening / 2 + gripper.finger_thickness / 2) * scale
        under = patch(
            height, place, way, along=gripper.finger_thickness / 2 * scale, across=gripper.pad_width / 2 * scale
        )
        if under is None:
            return None
        floor = max(floor, float(under.max()))
    # On low things the table itself leaves less to hold.
    if top - floor < min(LEAST_DEPTH, 0.7 * top) or top < LEAST_TOP:
        return None
    rows, columns = height.shape
    grasp = Grasp(
        x=float(middle[0] + 0.5) / columns, y=float(middle[1] + 0.5) / rows, theta=math.atan2(-way[1], way[0]),
        opening=opening * scale / columns, jaw=gripper.pad_width * scale / columns,
    )  # fmt: skip
    return Candidate(grasp, index, width)


def patch(
    picture: np.ndarray, middle: np.ndarray, way: np.ndarray, *, along: float, across: float
) -> np.ndarray | None:
    """Values (n,) of a turned rectangle around `middle`, half sides in pixels; None where it leaves the picture."""
    a = np.linspace(-along, along, max(int(2 * along), 3))
    b = np.linspace(-across, across, max(int(across), 3))
    aside = np.array([-way[1], way[0]])
    points = np.rint(middle + a[:, None, None] * way + b[None, :, None] * aside).astype(int).reshape(-1, 2)
    if points.min() < 0 or (points >= (picture.shape[1], picture.shape[0])).any():
        return None
    return np.asarray(picture[points[:, 1], points[:, 0]])


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
