"""Requests to change a grasp: what they ask, whether an answer does it, and which of several grasps does it best.

Geometry alone. Direction words are those of the picture: right is +x, up is -y, whatever way the thing lies. Lengths
are fractions of the picture's width, angles radians.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from graspwise.grasp import Grasp, angle_difference

Kind = Literal["direction", "other end", "part", "away", "turn", "other", "previous"]
Side = Literal["left", "right", "up", "down"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SIDES: dict[Side, tuple[float, float]] = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}

# The smallest change of place that is just visible, and how much of a move must go the asked way: within 60 degrees.
STEP, ALONG = 0.025, 0.5
# "A bit" reaches no further, nor does a grasp that is turned where it is.
LITTLE = 0.15
# An angle that has changed by less was kept; a quarter turn turns by at least this; another grasp at one place too.
KEPT, TURNED, ANOTHER = math.radians(20), math.radians(60), math.radians(30)
# A place that has changed by less was kept; another grasp at about the same angle is at least as far away.
NEAR = 0.06
# The other end begins halfway between the middle and the furthest grasp there; a grasp nearer to the middle than this
# share of the way is at no end.
END, MIDDLE = 0.5, 0.25
# The same grasp once more, up to the answer's rounding.
SAME_PLACE, SAME_ANGLE = 0.01, math.radians(3)
# How fast a grasp's worth falls with its distance from the grasp to change.
REACH = 0.15


@dataclass(frozen=True)
class Request:
    """A change that a user asks for.

    Attributes:
        kind: What is to change.
        side: Of a direction, which.
        little: Of a direction, whether it is "a bit" only.
        keep_angle: Of a direction, whether the angle must stay.
        part: Of a part, or of being away from one, its name.
        text: The user's words.

    Raises:
        ValueError: the fields do not go together.
    """

    kind: Kind
    side: Side | None = None
    little: bool = False
    keep_angle: bool = False
    part: str | None = None
    text: str = ""

    def __post_init__(self) -> None:
        directed, about_part = self.kind == "direction", self.kind in ("part", "away")
        if directed != (self.side is not None) or about_part != (self.part is not None):
            raise ValueError(f"{self.kind} with the side {self.side} and the part {self.part}; valid is what it needs")
        if (self.little or self.keep_angle) and not directed:
            raise ValueError(f"{self.kind} a bit, or at the same angle; valid is a direction")

    @property
    def key(self) -> str:
        """What it comes to, whatever the angle: a side, maybe a bit that way, or the kind."""
        return (bit(self.side) if self.little else self.side) if self.side else self.kind


def bit(side: Side) -> str:
    """The key of a request for a bit that way."""
    return f"a bit {side}"


@dataclass(frozen=True)
class Hold:
    """A valid grasp, and the part that it holds, where that is known."""

    grasp: Grasp
    part: str | None = None


def meets(
    request: Request, *, before: Sequence[Grasp], after: Grasp, image_size: tuple[int, int], holds: Sequence[Hold] = ()
) -> bool:
    """Whether a grasp does what was asked, by at least a just visible size.

    Args:
        request: What was asked.
        before: The grasps so far, the one to change last.
        after: The answer.
        image_size: (width, height) of the picture that all refer to.
        holds: Valid grasps, which say where the ends and the parts are.

    Raises:
        ValueError: there are too few grasps before it.
    """
    return shortfall(request, before=before, after=after, image_size=image_size, holds=holds) <= 1e-9


def steady(request: Request, *, before: Sequence[Grasp], after: Grasp, image_size: tuple[int, int]) -> bool | None:
    """Whether what was not asked to change stays: the angle of a move, the place of a turn, and "a bit" is a bit.

    None where all may change, or nothing.
    """
    if request.kind in ("direction", "other end"):
        kept = angle_difference(before[-1].theta, after.theta) <= KEPT
        return kept and not (request.little and not is_a_bit(before[-1], after, image_size))
    return math.hypot(*move(before[-1], after, image_size)) <= NEAR if request.kind == "turn" else None


def shortfall(
    request: Request, *, before: Sequence[Grasp], after: Grasp, image_size: tuple[int, int], holds: Sequence[Hold] = ()
) -> float:
    """By how much a grasp misses what was asked, 0 where it does it; arguments as `meets`."""
    if len(before) < (2 if request.kind == "previous" else 1):
        raise ValueError(f"{len(before)} grasps before the request {request.key!r}; valid is 1 or more, for previous 2")
    last = before[-1]
    way = move(last, after, image_size)
    if request.side is not None:
        gone = float(np.dot(SIDES[request.side], way))
        missing = max(STEP - gone, ALONG * math.hypot(*way) - gone, 0.0)
        turned = angle_difference(last.theta, after.theta) - KEPT if request.keep_angle else 0.0
        return missing + max(turned, 0.0)
    if request.kind == "turn":
        gone = max(math.hypot(*way) - LITTLE, 0.0)
        return max(TURNED - angle_difference(last.theta, after.theta), 0.0) + gone
    if request.kind == "other end":
        return other_end_shortfall(last, after, image_size, holds)
    if request.part is not None:
        return part_shortfall(request, after, image_size, holds)
    if request.kind == "previous":
        far = math.hypot(*move(before[-2], after, image_size)) - SAME_PLACE
        return max(far, 0.0) + max(angle_difference(before[-2].theta, after.theta) - SAME_ANGLE, 0.0)
    return max(0.0, *(1 - difference(grasp, after, image_size) for grasp in before))


def choose(
    request: Request,
    *,
    before: Sequence[Grasp],
    options: Sequence[Grasp],
    image_size: tuple[int, int],
    holds: Sequence[Hold] = (),
) -> tuple[Grasp, bool]:
    """The best answer among grasps, and whether it does what was asked; if none does, the one that misses it least.

    Best is what leaves steady what was not asked about, then what has the most quality without going far. "A bit" is
    further only where nothing is nearer. The previous grasp is the answer where it is asked for, an option or not.

    Args:
        request: What was asked.
        before: The grasps so far, the one to change last; it stays only where it is one of the options.
        options: What can be answered, one or more.
        image_size: (width, height) of the picture that all refer to.
        holds: As `meets`; by default the options.
    """
    known = holds or [Hold(grasp) for grasp in options]
    if request.kind == "previous":
        return before[-2], True
    plain = replace(request, little=False)

    def missing(grasp: Grasp) -> float:
        return shortfall(request, before=before, after=grasp, image_size=image_size, holds=known)

    def worth(grasp: Grasp) -> tuple[bool, float]:
        far = math.hypot(*move(before[-1], grasp, image_size)) if request.kind in ("direction", "turn") else 0.0
        stays = steady(plain, before=before, after=grasp, image_size=image_size) is not False
        return stays, (1.0 if grasp.quality is None else grasp.quality) * math.exp(-far / REACH)

    met = [grasp for grasp in options if missing(grasp) <= 1e-9]
    if met:
        near = [grasp for grasp in met if request.little and is_a_bit(before[-1], grasp, image_size)]
        return max(near or met, key=worth), True
    if request.keep_angle:
        # Where the angle cannot stay, the way that was asked for counts more.
        free = replace(request, keep_angle=False)
        return choose(free, before=before, options=options, image_size=image_size, holds=known)[0], False
    return min(options, key=lambda g: (missing(g), math.hypot(*move(before[-1], g, image_size)))), False


def move(a: Grasp, b: Grasp, image_size: tuple[int, int]) -> tuple[float, float]:
    """The way from one grasp's centre to another's, x and y, fractions of the picture's width."""
    return b.x - a.x, (b.y - a.y) * image_size[1] / image_size[0]


