"""Where a hand may begin to close on an object: open, in front of it, its thumb and fingers on two sides of it.

A grip is one of two kinds (Napier 1956): of power, the thing lies across the palm and the fingers close around it, or
of precision, it is between the pads of thumb and fingers. Metres and radians.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from graspwise.hand.mesh import Samples, Solid
from graspwise.hand.model import FINGERS, HandModel, unit

# A hand spans things up to this width; things between pads are at least so thick.
WIDEST, THINNEST = 0.09, 0.0015
SAMPLES = 1500
# How far the other side's point may lie beside the line along the normal, and how well its normal must look back.
BESIDE, FACING = 0.006, 0.7
# Around a point so far, the part tells along which way it runs; it runs along one where that is so much longer.
AROUND, LONG = 0.06, 1.5
# A handle lies in a fist from the heel of the hand to the index finger's base: so far turned from straight across.
SLANT, SLANT_SPREAD = np.radians(15), np.radians(15)
# Room between skin and thing at the start.
ROOM = 0.008
CURLS = np.linspace(0.0, 0.8, 9)


@dataclass(frozen=True, eq=False)
class Reach:
    """What of a hand is needed to place it.

    Attributes:
        closing: (A,) from the resting hand towards a closed one, at most to the joints' limits.
        palm: (3,) the middle of what it grips against, in the hand's frame.
        pads: (C, 5, 3) middles of the fingertips' pads, as closed as `CURLS` says.
    """

    closing: np.ndarray
    palm: np.ndarray
    pads: np.ndarray

    @classmethod
    def of(cls, hand: HandModel) -> Self:
        still, shape = torch.eye(4)[None], torch.zeros(1, hand.layout.shape)
        articulation = hand.rest[None].clone().requires_grad_()
        posed = hand.pose(still, articulation, shape)
        knuckles = posed.joints[0, 5::4]
        inner = hand.pads["palm"]
        under = 0.8 * knuckles.mean(0)
        near = (posed.vertices[0, inner] - under)[:, :2].norm(dim=-1).argsort()[:10]
        palm = torch.cat([under[:2], posed.vertices[0, inner][near, 2].mean()[None]]).detach()
        # What brings the tips to a place before the palm closes the hand, in every model's own parameters.
        target = palm + torch.tensor([0.0, 0.0, -0.02])
        far = sum((posed.joints[0, 4 * (i + 1)] - target).norm() for i in range(len(FINGERS)))
        assert isinstance(far, Tensor)
        (slope,) = torch.autograd.grad(-far, articulation)
        share = (slope[0] / slope.abs().max()).clamp(-1, 1)
        share = torch.where(share.abs() > 0.15, share.sign() * share.abs().sqrt(), torch.zeros_like(share))
        room = torch.where(share > 0, hand.limits[:, 1] - hand.rest, hand.rest - hand.limits[:, 0])
        closing = share * room
        bent = hand.rest + torch.from_numpy(CURLS).float()[:, None] * closing
        with torch.no_grad():
            vertices = hand.pose(still.expand(len(bent), 4, 4), bent, shape.expand(len(bent), -1)).vertices
        tips = [vertices[:, hand.pads[finger]][:, tip_pads(hand, finger)].mean(1) for finger in FINGERS]
        return cls(closing.numpy(), palm.double().numpy(), torch.stack(tips, dim=1).double().numpy())


def tip_pads(hand: HandModel, finger: str) -> np.ndarray:
    """Which of a finger's pads are on its last bone."""
    bones = hand.bone_of[hand.pads[finger]]
    return np.flatnonzero(bones == bones.max())


@dataclass(frozen=True, eq=False)
class Sides:
    """Two sides of an object, places to take it between.

    Attributes:
        first: (n, 3) points of the wanted part.
        normals: (n, 3) outward, at `first`.
        widths: (n,) metres to the other side, against the normal.
        along: (n, 3) the way the part runs there, across the normal; any way where it runs along none.
        runs: (n,) whether it runs along one.
    """

    first: np.ndarray
    normals: np.ndarray
    widths: np.ndarray
    along: np.ndarray
    runs: np.ndarray


