"""Grasps of the training objects on a test object: that with the likest caption, and one of the likest shape's."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from graspwise.errors import InputError
from graspwise.evaluation.hand_plan import HandQuestion
from graspwise.evaluation.hand_texts import Likeness
from graspwise.hand.grasps import HandDataset, HandGrasp, HandObject
from graspwise.hand.guess import Rig
from graspwise.hand.model import HandModel, transform_from_nine

# Sentences whose likeness differs by less are equally like.
ALIKE = 1e-4


class Memory:
    """The grasps that a model learned from, to be laid on other objects.

    Args:
        dataset: Hands.
        objects: Object ids of those grasps.
        hand: Whose hands.
        seed: Decides among grasps that suit equally well.

    Raises:
        InputError: they have no grasps.
    """

    def __init__(self, dataset: HandDataset, objects: Sequence[str], hand: HandModel, *, seed: int) -> None:
        chosen = set(objects)
        self.dataset, self.hand, self.seed = dataset, hand, seed
        self.grasps = [grasp for grasp in dataset.grasps if grasp.object_id in chosen]
        if not self.grasps:
            raise InputError(f"{dataset.folder}: holds none of the objects that the model learned from; give that one")
        self._grip = Rig(hand).grip.double().numpy()
        self.away = cache(self._away)

    def _away(self, object_id: str) -> dict[str, float]:
        """How far, metres, the shapes of the training objects are from a test object's, by id."""
        thing = self.dataset.objects[object_id]
        return {
            name: shape_distance(thing, self.dataset.objects[name])
            for name in dict.fromkeys(grasp.object_id for grasp in self.grasps)
        }

    def laid(self, grasp: HandGrasp, object_id: str) -> Tensor:
        """(P,) a training grasp's hand on another object, by the two objects' boxes."""
        return laid_on(
            grasp.parameters, box_of(self.dataset.objects[grasp.object_id]), box_of(self.dataset.objects[object_id]),
            grip=self._grip,
        )  # fmt: skip

    def drawn(self, among: Sequence[HandGrasp], question: HandQuestion) -> HandGrasp:
        return among[int(np.random.default_rng([self.seed, 3, question.number]).integers(len(among)))]


def by_shape(memory: Memory) -> Callable[[str, Sequence[HandQuestion]], tuple[Tensor, list[str]]]:
    """A grasp, drawn by chance, of the training object of the likest shape: the sentence is not read."""

    def answer(object_id: str, questions: Sequence[HandQuestion]) -> tuple[Tensor, list[str]]:
        away = memory.away(object_id)
        nearest = min(away, key=lambda name: away[name])
        own = [grasp for grasp in memory.grasps if grasp.object_id == nearest]
        hands = [memory.laid(memory.drawn(own, question), object_id) for question in questions]
        return torch.stack(hands), [""] * len(questions)

    return answer


def by_caption(
    memory: Memory, likeness: Likeness
) -> Callable[[str, Sequence[HandQuestion]], tuple[Tensor, list[str]]]:  # fmt: skip
    """The grasp with the likest caption; of several that on the likest shape, and by chance among these.

    Raises:
        InputError: no training grasp has a caption.
    """
    texts: dict[str, list[HandGrasp]] = {}
    for grasp in memory.grasps:
        for caption in grasp.captions:
            texts.setdefault(caption.text, []).append(grasp)
    if not texts:
        raise InputError(f"{memory.dataset.folder}: no training grasp has a caption; valid are hands with captions")
    known = list(texts)
    vectors = likeness.vectors(known)

    def answer(object_id: str, questions: Sequence[HandQuestion]) -> tuple[Tensor, list[str]]:
        away, hands = memory.away(object_id), []
        for question, asked in zip(questions, likeness.vectors([q.sentence for q in questions]), strict=True):
            alike = vectors @ asked
            likest = [known[i] for i in np.flatnonzero(alike > alike.max() - ALIKE)]
            among = [grasp for text in likest for grasp in texts[text]]
            least = min(away[grasp.object_id] for grasp in among)
            chosen = memory.drawn([grasp for grasp in among if away[grasp.object_id] == least], question)
            hands.append(memory.laid(chosen, object_id))
        return torch.stack(hands), [""] * len(questions)

    return answer


def box_of(thing: HandObject) -> tuple[np.ndarray, np.ndarray]:
    """Corners (3,) of the box around an object's points, metres."""
    return thing.cloud.min(axis=0).astype(float), thing.cloud.max(axis=0).astype(float)


def laid_on(
    parameters: np.ndarray, box: tuple[np.ndarray, np.ndarray], onto: tuple[np.ndarray, np.ndarray], *, grip: np.ndarray
) -> Tensor:
    """(P,) a hand moved from one box to another; how it is turned and bent stays.

    Where the hand's grip is in or on the box is scaled with the box, how far it is outside the box stays.

    Args:
        parameters: (P,) in the hand's layout.
        box: Corners of the box that it is at, metres.
        onto: Corners of the box that it goes to.
        grip: (3,) metres, the middle of the hand's pads in its own frame.
    """
    moved = torch.from_numpy(np.array(parameters, np.float32))
    rotation = transform_from_nine(moved[None, :9])[0, :3, :3].double().numpy()
    at = rotation @ grip + parameters[6:9]
    inside = at.clip(*box)
    share = (inside - box[0]) / np.maximum(box[1] - box[0], 1e-9)
    there = onto[0] + share * (onto[1] - onto[0]) + (at - inside)
    moved[6:9] += torch.from_numpy((there - at).astype(np.float32))
    return moved


def shape_distance(first: HandObject, second: HandObject) -> float:
    """Metres: mean distance of a point of one surface to the nearest of the other, both ways, boxes' middles together.

    Sizes are kept, and nothing is turned: objects of a data set stand as they are used.
    """
    one, other = (thing.cloud - np.mean(box_of(thing), axis=0) for thing in (first, second))
    ways = (cKDTree(a).query(b)[0].mean() for a, b in ((one, other), (other, one)))
    return float(sum(ways) / 2)
