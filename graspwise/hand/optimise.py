"""Hands that hold an object, found by optimisation: many start in front of it and close at once.

After DexGraspNet (Wang et al. 2023): an energy of contact, force closure, depth and joints is made small by gradient
steps. Metres and radians; energies are in about millimetres.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from graspwise.hand.balls import Balls
from graspwise.hand.field import Field
from graspwise.hand.mesh import Solid
from graspwise.hand.model import REGIONS, HandModel, place_points, vertex_normals
from graspwise.hand.starts import Reach, starts

STEPS, BATCH = 150, 32
# Of so many starts the one is taken that stands best.
TRIES = 6
# Skin gives way by so much where it touches, metres; a fingertip that only touches holds nothing.
PRESS = 0.001
# Fingers that take no part stay so far away.
AWAY = 0.006
# Vertices of a pad that are asked for, and how many of them must touch.
PAD, TOUCHING = 12, 4
# A forearm behind the wrist, which the hand's own surface has not: along -x, metres.
FOREARM, FOREARM_RADIUS = (0.02, 0.05, 0.08, 0.11, 0.14), 0.028
# Balls that may not pass through each other are at least so large.
SOLID_BALL, NEIGHBOURS = 0.005, 0.007
# Step sizes of rotation, translation, articulation.
RATES = (0.015, 0.0015, 0.02)
WEIGHTS = {
    "touch": 1.0, "part": 1.0, "facing": 3.0, "balance": 2.0, "depth": 0.6, "away": 0.1, "fingers": 0.3, "ease": 1.0
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Hold:
    """What of a hand the energy needs, made once for all objects.

    Attributes:
        hand: The model.
        reach: For its starts.
        balls: Its inside.
        pads: (S, 12) vertices of each site, a finger's bone or a piece of the palm.
        backs: (S, 12) vertices on the other side of it.
        regions: (S,) places in `REGIONS`.
        tips: (S,) whether it is a fingertip.
        pairs: (2, Q) balls that could pass through each other.
    """

    hand: HandModel
    reach: Reach
    balls: Balls
    pads: Tensor
    backs: Tensor
    regions: Tensor
    tips: Tensor
    pairs: Tensor

    @classmethod
    def of(cls, hand: HandModel) -> Self:
        """That of a hand; a second or two."""
        still, shape = torch.eye(4)[None], torch.zeros(1, hand.layout.shape)
        posed = hand.pose(still, hand.rest[None], shape).vertices
        vertices = posed[0].double().numpy()
        normals = vertex_normals(vertices, hand.faces)
        pads, backs, regions, tips = [], [], [], []
        for number, region in enumerate(REGIONS):
            own = hand.pads[region]
            bones = [bone for bone in np.unique(hand.bone_of[own]) if (hand.bone_of[own] == bone).sum() >= PAD]
            for bone in bones:
                site = own[hand.bone_of[own] == bone]
                facing = normals[site].mean(0)
                middle = vertices[site].mean(0)
                # The middle of the pad, which looks the way the pad does.
                far = np.linalg.norm(vertices[site] - middle, axis=1) + 0.01 * (1 - normals[site] @ facing)
                chosen = site[np.argsort(far)[:PAD]]
                depth = (vertices - middle) @ facing
                behind = np.linalg.norm(vertices - middle - depth[:, None] * facing, axis=1) + (depth > -0.006)
                pads.append(chosen)
                backs.append(np.argsort(behind)[:PAD])
                regions.append(number)
                tips.append(region != "palm" and bone == max(bones))
        balls = Balls.of(hand)
        return cls(
            hand, Reach.of(hand), balls, torch.from_numpy(np.array(pads)), torch.from_numpy(np.array(backs)),
            torch.tensor(regions), torch.tensor(tips), crossing(balls, posed),
        )  # fmt: skip


def crossing(balls: Balls, resting: Tensor) -> Tensor:
    """Pairs (2, Q) of large balls that are of different fingers, or finger and palm, and apart in the resting hand."""
    middles = balls.middles(resting)[0]
    kept: list[int] = []
    # Their neighbours, the largest first, stand for all others.
    for ball in balls.radii.argsort(descending=True).tolist():
        beside = (middles[kept] - middles[ball]).norm(dim=-1)
        if balls.radii[ball] >= SOLID_BALL and not (beside < NEIGHBOURS).any():
            kept.append(ball)
    large = torch.tensor(kept)
    first, second = large[torch.triu_indices(len(large), len(large), 1)]
    apart = (middles[first] - middles[second]).norm(dim=-1) > balls.radii[first] + balls.radii[second]
    pairs = apart & (balls.fingers[first] != balls.fingers[second])
    return torch.stack([first[pairs], second[pairs]])


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is to be held, and with what.

    Attributes:
        whole: Distance to the object.
        part: Distance to the wanted parts; None where any is.
        sites: (S,) weight of each site's touch; 0 takes no part.
        idle: (K,) bool, balls of the fingers that take no part.
    """

    whole: Field
    part: Field | None
    sites: Tensor
    idle: Tensor

    @classmethod
    def of(cls, hold: Hold, whole: Field, part: Field | None, fingers: Collection[str]) -> Self:
        taking = torch.tensor([region in fingers for region in REGIONS])
        # A fist touches with all of its fingers, a fingertip grip with the tips.
        inner = 0.4 if "palm" in fingers else 0.0
        sites = torch.where(hold.tips, 1.0, inner) * taking[hold.regions]
        idle = ~taking[:5][hold.balls.fingers] & (hold.balls.fingers >= 0)
        return cls(whole, part, sites, idle)


