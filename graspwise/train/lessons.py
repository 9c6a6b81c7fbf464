"""What a text task teaches about one picture: an answer, and the answers of a conversation that goes on from it.

A conversation is made anew for every augmented picture, as long as the sample's: what was further left in the sample
is somewhere else in its mirror image.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np
from torch import Tensor

from graspwise.answer import AnswerFormat, marked, parse_grasp, render_grasp
from graspwise.conversation import Message, assistant_turn, user_turn
from graspwise.data.request_talk import answered, name_of, next_request
from graspwise.data.requests import Hold, Request, meets, steady
from graspwise.grasp import Grasp
from graspwise.metric import is_hit
from graspwise.model.changes import Change, change_for, changes, with_changes
from graspwise.model.prompt import with_hints
from graspwise.rectangle import GraspRectangle
from graspwise.train.examples import Example, is_visible
from graspwise.train.scene_task import names_in_view

# Share of the conversations that begin with the best first answer; in the others the user changes another right one.
BEST = 0.5


@dataclass(frozen=True)
class Lesson:
    """What a text task teaches about one picture.

    Attributes:
        asked: The user's words.
        answers: Answers to learn, and for each the grasps that would be as right as its own.
        earlier: Turns before, the first with the picture.
        labels: Labels of what the answers name, where that is a part of the target or all but a part; else None.
    """

    asked: str
    answers: list[tuple[str, list[Grasp]]]
    earlier: list[Message] = field(default_factory=list)
    labels: tuple[GraspRectangle, ...] | None = None

    @property
    def messages(self) -> list[Message]:
        """What is read before an answer is written."""
        return [*self.earlier, user_turn(self.asked, image=not self.earlier)]


@dataclass(frozen=True)
class Hints:
    """What is known of a picture before its language model reads it.

    Attributes:
        names: What it looks like, likeliest first.
        proposals: Grasps of the dense head that are written into the prompt, best first.
        spread: Grasps of the dense head that a change is chosen from.
    """

    names: list[str] = field(default_factory=list)
    proposals: list[Grasp] = field(default_factory=list)
    spread: list[Grasp] = field(default_factory=list)


@dataclass(frozen=True)
class Read:
    """An answer as the language model has read it.

    Attributes:
        place: Of its picture in the batch.
        lesson: What it is an answer of.
        tokens: Its L tokens.
        states: (L, D) after each.
    """

    place: int
    lesson: Lesson
    tokens: list[int]
    states: Tensor


def holds_of(example: Example) -> list[Hold]:
    """The labels of an example as grasps, in its order, each with its part where the data set tells."""
    sample, size = example.sample, example.size
    shown = [is_visible(example.transform.rectangle(rectangle), size[0]) for rectangle in sample.rectangles]
    parts = compress(sample.parts or [""] * len(shown), shown)
    return [Hold(grasp, part or None) for grasp, part in zip(example.grasps, parts, strict=True)]


def part_labels(example: Example, request: Request) -> tuple[GraspRectangle, ...] | None:
    """The labels that surely hold the part that is asked for, or that surely hold another; None where none is."""
    if request.part is None:
        return None
    right = [
        hold.part is not None and (hold.part == request.part) == (request.kind == "part") for hold in holds_of(example)
    ]
    return tuple(compress(example.rectangles, right))


def target_named(request: Request, reasoning: str, name: str) -> str:
    """A reasoning with its target marked: the thing, or the part of it that is asked for."""
    part = f"{request.part} of the {name}"
    return marked(reasoning, part if request.kind == "part" and part in reasoning else name)


def request_lessons(
    example: Example,
    opening: tuple[str, str, Grasp],
    *,
    spread: Sequence[Grasp],
    answer_format: AnswerFormat,
    names_target: bool,
    rng: np.random.Generator,
) -> list[Lesson]:
    """The requests of a conversation with their answers, a lesson each.

    Where grasps of the dense head are to choose from, requests are made that these and the labels agree about, and what
    they come to is the answer if it is right, else the label that is.

    Args:
        example: The augmented picture.
        opening: The first instruction with its hints, the reasoning of its answer, and the best grasp.
        spread: Grasps of the dense head; none leaves all to the labels.
        answer_format: How the answers are written.
        names_target: Whether the reasonings mark the target.
        rng: Decides the conversation.
    """
    size, holds = example.size, holds_of(example)
    instruction, reasoning, first = opening
    right = [g for g in spread if is_hit(g, labels=example.rectangles, image_size=size)] or [h.grasp for h in holds]
    if rng.random() >= BEST:
        first = right[int(rng.integers(len(right)))]
    name = name_of(example.sample.category)
    answer = render_grasp(first, answer_format=answer_format, reasoning=reasoning)
    # The model will know its earlier grasps as they are written.
    before = [parse_grasp(answer)[1]]
    earlier, lessons = [user_turn(instruction), assistant_turn(answer)], list[Lesson]()
    for _ in range(example.sample.turns - 1):
        found = changes(spread, before)

        def agreed(request: Request, met: bool, found: dict[str, Change] = found) -> bool:
            change = change_for(request, found)
            return change is None or met == (change.met and not (request.keep_angle and change.turned))

        drawn = next_request(holds, before, image_size=size, rng=rng, fits=agreed)
        if drawn is None:
            break
        request, grasp, met = drawn
        change = change_for(request, found)
        if change is not None and is_hit(change.grasp, labels=example.rectangles, image_size=size):
            does = meets(request, before=before, after=change.grasp, image_size=size, holds=holds)
            # Nor is it taken where it moves what a label leaves.
            stays, could = (
                steady(request, before=before, after=one, image_size=size) is not False for one in (change.grasp, grasp)
            )
            grasp = change.grasp if does == met and (stays or not could) else grasp
        one = answered(request, grasp, met, before=before[-1], image_size=size, name=name, rng=rng)
        said = target_named(request, one.reasoning, name) if names_target else one.reasoning
        answer = render_grasp(grasp, answer_format=answer_format, reasoning=said)
        asked = with_changes(request.text, found)
        lessons.append(Lesson(asked, [(answer, [grasp])], list(earlier), part_labels(example, request)))
        earlier += [user_turn(request.text, image=False), assistant_turn(answer)]
        before.append(parse_grasp(answer)[1])
    return lessons


def named_example(example: Example, lesson: Lesson) -> Example:
    """An example with the labels alone of what a lesson's answers name; masks are of whole things, so of no part."""
    if lesson.labels is None:
        return example
    # Only wishes have masks, and no conversation goes on from one.
    return replace(example, rectangles=lesson.labels, named=len(lesson.labels))


