"""Does the reasoning matter? The same pictures answered after other reasons than the model's own.

The numbers are written after a text that is put into the model's mouth: a true one, another true one, one of a wrong
category, and the true one's words in another order. If the reasoning is read, the grasp stays for the second, moves and
misses for the third, and the fourth tells whether it is the content or only more tokens. How far the grasp moves when
the same answer is drawn at random instead of taken as the likeliest is the measure for "moves".
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from graspwise.answer import SPT, marked
from graspwise.conversation import user_turn
from graspwise.data.store import Dataset, Sample
from graspwise.data.templates import load_reasoning
from graspwise.evaluation.protocol import workspace_view
from graspwise.evaluation.score import UNNAMED, in_percent, square
from graspwise.grasp import Grasp, angle_difference
from graspwise.metric import is_hit
from graspwise.model.llava_responder import LlavaResponder

TRUE, SAMPLED, SAME, WRONG, SHUFFLED = "true text", "true text, drawn", "another true text", "wrong text", "shuffled"
CONTROLS = (TRUE, SAMPLED, SAME, WRONG, SHUFFLED)
TEMPERATURE = 1.0
BATCH = 32


@dataclass(frozen=True)
class ControlRecord:
    """One photograph answered after one reason.

    Attributes:
        image: Name of the photograph.
        object_id: Its object.
        control: Which reason.
        reasoning: The reason.
        hit: Right by the rectangle metric with ground-truth w.
        move: Distance from the grasp after the true text, as a fraction of the picture's width.
        turn: Angle between the two, radians.
    """

    image: str
    object_id: str
    control: str
    reasoning: str
    hit: bool
    move: float
    turn: float


def reasons(sample: Sample, *, rng: np.random.Generator, named: bool = False) -> dict[str, str]:
    """A reason for each control.

    Args:
        sample: What is in the picture.
        rng: Draws them.
        named: Put each reason's target between two [SPT], for a model that it steers.
    """
    texts = load_reasoning()
    name = sample.category if sample.category in texts else "object"
    own = texts[name]
    first, second = rng.choice(len(own), 2, replace=False).tolist()
    others = sorted(texts.keys() - {sample.category, "object"})
    other = others[rng.integers(len(others))]
    foreign = texts[other]

    def said(text: str, target: str) -> str:
        return marked(text, target) if named else text

    # A target stays whole, wherever the shuffle puts it.
    words = re.findall(rf"{re.escape(SPT)}.*?{re.escape(SPT)}|\S+", said(own[first].rstrip("."), name))
    shuffled = " ".join(words[i] for i in rng.permutation(len(words))) + "."
    wrong = foreign[rng.integers(len(foreign))]
    return {
        TRUE: said(own[first], name), SAMPLED: said(own[first], name), SAME: said(own[second], name),
        WRONG: said(wrong, other), SHUFFLED: shuffled,
    }  # fmt: skip


def control_records(
    responder: LlavaResponder, dataset: Dataset, samples: Sequence[Sample], *, seed: int
) -> list[ControlRecord]:
    """Records of every sample and control; the model is asked to pick up the object, unnamed."""
    named = responder.model.names_target
    drawn = [reasons(s, rng=np.random.default_rng([seed, index]), named=named) for index, s in enumerate(samples)]
    records: list[ControlRecord] = []
    for start in range(0, len(samples), BATCH):
        chosen = samples[start : start + BATCH]
        pictures, fits = zip(
            *(square(dataset, s, responder.image_size, depth=False, view=workspace_view) for s in chosen), strict=True
        )
        first: list[Grasp] = []
        for control in CONTROLS:
            texts = [reason[control] for reason in drawn[start : start + BATCH]]
            answers = responder.respond(
                pictures, [[user_turn(UNNAMED)]] * len(chosen), reasonings=texts,
                temperature=TEMPERATURE if control == SAMPLED else 0.0, seed=seed + start,
            )  # fmt: skip
            grasps = [answer.grasp for answer in answers]
            assert all(grasp is not None for grasp in grasps)
            first = first or [grasp for grasp in grasps if grasp is not None]
            for sample, fit, text, grasp, true in zip(chosen, fits, texts, grasps, first, strict=True):
                assert grasp is not None
                right = is_hit(fit.inverse().grasp(grasp), labels=sample.rectangles, image_size=fit.source_size)
                move = math.dist((grasp.x, grasp.y), (true.x, true.y))
                turn = angle_difference(grasp.theta, true.theta)
                records.append(ControlRecord(sample.source_image, sample.object_id, control, text, right, move, turn))
    return records


def control_summary(records: Sequence[ControlRecord]) -> dict[str, dict[str, Any]]:
    """Of each control: share right, its difference to the true text's in points, and the median move and turn."""
    true = {r.image: r for r in records if r.control == TRUE}
    found = {}
    for control in CONTROLS:
        own = [r for r in records if r.control == control]
        points, ci95 = in_percent([r.hit - true[r.image].hit for r in own], [r.object_id for r in own])
        found[control] = {
            "n": len(own),
            "percent": round(100 * float(np.mean([r.hit for r in own])), 2),
            "minus_true": {"points": points, "ci95": ci95},
            "median_move": round(median(r.move for r in own), 5),
            "mean_move": round(float(np.mean([r.move for r in own])), 5),
            "moved_share": round(float(np.mean([r.move > 0.03 or r.turn > math.radians(10) for r in own])), 4),
            "median_turn": round(median(r.turn for r in own), 5),
        }  # fmt: skip
    return found