def grasps_on(
    solid: Solid, hold: Hold, *, parts: Collection[str] | None, fingers: Collection[str], count: int,
    rng: np.random.Generator, fields: tuple[Field, Field | None] | None = None, steps: int = STEPS,
) -> Tensor:  # fmt: skip
    """Hands that were closed on an object; not all of them hold it, so measure them.

    Args:
        solid: The object.
        hold: Of the hand, `Hold.of(hand)`.
        parts: Which parts to hold, or None.
        fingers: Which of `REGIONS` take part: the thumb and others; with the palm, all of their inner sides.
        count: How many hands, in one batch.
        rng: Decides all.
        fields: Distance to the object and to these parts, where they are known already.
        steps: Gradient steps.

    Returns:
        Parameters (count, P), joints within their limits.

    Raises:
        ValueError: the object has no surface of these parts.
    """
    whole, part = fields or (Field.of(solid), Field.to_parts(solid, parts) if parts is not None else None)
    wanted = Wanted.of(hold, whole, part, fingers)
    hand = hold.hand
    begun = starts(solid, hand, hold.reach, parts=parts, fingers=fingers, count=count * TRIES, rng=rng)
    with torch.no_grad():
        first = torch.cat([energy(hold, wanted, *hand.layout.split(part)) for part in begun.split(BATCH)])
    best = first.view(count, TRIES).argmin(1) + torch.arange(count) * TRIES
    return closed_on(hold, wanted, begun[best], steps=steps)


def closed_on(hold: Hold, wanted: Wanted, begun: Tensor, *, steps: int) -> Tensor:
    """Hands (B, P) after gradient steps from where they began (B, P)."""
    hand = hold.hand
    rotation, translation, articulation, shape = (
        x.clone() for x in begun.split([6, 3, hand.layout.articulation, hand.layout.shape], dim=1)
    )
    moving = [rotation, translation, articulation]
    optimiser = torch.optim.Adam(
        [{"params": [x.requires_grad_()], "lr": rate} for x, rate in zip(moving, RATES, strict=True)], betas=(0.8, 0.95)
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - 0.95 * step / steps)
    low, high = hand.limits.T
    for _ in range(steps):
        optimiser.zero_grad()
        energy(hold, wanted, *hand.layout.split(torch.cat([*moving, shape], dim=1))).sum().backward()
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            articulation.clamp_(low, high)
    with torch.no_grad():
        return hand.layout.join(*hand.layout.split(torch.cat([*moving, shape], dim=1)))


