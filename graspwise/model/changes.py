"""Where an answer can go from: of the dense head's grasps, which one is further left, at the other end, and so on.

A small language model compares numbers badly and copies them well. So the last request of a conversation is shown with
the grasp that each sort of change comes to, as text, and where the answer's words have named a change its digits are
held to that grasp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from graspwise.answer import AnswerError, parse_grasp, render_grasp
from graspwise.conversation import Message, text_of
from graspwise.data.request_texts import announced
from graspwise.data.requests import KEPT, SIDES, Request, choose, is_new
from graspwise.grasp import Grasp, angle_difference
from graspwise.model.grasp_map import best_grasps

# Grasps to choose from: more of them and nearer together than those an answer ranks, but none that is much worse than
# the best. On heads that know the objects, nearly all with a fiftieth of its quality are right, and few with less than
# a hundredth.
MOST, POOL, APART, LEAST = 24, 256, 0.04, 0.01
SQUARE = (1, 1)


@dataclass(frozen=True)
class Change:
    """What a sort of change comes to.

    Attributes:
        grasp: The best one for it.
        met: Whether it does it; else it is the nearest.
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
    requests = [Request("direction", side) for side in SIDES]
    requests += [Request("other end"), Request("turn"), Request("other")]
    if len(earlier) > 1 and is_new([earlier[-1]], earlier[-2], SQUARE):
        requests.append(Request("previous"))
    found = {}
    for request in requests:
        grasp, met = choose(request, before=earlier, options=grasps, image_size=SQUARE)
        turned = angle_difference(earlier[-1].theta, grasp.theta) > KEPT
        found[request.key] = Change(grasp, met, turned)
    return found


def announced_change(text: str, found: Mapping[str, Change]) -> Change | None:
    """The change that an answer's words name first; None where they name none of these."""
    return next((found[key] for key in announced(text) if key in found), None)


def with_changes(asked: str, found: Mapping[str, Change]) -> str:
    """A request, then what each sort of change comes to."""
    if not found:
        return asked
    listed = []
    for key, change in found.items():
        turned = " turned" if change.turned and key in SIDES else ""
        numbers = render_grasp(change.grasp, answer_format="bare") if change.met else "none"
        listed.append(f"{key}{turned if change.met else ''} {numbers}")
    return f"{asked}\nChanges: {'; '.join(listed)}"
