"""What changes a conversation is shown, and that an answer's words hold its digits to the change they name."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from graspwise.answer import parse_grasp, render_grasp
from graspwise.conversation import assistant_turn, user_turn
from graspwise.data.request_texts import answer_text
from graspwise.data.requests import SIDES, Request
from graspwise.grasp import Grasp
from graspwise.model.changes import (
    LEAST,
    announced_change,
    change_for,
    changes,
    earlier_grasps,
    measured,
    spread_grasps,
    with_changes,
)
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.load import load_model, new_head
from graspwise.picture import Picture

LEFT, MIDDLE, RIGHT = (
    Grasp(x=x, y=0.5, theta=t, quality=q) for x, t, q in ((0.2, 1.0, 0.4), (0.5, 0, 0.9), (0.8, 0, 0.6))
)


def test_there_is_nothing_to_change_before_an_answer() -> None:
    assert changes([LEFT, MIDDLE], []) == {} == changes([], [MIDDLE])
    assert with_changes("further left", {}) == "further left"


def test_each_sort_of_change_comes_to_the_grasp_that_does_it() -> None:
    found = changes([LEFT, MIDDLE, RIGHT], [MIDDLE])
    assert (found["left"].grasp, found["left"].met, found["left"].turned) == (LEFT, True, True)
    assert (found["right"].grasp, found["right"].met, found["right"].turned) == (RIGHT, True, False)
    assert not found["up"].met and found["up"].grasp == MIDDLE
    # Both are further than a bit.
    assert not found["a bit left"].met and found["a bit left"].grasp == LEFT
    near = replace(RIGHT, x=0.6, theta=1.2)
    bits = changes([LEFT, MIDDLE, RIGHT, near], [MIDDLE])
    assert (bits["right"].grasp, bits["a bit right"].grasp, bits["a bit right"].met) == (RIGHT, near, True)
    little = Request("direction", "left", little=True)
    assert change_for(little, bits) is bits["left"], "where there is nothing a bit that way"
    assert change_for(replace(little, side="right"), bits) is bits["a bit right"]
    assert change_for(Request("previous"), bits) is None
    assert "previous" not in found
    assert changes([LEFT, MIDDLE, RIGHT], [LEFT, MIDDLE])["previous"].grasp == LEFT


def test_an_earlier_grasp_opens_as_the_heads_does_there() -> None:
    """It is known by its text, which has no opening."""
    known = [replace(LEFT, opening=0.1, jaw=0.05), replace(RIGHT, opening=0.2, jaw=0.06)]
    said = replace(LEFT, x=0.2004, quality=None)
    found = changes(known, [said, Grasp(x=0.7, y=0.5, theta=0)])["previous"]
    assert found.grasp == replace(said, opening=0.1, jaw=0.05, quality=LEFT.quality)
    assert measured(Grasp(x=0.7, y=0.5, theta=0), known) == Grasp(x=0.7, y=0.5, theta=0, opening=0.2, jaw=0.06)
    assert measured(said, []) == said


def test_the_request_is_shown_with_what_each_change_comes_to() -> None:
    shown = with_changes("further left", changes([LEFT, MIDDLE, RIGHT], [MIDDLE]))
    first, second = shown.splitlines()
    assert first == "further left" and second.startswith("Changes: left turned [0.200, 0.500], +1.00; right [0.800, ")
    assert "up none; down none; a bit left none; a bit right none" in second


def test_answers_without_a_grasp_count_as_none() -> None:
    said = [
        assistant_turn(render_grasp(MIDDLE, answer_format="bare")),
        assistant_turn("I see nothing."),
        user_turn("a"),
    ]
    [grasp] = earlier_grasps(said)
    assert grasp == replace(MIDDLE, quality=None)


@pytest.mark.parametrize("side", [*SIDES])
def test_words_name_their_change(side: str) -> None:
    found = changes([LEFT, MIDDLE, RIGHT], [MIDDLE])
    text = answer_text(
        Request("direction", side), met=True, kept=True, near=True, name="mug", rng=np.random.default_rng(0)  # type: ignore[arg-type]
    )  # fmt: skip
    assert announced_change(text, found) is found[side]
    assert announced_change("A mug is held by its rim.", found) is None
    assert announced_change("Then the previous grasp again.", found) is None, "there is none before the last"


def test_what_is_much_worse_than_the_best_is_no_choice() -> None:
    torch.manual_seed(0)
    for grasps in spread_grasps(3 * torch.randn(2, 6, 8, 8)):
        qualities = [grasp.quality or 0 for grasp in grasps]
        assert len(grasps) > 3 and min(qualities) >= LEAST * qualities[0] == LEAST * max(qualities)


def test_digits_are_held_to_the_change_that_the_words_name(tiny_checkpoint) -> None:
    model = load_model(str(tiny_checkpoint))
    torch.manual_seed(0)
    model.head = new_head(model).bfloat16().eval()
    # A head that has learned nothing gives no direction; any will do.
    torch.nn.init.normal_(model.head.out.weight, std=3)
    model.card = replace(model.card, proposals=3, trust=8.0)
    responder = LlavaResponder("tiny", model)
    picture = Picture(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    asked = [user_turn("Pick up the bar"), user_turn("go on", image=False)]
    first = responder.respond([picture], [asked[:1]])[0]
    assert first.grasp is not None
    # The third question comes after two answers, so that there is a previous one.
    other = render_grasp(Grasp(x=0.9, y=0.1, theta=0), answer_format="reasoned", reasoning="There.")
    conversation = [asked[0], assistant_turn(first.text), asked[1], assistant_turn(other), asked[1]]
    maps = model.grasp_maps(model.look(model.pixel_values([picture.rgb])))
    found = changes(spread_grasps(maps)[0], earlier_grasps(conversation))
    rng = np.random.default_rng(0)
    moved = 0
    assert "previous" in found
    for key, change in found.items():
        if key.startswith("a bit") and not change.met:
            continue
        side = key.removeprefix("a bit ")
        request = Request("direction", side, little=side != key) if side in SIDES else Request(key)  # type: ignore[arg-type]
        said = answer_text(request, met=change.met, kept=not change.turned, near=True, name="mug", rng=rng)
        answer = responder.respond([picture], [conversation], reasonings=[said])[0]
        grasp = parse_grasp(answer.text)[1]
        assert (grasp.x, grasp.y) == pytest.approx((change.grasp.x, change.grasp.y), abs=0.02), key
        moved += change.met
        assert answer.grasp is not None and answer.grasp.opening == change.grasp.opening is not None
        assert answer.grasp.quality == change.grasp.quality
    assert moved, "nothing to change in this picture: draw another"
    # Without an earlier answer the words hold nothing.
    alone = responder.respond([picture], [asked[:1]], reasonings=["Further left the mug can be held too."])[0]
    assert parse_grasp(alone.text)[1].x == pytest.approx(parse_grasp(first.text)[1].x, abs=0.02)