def energy(hold: Hold, wanted: Wanted, transform: Tensor, articulation: Tensor, shape: Tensor) -> Tensor:
    """Energy (B,) of hands."""
    terms = energies(hold, wanted, transform, articulation, shape)
    return torch.stack([WEIGHTS[name] * value for name, value in terms.items()]).sum(0)


def energies(hold: Hold, wanted: Wanted, transform: Tensor, articulation: Tensor, shape: Tensor) -> dict[str, Tensor]:
    """Its terms (B,) by name, without their weights."""
    vertices = hold.hand.pose(transform, articulation, shape).vertices
    return {
        **touches(hold, wanted, vertices),
        **depths(hold, wanted, transform, vertices),
        "ease": ((articulation - hold.hand.rest) ** 2).sum(1),
    }


def touches(hold: Hold, wanted: Wanted, vertices: Tensor) -> dict[str, Tensor]:
    """How far the pads that take part are from the wanted part, and whether they hold it in balance."""
    used = torch.nonzero(wanted.sites > 0)[:, 0]
    weight = wanted.sites[used]
    pads = vertices[:, hold.pads[used]]
    flat = pads.flatten(1, 2)
    distance = wanted.whole(flat).view(pads.shape[:3])
    near, which = distance.topk(TOUCHING, dim=-1, largest=False)
    # Far sites of a fist that reach nothing should not tear at the others.
    touch = soft((near.mean(-1) + PRESS) * 1000)
    part = torch.zeros_like(touch)
    if wanted.part is not None:
        beyond = wanted.part(flat).view(pads.shape[:3]).gather(-1, which) - near.abs()
        part = soft(beyond.clamp(min=0).mean(-1) * 1000)
    points = pads.gather(2, which[..., None].expand(-1, -1, -1, 3)).mean(2)
    outward = wanted.whole.normals(points)
    facing = torch.nn.functional.normalize(pads.mean(2) - vertices[:, hold.backs[used]].mean(2), dim=-1)
    against = (1 + (facing * outward).sum(-1)).clamp(min=0.3)
    share = (weight / weight.sum())[:, None]
    force = (share * outward).sum(1)
    arm = points - (share * points).sum(1, keepdim=True)
    torque = (share * torch.linalg.cross(arm, outward)).sum(1) / 0.03
    return {
        "touch": (weight * touch).sum(1),
        "part": (weight * part).sum(1),
        "facing": (weight * against).sum(1),
        "balance": (force.square().sum(1) + torque.square().sum(1)) * weight.sum(),
    }


def soft(millimetres: Tensor) -> Tensor:
    """As a square near 0, as the way itself up to about 2 cm, and ever less beyond."""
    size = torch.sqrt(millimetres**2 + 0.25) - 0.5
    return 20 * torch.log1p(size / 20)


def depths(hold: Hold, wanted: Wanted, transform: Tensor, vertices: Tensor) -> dict[str, Tensor]:
    """How deep hand and object are in each other, idle fingers too near it, and fingers in each other."""
    balls = hold.balls
    middles = balls.middles(vertices)
    arm = torch.zeros(len(vertices), len(FOREARM), 3)
    arm[..., 0] = -torch.tensor(FOREARM)
    distance = wanted.whole(torch.cat([middles, place_points(transform, arm)], dim=1))
    own, behind = distance.split([len(balls.radii), len(FOREARM)], dim=1)
    inside = (balls.radii - PRESS - own).clamp(min=0) * 1000
    arm_inside = (FOREARM_RADIUS - behind).clamp(min=0) * 1000
    near = (balls.radii + AWAY - own).clamp(min=0)[:, wanted.idle] * 1000
    first, second = hold.pairs
    between = (middles[:, first] - middles[:, second]).norm(dim=-1)
    through = (balls.radii[first] + balls.radii[second] - 0.001 - between).clamp(min=0) * 1000
    return {
        "depth": deep(inside) + deep(arm_inside),
        "away": near.sum(1),
        "fingers": deep(through),
    }


def deep(millimetres: Tensor) -> Tensor:
    """Sum over all of a square that goes over into the way itself at 4 mm."""
    return torch.where(millimetres < 4, millimetres**2 / 4, 2 * millimetres - 4).sum(1)
