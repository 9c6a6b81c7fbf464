"""Bring a hand the last millimetres to the object: fingers that are near touch it, and none enters it.

A few steps of Adam on the distance field of the object, from the grasp as it was written. It changes where the hand is
and how its joints are bent, never whose hand it is. Metres and radians.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from graspwise.hand.model import REGIONS, HandModel

STEPS = 60
# A region whose skin is nearer than this, metres, was meant to touch; and so many of its nearest vertices are pulled.
REACH, PULLED = 0.015, 8
# Step widths: rotation as two columns, translation in metres, articulation in radians.
RATES = (0.01, 0.0008, 0.02)
# Weights against a millimetre of distance, squared: of a vertex inside, of a vertex that has moved, of a radian bent.
INSIDE, MOVED, BENT = 0.1, 0.01, 2.0

# Signed distances (B, N) to the object of points (B, N, 3), differentiable, metres; a `Field` is one.
Distances = Callable[[Tensor], Tensor]


def adapted(hand: HandModel, parameters: Tensor, field: Distances, *, steps: int = STEPS) -> Tensor:
    """Grasps that touch the object and hardly enter it, near to the given ones.

    Args:
        hand: Whose parameters they are.
        parameters: (B, P) in the hand's layout, in the object's frame.
        field: Distance to the object.
        steps: Of the optimiser.

    Returns:
        (B, P); of each hand the best that was seen, so that none is worse than it was. Joints are within their limits.
    """
    start = parameters.detach().float()
    bends = slice(9, 9 + hand.layout.articulation)
    low, high = hand.limits.to(start).unbind(1)
    start = torch.cat([start[:, :9], start[:, bends].clamp(low, high), start[:, bends.stop :]], dim=1)
    with torch.no_grad():
        first = hand.pose(*hand.layout.split(start)).vertices
        wanted = touching(hand, field(first))
    rotation, translation, articulation = (
        start[:, part].clone().requires_grad_() for part in (slice(0, 6), slice(6, 9), bends)
    )
    groups = [{"params": [value], "lr": rate} for value, rate in zip((rotation, translation, articulation), RATES,
                                                                      strict=True)]  # fmt: skip
    optimizer = torch.optim.Adam(groups)
    best, least = start.clone(), start.new_full((len(start),), torch.inf)
    for step in range(steps + 1):
        now = torch.cat([rotation, translation, articulation, start[:, bends.stop :]], dim=1)
        vertices = hand.pose(*hand.layout.split(now)).vertices
        energy = touch_energy(hand, field(vertices), wanted)
        energy = energy + MOVED * (1000 * (vertices - first)).square().sum(-1).mean(1)
        energy = energy + BENT * (articulation - start[:, bends]).square().sum(1)
        better = energy.detach() < least
        best[better], least[better] = now.detach()[better], energy.detach()[better]
        if step == steps:
            break
        optimizer.zero_grad()
        energy.sum().backward()
        optimizer.step()
        with torch.no_grad():
            articulation.copy_(articulation.clamp(low, high))
    return best


def touching(hand: HandModel, distances: Tensor) -> Tensor:
    """Which regions (B, 6) of hands were meant to touch, given their vertices' distances (B, V).

    Those within reach; the thumb and the nearest finger where it would else be fewer than two.
    """
    nearest = torch.stack([distances[:, hand.pads[region]].min(1).values for region in REGIONS], dim=1)
    wanted = nearest < REACH
    few = wanted.sum(1) < 2
    wanted[few, 0] = True
    wanted[few, 1 + nearest[few, 1:5].argmin(1)] = True
    return wanted


def touch_energy(hand: HandModel, distances: Tensor, wanted: Tensor) -> Tensor:
    """How far hands (B,) are from touching with the wanted regions (B, 6) and entering nowhere, square millimetres."""
    energy = INSIDE * (1000 * distances.clamp(max=0)).square().sum(1)
    for number, region in enumerate(REGIONS):
        pads = distances[:, hand.pads[region]]
        near = pads.topk(min(PULLED, pads.shape[1]), dim=1, largest=False).values.clamp(min=0)
        energy = energy + wanted[:, number] * (1000 * near).square().mean(1)
    return energy
