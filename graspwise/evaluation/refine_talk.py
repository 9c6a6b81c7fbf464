"""Conversations of the refinement benchmark: a model is asked for a grasp, then for changes to what it answered.

Each request is drawn from the labels and the model's own last grasp, in words that no training data has. Three
baselines answer the same request after the same conversation without reading it.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from graspwise.answer import render_grasp
from graspwise.conversation import Message, assistant_turn, user_turn
from graspwise.data.request_talk import next_request
from graspwise.data.request_texts import says_unmet
from graspwise.data.requests import SIDES, Hold, Request, is_new, meets, steady
from graspwise.data.store import Dataset, Sample
from graspwise.evaluation.protocol import workspace_view
from graspwise.evaluation.score import UNNAMED, square
from graspwise.grasp import Grasp
from graspwise.metric import is_hit
from graspwise.model.responder import Responder, Response
from graspwise.picture import Picture
from graspwise.predict import grasp_json, grasps_of
from graspwise.transform import Transform

Method = Literal["model", "again", "next", "rule"]
METHODS: tuple[Method, ...] = get_args(Method)
# How far the rule moves a grasp, fraction of the picture's width.
SHIFT = 0.1
# Share of the requests that no label satisfies, where there are both sorts.
UNMET = 0.2


@dataclass(frozen=True)
class RefineRecord:
    """What became of one request.

    Attributes:
        image: Name of the photograph.
        object_id: Its object.
        category: Its category.
        seen: Whether the model was trained on this object.
        turn: 1 is the first request.
        kind: What was to change.
        asked: The user's words.
        satisfiable: Whether a label does it.
        method: Who answered: the model, `again` (the model, asked the first question once more), `next` (the next of
            its ranked grasps) or `rule` (the numbers moved).
        obeyed: Whether the answer does what was asked.
        valid: Whether it is right by the rectangle metric, ground-truth w.
        both: Both.
        steady: Whether what was not asked about stayed; None where all may change.
        says_unmet: Whether the words say that it cannot be done; None without words.
        before: The grasp to change, in the data set picture's frame.
        after: The answer; None where it holds no grasp.
        reasoning: Its words.
    """

    image: str
    object_id: str
    category: str
    seen: bool
    turn: int
    kind: str
    asked: str
    satisfiable: bool
    method: Method
    obeyed: bool
    valid: bool
    both: bool
    steady: bool | None
    says_unmet: bool | None
    before: dict[str, Any]
    after: dict[str, Any] | None
    reasoning: str


@dataclass(frozen=True)
class TalkRecord:
    """How far the conversation about one photograph got.

    Attributes:
        image: Name of the photograph.
        object_id: Its object.
        seen: Whether the model was trained on this object.
        answers: Of the model that hold a grasp; 0 where the first does not, and nothing could be asked to change.
        lost: Whether an answer without a grasp ended it; else all was asked, or there was nothing more to ask for.
    """

    image: str
    object_id: str
    seen: bool
    answers: int
    lost: bool


@dataclass
class Talk:
    """A conversation about one photograph as far as it has got.

    Attributes:
        sample: The photograph.
        picture: What the model is shown.
        fit: From the sample's picture to that.
        opening: The first question.
        messages: The turns so far.
        before: The grasps so far, in the frame of the sample's picture.
        ranked: Further grasps of the last answer.
        lost: Whether the last answer held no grasp.
    """

    sample: Sample
    picture: Picture
    fit: Transform
    opening: str = UNNAMED
    messages: list[Message] = field(default_factory=list)
    before: list[Grasp] = field(default_factory=list)
    ranked: tuple[Grasp, ...] = ()
    lost: bool = False

    def __post_init__(self) -> None:
        self.messages = self.messages or [user_turn(self.opening)]

    @property
    def size(self) -> tuple[int, int]:
        return self.fit.source_size

    @property
    def holds(self) -> list[Hold]:
        """The labels."""
        grasps = [Grasp.from_rectangle(r, image_size=self.size) for r in self.sample.rectangles]
        parts = self.sample.parts or ("",) * len(grasps)
        return [Hold(grasp, part or None) for grasp, part in zip(grasps, parts, strict=True)]

    def grasps(self, response: Response) -> tuple[Grasp, ...]:
        """A response's grasps in the frame of the sample's picture, best first."""
        return grasps_of(response, transform=self.fit, box=(0, 0, *self.size))

    def best(self, response: Response) -> Grasp | None:
        """The first of them; None where the response holds none."""
        return next(iter(self.grasps(response)), None)

    def go_on(self, response: Response) -> bool:
        """Take an answer in; False where it holds no grasp, which ends the conversation."""
        found = self.grasps(response)
        if response.grasp is None:
            self.lost = True
            return False
        # What writes no text is shown its own numbers.
        self.messages.append(assistant_turn(response.text or render_grasp(response.grasp, answer_format="bare")))
        self.before.append(found[0])
        self.ranked = found[1:]
        return True


def refine(
    responder: Responder,
    dataset: Dataset,
    samples: Sequence[Sample],
    *,
    turns: int,
    seed: int,
    seen: frozenset[str] = frozenset(),
    own_words: bool = False,
) -> tuple[list[RefineRecord], list[TalkRecord]]:
    """A model's conversations about unaugmented samples, held together: of each request a record a method, and how far
    each conversation got.

    Args:
        responder: The model.
        dataset: Where the samples' pictures are.
        samples: Which samples.
        turns: Requests in a conversation.
        seed: Decides the requests.
        seen: Object ids that the model was trained on.
        own_words: Whether the samples' own instructions are the first questions, which name what is meant among others.
    """
    records: list[RefineRecord] = []
    talks = []
    for sample in samples:
        shown = square(dataset, sample, responder.image_size, depth=responder.takes_depth, view=workspace_view)
        talks.append(Talk(sample, *shown, sample.instruction if own_words else UNNAMED))
    live = advance(responder, talks)
    for turn in range(1, turns + 1):
        asked = [(talk, drawn) for talk in live if (drawn := draw(talk, turn=turn, seed=seed)) is not None]
        repeated = answers(responder, [talk for talk, _ in asked], [talk.opening for talk, _ in asked])
        blind: list[dict[Method, Grasp | None]] = [
            {
                "again": talk.best(response),
                "next": next((g for g in talk.ranked if is_new(talk.before, g, talk.size)), talk.before[-1]),
                "rule": by_rule(request, talk.before, image_size=talk.size),
            }
            for (talk, (request, _)), response in zip(asked, repeated, strict=True)
        ]
        for talk, (request, _) in asked:
            talk.messages.append(user_turn(request.text, image=False))
        own = respond(responder, [talk for talk, _ in asked])
        live = []
        for (talk, (request, met)), response, others in zip(asked, own, blind, strict=True):
            mine = talk.best(response)
            words = response.reasoning
            for method, grasp in ({"model": mine} | others).items():
                records.append(
                    record_of(
                        talk, request, grasp, met, turn=turn, method=method,  # type: ignore[arg-type]
                        words=words if method == "model" else "", seen=talk.sample.object_id in seen,
                    )
                )  # fmt: skip
            if talk.go_on(response):
                live.append(talk)
    return records, [
        TalkRecord(t.sample.source_image, t.sample.object_id, t.sample.object_id in seen, len(t.before), t.lost)
        for t in talks
    ]


def respond(responder: Responder, talks: Sequence[Talk]) -> list[Response]:
    """The model's answers to conversations that end with a user's turn."""
    return responder.respond([talk.picture for talk in talks], [talk.messages for talk in talks]) if talks else []


def answers(responder: Responder, talks: Sequence[Talk], texts: Sequence[str]) -> list[Response]:
    """What the model would answer if the user said these texts next."""
    asked = [
        replace(talk, messages=[*talk.messages, user_turn(text, image=False)])
        for talk, text in zip(talks, texts, strict=True)
    ]
    return respond(responder, asked)


def advance(responder: Responder, talks: Sequence[Talk]) -> list[Talk]:
    """Those conversations whose next answer holds a grasp, with that answer."""
    return [talk for talk, response in zip(talks, respond(responder, talks), strict=True) if talk.go_on(response)]


def draw(talk: Talk, *, turn: int, seed: int) -> tuple[Request, bool] | None:
    """The next request, drawn from (seed, photograph, turn), and whether a label satisfies it.

    The previous grasp is asked for where it is right: no other grasp does what was asked then.
    """

    def fits(request: Request, met: bool) -> bool:
        previous = request.kind == "previous"
        return not previous or is_hit(talk.before[-2], labels=talk.sample.rectangles, image_size=talk.size)

    rng = np.random.default_rng([seed, zlib.crc32(talk.sample.source_image.encode()), turn])
    drawn = next_request(talk.holds, talk.before, image_size=talk.size, rng=rng, unmet=UNMET, test=True, fits=fits)
    return None if drawn is None else (drawn[0], drawn[2])


def record_of(
    talk: Talk, request: Request, grasp: Grasp | None, met: bool, *, turn: int, method: Method, words: str, seen: bool
) -> RefineRecord:
    """The record of one method's answer."""
    sample, size, before = talk.sample, talk.size, talk.before
    obeyed = valid = False
    stays: bool | None = None
    if grasp is not None:
        obeyed = meets(request, before=before, after=grasp, image_size=size, holds=talk.holds)
        valid = is_hit(grasp, labels=sample.rectangles, image_size=size)
        stays = steady(request, before=before, after=grasp, image_size=size)
    return RefineRecord(
        image=sample.source_image, object_id=sample.object_id, category=sample.category, seen=seen, turn=turn,
        kind=request.kind, asked=request.text, satisfiable=met, method=method, obeyed=obeyed, valid=valid,
        both=obeyed and valid, steady=stays, says_unmet=says_unmet(words) if words else None,
        before=grasp_json(before[-1]), after=None if grasp is None else grasp_json(grasp), reasoning=words,
    )  # fmt: skip


def by_rule(request: Request, before: Sequence[Grasp], *, image_size: tuple[int, int]) -> Grasp:
    """The numbers moved by rule, whatever the picture shows; lengths are fractions of the picture's width.

    A direction moves them by a fixed share, a turn by a right angle. The other end is twice as far along the jaw
    plates, towards the middle of the picture; another grasp, or another part, half of that.
    """
    last = before[-1]
    if request.kind == "previous":
        return before[-2]
    if request.kind == "turn":
        return replace(last, theta=last.theta + math.pi / 2)
    high = image_size[1] / image_size[0]
    if request.side is not None:
        way = np.array(SIDES[request.side]) * SHIFT
    else:
        along = np.array([math.sin(last.theta), math.cos(last.theta)])
        inward = np.array([0.5 - last.x, (0.5 - last.y) * high]) @ along
        way = along * math.copysign(2 * SHIFT if request.kind == "other end" else SHIFT, inward)
    x, y = np.clip(np.array([last.x, last.y]) + way / (1, high), 0, 1).tolist()
    return replace(last, x=x, y=y)