def sides(
    solid: Solid, *, parts: Collection[str] | None, count: int, whole: bool, rng: np.random.Generator
) -> Sides:  # fmt: skip
    """Places on the wanted parts, evenly by area.

    Args:
        solid: The object.
        parts: The wanted ones; None for all.
        count: How many.
        whole: Whether the other side is the farthest that a hand spans, the thing as a whole; else any, as of a wall.
        rng: Chooses.

    Raises:
        ValueError: the object has no surface of these parts.
    """
    samples = solid.samples(4 * SAMPLES, rng=rng)
    wanted = np.ones(len(samples.points), bool)
    if parts is not None:
        wanted = np.isin(samples.parts, [number for number, name in enumerate(solid.parts) if name in parts])
    if not wanted.any():
        raise ValueError(f"{solid.name} has no surface of {', '.join(parts or ())}")
    own = np.flatnonzero(wanted)[:SAMPLES]
    widths = between(samples, own, whole=whole, rng=rng)
    found = own[np.isfinite(widths)]
    # Where nothing looks back the hand can only cover the thing, as it does a ball that is too large for it.
    chosen = rng.choice(found if len(found) else own, size=count)
    known = dict(zip(own.tolist(), widths.tolist(), strict=True))
    width = np.array([known[i] if np.isfinite(known[i]) else WIDEST for i in chosen.tolist()])
    along, runs = ways(samples.points[own], samples.points[chosen], samples.normals[chosen], rng)
    return Sides(samples.points[chosen], samples.normals[chosen], width, along, runs)


def between(samples: Samples, own: np.ndarray, *, whole: bool, rng: np.random.Generator) -> np.ndarray:
    """Metres (n,) from each of the samples numbered `own` to another side that looks back, infinite where none does."""
    points, normals = samples.points[own], samples.normals[own]
    offset = samples.points[None, :SAMPLES] - points[:, None]
    depth = -(offset * normals[:, None]).sum(-1)
    beside = np.linalg.norm(offset + depth[..., None] * normals[:, None], axis=-1)
    back = -(normals @ samples.normals[:SAMPLES].T) > FACING
    right = (beside < BESIDE) & back & (depth > THINNEST) & (depth < WIDEST)
    order = depth if whole else rng.uniform(size=depth.shape)
    chosen = np.where(right, order, -np.inf).argmax(1)
    return np.where(right.any(1), depth[np.arange(len(own)), chosen], np.inf)


