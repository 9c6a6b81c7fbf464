"""What both stages of the hand language model learn: lessons in batches, and the loss on their answers.

Object and hand are turned together by a small angle, so that the tokens of a grasp are taken anew for each lesson.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.hand.cloud import Cloud
from graspwise.hand.grasps import HandDataset, HandGrasp
from graspwise.hand.language import HandTalker
from graspwise.train.examples import Order
from graspwise.train.hand_batches import turned
from graspwise.train.hand_lessons import HandLesson, lesson_of
from graspwise.train.hand_text_recipe import HandTextRecipe
from graspwise.train.packing import Packed, Row, pack


class HandTextTask:
    """Cross-entropy on the answers' tokens; a `Task` of the training loop.

    Args:
        name: Of the stage.
        talker: What learns.
        dataset: Where the objects are.
        trainable: The parameters that learn.
        training: Grasps with captions.
        validation: Grasps of other objects.
        recipe: Shares and weights.
        seed: Decides order and lessons.
        watch_samples: On how many grasps validation figures are taken.
    """

    def __init__(
        self, name: str, talker: HandTalker, dataset: HandDataset, *, trainable: dict[str, nn.Parameter],
        training: Sequence[HandGrasp], validation: Sequence[HandGrasp], recipe: HandTextRecipe, seed: int,
        watch_samples: int,
    ) -> None:  # fmt: skip
        self.name, self.talker, self.dataset, self.trainable = name, talker, dataset, trainable
        self.training, self.recipe, self.seed = list(training), recipe, seed
        self.order = Order(len(self.training), seed=seed)
        drawn = np.random.default_rng([seed, 9]).permutation(len(validation))[:watch_samples]
        self.watched = [validation[number] for number in drawn]
        self.beside: dict[str, list[HandGrasp]] = {}
        for grasp in (*training, *validation):
            self.beside.setdefault(grasp.object_id, []).append(grasp)

    def parameters(self) -> dict[str, nn.Parameter]:
        return self.trainable

    def rate(self, parameter: str) -> float:
        return 1.0

    def prepare(self, positions: range) -> tuple[Packed, Cloud]:
        chosen = [self.training[self.order[position]] for position in positions]
        return self.batch(chosen, [np.random.default_rng([self.seed, p]) for p in positions], most=self.recipe.turned)

    def loss(self, prepared: tuple[Packed, Cloud]) -> Tensor:
        batch, cloud = prepared
        losses = F.cross_entropy(self.logits(batch, cloud), batch.targets, reduction="none")
        return (losses * batch.weights).sum() / batch.weights.sum()

    @torch.no_grad()
    def watch(self) -> dict[str, float]:
        """Loss on other objects, and the share of hand tokens that come first among those of their level."""
        total, right, count, weight = 0.0, 0, 0, 0.0
        for start in range(0, len(self.watched), self.recipe.align.micro_batch):
            chosen = self.watched[start : start + self.recipe.align.micro_batch]
            rngs = [np.random.default_rng([self.seed, start + i, 1]) for i in range(len(chosen))]
            batch, cloud = self.batch(chosen, rngs, most=0.0)
            logits = self.logits(batch, cloud)
            losses = F.cross_entropy(logits, batch.targets, reduction="none")
            total, weight = total + float((losses * batch.weights).sum()), weight + float(batch.weights.sum())
            codes = batch.targets - self.talker.code(0, 0)
            written = codes >= 0
            number = self.talker.tokens.number
            levels = logits[written, self.talker.code(0, 0) :].unflatten(1, (-1, number))
            first = levels[torch.arange(len(levels)), codes[written] // number].argmax(1)
            right += int((first == codes[written] % number).sum())
            count += int(written.sum())
        return {"validation_loss": round(total / weight, 4), "codes": round(right / max(count, 1), 4)} if weight else {}

    def logits(self, batch: Packed, cloud: Cloud) -> Tensor:
        """(N, V + own tokens) for the N tokens of all answers."""
        talker = self.talker
        with torch.autocast(talker.device.type, dtype=torch.bfloat16):
            states = talker.causal.body(
                inputs_embeds=talker.embed(batch.ids, talker.look(cloud)), attention_mask=batch.attention,
                position_ids=batch.positions, use_cache=False,
            ).last_hidden_state  # fmt: skip
            return talker.logits(states[batch.states[0], batch.states[1]])

    def batch(
        self, grasps: Sequence[HandGrasp], rngs: Sequence[np.random.Generator], *, most: float
    ) -> tuple[Packed, Cloud]:
        """A lesson about each grasp, and their objects, each turned by up to `most` radians with the hands on it."""
        talker, recipe = self.talker, self.recipe
        lessons = [
            lesson_of(grasp, self.beside[grasp.object_id], rng, words=recipe.words, talk=recipe.talk)
            for grasp, rng in zip(grasps, rngs, strict=True)
        ]
        rotations = torch.from_numpy(np.stack([small_turn(rng, most=most) for rng in rngs])).float()
        things = [self.dataset.objects[grasp.object_id] for grasp in grasps]
        cloud = Cloud.of(np.stack([t.cloud for t in things]), np.stack([t.normals for t in things])).turned(rotations)
        # Two hands an object: the one asked for, and the one shown before, or the same again.
        pairs = [
            hand.parameters for grasp, lesson in zip(grasps, lessons, strict=True)
            for hand in (grasp, *(lesson.shown or (grasp,)))
        ]  # fmt: skip
        hands = turned(torch.from_numpy(np.stack(pairs)), rotations.repeat_interleave(2, 0))
        cloud = cloud.to(talker.device)
        tokens = talker.tokens.encode(hands.to(talker.device), cloud).unflatten(0, (-1, 2)).tolist()
        rows = [self.row(lesson, own, shown) for lesson, (own, shown) in zip(lessons, tokens, strict=True)]
        return pack(rows, padding=talker.causal.end_of_turn).to(talker.device), cloud

    def row(self, lesson: HandLesson, own: Sequence[int], shown: Sequence[int]) -> Row:
        """A lesson as token ids, given the hand tokens of its grasps."""
        prompt = self.talker.prompt_ids(lesson.turns, grasps=[shown] * len(lesson.shown))
        answer = self.talker.answer_ids(lesson.words, own if lesson.grasp is not None else None)
        first = self.talker.code(0, 0)
        return Row(prompt, [(answer, [self.recipe.code_weight if token >= first else 1.0 for token in answer])])


def small_turn(rng: np.random.Generator, *, most: float) -> np.ndarray:
    """A rotation (3, 3) about any axis by up to `most` radians."""
    axis = rng.normal(size=3)
    return np.asarray(Rotation.from_rotvec(axis / np.linalg.norm(axis) * rng.uniform(0, most)).as_matrix())
