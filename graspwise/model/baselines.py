"""Graspers that need no learning: what they score tells whether a model has looked at the picture.

Each takes one square picture, uint8 (side, side, 3) RGB, and answers a grasp in that picture's frame with an opening:

- `centre`: the picture's centre, theta 0. It scores where the camera points at things that lie upright.
- `random`: a uniform pose; the same picture always gives the same one.
- `blob`: the centroid and the minor axis of whatever stands out from the table. No learning, but a fair opponent.
"""

import hashlib
import math
from collections.abc import Callable

import cv2
import numpy as np

from graspwise.errors import InputError
from graspwise.grasp import Grasp

Baseline = Callable[[np.ndarray], Grasp]

# The median opening of Cornell's labels, as a fraction of the workspace's width.
TYPICAL_OPENING = 0.135
CLEARANCE = 1.1
# The table and its light are estimated, and blobs looked for, at these sides in pixels.
TABLE_SIDE = 32
WORKING_SIDE = 352
# CIELAB distance below which a blob cannot be told from noise and JPEG blocks.
LEAST_CONTRAST = 6.0
LEAST_AREA = 3e-4


def baseline(name: str) -> Baseline:
    """The grasper of that name.

    Raises:
        InputError: there is none.
    """
    if name not in BASELINES:
        raise InputError(f"baseline {name!r}; valid: {', '.join(BASELINES)}")
    return BASELINES[name]


def centre_grasp(picture: np.ndarray) -> Grasp:
    """The picture's centre, jaws opening along x."""
    _check(picture)
    return Grasp(x=0.5, y=0.5, theta=0.0, opening=TYPICAL_OPENING)


def random_grasp(picture: np.ndarray) -> Grasp:
    """A uniform centre and angle drawn from the picture's content, so that no order of pictures changes it."""
    _check(picture)
    digest = hashlib.blake2b(picture.tobytes(), digest_size=8).digest()
    x, y, turn = np.random.default_rng(int.from_bytes(digest, "little")).random(3)
    return Grasp(x=float(x), y=float(y), theta=math.pi * float(turn), opening=TYPICAL_OPENING)


def blob_grasp(picture: np.ndarray) -> Grasp:
    """Close the jaws on the salient blob's centroid, along its minor axis, a tenth wider than it is there.

    Where nothing stands out it answers as `centre` does.
    """
    _check(picture)
    blob = salient_blob(picture)
    if blob is None:
        return centre_grasp(picture)
    side = blob.shape[0]
    y, x = np.nonzero(blob)
    middle = np.array([x.mean(), y.mean()])
    offsets = np.stack([x, y], axis=1) - middle
    # eigh sorts upwards: the first eigenvector is the minor axis.
    minor = np.linalg.eigh(offsets.T @ offsets / len(offsets))[1][:, 0]
    extent = float(np.ptp(offsets @ minor)) + 1
    return Grasp(
        x=float(middle[0] + 0.5) / side,
        y=float(middle[1] + 0.5) / side,
        theta=math.atan2(-minor[1], minor[0]),
        opening=min(CLEARANCE * extent / side, 1.0),
    )


def salient_blob(picture: np.ndarray) -> np.ndarray | None:
    """Mask (side, side), bool, of the largest thing that differs from the table, at `WORKING_SIDE` or less; or None.

    A table's far edge and what stands beside it hug the frame: they are cut away and what is left gets a threshold of
    its own, so that a faint thing in the middle is found beside a dark edge. They are the answer if nothing else is.
    """
    side = min(picture.shape[0], WORKING_SIDE)
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small.astype(np.float32) / 255, (0, 0), side / 176)
    lab = np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB))
    contrast = np.linalg.norm(lab - table(lab), axis=2)
    # 0 at the frame, 1 from a sixth of the side inwards.
    rise = np.clip(6 * np.minimum(np.arange(side), np.arange(side)[::-1]) / side, 0, 1)
    centrality = np.minimum(rise[:, None], rise[None, :])

    searched = np.ones((side, side), dtype=bool)
    fallback = None
    for _ in range(3):
        blobs = sorted(blobs_of(contrast, searched=searched), key=lambda b: -float(centrality[b].sum()))
        central = [b for b in blobs if centrality[b].mean() > 0.5]
        if central:
            return central[0]
        if not blobs:
            break
        fallback = blobs[0] if fallback is None else fallback
        # What goes takes its blurred rim along.
        gone = np.logical_or.reduce(blobs).astype(np.uint8)
        searched &= cv2.dilate(gone, np.ones((side // 16 | 1,) * 2, np.uint8)) == 0
    return fallback


def table(lab: np.ndarray) -> np.ndarray:
    """The empty table as a camera would see it, like `lab` (side, side, 3): a cubic through what is not an object.

    The fit starts at the border's median colour and keeps the better-explained part of all pixels, five times over, so
    that uneven light and a vignette are table and up to a third of the picture may be something else.
    """
    small = cv2.resize(lab, (TABLE_SIDE, TABLE_SIDE), interpolation=cv2.INTER_AREA)
    colours = small.reshape(-1, 3).astype(np.float64)
    axis = np.linspace(-1, 1, TABLE_SIDE)
    x, y = (a.ravel() for a in np.meshgrid(axis, axis))
    terms = np.stack([x**i * y**j for i in range(4) for j in range(4 - i)], axis=1)
    border = np.maximum(abs(x), abs(y)) > 0.875
    residual = np.linalg.norm(colours - np.median(colours[border], axis=0), axis=1)
    fit = np.empty_like(colours)
    for _ in range(5):
        kept = residual <= np.quantile(residual, 0.65)
        fit = terms @ np.linalg.lstsq(terms[kept], colours[kept])[0]
        residual = np.linalg.norm(colours - fit, axis=1)
    surface = fit.reshape(TABLE_SIDE, TABLE_SIDE, 3).astype(np.float32)
    return np.asarray(cv2.resize(surface, lab.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def blobs_of(contrast: np.ndarray, *, searched: np.ndarray) -> list[np.ndarray]:
    """Masks (side, side), bool, of the connected parts above Otsu's threshold over the pixels `searched`."""
    side = contrast.shape[0]
    if not searched.any():
        return []
    seen = contrast[searched]
    step = max(float(seen.max()), LEAST_CONTRAST) / 255
    threshold = cv2.threshold((seen / step).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)[0] * step
    above = ((contrast > max(threshold, LEAST_CONTRAST)) & searched).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side // 70 | 1,) * 2)
    count, numbers, boxes, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(above, cv2.MORPH_CLOSE, kernel))
    least = LEAST_AREA * side**2
    return [numbers == number for number in range(1, count) if boxes[number][cv2.CC_STAT_AREA] >= least]


def _check(picture: np.ndarray) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.shape[0] != picture.shape[1] or picture.dtype != np.uint8:
        raise ValueError(
            f"a baseline takes a square picture, uint8 (side, side, 3); found {picture.dtype} {picture.shape}"
        )


BASELINES: dict[str, Baseline] = {"random": random_grasp, "centre": centre_grasp, "blob": blob_grasp}
