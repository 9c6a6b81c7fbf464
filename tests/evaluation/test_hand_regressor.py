"""The direct regressor: its numbers are hands, and it learns what a sentence means."""

from pathlib import Path

import pytest
import torch
from hand_drawn import write_drawn_hands

from graspwise.evaluation.hand_neighbours import Memory
from graspwise.evaluation.hand_plan import HandQuestion
from graspwise.evaluation.hand_regressor import parameters_of, regressor, sentence_states
from graspwise.hand.causal import Causal, load_causal
from graspwise.hand.grasps import HandDataset
from graspwise.hand.guess import Rig
from graspwise.hand.model import nine_from_transform
from graspwise.hand.open_hand import load_open_hand
from graspwise.hand.tokens import HandTokens

HAND = load_open_hand()


@pytest.fixture(scope="module")
def causal(tiny_checkpoint: Path) -> Causal:
    return load_causal(str(tiny_checkpoint))


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    folder = tmp_path_factory.mktemp("regressor")
    write_drawn_hands(folder, objects=3)
    return Memory(HandDataset(folder), ["drawn/club-0", "drawn/club-2"], HAND, seed=0)


def test_numbers_of_a_hand_give_the_hand_again(memory: Memory) -> None:
    rig = Rig(HAND)
    given = torch.stack([torch.from_numpy(grasp.parameters) for grasp in memory.grasps])
    middles = torch.tensor([[0.01, -0.02, 0.03]]).expand(len(given), 3)
    found = parameters_of(rig.numbers(rig.truth(given, middles)), HAND, rig.grip, middles)
    places = [nine_from_transform(HAND.layout.split(hands)[0]) for hands in (given, found)]
    assert torch.allclose(*places, atol=1e-5)
    # Angles at a joint's limit are taken a little within.
    assert torch.allclose(given[:, 9:], found[:, 9:], atol=0.05)
    low, high = HAND.limits.T
    wild = parameters_of(torch.randn(5, rig.size) * 9, HAND, rig.grip, torch.zeros(1, 3))
    bends = wild[:, 9 : 9 + HAND.layout.articulation]
    assert (bends >= low - 1e-6).all() and (bends <= high + 1e-6).all()


def test_states_do_not_depend_on_the_batch(causal: Causal) -> None:
    texts = ["Hold it.", "Hold the handle with all the fingers that you have.", "Take the head, please."]
    together = sentence_states(causal, texts)
    for text, state in zip(texts, together, strict=True):
        assert torch.allclose(sentence_states(causal, [text])[0], state, atol=0.02)


def test_it_learns_where_each_sentence_wants_the_hand(memory: Memory, causal: Causal) -> None:
    torch.manual_seed(0)
    tokens = HandTokens(HAND, number=8, width=16, features=16, hidden=16).eval().requires_grad_(False)
    before = torch.get_rng_state()
    method = regressor(memory, causal, tokens, seed=1, steps=120)
    assert (torch.get_rng_state() == before).all()
    questions = [
        HandQuestion(0, "drawn/club-1", "high", f"Hold it by the {part}.", (), ()) for part in ("handle", "head")
    ]
    hands, reasons = method("drawn/club-1", questions)
    assert hands[:, 8].tolist() == pytest.approx([-0.03, 0.06], abs=0.02) and reasons == ["", ""]
    again, _ = regressor(memory, causal, tokens, seed=1, steps=120)("drawn/club-1", questions)
    assert torch.allclose(hands, again)
