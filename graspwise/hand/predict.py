"""A sentence about an object gives a hand on it, with what is measured of it; the answer as JSON and back.

Metres and radians, in the frame of the object's mesh file.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graspwise.errors import InputError
from graspwise.files import read_json
from graspwise.hand.adapt import adapted
from graspwise.hand.field import Field
from graspwise.hand.language import HandTalker
from graspwise.hand.mesh import Distance, Solid
from graspwise.hand.metrics import contact_fingers, gap, penetration_depth
from graspwise.hand.model import HandModel, Posed
from graspwise.hand.writing import Written, write
from graspwise.robot.rigid import check_rigid

# Of the field that a grasp is adapted on: finer ones take seconds.
FIELD_POINTS = 100_000


@dataclass(frozen=True, eq=False)
class HandAnswer:
    """A hand on an object.

    Attributes:
        object: The object's name.
        size: Its longest side, metres.
        sentence: What was asked.
        written: What the language model wrote, and the grasp that its tokens stand for.
        hand: The hand model's name.
        posed: The hand, after adaptation where that was wanted.
        T_object_hand: (4, 4), likewise.
        articulation: (A,) radians, likewise.
        shape: (S,) standard deviations.
        fingers: Each finger, or the palm, that touches the object, and the parts that it touches; 3 mm count.
        penetration: How deep the hand is in the object, metres.
        gap: How far it is from it, metres, 0 where it touches.
        seconds: From the sentence to here.
    """

    object: str
    size: float
    sentence: str
    written: Written
    hand: str
    posed: Posed
    T_object_hand: np.ndarray
    articulation: np.ndarray
    shape: np.ndarray
    fingers: dict[str, tuple[str, ...]]
    penetration: float
    gap: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Metres and radians; matrices row-major."""
        return {
            "object": self.object,
            "size": round(self.size, 5),
            "sentence": self.sentence,
            "text": self.written.text,
            "tokens": list(self.written.tokens),
            "hand": self.hand,
            "T_object_hand": [[round(value, 6) + 0.0 for value in row] for row in self.T_object_hand.tolist()],
            "articulation": [round(value, 5) for value in self.articulation.tolist()],
            "shape": [round(value, 5) for value in self.shape.tolist()],
            "fingers": self.fingers,
            "penetration": round(self.penetration, 5),
            "gap": round(self.gap, 5),
            "seconds": round(self.seconds, 3),
        }


def predict_hand(
    talker: HandTalker, solid: Solid, sentence: str, *, turns: Sequence[tuple[str, Written]] = (), adapt: bool = True,
    temperature: float = 0.0, seed: int = 0,
) -> HandAnswer:  # fmt: skip
    """A hand on a solid as a sentence wants it.

    Args:
        talker: Who writes.
        solid: The object.
        sentence: What is wanted.
        turns: What was asked before about this solid, and what was written then.
        adapt: Bring the hand the last millimetres to the surface.
        temperature: 0 takes the likeliest tokens; above, they are drawn.
        seed: Decides what is drawn.

    Raises:
        InputError: the sentence is empty or too long.
    """
    started = time.perf_counter()
    written = write(talker, solid, sentence, turns=turns, temperature=temperature, seed=seed)
    hand = talker.tokens.rig.hand
    parameters = torch.from_numpy(written.parameters)[None]
    if adapt:
        parameters = adapted(hand, parameters, Field.of(solid, points=FIELD_POINTS))
    transform, articulation, shape = hand.layout.split(parameters)
    posed = hand.pose(transform, articulation, shape)
    [vertices] = posed.vertices.double().numpy()
    distance = Distance(solid)
    return HandAnswer(
        object=solid.name, size=float(solid.size.max()), sentence=sentence, written=written, hand=hand.name,
        posed=posed, T_object_hand=transform[0].double().numpy(), articulation=articulation[0].numpy(),
        shape=shape[0].numpy(), fingers=contact_fingers(vertices, distance, regions=dict(hand.regions)),
        penetration=penetration_depth(vertices, distance), gap=gap(vertices, distance),
        seconds=time.perf_counter() - started,
    )  # fmt: skip


def read_hand_grasp(path: Path | str, hand: HandModel) -> np.ndarray:
    """The parameters (P,) float32 of a file with one line of `graspwise hand predict --json`.

    Raises:
        InputError: the file is missing, holds something else, or a hand of another model.
    """
    value = read_json(path)
    if not isinstance(value, dict) or not {"hand", "T_object_hand", "articulation", "shape"} <= set(value):
        raise InputError(f"{path}: no grasp of a hand; valid is a line of `graspwise hand predict --json`")
    if value["hand"] != hand.name:
        raise InputError(f"{path}: hand: found {str(value['hand'])[:40]}; valid here is {hand.name}")
    transform = check_rigid(value["T_object_hand"], name=f"{path}: T_object_hand")
    layout = hand.layout
    numbers = []
    for name, count in (("articulation", layout.articulation), ("shape", layout.shape)):
        try:
            numbers.append(np.array(value[name], np.float32))
        except (TypeError, ValueError):
            numbers.append(np.empty(0, np.float32))
        if numbers[-1].shape != (count,) or not np.isfinite(numbers[-1]).all():
            raise InputError(f"{path}: {name}: found {str(value[name])[:40]}; valid are {count} finite numbers")
    given = [torch.from_numpy(np.asarray(part, np.float32))[None] for part in (transform, *numbers)]
    return layout.join(*given)[0].numpy()
