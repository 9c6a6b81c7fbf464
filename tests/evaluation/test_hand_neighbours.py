"""Training grasps laid on other objects: where the hand comes to be, and which grasp is taken."""

import numpy as np
import pytest
import torch
from hand_drawn import holding, write_drawn_hands
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.errors import InputError
from graspwise.evaluation.hand_neighbours import Memory, by_caption, by_shape, laid_on, shape_distance
from graspwise.evaluation.hand_plan import HandQuestion
from graspwise.evaluation.hand_texts import WordVectors, open_likeness
from graspwise.hand.grasps import HandDataset
from graspwise.hand.guess import Rig
from graspwise.hand.open_hand import load_open_hand

HAND = load_open_hand()
GRIP = Rig(HAND).grip.double().numpy()
BOX = (np.array([-0.02, -0.03, -0.1]), np.array([0.02, 0.03, 0.1]))


def grip_of(parameters: torch.Tensor) -> np.ndarray:
    transform, *_ = HAND.layout.split(parameters[None])
    return (transform[0, :3, :3] @ torch.from_numpy(GRIP).float() + transform[0, :3, 3]).numpy()


@settings(max_examples=25)
@given(
    st.tuples(*[st.floats(-0.3, 0.3)] * 3), st.tuples(*[st.floats(0.3, 3)] * 3), st.tuples(*[st.floats(-0.1, 0.1)] * 3)
)
def test_in_the_box_a_grip_scales_and_outside_it_keeps_its_way(at, scale, shift) -> None:
    hand = torch.from_numpy(holding(0.0))
    hand[6:9] += torch.tensor(at) - torch.from_numpy(grip_of(hand))
    scaled, moved = np.array(scale), np.array(shift)
    onto = (BOX[0] * scaled + moved, BOX[1] * scaled + moved)
    found = laid_on(hand.numpy(), BOX, onto, grip=GRIP)
    inside = np.clip(at, *BOX)
    assert grip_of(found) == pytest.approx(inside * scaled + moved + (np.array(at) - inside), abs=1e-5)
    assert (found[:6] == hand[:6]).all() and (found[9:] == hand[9:]).all()
    assert laid_on(hand.numpy(), BOX, BOX, grip=GRIP).numpy() == pytest.approx(hand.numpy(), abs=1e-6)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> HandDataset:
    return HandDataset(write_drawn_hands(folder := tmp_path_factory.mktemp("near"), objects=5) or folder)


@pytest.fixture(scope="module")
def memory(dataset: HandDataset) -> Memory:
    return Memory(dataset, ["drawn/club-0", "drawn/club-2", "drawn/club-3"], HAND, seed=0)


def asking(sentence: str, *, number: int = 8) -> HandQuestion:
    return HandQuestion(number, "drawn/club-4", "high", sentence, ((None, "head"),), ())


def test_shapes_of_like_size_are_near(dataset: HandDataset) -> None:
    clubs = list(dataset.objects.values())
    assert shape_distance(clubs[0], clubs[0]) == 0
    assert shape_distance(clubs[0], clubs[1]) < shape_distance(clubs[0], clubs[4])
    assert shape_distance(clubs[0], clubs[4]) == pytest.approx(shape_distance(clubs[4], clubs[0]))


def test_without_the_sentence_the_likest_shape_is_taken(dataset: HandDataset, memory: Memory) -> None:
    method = by_shape(memory)
    questions = [asking("anything", number=number) for number in range(20)]
    hands, reasons = method("drawn/club-4", questions)
    own = [grasp for grasp in dataset.grasps if grasp.object_id == "drawn/club-3"]
    laid = [memory.laid(grasp, "drawn/club-4") for grasp in own]
    # Both grasps on it are drawn, whatever is asked.
    assert {next(i for i, one in enumerate(laid) if (one == hand).all()) for hand in hands} == {0, 1}
    assert reasons == [""] * 20
    again, _ = method("drawn/club-4", [asking("something else", number=number) for number in range(20)])
    assert (again == hands).all()


def test_by_caption_the_words_decide_then_the_shape(dataset: HandDataset, memory: Memory) -> None:
    texts = [caption.text for grasp in memory.grasps for caption in grasp.captions]
    method = by_caption(memory, WordVectors(texts))
    for part, place in (("handle", 0), ("head", 1)):
        [hand], _ = method("drawn/club-4", [asking(f"Please hold it by the {part}.")])
        own = [grasp for grasp in dataset.grasps if grasp.object_id == "drawn/club-3"]
        assert (hand == memory.laid(own[place], "drawn/club-4")).all()


def test_nothing_to_remember_is_an_error(dataset: HandDataset) -> None:
    with pytest.raises(InputError, match="holds none of the objects"):
        Memory(dataset, ["elsewhere/mug"], HAND, seed=0)


def test_words_weigh_by_how_rare_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    known = ["hold the mug by the handle", "hold the mug by the rim", "hold the jug by the rim"]

    def missing(**options: object) -> None:
        raise InputError("no package")

    monkeypatch.setattr("graspwise.evaluation.hand_texts.MiniLm", missing)
    said: list[str] = []
    likeness = open_likeness(known, say=said.append)
    assert "no package" in said[0] and "words" in likeness.note
    vectors, asked = likeness.vectors(known), likeness.vectors(["The handle!", "rim, jug", "zebra"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert (vectors @ asked[0]).argmax() == 0 and (vectors @ asked[1]).argmax() == 2
    assert (vectors @ asked[2] == 0).all()
