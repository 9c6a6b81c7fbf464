"""What is measured of one hand on one object; the same for all, be it true, given back, written or a neighbour's.

Metres and cubic metres, in the object's own frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graspwise.hand.adapt import adapted
from graspwise.hand.displacement import object_pieces, simulation_displacement
from graspwise.hand.field import Field
from graspwise.hand.grasps import CATALOGUE, HandDataset, HandObject
from graspwise.hand.keep import MOVES, SECONDS
from graspwise.hand.mesh import Distance, Solid
from graspwise.hand.metrics import contact_fingers, gap, intersection_volume, part_agreement, penetration_depth
from graspwise.hand.model import HandModel
from graspwise.hand.predict import FIELD_POINTS

# Objects to measure on, by id; each is made once for all methods.
Grounds = Callable[[str], "Ground"]
# Decimals of parameters in a cell: a hundredth of a millimetre.
DECIMALS = 6


@dataclass(frozen=True)
class HandRow:
    """A hand and what was measured of it; a line of a cell.

    Attributes:
        number: Place in the data set of the grasp that it stands for.
        object_id: The object.
        parameters: (P,) in the hand's layout.
        fingers: What each finger touches, 3 mm count.
        penetration: PD, metres.
        gap: Metres.
        volume: SIV, cubic metres.
        displacement: SIM.D after `PUBLISHED_SECONDS`, metres; None where it was not simulated.
        held: Whether the object moves by at most 20 mm in half a second; None likewise.
        error: MPVPE to the grasp that it stands for, metres; None where that has no meaning.
        agreement: Share of what was asked that holds, 0 to 1; None where nothing was asked.
        text: The reason, where there is one.
    """

    number: int
    object_id: str
    parameters: tuple[float, ...]
    fingers: dict[str, tuple[str, ...]]
    penetration: float
    gap: float
    volume: float
    displacement: float | None
    held: bool | None
    error: float | None = None
    agreement: float | None = None
    text: str = ""

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "HandRow":
        fingers = {finger: tuple(parts) for finger, parts in value["fingers"].items()}
        return cls(**{**value, "parameters": tuple(value["parameters"]), "fingers": fingers})


class Ground:
    """One object to measure hands on; what is slow is made when it is first needed.

    Args:
        dataset: Where the object is from.
        object_id: Which.
        hand: Whose hands.
    """

    def __init__(self, dataset: HandDataset, object_id: str, hand: HandModel) -> None:
        self.thing: HandObject = dataset.objects[object_id]
        self.hand = hand
        self.solid: Solid = dataset.solid(object_id)

    @cached_property
    def distance(self) -> Distance:
        return Distance(self.solid)

    @cached_property
    def field(self) -> Field:
        return Field.of(self.solid, points=FIELD_POINTS)

    @cached_property
    def pieces(self) -> list[np.ndarray]:
        """Convex bodies for the simulation; exact for things of the simulator."""
        if self.thing.set in CATALOGUE:
            from graspwise.sim.catalogue import thing_of

            thing = thing_of(self.thing.object_id)
            return [piece.cloud() for part in thing.parts for piece in part.pieces]
        return object_pieces(self.solid)

    def adapted(self, parameters: Tensor) -> Tensor:
        """Hands (B, P) brought the last millimetres to the object."""
        return adapted(self.hand, parameters, self.field)

    def vertices(self, parameters: Tensor) -> np.ndarray:
        """(B, V, 3) metres of hands (B, P)."""
        with torch.no_grad():
            return self.hand.pose(*self.hand.layout.split(parameters.float())).vertices.double().cpu().numpy()

    def row(
        self, number: int, parameters: Tensor, vertices: np.ndarray, *, simulate: bool,
        truth: np.ndarray | None = None, asked: Sequence[tuple[str | None, str]] = (), free: Sequence[str] = (),
        text: str = "",
    ) -> HandRow:  # fmt: skip
        """Measure a hand.

        Args:
            number: Place in the data set of the grasp that it stands for.
            parameters: (P,).
            vertices: (V, 3) of the same hand, metres.
            simulate: Whether it is simulated, which is slow.
            truth: (V, 3) the hand that should have come out.
            asked: Pairs of a finger and a part that should touch.
            free: Parts that should stay free.
            text: The reason.
        """
        distance, hand = self.distance, self.hand
        fingers = contact_fingers(vertices, distance, regions=dict(hand.regions))
        moved = None
        if simulate:
            moved = simulation_displacement(vertices, hand.faces, self.pieces, seconds=SECONDS)
        return HandRow(
            number=number,
            object_id=self.thing.object_id,
            parameters=tuple(round(value, DECIMALS) for value in parameters.tolist()),
            fingers=fingers,
            penetration=round(penetration_depth(vertices, distance), DECIMALS),
            gap=round(gap(vertices, distance), DECIMALS),
            volume=round(intersection_volume(vertices, hand.faces, self.solid), 9),
            displacement=None if moved is None else round(moved.published, DECIMALS),
            held=None if moved is None else moved.held <= MOVES,
            error=None if truth is None else round(float(np.linalg.norm(vertices - truth, axis=1).mean()), DECIMALS),
            agreement=part_agreement(fingers, asked=asked, free=free) if asked or free else None,
            text=text,
        )
