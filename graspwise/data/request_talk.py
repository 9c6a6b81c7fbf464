"""Conversations about a grasp: which change to ask for next, and the right answer to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from numpy.random import Generator

from graspwise.answer import AnswerFormat, render_grasp
from graspwise.conversation import Message, assistant_turn, user_turn
from graspwise.data.request_texts import answer_text, worded
from graspwise.data.requests import KEPT, SIDES, Hold, Request, choose, is_a_bit, is_new, meets, nearest_hold
from graspwise.data.templates import load_reasoning
from graspwise.errors import InputError
from graspwise.grasp import Grasp, angle_difference

# Share of the requests that no valid grasp satisfies, where there are both sorts.
UNMET = 0.15
# Share of the directions that are "a bit" only, and of those that keep the angle.
SHADED = 0.3
# User's turns of a conversation: the first instruction and one to three requests.
TURNS = (2, 3, 4)


@dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    Attributes:
        request: What was asked.
        grasp: The answer.
        met: Whether it does what was asked; else it is the nearest to that.
        reasoning: What is said with it.
    """

    request: Request
    grasp: Grasp
    met: bool
    reasoning: str


def check_share(share: float) -> None:
    """Raise unless a data set can have such a share of conversations.

    Raises:
        InputError: it cannot.
    """
    if not 0 <= share <= 1:
        raise InputError(f"--conversations is {share:g}; valid is a share of the samples, 0 to 1")


def name_of(category: str) -> str:
    """What answers call a thing of a category: as the reasonings do."""
    return category if category in load_reasoning() else "object"


def askable(
    holds: Sequence[Hold], before: Sequence[Grasp], *, image_size: tuple[int, int], rng: Generator
) -> list[Request]:
    """One request of each sort that makes sense after the grasps so far, without words.

    Args:
        holds: Valid grasps.
        before: The grasps so far, the one to change last.
        image_size: (width, height) of the picture that all refer to.
        rng: Decides the shades.
    """
    found = [
        Request("direction", side, little=rng.random() < SHADED, keep_angle=rng.random() < SHADED) for side in SIDES
    ]
    found += [Request("other end"), Request("turn"), Request("other")]
    if len(before) > 1 and is_new([before[-1]], before[-2], image_size):
        found.append(Request("previous"))
    held = nearest_hold(before[-1], holds, image_size).part
    if held is not None:
        parts = sorted({hold.part for hold in holds if hold.part is not None} - {held})
        found += [Request("part", part=part) for part in parts]
        found += [Request("away", part=held)] if parts else []
    return found


def next_request(
    holds: Sequence[Hold],
    before: Sequence[Grasp],
    *,
    image_size: tuple[int, int],
    rng: Generator,
    unmet: float = UNMET,
    test: bool = False,
    fits: Callable[[Request, bool], bool] = lambda request, met: True,
) -> tuple[Request, Grasp, bool] | None:
    """A random request with its right answer, and whether that does what was asked; None where there is none to make.

    Args:
        holds: All valid grasps.
        before: The grasps so far, the one to change last.
        image_size: (width, height) of the picture that all refer to.
        rng: Decides the request and its words.
        unmet: Share of the requests that no hold satisfies, where there are both sorts.
        test: Word it as no training data is.
        fits: Which requests may be made, by the request and whether a hold satisfies it.
    """
    sorts: dict[bool, list[tuple[Request, Grasp, bool]]] = {True: [], False: []}
    for request in askable(holds, before, image_size=image_size, rng=rng):
        # What may hold the part is no answer to a request to be away from it.
        options = [hold.grasp for hold in holds if request.kind != "away" or hold.part is not None]
        grasp, met = choose(request, before=before, options=options, image_size=image_size, holds=holds)
        # Whoever holds a thing in its middle has no other end.
        if fits(request, met) and (met or request.kind != "other end"):
            sorts[met].append((request, grasp, met))
    few = rng.random() < unmet
    chosen = sorts[not few] or sorts[few]
    if not chosen:
        return None
    request, grasp, met = chosen[int(rng.integers(len(chosen)))]
    return worded(request, rng, test=test), grasp, met


def answered(
    request: Request,
    grasp: Grasp,
    met: bool,
    *,
    before: Grasp,
    image_size: tuple[int, int],
    name: str,
    rng: Generator,
) -> Exchange:
    """The exchange, what is said with the answer drawn by `rng`; other arguments as `talk`."""
    kept = angle_difference(before.theta, grasp.theta) <= KEPT
    if request.keep_angle and not met:
        # A grasp that does not go there at all says nothing of the angle there.
        free = replace(request, keep_angle=False)
        kept = kept or not meets(free, before=[before], after=grasp, image_size=image_size)
    near = is_a_bit(before, grasp, image_size)
    return Exchange(request, grasp, met, answer_text(request, met=met, kept=kept, near=near, name=name, rng=rng))


def talk(
    holds: Sequence[Hold], first: Grasp, *, turns: int, image_size: tuple[int, int], name: str, rng: Generator
) -> list[Exchange]:
    """What follows a first answer, until the user has spoken `turns` times or there is nothing to ask for.

    Args:
        holds: All valid grasps.
        first: The first answer.
        turns: Of the user, the first instruction among them.
        image_size: (width, height) of the picture that all refer to.
        name: What the thing is called.
        rng: Decides requests and words.
    """
    before, found = [first], list[Exchange]()
    for _ in range(turns - 1):
        drawn = next_request(holds, before, image_size=image_size, rng=rng)
        if drawn is None:
            break
        request, grasp, met = drawn
        found.append(answered(request, grasp, met, before=before[-1], image_size=image_size, name=name, rng=rng))
        before.append(grasp)
    return found


def as_messages(exchanges: Sequence[Exchange], *, answer_format: AnswerFormat) -> list[Message]:
    """The turns of exchanges."""
    found: list[Message] = []
    for one in exchanges:
        answer = render_grasp(one.grasp, answer_format=answer_format, reasoning=one.reasoning)
        found += [user_turn(one.request.text, image=False), assistant_turn(answer)]
    return found
