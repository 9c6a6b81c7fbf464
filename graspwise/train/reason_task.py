"""What teaches the language model to reason from a wish to its target: words alone, without a picture.

A sample takes a third of the time of one with its picture, and nothing of this needs the picture: the prompt says what
is in view.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.conversation import Message, assistant_turn, user_turn
from graspwise.data.rows import those
from graspwise.data.store import Dataset, Sample
from graspwise.model.grasp_model import GraspModel
from graspwise.model.prompt import with_hints
from graspwise.model.steering import spelled
from graspwise.train.names import name_weights
from graspwise.train.packing import Row, pack
from graspwise.train.recompute import recomputing
from graspwise.train.scene_task import names_in_view
from graspwise.train.steer_tasks import reason_of
from graspwise.train.tasks import SampleTask, autocast


class ReasonTask(SampleTask):
    """Cross-entropy on the reasons of wishes, given the wish and the names in view; refusals are learned, too."""

    name = "reasons"

    def __init__(
        self,
        model: GraspModel,
        dataset: Dataset,
        *,
        training: Sequence[Sample],
        trainable: dict[str, nn.Parameter],
        name_weight: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(model, dataset, training=those(training, lambda s: s.wish is not None), **kwargs)
        self.trainable, self.name_weight = trainable, name_weight

    def parameters(self) -> dict[str, nn.Parameter]:
        return self.trainable

    def prepare(self, positions: range) -> list[Row]:
        return [self.row(self.training[self.order[position]], self.rng(position)) for position in positions]

    def row(self, sample: Sample, rng: np.random.Generator) -> Row:
        """A wish after all that was said before, and its reason as the tokenizer takes it."""
        model = self.model
        answer = spelled(reason_of(sample), model.spt[0])
        written = model.tokenizer(answer, add_special_tokens=False, return_offsets_mapping=True)
        weights = name_weights(
            answer, written["offset_mapping"], sample.category,
            place=max(answer.find(model.spt[0]), 0), weight=self.name_weight,
        )  # fmt: skip
        tokens = [*written["input_ids"], model.end_of_turn]
        return Row(model.prompt_ids(said(sample, rng)), [(tokens, [*weights, 1.0])])

    def loss(self, prepared: list[Row]) -> Tensor:
        model = self.model
        batch = pack(prepared, padding=model.end_of_turn).to(model.device)
        with autocast(model), recomputing(self.recomputed):
            states = (
                model.family.parts(model.vlm)
                .language_model(
                    input_ids=batch.ids,
                    attention_mask=model.family.attention(model.vlm, batch.attention),
                    position_ids=batch.positions,
                    use_cache=False,
                )
                .last_hidden_state
            )
            logits = model.family.logits(model.vlm, states[batch.states[0], batch.states[1]])
        logits = logits.float().masked_fill(model.like_spt, -torch.inf)
        losses = F.cross_entropy(logits, batch.targets, reduction="none")
        return (losses * batch.weights).sum() / batch.weights.sum()


def said(sample: Sample, rng: np.random.Generator) -> list[Message]:
    """The conversation up to the wish, without a picture; the first turn has the names in view, in any order."""
    assert sample.wish is not None
    in_view = [str(name) for name in rng.permutation(names_in_view(sample))]
    before = sample.wish.before
    first = sample.instruction if before is None else before["asked"]
    opening = user_turn(with_hints(first, names=[], proposals=[], in_view=in_view), image=False)
    if before is None:
        return [opening]
    return [opening, assistant_turn(before["reason"]), user_turn(sample.instruction, image=False)]
