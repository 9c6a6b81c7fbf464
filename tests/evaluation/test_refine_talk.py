"""Conversations of the benchmark: who is asked what, what counts as obeyed, and that the baselines do not read."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from graspwise.answer import parse_grasp, render_grasp
from graspwise.conversation import Message, text_of
from graspwise.data.requests import Request, move
from graspwise.data.store import Dataset
from graspwise.evaluation.refine_talk import METHODS, RefineRecord, Talk, TalkRecord, by_rule, draw, refine
from graspwise.evaluation.score import UNNAMED
from graspwise.grasp import Grasp
from graspwise.model.responder import Response
from graspwise.picture import Picture
from graspwise.transform import Transform


class Scripted:
    """Answers with what a function makes of the conversation, and remembers all that it was asked."""

    name, image_size, answer_format, mode, takes_depth = "scripted", 64, "bare", "plain", False

    def __init__(self, answer) -> None:
        self.answer, self.asked = answer, []

    def respond(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[Response]:
        self.asked += [list(conversation) for conversation in conversations]
        return [self.answer(conversation) for conversation in conversations]


def said(grasp: Grasp | None, reasoning: str = "", others: tuple[Grasp, ...] = ()) -> Response:
    text = "" if grasp is None else render_grasp(grasp, answer_format="reasoned", reasoning=reasoning)
    return Response(text, reasoning, grasp, others)


def held(dataset_folder, responder: Scripted, *, turns: int = 2, seed: int = 0) -> list[RefineRecord]:
    dataset = Dataset(dataset_folder)
    samples = [sample for sample in dataset if sample.original]
    seen = frozenset({samples[0].object_id})
    return refine(responder, dataset, samples, turns=turns, seed=seed, seen=seen)[0]


def stay(conversation: Sequence[Message]) -> Response:
    return said(Grasp(x=0.5, y=0.5, theta=0.3), "Nothing can be done.")


def test_each_request_is_answered_by_all_methods_and_whoever_stays_obeys_nothing(dataset_folder) -> None:
    records = held(dataset_folder, Scripted(stay))
    requests = {(r.image, r.turn) for r in records}
    assert len(records) == len(requests) * len(METHODS) and {turn for _, turn in requests} == {1, 2}
    own = [r for r in records if r.method == "model"]
    assert not any(r.obeyed or r.both for r in own) and all(r.says_unmet for r in own)
    assert all(r.says_unmet is None for r in records if r.method != "model")
    assert 0 < sum(r.seen for r in own) < len(own)
    assert any(r.obeyed for r in records if r.method == "rule")
    again = [r for r in records if r.method == "again"]
    assert [r.after for r in again] == [r.after for r in own]


def test_requests_are_the_same_for_the_same_seed_and_follow_the_models_own_grasp(dataset_folder) -> None:
    def left(conversation: Sequence[Message]) -> Response:
        earlier = [parse_grasp(text_of(m))[1] for m in conversation if m["role"] == "assistant"]
        return said(Grasp(x=0.9 - 0.2 * len(earlier), y=0.5, theta=0.3))

    first, second, other = (held(dataset_folder, Scripted(left), seed=seed) for seed in (0, 0, 1))
    assert first == second and [r.asked for r in first] != [r.asked for r in other]
    for record in first:
        assert record.before["x"] == pytest.approx(0.9 - 0.2 * (record.turn - 1), abs=2e-3)
        if record.method == "model" and record.kind == "direction" and "left" in record.asked:
            assert record.obeyed or "angle" in record.asked or "rotation" in record.asked


def test_the_baselines_are_not_shown_the_request(dataset_folder) -> None:
    responder = Scripted(stay)
    records = held(dataset_folder, responder, turns=1)
    asked = [text_of(conversation[-1]) for conversation in responder.asked]
    count = len({r.image for r in records})
    # First question, the same once more, then the requests.
    assert asked[: 2 * count].count(UNNAMED) == 2 * count or asked.count(UNNAMED) == 2 * count
    assert sorted(text for text in asked if text != UNNAMED) == sorted(r.asked for r in records if r.method == "model")


def test_the_next_ranked_grasp_is_another_one(dataset_folder) -> None:
    same, far = Grasp(x=0.51, y=0.5, theta=0.3), Grasp(x=0.2, y=0.5, theta=0.3)
    responder = Scripted(lambda conversation: said(Grasp(x=0.5, y=0.5, theta=0.3), others=(same, far)))
    after = [r.after["x"] for r in held(dataset_folder, responder, turns=1) if r.method == "next" and r.after]
    assert after and after == pytest.approx([0.2] * len(after), abs=1e-3)


def test_an_answer_without_a_grasp_ends_the_conversation(dataset_folder) -> None:
    def once(conversation: Sequence[Message]) -> Response:
        return stay(conversation) if len(conversation) == 1 else said(None)

    records = held(dataset_folder, Scripted(once), turns=3)
    assert {r.turn for r in records} == {1}
    own = [r for r in records if r.method == "model"]
    assert not any(r.obeyed or r.valid for r in own) and {r.after for r in own} == {None}
    assert held(dataset_folder, Scripted(lambda conversation: said(None))) == []


def test_conversations_that_do_not_begin_or_go_on_are_on_record(dataset_folder) -> None:
    dataset = Dataset(dataset_folder)
    samples = [sample for sample in dataset if sample.original]

    def ended(answers: int) -> list[TalkRecord]:
        def some(conversation: Sequence[Message]) -> Response:
            return stay(conversation) if len(conversation) < 2 * answers else said(None)

        return refine(Scripted(some), dataset, samples, turns=2, seed=0, seen=frozenset({samples[0].object_id}))[1]

    for answers in (0, 1, 2):
        talks = ended(answers)
        assert [talk.image for talk in talks] == [sample.source_image for sample in samples]
        assert {(talk.answers, talk.lost) for talk in talks} == {(answers, True)} and talks[0].seen
    assert {(talk.answers, talk.lost) for talk in ended(9)} == {(3, False)}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request("direction", "left"), (0.2, 0.5, 0.0)),
        (Request("direction", "up"), (0.3, 0.4, 0.0)),
        (Request("turn"), (0.3, 0.5, math.pi / 2)),
        (Request("previous"), (0.9, 0.5, 0.0)),
    ],
)
def test_the_rule_moves_the_numbers(request_: Request, expected: tuple[float, float, float]) -> None:
    before = [Grasp(x=0.9, y=0.5, theta=0), Grasp(x=0.3, y=0.5, theta=0)]
    moved = by_rule(request_, before, image_size=(64, 64))
    assert (moved.x, moved.y, moved.theta) == pytest.approx(expected)


def test_the_rule_goes_to_the_other_end_along_the_plates_and_stays_in_the_picture() -> None:
    """Jaws that open up and down have plates along x."""
    moved = by_rule(Request("other end"), [Grasp(x=0.3, y=0.5, theta=math.pi / 2)], image_size=(64, 64))
    assert (moved.x, moved.y) == pytest.approx((0.5, 0.5))
    assert by_rule(Request("direction", "left"), [Grasp(x=0.02, y=0.5, theta=0)], image_size=(64, 64)).x == 0


@pytest.mark.parametrize("request_", [Request("direction", "down"), Request("other end"), Request("other")])
def test_the_rule_goes_as_far_in_a_picture_that_is_not_square(request_: Request) -> None:
    """Fractions of the width, up and down too: 40 pixels of 400 are 0.2 of a height of 200."""
    before, size = Grasp(x=0.4, y=0.2, theta=0), (400, 200)
    way = move(before, by_rule(request_, [before], image_size=size), size)
    assert way == pytest.approx((0, 0.2 if request_.kind == "other end" else 0.1))


def test_the_previous_grasp_is_asked_for_where_it_was_right(dataset_folder) -> None:
    """Where the first answer was wrong, nobody wants it back."""
    dataset = Dataset(dataset_folder)
    sample = next(sample for sample in dataset if sample.original)
    right = Grasp.from_rectangle(sample.rectangles[0], image_size=(64, 64))
    wrong = replace(right, x=1 - right.x / 2, y=0.02, theta=right.theta + 1.5)

    def kinds(first: Grasp) -> set[str]:
        talk = Talk(sample, dataset.picture(sample), Transform.letterbox(source_size=(64, 64), size=(64, 64)))
        talk.before = [first, replace(right, theta=right.theta + 0.7)]
        return {drawn[0].kind for seed in range(60) if (drawn := draw(talk, turn=2, seed=seed)) is not None}

    assert "previous" in kinds(right) and "previous" not in kinds(wrong)


def test_things_among_others_are_asked_for_in_the_samples_own_words(dataset_folder) -> None:
    dataset, responder = Dataset(dataset_folder), Scripted(stay)
    samples = [sample for sample in dataset if sample.original]
    refine(responder, dataset, samples, turns=1, seed=0, own_words=True)
    asked = [text_of(conversation[0]) for conversation in responder.asked]
    assert set(asked) == {sample.instruction for sample in samples}
    repeated = [text_of(c[-1]) for c in responder.asked[len(samples) : 2 * len(samples)]]
    assert set(repeated) <= set(asked), "the first question again"
