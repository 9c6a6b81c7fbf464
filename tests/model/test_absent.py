"""A refusal where several things are known and none is the one that is named."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from graspwise.answer import SPT
from graspwise.conversation import user_turn
from graspwise.model.absent import THINGS, is_absent, names_something, refusal
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.load import load_model, new_head, new_steered_head
from graspwise.model.scene_names import SceneNames
from graspwise.picture import Picture

NAMES = SceneNames(8, ["mug", "hammer", "spoon", "pen"])


def likely(**found):
    """(1, 4, 4, 4) with each name at a cell of its own."""
    values = torch.zeros(1, len(NAMES.names), 4, 4)
    for place, (name, value) in enumerate(found.items()):
        values[0, NAMES.names.index(name), place, place] = value
    return values


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        ("Pick up the object.", False),
        ("PLEASE, give me any of these things!", False),
        ("Grasp it", False),
        ("Pick up the mug", True),
        ("I am thirsty.", True),
        ("Gib mir den Hammer", True),
        ("?!", False),
    ],
)
def test_a_wish_names_something(wish, names):
    assert names_something(wish) is names


def test_what_no_cell_believes_in_is_absent_among_several():
    several = likely(mug=0.9, hammer=0.8, spoon=0.7)
    assert is_absent(NAMES, several, "pen")
    assert is_absent(NAMES, several, "red pen")
    assert not is_absent(NAMES, several, "mug")


def test_little_belief_is_enough_to_try():
    assert not is_absent(NAMES, likely(mug=0.9, hammer=0.8, spoon=0.7, pen=0.05), "pen")


def test_of_few_things_or_an_unknown_name_nothing_is_said():
    assert not is_absent(NAMES, likely(mug=0.9, hammer=0.8), "pen")
    assert not is_absent(NAMES, likely(mug=0.9, hammer=0.8, spoon=0.7), "umbrella")


def test_a_refusal_says_what_is_there_instead():
    text = refusal("pen", ["mug", "hammer", "spoon", "fork"])
    assert text == "That would take the pen, and I see none here, only mug, hammer and spoon."
    assert SPT not in text


@pytest.fixture(scope="module")
def responder(tiny_checkpoint):
    torch.manual_seed(0)
    model = load_model(str(tiny_checkpoint))
    model.card = replace(model.card, answer="reasoned", trust=1.0)
    model.head = new_head(model).bfloat16()
    model.steered = new_steered_head(model).bfloat16()
    model.scene_names = SceneNames(model.vlm.config.vision_config.map_channels, NAMES.names).bfloat16()
    return LlavaResponder("tiny", model)


PICTURES = [Picture(np.random.default_rng(seed).integers(0, 255, (64, 64, 3), dtype=np.uint8)) for seed in range(2)]


@pytest.mark.parametrize(("wish", "refused"), [("I want to write.", True), ("Pick up the object.", False)])
def test_an_answer_about_what_is_absent_ends_without_a_grasp(responder, monkeypatch, wish, refused):
    seen = likely(mug=0.9, hammer=0.8, spoon=0.7)
    monkeypatch.setattr(SceneNames, "likely", lambda names, dense: seen.repeat(len(dense) // 8, 1, 1, 1))
    told = []
    reasons = [f"You want to write, so here is the {SPT} pen {SPT}.\n", f"Here is the {SPT} mug {SPT}.\n"]
    first, second = responder.respond(
        PICTURES, [[user_turn(wish)], [user_turn("Give me the mug.")]], reasonings=reasons,
        on_token=lambda row, text: told.append(row),
    )  # fmt: skip
    assert THINGS == 3
    assert first.refused is refused and (first.grasp is None) is refused
    assert not second.refused and second.grasp is not None
    if refused:
        assert first.text == refusal("pen", ["mug", "hammer", "spoon"])
        # Nothing is told of an answer that is taken back.
        assert 0 not in told


def test_whoever_names_nothing_gets_a_grasp(responder):
    """An untrained model refuses as soon as it may."""
    talks = [[user_turn("Pick up the object.")], [user_turn("Grab anything!")]]
    for answer in responder.respond(PICTURES, talks):
        assert not answer.refused and answer.grasp is not None
    free = responder.respond(PICTURES, [[user_turn("I am thirsty.")]] * 2, temperature=1.0)
    assert any(answer.refused for answer in free)
