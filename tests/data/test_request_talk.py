"""Conversations: right answers to requests that can be made, in the frame of the picture as it is shown."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graspwise.answer import parse_grasp
from graspwise.conversation import text_of
from graspwise.data.build import BuildConfig, build_dataset
from graspwise.data.labelled import LabelledPicture
from graspwise.data.request_talk import TURNS, answered, askable, name_of, next_request, talk
from graspwise.data.request_texts import announced, says_unmet
from graspwise.data.requests import SIDES, Hold, Request, is_a_bit, meets
from graspwise.data.store import Dataset
from graspwise.grasp import Grasp

SIZE = (352, 352)
HANDLE = [Hold(Grasp(x=x, y=0.5, theta=1.5), "handle" if x < 0.5 else "head") for x in (0.2, 0.3, 0.4, 0.6, 0.7)]


def test_every_answer_is_one_of_the_holds_and_says_what_it_does() -> None:
    known = [hold.grasp for hold in HANDLE]
    for seed in range(60):
        rng = np.random.default_rng(seed)
        before = [known[seed % len(known)]]
        for one in talk(HANDLE, before[0], turns=4, image_size=SIZE, name="mug", rng=rng):
            assert one.grasp in known
            assert one.met == meets(one.request, before=before, after=one.grasp, image_size=SIZE, holds=HANDLE)
            [said] = announced(one.reasoning)
            near = is_a_bit(before[-1], one.grasp, SIZE)
            assert said == (one.request.key if near and one.met else one.request.side or one.request.kind)
            assert says_unmet(one.reasoning) is not one.met
            before.append(one.grasp)


def test_what_is_asked_makes_sense_after_what_was_answered() -> None:
    rng = np.random.default_rng(0)
    left, right = HANDLE[0].grasp, HANDLE[-1].grasp

    def keys(*before: Grasp, holds: list[Hold] = HANDLE) -> list[str]:
        return [request.key for request in askable(holds, before, image_size=SIZE, rng=rng)]

    assert "previous" not in keys(left) and "previous" in keys(left, right)
    assert "previous" not in keys(left, left), "nothing has changed"
    [by] = [r for r in askable(HANDLE, [left], image_size=SIZE, rng=rng) if r.kind == "part"]
    assert by.part == "head"
    assert {"part", "away"} <= set(keys(left))
    assert not {"part", "away"} & set(keys(left, holds=[Hold(hold.grasp) for hold in HANDLE]))
    assert not {"part", "away"} & set(keys(left, holds=HANDLE[:3])), "there is but one part"


@pytest.mark.parametrize(("unmet", "expected"), [(0.0, {True}), (1.0, {False})])
def test_the_share_of_requests_that_cannot_be_met_is_as_asked(unmet: float, expected: set[bool]) -> None:
    drawn = [
        next_request(HANDLE, [HANDLE[2].grasp], image_size=SIZE, rng=np.random.default_rng(s), unmet=unmet)
        for s in range(40)
    ]
    assert {one[2] for one in drawn if one} == expected


def test_only_fitting_requests_are_made() -> None:
    def upward(request: Request, met: bool) -> bool:
        return request.key == "up"

    drawn = next_request(HANDLE, [HANDLE[0].grasp], image_size=SIZE, rng=np.random.default_rng(0), fits=upward)
    assert drawn is not None and drawn[0].side == "up" and not drawn[2]
    none = next_request(
        HANDLE, [HANDLE[0].grasp], image_size=SIZE, rng=np.random.default_rng(0), fits=lambda request, met: False
    )
    assert none is None


def test_what_may_hold_the_part_is_no_answer_away_from_it() -> None:
    """The nearest hold of a known part is no proof for one of an unknown part."""
    holds = [Hold(Grasp(x=0.2, y=0.5, theta=0), "handle"), Hold(Grasp(x=0.7, y=0.5, theta=0), "head")]
    unsure = Hold(Grasp(x=0.55, y=0.5, theta=0, quality=1.0))
    for seed in range(30):
        drawn = next_request(
            [*holds, unsure], [holds[0].grasp], image_size=SIZE, rng=np.random.default_rng(seed),
            fits=lambda request, met: request.kind == "away",
        )  # fmt: skip
        assert drawn is not None and drawn[1:] == (holds[1].grasp, True)


def test_words_say_a_bit_and_the_angle_as_they_are() -> None:
    rng = np.random.default_rng(0)
    little, middle = Request("direction", "left", little=True), Grasp(x=0.5, y=0.5, theta=0)

    def said(request: Request, met: bool, **at: float) -> str:
        grasp = replace(middle, **at)
        return answered(request, grasp, met, before=middle, image_size=SIZE, name="mug", rng=rng).reasoning

    assert announced(said(little, True, x=0.4)) == ["a bit left"]
    assert announced(said(little, True, x=0.2)) == ["left"], "it is further than a bit"
    assert announced(said(little, False, x=0.5)) == ["left"], "nothing lies there, near or far"
    keep = replace(little, little=False, keep_angle=True)
    assert "angle cannot" in said(keep, False, x=0.4, theta=1.0)
    for _ in range(10):
        assert "angle" not in said(keep, False, x=0.6, theta=1.0), "it does not go there at any angle"


def test_things_are_called_as_the_reasonings_call_them() -> None:
    assert name_of("mug") == "mug" and name_of("flux capacitor") == "object"


def test_a_data_set_of_conversations_is_right_in_every_augmented_picture(
    built: Callable[[BuildConfig], Path],
) -> None:
    """The bars' labels lie apart along the bar, so every direction is asked for in some rotation or mirror image."""
    dataset = Dataset(built(BuildConfig(samples=40, size=96, zoom_low=0.2, seed=1, conversations=1.0)))
    asked = set()
    for sample in dataset:
        assert 1 <= sample.turns <= max(TURNS)
        assert [m["role"] for m in sample.messages] == ["user", "assistant"] * sample.turns
        assert [any(part["type"] == "image" for part in m["content"]) for m in sample.messages].count(True) == 1
        grasps = [parse_grasp(text_of(message))[1] for message in sample.messages[1::2]]
        for place, message in enumerate(sample.messages[3::2], start=1):
            [key] = announced(parse_grasp(text_of(message))[0])
            if key.removeprefix("a bit ") in SIDES and not says_unmet(text_of(message)):
                asked.add(key.removeprefix("a bit "))
                way = (grasps[place].x - grasps[place - 1].x, grasps[place].y - grasps[place - 1].y)
                assert np.dot(way, SIDES[key.removeprefix("a bit ")]) > 0.02
    assert asked == {*SIDES}


