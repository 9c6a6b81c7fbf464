"""Responders: what is done with proposals, baselines by name, and the grasp's opening."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from graspwise.conversation import assistant_turn, user_turn
from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.model.baselines import BASELINES
from graspwise.model.changes import is_same
from graspwise.model.grasp_map import GraspMapHead
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.load import load_model
from graspwise.model.plain_responders import HeadResponder
from graspwise.model.registry import open_responder
from graspwise.picture import Picture


@pytest.fixture
def responder(tiny_checkpoint):
    return LlavaResponder("tiny", load_model(str(tiny_checkpoint)))


PICTURES = [Picture(rgb) for rgb in np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)]
ASKED = [[user_turn("Pick it up.")]] * 2


def with_head(responder: LlavaResponder, proposals: list[Grasp], text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the dense head propose these grasps and the language model write this text."""
    from graspwise.model import generate, grasp_map
    from graspwise.model.generate import Written

    responder.model.head = GraspMapHead(responder.model.vlm.config.vision_config.map_channels).bfloat16()
    monkeypatch.setattr(grasp_map, "best_grasps", lambda maps, count, plate: [proposals] * len(maps))
    monkeypatch.setattr(generate, "write_answers", lambda *a, **k: [Written(text, False)])


def test_a_copied_proposal_brings_its_opening_plate_and_quality(responder, monkeypatch):
    best = Grasp(x=0.3, y=0.3, theta=1.0, opening=0.2, jaw=0.07, quality=0.9)
    second = Grasp(x=0.6, y=0.31234, theta=-1.5, opening=0.1, jaw=0.08, quality=0.8)
    with_head(responder, [best, second], "Because.\n[0.600, 0.312], -1.50", monkeypatch)
    response = responder.respond(PICTURES[:1], ASKED[:1])[0]
    assert (response.grasp.opening, response.grasp.jaw, response.grasp.quality) == (0.1, 0.08, 0.8)
    assert response.others == (best,)
    assert response.reasoning == "Because."


def test_an_amended_grasp_opens_as_the_nearest_proposal_and_has_no_quality(responder, monkeypatch):
    proposals = [Grasp(x=0.3, y=0.3, theta=1.0, opening=0.2, quality=0.9)]
    with_head(responder, proposals, "[0.500, 0.300], +1.00", monkeypatch)
    response = responder.respond(PICTURES[:1], ASKED[:1])[0]
    assert (response.grasp.x, response.grasp.opening, response.grasp.quality) == (0.5, 0.2, None)
    assert response.others == tuple(proposals)


def test_without_a_head_there_is_one_grasp_without_opening(responder):
    assert responder.mode == "plain"
    for response in responder.respond(PICTURES, ASKED):
        assert response.grasp.opening is None
        assert response.others == ()


def test_same_grasp_up_to_rounding_and_the_half_turn():
    a = Grasp(x=0.5, y=0.5, theta=math.pi / 2)
    assert is_same(a, Grasp(x=0.5004, y=0.4996, theta=-1.57))
    assert not is_same(a, Grasp(x=0.55, y=0.5, theta=math.pi / 2))
    assert not is_same(a, Grasp(x=0.5, y=0.5, theta=1.4))


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_answer_by_name_without_a_reason(name):
    responder = open_responder(name)
    first, second = (responder.respond(PICTURES, ASKED) for _ in range(2))
    assert [r.grasp for r in first] == [r.grasp for r in second]
    assert first[0].reasoning == ""


def test_head_alone_ranks_its_grasps_and_needs_a_head(tiny_checkpoint, monkeypatch):
    with pytest.raises(InputError, match="no dense head"):
        HeadResponder(str(tiny_checkpoint))
    torch.manual_seed(0)
    model = load_model(str(tiny_checkpoint))
    model.head = GraspMapHead(model.vlm.config.vision_config.map_channels).to(torch.bfloat16)
    monkeypatch.setattr("graspwise.model.load.load_model", lambda name: model)
    for response in HeadResponder("tiny").respond(PICTURES, ASKED):
        qualities = [g.quality for g in (response.grasp, *response.others)]
        assert qualities == sorted(qualities, reverse=True)


def turns(count: int, words: str) -> list:
    """A conversation of so many turns of the user."""
    told = [turn for _ in range(count - 1) for turn in (user_turn(words, image=False), assistant_turn(f"As {words}"))]
    return [user_turn(words), *told[1:], user_turn("further left", image=False)] if told else [user_turn(words)]


def test_hints_stand_in_the_first_turn_alone(responder):
    responder.model.card = replace(responder.model.card, proposals=1)
    hints = {"names": ["mug"], "in_view": [], "proposals": [Grasp(x=0.5, y=0.25, theta=-0.5)], "changed": {}}
    for count in (1, 2, 3):
        text = responder.model.tokenizer.decode(responder.prompt(turns(count, "Pick it up."), **hints))
        assert text.count("Looks like: mug\nCandidates: [0.500, 0.250], -0.50<|im_end|>") == 1
        assert text.count("Candidates") == 1
        first, *rest = text.split("<|im_start|>")[1:]
        assert first.startswith("user\n") and "Looks like" in first
        assert [turn.split("\n")[0] for turn in rest] == ["assistant", "user"] * (count - 1) + ["assistant"]
        assert text.endswith("<|im_start|>assistant\n")


def test_a_conversation_that_is_too_long_is_refused_in_one_line(responder):
    nothing = {"names": [], "in_view": [], "proposals": [], "changed": {}}
    context = responder.model.context
    assert len(responder.prompt(turns(8, "Take the mug by its handle."), **nothing)) < context - 160
    long = turns(8, "Pick up the mug by its handle, and mind the hot coffee in it. " * 4)
    with pytest.raises(InputError, match=rf"tokens with its picture; valid for model tiny is at most {context - 160}"):
        responder.respond(PICTURES[:1], [long])
    with pytest.raises(InputError, match=r"^the conversation: \d+ tokens .*; take a turn back, or say it in fewer"):
        responder.prompt([user_turn("🪚" * 2000)], **nothing)
    responder.model.vlm.config.text_config.max_position_embeddings = 8192
    assert responder.prompt(long, **nothing)


def test_a_stopped_answer_holds_no_grasp_and_the_other_is_as_ever(responder):
    expected = responder.respond(PICTURES, ASKED)[1]
    stopped, whole = responder.respond(PICTURES, ASKED, stop=lambda row: row == 0)
    assert stopped.grasp is None and stopped.others == ()
    assert whole.grasp == expected.grasp
