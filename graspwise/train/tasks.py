"""What all stages share, and those that need no language model: the dense head, and the projector's words."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.data.store import Dataset, Sample
from graspwise.grasp import Grasp
from graspwise.metric import is_hit
from graspwise.model.grasp_map import MapLoss, best_grasps
from graspwise.model.grasp_model import GraspModel
from graspwise.model.load import new_head
from graspwise.train.examples import Example, Order, augmented_example, plain_example
from graspwise.train.names import NameTable, word_tokens


class SampleTask:
    """The part that all stages share: which sample a position takes and how its picture is made ready."""

    name = "samples"

    def __init__(
        self,
        model: GraspModel,
        dataset: Dataset,
        *,
        training: Sequence[Sample],
        validation: Sequence[Sample],
        seed: int,
        recomputed: Sequence[nn.Module] = (),
    ) -> None:
        self.model, self.dataset, self.seed, self.recomputed = model, dataset, seed, recomputed
        self.training, self.validation = training, validation
        self.order = Order(len(self.training), seed=seed)
        self.readers = ThreadPoolExecutor(2)

    def prepare(self, positions: range) -> Any:
        return positions, self.augmented(positions)

    def augmented(self, positions: Sequence[int]) -> list[Example]:
        return list(self.readers.map(self.example, positions))

    def example(self, position: int) -> Example:
        sample, rng = self.training[self.order[position]], self.rng(position)
        return augmented_example(self.dataset, sample, size=self.model.image_size, rng=rng)

    def rng(self, position: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, position])

    def plain(self, samples: Sequence[Sample]) -> list[Example]:
        return [plain_example(self.dataset, sample, size=self.model.image_size) for sample in samples]

    def rate(self, parameter: str) -> float:
        return 1.0

    def watch(self) -> dict[str, float]:
        return {}


def autocast(model: GraspModel) -> torch.autocast:
    """bf16 throughout, unless the model's weights are fp32."""
    return torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=model.dtype != torch.float32)


class DenseTask(SampleTask):
    """A head on the frozen tower's maps.

    The tower sees `distinct` augmented samples once; after that the head goes over the same maps again, which are kept.
    """

    measure = MapLoss()

    def __init__(self, model: GraspModel, dataset: Dataset, *, distinct: int, **kwargs: Any) -> None:
        super().__init__(model, dataset, **kwargs)
        self.distinct = distinct
        self.seen: dict[int, tuple[Tensor, Tensor, Any]] = {}

    def labels(self, example: Example, *, cells: int) -> Any:
        """What is kept of an example's labels, for a map of `cells` x `cells`; here its grasps."""
        return example.grasps

    def compare(self, maps: Any, labels: Sequence[Any]) -> Tensor:
        """Loss of what the head draws, given what was kept of each picture's labels."""
        grasps, valid = padded(labels)
        return self.measure(maps, grasps.to(maps.device), valid.to(maps.device))

    def maps(self, places: Sequence[int], dense: Tensor) -> Any:
        """What the head draws at these places, of the tower's maps (B, C, h, w) there."""
        raise TypeError(f"{type(self).__name__} has no head")

    def prepare(self, positions: range) -> tuple[list[int], dict[int, Example]]:
        places = [position % self.distinct for position in positions]
        new = [place for place in dict.fromkeys(places) if place not in self.seen]
        return places, dict(zip(new, self.augmented(new), strict=True))

    def loss(self, prepared: tuple[list[int], dict[int, Example]]) -> Tensor:
        places, new = prepared
        tower = self.model.vlm.model.vision_tower
        if new:
            with torch.no_grad():
                levels = tower.levels(self.model.pixel_values([e.rgb for e in new.values()]))
            for place, fine, coarse, e in zip(new, *levels, new.values(), strict=True):
                self.seen[place] = fine.clone(), coarse.clone(), self.labels(e, cells=fine.shape[-1])
        fines, coarses, labels = zip(*(self.seen[place] for place in places), strict=True)
        with autocast(self.model):
            maps = self.maps(places, tower.joined(torch.stack(fines), torch.stack(coarses)))
        return self.compare(maps, labels)