def test_the_share_of_conversations_changes_nothing_else(built: Callable[[BuildConfig], Path]) -> None:
    plain, mixed = (
        list(Dataset(built(BuildConfig(samples=24, size=64, seed=2, conversations=share)))) for share in (0.0, 0.5)
    )
    assert {sample.turns for sample in plain} == {1}
    assert 4 < sum(sample.turns > 1 for sample in mixed) < 20
    for a, b in zip(plain, mixed, strict=True):
        assert a.messages == b.messages[:2] and a.instruction == b.instruction and a.answer == b.answer
        assert np.array_equal(a.transform.matrix, b.transform.matrix)
        again = type(b).from_json(json.loads(json.dumps(b.to_json())))
        assert again.messages == b.messages and again.parts == b.parts


def test_parts_are_asked_for_where_the_source_tells_them(photographs: list[LabelledPicture], tmp_path: Path) -> None:
    held = [replace(p, parts=("tail", "", "head")) for p in photographs if p.rectangles]
    config = BuildConfig(samples=48, size=64, seed=1, conversations=1.0)
    samples = list(Dataset(build_dataset(held, source="bars", out=tmp_path / "data", config=config, workers=1)))
    assert {sample.parts for sample in samples} == {("tail", "", "head")}
    found = 0
    for sample in samples:
        grasps = [parse_grasp(text_of(message))[1] for message in sample.messages[1::2]]
        places = [Grasp.from_rectangle(r, image_size=(64, 64)) for r in sample.rectangles]
        for place, message in enumerate(sample.messages[2::2], start=1):
            said = text_of(sample.messages[2 * place + 1]).lower()
            if announced(said) == ["part"]:
                found += 1
                there = (grasps[place].x, grasps[place].y)
                near = min(range(3), key=lambda i: math.dist((places[i].x, places[i].y), there))
                assert sample.parts[near] in text_of(message) and sample.parts[near] in said
    assert found > 3