def is_a_bit(a: Grasp, b: Grasp, image_size: tuple[int, int]) -> bool:
    """Whether the way between two grasps is a bit at most."""
    return math.hypot(*move(a, b, image_size)) <= LITTLE


def difference(a: Grasp, b: Grasp, image_size: tuple[int, int]) -> float:
    """How different two grasps are; from 1 on they are two, by place or by angle."""
    return max(math.hypot(*move(a, b, image_size)) / NEAR, angle_difference(a.theta, b.theta) / ANOTHER)


def is_new(before: Sequence[Grasp], after: Grasp, image_size: tuple[int, int]) -> bool:
    """Whether a grasp is another one than all before."""
    return all(difference(grasp, after, image_size) >= 1 for grasp in before)


def other_end_shortfall(last: Grasp, after: Grasp, image_size: tuple[int, int], holds: Sequence[Hold]) -> float:
    """How far `after` is from the end of the holds that is opposite to `last`, along the line between both ends."""
    origin = Grasp(x=0, y=0, theta=0)
    places = np.array([move(origin, hold.grasp, image_size) for hold in holds]).reshape(-1, 2)
    if len(places) < 2:
        return 1.0
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    # The ends are the two that are furthest apart.
    one, other = places[list(np.unravel_index(apart.argmax(), apart.shape))]
    half, middle = float(apart.max()) / 2, (one + other) / 2
    if half < STEP:
        return 1.0
    along = (other - one) / (2 * half)
    begun, come = (float((np.array(move(origin, grasp, image_size)) - middle) @ along) for grasp in (last, after))
    if abs(begun) < max(MIDDLE * half, STEP):
        return 1.0
    return max(max(END * half, STEP) + math.copysign(1, begun) * come, 0.0)


def nearest_hold(grasp: Grasp, holds: Sequence[Hold], image_size: tuple[int, int]) -> Hold:
    """The hold whose place is nearest to a grasp's."""
    return min(holds, key=lambda hold: math.hypot(*move(hold.grasp, grasp, image_size)))


def part_shortfall(request: Request, after: Grasp, image_size: tuple[int, int], holds: Sequence[Hold]) -> float:
    """How much further the nearest hold on a right part is than the nearest on a wrong one.

    A hold of an unknown part is none by the part that is asked for, and says nothing of being away from one.
    """
    near = {True: math.inf, False: math.inf}
    for hold in holds:
        if hold.part is None and request.kind == "away":
            continue
        right = (hold.part == request.part) == (request.kind == "part")
        near[right] = min(near[right], math.hypot(*move(hold.grasp, after, image_size)))
    if math.isinf(near[True]):
        return 1.0
    return 0.0 if near[True] <= near[False] else near[True] - near[False]