def asked(
    example: Example,
    rng: np.random.Generator,
    *,
    names: Sequence[str],
    proposals: Sequence[Grasp],
    answer_format: AnswerFormat,
) -> tuple[str, list[Message]]:
    """A sample's instruction, and what was said before; the first of them has the hints.

    Of a scene these are the things that are truly in view, in any order.
    """
    sample, wish = example.sample, example.sample.wish
    in_view = [str(name) for name in rng.permutation(names_in_view(sample))]
    before = None if wish is None else wish.before
    first = sample.instruction if before is None else before["asked"]
    opening = with_hints(first, names=names, proposals=proposals, in_view=in_view)
    if before is None:
        return opening, []
    answer = before["reason"]
    if before["grasp"] is not None:
        grasp = shown_grasp(example, GraspRectangle(np.array(before["grasp"])))
        answer = render_grasp(grasp, answer_format=answer_format, reasoning=answer)
    return sample.instruction, [user_turn(opening), assistant_turn(answer)]


def shown_grasp(example: Example, rectangle: GraspRectangle) -> Grasp:
    """A grasp of a sample as its example shows it, at the nearest edge where augmentation has moved it out of view."""
    moved = example.transform.rectangle(rectangle)
    x, y = (min(max(value, 0.0), example.size[0] - 1.0) for value in moved.center)
    inside = GraspRectangle.from_pose(center=(x, y), theta=moved.theta, opening=moved.opening, jaw=moved.jaw)
    return Grasp.from_rectangle(inside, image_size=example.size)


def decoy(grasp: Grasp, rng: np.random.Generator) -> Grasp:
    """A proposal that is likely no grasp: the first one moved away, or turned across."""
    if rng.random() < 0.5:
        return Grasp(x=grasp.x, y=grasp.y, theta=grasp.theta + float(rng.uniform(1.0, 2.1)), opening=grasp.opening)
    x, y = (float(v) for v in rng.uniform(0.05, 0.95, 2))
    return Grasp(x=x, y=y, theta=float(rng.uniform(-1.57, 1.57)), opening=grasp.opening)
