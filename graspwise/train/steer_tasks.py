"""What teaches the steered head: a stage before the language model learns, and its share of the answers' loss."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.answer import SPT, AnswerError, marked, parse_grasp
from graspwise.data.rows import those
from graspwise.data.store import Dataset, Sample
from graspwise.data.templates import load_reasoning
from graspwise.grasp import Grasp
from graspwise.model.grasp_map import MapLoss
from graspwise.model.grasp_model import GraspModel
from graspwise.model.load import new_steered_head
from graspwise.model.steering import mean_state, spelled
from graspwise.picture import Picture
from graspwise.train.examples import Example
from graspwise.train.tasks import DenseTask, autocast, padded

# A cell counts as the target's where this share of it is: a handle is narrower than a cell.
COVERED = 0.15


class SteerTask(DenseTask):
    """The steered head on the frozen tower, by states of the frozen language model that reads the answer alone.

    A sample's reason is read once, without its picture. Refusals have no target and are left out.
    """

    name = "steer"

    def __init__(self, model: GraspModel, dataset: Dataset, *, training: Sequence[Sample], **kwargs: Any) -> None:
        super().__init__(model, dataset, training=those(training, names_target), **kwargs)
        if model.steered is None:
            torch.manual_seed(self.seed)
            model.steered = new_steered_head(model)
        self.steered = model.steered.float().train().requires_grad_(True)
        self.states: dict[int, Tensor] = {}

    def parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.steered.named_parameters())

    def loss(self, prepared: tuple[list[int], dict[int, Example]]) -> Tensor:
        _, new = prepared
        if new:
            self.states |= zip(new, reason_states(self.model, [e.sample for e in new.values()]), strict=True)
        return super().loss(prepared)

    def labels(self, example: Example, *, cells: int) -> tuple[list[Grasp], Tensor]:
        return meant_grasps(example), target_cells(self.dataset, example, cells=cells)

    def maps(self, places: Sequence[int], dense: Tensor) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = self.steered(dense, torch.stack([self.states[place] for place in places]))
        return found

    def compare(self, maps: tuple[Tensor, Tensor], labels: Sequence[Any]) -> Tensor:
        grasps, wanted = zip(*labels, strict=True)
        return super().compare(maps[0], grasps) + place_loss(maps[1], torch.stack(wanted))


def reason_of(sample: Sample) -> str:
    """The reason of a sample's answer, its target between two [SPT]; of a refusal all of it, without [SPT]."""
    try:
        reason = parse_grasp(sample.answer)[0]
    except AnswerError:
        reason = sample.answer
    if SPT in reason or sample.wish is not None:
        return reason
    return marked(reason, sample.category if sample.category in load_reasoning() else "object")


def meant_grasps(example: Example) -> list[Grasp]:
    """The grasps of the target that the answer names; another right target's are for another answer."""
    return [Grasp.from_rectangle(rectangle, image_size=example.size) for rectangle in example.meant]


def names_target(sample: Sample) -> bool:
    return sample.wish is None or not sample.wish.refused


@torch.inference_mode()
def reason_states(model: GraspModel, samples: Sequence[Sample]) -> list[Tensor]:
    """States (D,) of the samples' targets, as the language model reads their reasons without a picture."""
    spelling, spt = model.spt
    texts = [spelled(reason_of(sample), spelling) for sample in samples]
    ids = [model.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    batch = torch.full((len(ids), max(map(len, ids))), model.end_of_turn)
    for row, tokens in enumerate(ids):
        # What comes after a token does not change its state, so that padding needs no mask.
        batch[row, : len(tokens)] = torch.tensor(tokens)
    with autocast(model):
        read = model.vlm.model.language_model(input_ids=batch.to(model.device), use_cache=False).last_hidden_state
    states = [mean_state(row, tokens, spt) for row, tokens in zip(read, ids, strict=True)]
    missing = [sample.id for sample, state in zip(samples, states, strict=True) if state is None]
    if missing:
        raise ValueError(f"sample {missing[0]}: its reason names no target between two {SPT}")
    return [state.clone() for state in states if state is not None]


def target_cells(dataset: Dataset, example: Example, *, cells: int) -> Tensor:
    """(cells, cells): 1 where the target that the answer names covers a cell, 0 elsewhere; NaN without a mask of it.

    Args:
        dataset: Where the masks are.
        example: A sample as training sees it.
        cells: Cells along each side.
    """
    mask = dataset.named_mask(example.sample)
    if mask is None:
        return torch.full((cells, cells), torch.nan)
    shown = example.transform.picture(Picture(np.repeat(mask[..., None], 3, 2) * np.uint8(255)), fill="edge").rgb
    covered = cv2.resize(shown[..., 0], (cells, cells), interpolation=cv2.INTER_AREA) / 255
    return torch.from_numpy(covered > COVERED).float()


def place_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of where the target is, half of its weight on the target's cells; unknown cells are left out.

    Args:
        logits: (B, h, w).
        wanted: (B, h, w) as from `target_cells`.
    """
    logits, wanted = logits.float(), wanted.to(logits.device)
    losses = F.binary_cross_entropy_with_logits(logits, wanted.nan_to_num(), reduction="none")
    parts = [losses[wanted == value] for value in (0, 1)]
    return sum((part.mean() / 2 for part in parts if len(part)), logits.new_zeros(()))


def steered_loss(
    model: GraspModel,
    dataset: Dataset,
    dense: Tensor,
    states: Sequence[Tensor],
    examples: Sequence[Example],
) -> Tensor:
    """Loss of the steered maps, a picture and a state of its target each; gradients reach the language model.

    Args:
        model: With a steered head.
        dataset: Where the examples' masks are.
        dense: (B, C, h, w) of the tower.
        states: B states (D,).
        examples: B pictures with the target's grasps.
    """
    assert model.steered is not None
    with autocast(model):
        maps, place = model.steered(dense, torch.stack(list(states)))
    labels, valid = padded([meant_grasps(e) for e in examples])
    wanted = torch.stack([target_cells(dataset, e, cells=maps.shape[-1]) for e in examples])
    return MapLoss()(maps, labels.to(maps.device), valid.to(maps.device)) + place_loss(place, wanted)
