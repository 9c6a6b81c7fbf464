"""The stage `steer`: the dense head learns to follow the language model's state at the end of its reasoning.

Pictures of one thing teach little of that, so half of the samples are mosaics: four photographs side by side, one of
them asked for by name. The language model stays as it is; its states, and the tower's maps, are taken once a sample.
"""

from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from graspwise.answer import parse_grasp, render_grasp
from graspwise.conversation import user_turn
from graspwise.data.store import Dataset
from graspwise.data.templates import load_instructions
from graspwise.grasp import Grasp
from graspwise.model.generate import end_of_turn
from graspwise.model.grasp_map import MapLoss, best_grasps
from graspwise.model.grasp_model import GraspModel
from graspwise.model.load import new_head
from graspwise.model.prompt import with_hints
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle
from graspwise.train.examples import Example
from graspwise.train.tasks import SampleTask, autocast, padded

MOSAICS, STATES_SWAPPED = 0.5, 0.5
# Weight of the loss without a condition.
UNSTEERED = 0.5
# In a mosaic a thing and what is around it fill this share of its tile's side.
TILE_FILL = 0.75


class SteerTask(SampleTask):
    """The dense head, steered, on the frozen tower and language model.

    Args:
        model: Its dense head is replaced by a steered one that starts with the same weights.
        dataset: Where the pictures are.
        distinct: So many samples are looked at and read; more passes go over the same ones.
    """

    name = "steer"
    measure = MapLoss()

    def __init__(self, model: GraspModel, dataset: Dataset, *, distinct: int, **kwargs: Any) -> None:
        super().__init__(model, dataset, **kwargs)
        self.proposer = model.head
        torch.manual_seed(self.seed)
        steered = new_head(model, steered=True)
        if model.head is not None:
            steered.load_state_dict(model.head.state_dict(), strict=False)
        model.head = self.head = steered.float().train()
        self.distinct = distinct
        self.seen: dict[int, tuple[Tensor, Tensor, list[Grasp], str, Tensor]] = {}
        self.by_category: dict[str, list[int]] = {}

    def parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.head.named_parameters())

    def prepare(self, positions: range) -> tuple[range, dict[int, tuple[Example, str]]]:
        new = [place for place in dict.fromkeys(p % self.distinct for p in positions) if place not in self.seen]
        return positions, dict(zip(new, self.readers.map(self.drawn, new), strict=True))

    def drawn(self, place: int) -> tuple[Example, str]:
        """A picture of one thing with its own instruction, or a mosaic with one that names its target."""
        example = self.example(place)
        if self.is_single(place):
            return example, example.sample.instruction
        rng = np.random.default_rng([self.seed, place, 4])
        others = [
            e
            for e in map(self.example, rng.integers(len(self.training), size=6).tolist())
            if e.sample.category != example.sample.category and e.rectangles
        ]
        named = load_instructions().named
        name = example.sample.category if rng.random() < 0.5 else example.sample.description
        return mosaic(example, others[:3], rng=rng), named[rng.integers(len(named))].format(object=name)

    def loss(self, prepared: tuple[range, dict[int, tuple[Example, str]]]) -> Tensor:
        positions, new = prepared
        if new:
            self.read(list(new), [e for e, _ in new.values()], [asked for _, asked in new.values()])
        kept: list[tuple[Tensor, Tensor, list[Grasp], Tensor]] = []
        for position in positions:
            fine, coarse, labels, category, state = self.seen[position % self.distinct]
            rng = np.random.default_rng([self.seed, position, 3])
            # Another picture's words for the same kind of thing say the same.
            if rng.random() < STATES_SWAPPED:
                alike = self.by_category[category]
                state = self.seen[alike[rng.integers(len(alike))]][-1]
            kept.append((fine, coarse, labels, state))
        fines, coarses, grasps, states = zip(*kept, strict=True)
        dense = self.model.llava.model.vision_tower.joined(torch.stack(fines), torch.stack(coarses))
        target, valid = (t.to(dense.device) for t in padded(grasps))
        # The same head proposes without words: it must go on finding grasps where there is but one thing.
        single = [i for i, position in enumerate(positions) if self.is_single(position % self.distinct)]
        with autocast(self.model):
            loss = self.measure(self.head(dense, torch.stack(states)), target, valid)
            if single:
                loss = loss + UNSTEERED * self.measure(self.head(dense[single]), target[single], valid[single])
        return loss

    def is_single(self, place: int) -> bool:
        return bool(np.random.default_rng([self.seed, place, 2]).random() >= MOSAICS)

    @torch.no_grad()
    def read(self, places: Sequence[int], examples: Sequence[Example], asked: Sequence[str]) -> None:
        """Keep the tower's maps and the language model's states of these samples."""
        model, tower = self.model, self.model.llava.model.vision_tower
        pixel_values = model.pixel_values([e.rgb for e in examples])
        fine, coarse = tower.levels(pixel_values)
        proposals: list[list[Grasp]] = [[] for _ in examples]
        names: list[list[str]] = [[] for _ in examples]
        if self.proposer is not None:
            maps = self.proposer(tower.joined(fine, coarse)).float()
            proposals = best_grasps(maps, count=model.card.proposals)
            names = model.recognise(pixel_values, maps, besides=[e.sample.object_id for e in examples])
        begun = []
        for e, words, listed, found in zip(examples, asked, names, proposals, strict=True):
            reasoning, _ = parse_grasp(e.sample.answer)
            grasp = e.grasps[0]
            answer = render_grasp(grasp, answer_format=model.card.answer, reasoning=reasoning)
            # The state that the numbers follow: everything up to the first digit has been read.
            head = answer[: answer.rindex("[") + 1]
            prompt = model.prompt_ids([user_turn(with_hints(words, names=listed, proposals=found))])
            begun.append([*prompt, *model.tokenizer(head, add_special_tokens=False)["input_ids"]])
        states = self.states(begun, pixel_values)
        for place, one, two, e, state in zip(places, fine, coarse, examples, states, strict=True):
            self.seen[place] = one.clone(), two.clone(), e.grasps, e.sample.category, state
            self.by_category.setdefault(e.sample.category, []).append(place)

    def states(self, begun: Sequence[Sequence[int]], pixel_values: Tensor) -> Tensor:
        """The language model's last hidden state (B, D) after each text."""
        length = max(map(len, begun))
        ids = torch.full((len(begun), length), end_of_turn(self.model))
        mask = torch.zeros(len(begun), length, dtype=torch.long)
        for row, tokens in enumerate(begun):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        device = self.model.device
        with autocast(self.model):
            hidden = self.model.llava.model(
                input_ids=ids.to(device), attention_mask=mask.to(device), pixel_values=pixel_values, use_cache=False
            ).last_hidden_state
        last = torch.tensor([len(tokens) - 1 for tokens in begun], device=device)
        return hidden[torch.arange(len(begun), device=device), last].float()


def mosaic(target: Example, others: Sequence[Example], *, rng: np.random.Generator) -> Example:
    """Up to four things in one picture, the target's labels alone; the first example where there are no others."""
    if not others:
        return target
    side = target.size[0]
    half = side // 2
    shown = np.empty_like(target.rgb)
    tiles = rng.permutation(4)
    moved: list[GraspRectangle] = []
    for tile, example in zip(tiles.tolist(), [target, *islice(cycle(others), 3)], strict=True):
        left, top = (tile % 2) * half, (tile // 2) * half
        corners = np.concatenate([r.corners for r in example.rectangles])
        low, high = corners.min(0), corners.max(0)
        scale = min(TILE_FILL * half / float(max(*(high - low), 1.0)), 1.0)
        middle = (low + high) / 2
        move = np.array([[scale, 0, half / 2 - scale * middle[0]], [0, scale, half / 2 - scale * middle[1]]])
        part = cv2.warpAffine(
            example.rgb, move, (half, half), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
        )
        shown[top : top + half, left : left + half] = part
        if example is target:
            offset = move[:, 2] + (left, top)
            moved = [GraspRectangle(r.corners * scale + offset) for r in example.rectangles]
    return Example(target.sample, Picture(shown), tuple(moved), target.size)
