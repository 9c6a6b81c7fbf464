"""Which hands are kept as grasps: those that touch, hardly enter, can resist any push, and hold the object in physics.

Metres. What is cheap to measure is measured first.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from graspwise.hand.closure import closure_margin
from graspwise.hand.displacement import simulation_displacement
from graspwise.hand.mesh import Distance, Solid
from graspwise.hand.metrics import CONTACT, contact_fingers
from graspwise.hand.model import HandModel

WIDEST_GAP, DEEPEST = 0.005, 0.005
FEWEST = 2
# Deeper than this no finger is in another, or in the palm.
CROSSED = 0.004
# So far may the object move, metres, within so many seconds; what holds that long in a stiff hand has settled.
MOVES, SECONDS = 0.02, 0.5
# Of a finger's vertices that touch, so many count as contacts.
CONTACTS = 5


@dataclass(frozen=True, eq=False)
class Tried:
    """An object that hands are tried on.

    Attributes:
        solid: The object.
        distance: To it, exact.
        hand: Whose hands.
        pieces: Convex bodies of the object, corners (k, 3) each.
    """

    solid: Solid
    distance: Distance
    hand: HandModel
    pieces: Sequence[np.ndarray]

    @classmethod
    def of(cls, solid: Solid, hand: HandModel, pieces: Sequence[np.ndarray]) -> Self:
        return cls(solid, Distance(solid), hand, pieces)


def measured(
    tried: Tried, vertices: np.ndarray, *, part: str | None = None, avoid: Collection[str] = ()
) -> dict[str, tuple[str, ...]] | str:
    """Which parts each finger touches; or, of a hand that is no grasp, why it is none.

    Args:
        tried: The object.
        vertices: Array (V, 3) of the posed hand, metres.
        part: A part that must be touched.
        avoid: Parts that nothing may touch.
    """
    if not np.isfinite(vertices).all():
        return "not finite"
    regions = tried.hand.regions
    signed = tried.distance.signed(vertices)
    if signed.min() > WIDEST_GAP:
        return "gap"
    if signed.min() < -DEEPEST:
        return "penetration"
    fingers = contact_fingers(vertices, tried.distance, regions=regions)
    touched = {name for parts in fingers.values() for name in parts}
    if len(fingers) < FEWEST:
        return "too few fingers"
    if touched & set(avoid) or (part is not None and part not in touched):
        return "another part"
    if crossed(vertices, tried.hand) > CROSSED:
        return "fingers through each other"
    points, normals = contacts(vertices, tried)
    if closure_margin(points, normals) <= 0:
        return "no force closure"
    moved = simulation_displacement(vertices, tried.hand.faces, tried.pieces, seconds=SECONDS)
    return fingers if moved.held <= MOVES else "falls"


def contacts(vertices: np.ndarray, tried: Tried) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) on the object that the hand touches, those pressed most of each finger, and inward normals."""
    nearest = tried.distance.nearest(vertices)
    chosen: list[int] = []
    for region in tried.hand.regions.values():
        near = region[nearest.distance[region] <= CONTACT]
        chosen += near[np.argsort(nearest.distance[near])[:CONTACTS]].tolist()
    a, b, c = tried.solid.vertices[tried.solid.faces[nearest.faces[chosen]]].transpose(1, 0, 2)
    outward = np.cross(b - a, c - a)
    length = np.linalg.norm(outward, axis=1)
    whole = length > 0
    return nearest.points[chosen][whole], -outward[whole] / length[whole, None]


def crossed(vertices: np.ndarray, hand: HandModel) -> float:
    """Metres that the deepest fingertip (of V, 3) lies inside another finger or the palm, 0 where none does."""
    deepest = 0.0
    for region, own in hand.regions.items():
        if region == "palm":
            continue
        bones = set(hand.bone_of[own].tolist())
        tip = own[hand.bone_of[own] == max(bones)]
        # The hand without this finger is open where the finger was, which the winding number takes well.
        others = hand.faces[~np.isin(hand.bone_of[hand.faces], list(bones)).any(axis=1)]
        rest = Solid("hand", vertices, others, (), np.full(len(others), -1))
        deepest = max(deepest, -float(Distance(rest).signed(vertices[tip]).min()))
    return deepest