class MapsTask(DenseTask):
    """The dense grasp head."""

    name = "maps"

    def __init__(self, model: GraspModel, dataset: Dataset, **kwargs: Any) -> None:
        super().__init__(model, dataset, **kwargs)
        if model.head is None:
            torch.manual_seed(self.seed)
            model.head = new_head(model)
        self.head = model.head.float().train()

    def parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.head.named_parameters())

    def maps(self, places: Sequence[int], dense: Tensor) -> Tensor:
        maps: Tensor = self.head(dense)
        return maps

    @torch.inference_mode()
    def watch(self) -> dict[str, float]:
        """Share of the validation photographs whose best grasp, and one of whose three best, is right."""
        hits = []
        for start in range(0, len(self.validation), 16):
            examples = self.plain(self.validation[start : start + 16])
            dense = self.model.vlm.model.vision_tower.dense(self.model.pixel_values([e.rgb for e in examples]))
            with autocast(self.model):
                found = best_grasps(self.head(dense))
            hits += [[hit(g, e) for g in grasps] for grasps, e in zip(found, examples, strict=True)]
        if not hits:
            return {}
        return {"accuracy": mean(h[0] for h in hits), "accuracy_of_three": mean(any(h) for h in hits)}


def padded(grasps: Sequence[Sequence[Grasp]]) -> tuple[Tensor, Tensor]:
    """Labels (B, M, 4) as x, y, theta and opening, M the most of a picture, and which of them are real (B, M)."""
    most = max(1, *map(len, grasps))
    labels = torch.full((len(grasps), most, 4), 0.5)
    valid = torch.zeros(len(grasps), most, dtype=torch.bool)
    for row, listed in enumerate(grasps):
        for column, grasp in enumerate(listed):
            labels[row, column] = torch.tensor([grasp.x, grasp.y, grasp.theta, grasp.opening])
            valid[row, column] = True
    return labels, valid


def hit(grasp: Grasp, example: Example) -> bool:
    return is_hit(grasp, labels=example.rectangles, image_size=example.size)


def mean(values: Any) -> float:
    return round(float(np.mean([float(v) for v in values])), 4)


class WordsTask(SampleTask):
    """The projector's tokens drawn to the embeddings of the right words, without running the language model.

    The token of the whole picture, and the best cell, must lie nearer to the embedding of the category's name than to
    those of the other names, and near the words of the description (its colour, its material). The language model then
    reads a picture much as it reads words, and the nearest names can be written into its prompt.
    """

    name = "words"
    description_weight = 0.5
    cells_weight = 0.5
    norm_weight = 0.1

    def __init__(self, model: GraspModel, dataset: Dataset, **kwargs: Any) -> None:
        super().__init__(model, dataset, **kwargs)
        self.projector = model.vlm.model.multi_modal_projector.float()
        embeddings = model.vlm.model.language_model.embed_tokens.weight.detach()
        shown = {(sample.category, sample.description) for sample in self.training}
        categories, descriptions = (sorted(set(texts)) for texts in zip(*shown, strict=True))
        self.names = NameTable.build(
            categories,
            background=descriptions,
            tokenizer=model.tokenizer,
            embeddings=embeddings,
        )
        described = {text: word_tokens(text, model.tokenizer) for text in descriptions}
        vocabulary = sorted({token for tokens in described.values() for token in tokens})
        column = {token: index for index, token in enumerate(vocabulary)}
        words = F.normalize(embeddings[vocabulary].float() - self.names.center, dim=-1)
        self.words = replace(self.names, names=tuple(map(str, vocabulary)), directions=words)
        self.described = {text: [column[t] for t in tokens] for text, tokens in described.items()}
        self.norm = embeddings[vocabulary].float().norm(dim=-1).mean()

    def parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.projector.named_parameters())

    def loss(self, prepared: tuple[range, list[Example]]) -> Tensor:
        _, examples = prepared
        with torch.no_grad():
            tower = self.model.vlm.model.vision_tower
            seen = tower(self.model.pixel_values([e.rgb for e in examples])).last_hidden_state
        with autocast(self.model):
            tokens = self.projector(seen).float()
        named = torch.tensor([self.names.names.index(e.sample.category) for e in examples])
        described = torch.zeros(len(examples), len(self.words.names))
        for row, e in enumerate(examples):
            described[row, self.described[e.sample.description]] = 1
        described = described / described.sum(-1, keepdim=True)
        loss = self.norm_weight * (tokens.norm(dim=-1) / self.norm - 1).square().mean()
        for table, target, weight in ((self.names, named, 1.0), (self.words, described, self.description_weight)):
            whole, cells = table.logits(tokens)
            target = target.to(whole.device)
            loss = loss + weight * (F.cross_entropy(whole, target) + self.cells_weight * F.cross_entropy(cells, target))
        return loss