def ways(
    part: np.ndarray, points: np.ndarray, normals: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Along which way (n, 3) the part (m, 3) runs around points (n, 3), across the normals, and whether it does."""
    any_way = unit(rng.normal(size=points.shape))
    along, runs = any_way.copy(), np.zeros(len(points), bool)
    for i, point in enumerate(points):
        near = part[np.linalg.norm(part - point, axis=1) < AROUND]
        if len(near) > 5:
            values, axes = np.linalg.eigh(np.cov((near - near.mean(0)).T))
            flat = axes[:, 2] - (axes[:, 2] @ normals[i]) * normals[i]
            if values[2] > LONG**2 * values[1] and np.linalg.norm(flat) > 0.5:
                along[i], runs[i] = flat * rng.choice([-1.0, 1.0]), True
    along -= (along * normals).sum(1, keepdims=True) * normals
    return unit(along), runs


def starts(
    solid: Solid, hand: HandModel, reach: Reach, *, parts: Collection[str] | None, fingers: Collection[str],
    count: int, rng: np.random.Generator,
) -> Tensor:  # fmt: skip
    """Parameters (count, P) of open hands in front of the wanted parts.

    Args:
        solid: The object.
        hand: Whose parameters.
        reach: Of this hand.
        parts: Where to begin; None for anywhere.
        fingers: Which fingers take part; a grip of power with "palm" among them, else one of precision.
        count: How many.
        rng: Decides all.

    Raises:
        ValueError: the object has no surface of these parts.
    """
    whole = "palm" in fingers
    places = sides(solid, parts=parts, count=count, whole=whole, rng=rng)
    make = power if whole else precision
    rotations, translations, curls = make(places, reach, fingers=fingers, rng=rng)
    rest, limits = hand.rest.numpy(), hand.limits.numpy()
    bent = rest + curls[:, None] * reach.closing + rng.normal(scale=0.06, size=(count, len(rest)))
    transforms = np.tile(np.eye(4), (count, 1, 1))
    transforms[:, :3, :3], transforms[:, :3, 3] = rotations, translations
    shape = np.clip(rng.normal(scale=0.5, size=(count, hand.layout.shape)), -1.5, 1.5)
    return hand.layout.join(
        *(torch.from_numpy(x).float() for x in (transforms, np.clip(bent, limits[:, 0], limits[:, 1]), shape))
    )


def power(
    places: Sides, reach: Reach, *, fingers: Collection[str], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotations (n, 3, 3), translations (n, 3) and curls (n,) of hands whose palm faces the first side."""
    count = len(places.first)
    slant = np.where(places.runs, rng.normal(SLANT, SLANT_SPREAD, count), rng.uniform(-np.pi, np.pi, count))
    across = np.stack([np.sin(slant), np.cos(slant), np.zeros(count)], axis=1)
    up = np.tile([0.0, 0.0, 1.0], (count, 1))
    rotations = frames(places.along, places.normals) @ frames(across, up).transpose(0, 2, 1)
    shift = np.concatenate([rng.normal(scale=0.008, size=(count, 2)), np.zeros((count, 1))], axis=1)
    gripped = reach.palm + shift - np.array([0.0, 0.0, 1.0]) * ROOM
    translations = places.first - (rotations @ gripped[..., None])[..., 0]
    # A thick thing needs an open hand.
    curls = np.clip(0.45 - 4.5 * places.widths, 0.05, 0.45) + rng.uniform(-0.05, 0.05, count)
    return rotations, translations, curls


def precision(
    places: Sides, reach: Reach, *, fingers: Collection[str], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `power`, of hands whose thumb's pad faces the first side, and the other fingers' pads the other one."""
    count = len(places.first)
    others = [FINGERS.index(finger) for finger in FINGERS[1:] if finger in fingers] or [1]
    thumb, tips = reach.pads[:, 0], reach.pads[:, others].mean(1)
    gaps = np.linalg.norm(tips - thumb, axis=1)
    level = np.abs(gaps[None] - (places.widths + 2 * ROOM)[:, None]).argmin(1)
    spread = reach.pads[:, others[0]] - reach.pads[:, others[-1]] if len(others) > 2 else np.tile([0, 1.0, 0], (9, 1))
    facing = unit(tips - thumb)[level]
    row = spread[level] - (spread[level] * facing).sum(1, keepdims=True) * facing
    roll = np.where(places.runs & (len(others) > 2), rng.normal(0, 0.3, count), rng.uniform(-np.pi, np.pi, count))
    along = np.cos(roll)[:, None] * places.along + np.sin(roll)[:, None] * np.cross(places.normals, places.along)
    rotations = frames(along, -places.normals) @ frames(unit(row), facing).transpose(0, 2, 1)
    middle = places.first - places.normals * places.widths[:, None] / 2
    translations = middle - (rotations @ ((thumb + tips) / 2)[level][..., None])[..., 0]
    return rotations, translations, CURLS[level]


def frames(first: np.ndarray, third: np.ndarray) -> np.ndarray:
    """Rotations (n, 3, 3) whose columns are the directions `first`, third x first, and `third`, all (n, 3)."""
    return np.stack([first, np.cross(third, first), third], axis=-1)
