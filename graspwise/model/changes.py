"""Where an answer can go from: of the dense head's grasps, which one is further left, at the other end, and so on.

A small language model compares numbers badly and copies them well. So the last request of a conversation is shown with
the grasp that each sort of change comes to, as text, and where the answer's words have named a change its digits are
held to that grasp.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from graspwise.answer import AnswerError, parse_grasp, render_grasp
from graspwise.conversation import Message, text_of
from graspwise.data.request_texts import announced
from graspwise.data.requests import KEPT, SIDES, Request, bit, choose, is_a_bit, is_new
from graspwise.grasp import Grasp, angle_difference
from graspwise.model.grasp_map import best_grasps

# Grasps to choose from: more of them and nearer together than those an answer ranks, but none that is much worse than
# the best. On heads that know the objects, nearly all with a fiftieth of its quality are right, and few with less than
# a hundredth.
MOST, POOL, APART, LEAST = 24, 256, 0.04, 0.01
SQUARE = (1, 1)
# A grasp this close to one of the dense head's is that one, up to an answer's rounding.
SAME_PLACE, SAME_ANGLE = 0.02, math.radians(3)
MOVES = (*SIDES, *map(bit, SIDES))


@dataclass(frozen=True)
class Change:
    """What a sort of change comes to.

    Attributes:
        grasp: The best one for it.
        met: Whether it does it; else it is the nearest. A bit that way is done within a bit.
        turned: Whether its angle is another than that of the grasp to change.
    """

    grasp: Grasp
    met: bool
    turned: bool


def spread_grasps(maps: Tensor, *, plate: float = 0.0) -> list[list[Grasp]]:
    """The grasps of each picture to choose a change from, best first, of maps (B, 6, h, w)."""
    found = best_grasps(maps, count=MOST, pool=POOL, min_distance=APART, plate=plate)
    return [[g for g in grasps if (g.quality or 0) >= LEAST * (grasps[0].quality or 0)] for grasps in found]


def earlier_grasps(conversation: Sequence[Message]) -> list[Grasp]:
    """The grasps of a conversation's answers, in order; an answer without a valid one gives none."""
    found = []
    for message in conversation:
        if message["role"] == "assistant":
            try:
                found.append(parse_grasp(text_of(message))[1])
            except AnswerError:
                continue
    return found


def changes(grasps: Sequence[Grasp], earlier: Sequence[Grasp]) -> dict[str, Change]:
    """What each sort of change comes to after the earlier answers, by the request's key; nothing after none.

    Args:
        grasps: What can be answered, in the frame of a square picture.
        earlier: The answers so far, in the same frame.
    """
    if not grasps or not earlier:
        return {}
    requests = [Request("direction", side, little=little) for little in (False, True) for side in SIDES]
    requests += [Request("other end"), Request("turn"), Request("other")]
    if len(earlier) > 1 and is_new([earlier[-1]], earlier[-2], SQUARE):
        requests.append(Request("previous"))
    found = {}
    for request in requests:
        grasp, met = choose(request, before=earlier, options=grasps, image_size=SQUARE)
        met = met and (not request.little or is_a_bit(earlier[-1], grasp, SQUARE))
        turned = angle_difference(earlier[-1].theta, grasp.theta) > KEPT
        # An earlier grasp is known by its text alone, which has no opening.
        found[request.key] = Change(measured(grasp, grasps), met, turned)
    return found


def change_for(request: Request, found: Mapping[str, Change]) -> Change | None:
    """The change that answers a request: of a bit that way, where there is none, the way; None where none is known."""
    change = found.get(request.key)
    return found[request.side] if change and request.side and not change.met else change


def announced_change(text: str, found: Mapping[str, Change]) -> Change | None:
    """The change that an answer's words name first; None where they name none of these."""
    return next((found[key] for key in announced(text) if key in found), None)


def with_changes(asked: str, found: Mapping[str, Change]) -> str:
    """A request, then what each sort of change comes to."""
    if not found:
        return asked
    listed = []
    for key, change in found.items():
        turned = " turned" if change.turned and key in MOVES else ""
        numbers = render_grasp(change.grasp, answer_format="bare") if change.met else "none"
        listed.append(f"{key}{turned if change.met else ''} {numbers}")
    return f"{asked}\nChanges: {'; '.join(listed)}"


def measured(grasp: Grasp, known: Sequence[Grasp]) -> Grasp:
    """A grasp with the opening, the jaw plate and the quality of the same among known ones.

    One that is none of them opens as wide as the nearest and has no quality; without known ones it stays as it is.
    """
    same = next((other for other in known if is_same(other, grasp)), None)
    nearest = same or min(known, key=lambda other: math.dist((other.x, other.y), (grasp.x, grasp.y)), default=None)
    if nearest is None:
        return grasp
    return replace(grasp, opening=nearest.opening, jaw=nearest.jaw, quality=same.quality if same else None)


def is_same(a: Grasp, b: Grasp) -> bool:
    """Whether two grasps of one square picture are one."""
    return math.dist((a.x, a.y), (b.x, b.y)) < SAME_PLACE and angle_difference(a.theta, b.theta) < SAME_ANGLE
