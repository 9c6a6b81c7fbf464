"""What is learned in each stage: the dense head, the projector's words, its captions, and the answers themselves."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.answer import parse_grasp, render_grasp
from graspwise.conversation import user_turn
from graspwise.data.store import Dataset, Sample
from graspwise.grasp import Grasp
from graspwise.metric import is_hit
from graspwise.model.generate import end_of_turn, write_answers
from graspwise.model.grasp_map import GraspMapHead, MapLoss, best_grasps
from graspwise.model.grasp_model import GraspModel
from graspwise.model.names import word_tokens
from graspwise.model.prompt import with_hints
from graspwise.train.examples import Example, Order, augmented_example, plain_example
from graspwise.train.recipe import Recipe

IGNORED = -100


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
    ) -> None:
        self.model, self.dataset, self.seed = model, dataset, seed
        self.training, self.validation = list(training), list(validation)
        self.order = Order(len(self.training), seed=seed)
        self.readers = ThreadPoolExecutor(2)

    def prepare(self, positions: range) -> tuple[range, list[Example]]:
        samples = [self.training[self.order[position]] for position in positions]
        rngs = [self.rng(position) for position in positions]
        jobs = self.readers.map(
            lambda sample, rng: augmented_example(self.dataset, sample, size=self.model.image_size, rng=rng),
            samples,
            rngs,
        )
        return positions, list(jobs)

    def rng(self, position: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, position])

    def plain(self, samples: Sequence[Sample]) -> list[Example]:
        return [plain_example(self.dataset, sample, size=self.model.image_size) for sample in samples]

    def rate(self, parameter: str) -> float:
        return 1.0

    def watch(self) -> dict[str, float]:
        return {}


def autocast(model: GraspModel) -> torch.autocast:
    return torch.autocast(model.device.type, dtype=torch.bfloat16)


class MapsTask(SampleTask):
    """The dense grasp head, on the frozen tower."""

    name = "maps"
    measure = MapLoss()

    def __init__(self, model: GraspModel, dataset: Dataset, **kwargs: Any) -> None:
        super().__init__(model, dataset, **kwargs)
        if model.head is None:
            torch.manual_seed(self.seed)
            model.head = GraspMapHead(model.llava.config.vision_config.map_channels).to(model.device)
        self.head = model.head.float().train()

    def parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.head.named_parameters())

    def loss(self, prepared: tuple[range, list[Example]]) -> Tensor:
        _, examples = prepared
        with torch.no_grad():
            dense = self.model.llava.model.vision_tower.dense(self.model.pixel_values([e.rgb for e in examples]))
        with autocast(self.model):
            maps = self.head(dense)
        grasps = [e.grasps for e in examples]
        most = max(1, *map(len, grasps))
        labels = torch.full((len(grasps), most, 4), 0.5)
        valid = torch.zeros(len(grasps), most, dtype=torch.bool)
        for row, listed in enumerate(grasps):
            for column, grasp in enumerate(listed):
                labels[row, column] = torch.tensor([grasp.x, grasp.y, grasp.theta, grasp.opening])
                valid[row, column] = True
        return self.measure(maps, labels.to(maps.device), valid.to(maps.device))

    @torch.inference_mode()
    def watch(self) -> dict[str, float]:
        """Share of the validation photographs whose best grasp, and one of whose three best, is right."""
        hits = []
        for start in range(0, len(self.validation), 16):
            examples = self.plain(self.validation[start : start + 16])
            dense = self.model.llava.model.vision_tower.dense(self.model.pixel_values([e.rgb for e in examples]))
            with autocast(self.model):
                found = best_grasps(self.head(dense))
            hits += [[hit(g, e) for g in grasps] for grasps, e in zip(found, examples, strict=True)]
        if not hits:
            return {}
        return {"accuracy": mean(h[0] for h in hits), "accuracy_of_three": mean(any(h) for h in hits)}


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
        assert model.names is not None
        self.projector, self.names = model.llava.model.multi_modal_projector.float(), model.names
        embeddings = model.llava.model.language_model.embed_tokens.weight.detach()
        described = {sample.id: word_tokens(sample.description, model.tokenizer) for sample in self.training}
        vocabulary = sorted({token for tokens in described.values() for token in tokens})
        column = {token: index for index, token in enumerate(vocabulary)}
        words = F.normalize(embeddings[vocabulary].float() - self.names.center, dim=-1)
        self.words = replace(self.names, names=tuple(map(str, vocabulary)), directions=words)
        self.described = {name: [column[t] for t in tokens] for name, tokens in described.items()}
        self.norm = embeddings[vocabulary].float().norm(dim=-1).mean()

    def parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.projector.named_parameters())

    def loss(self, prepared: tuple[range, list[Example]]) -> Tensor:
        _, examples = prepared
        with torch.no_grad():
            tower = self.model.llava.model.vision_tower
            seen = tower(self.model.pixel_values([e.rgb for e in examples])).last_hidden_state
        with autocast(self.model):
            tokens = self.projector(seen).float()
        named = torch.tensor([self.names.names.index(e.sample.category) for e in examples])
        described = torch.zeros(len(examples), len(self.words.names))
        for row, e in enumerate(examples):
            described[row, self.described[e.sample.id]] = 1
        described = described / described.sum(-1, keepdim=True)
        loss = self.norm_weight * (tokens.norm(dim=-1) / self.norm - 1).square().mean()
        for table, target, weight in ((self.names, named, 1.0), (self.words, described, self.description_weight)):
            whole, cells = table.logits(tokens)
            target = target.to(whole.device)
            loss = loss + weight * (F.cross_entropy(whole, target) + self.cells_weight * F.cross_entropy(cells, target))
        return loss


class TextTask(SampleTask):
    """Cross-entropy on the answer's tokens alone; logits are computed for those only."""

    def __init__(
        self, model: GraspModel, dataset: Dataset, *, trainable: dict[str, nn.Parameter], **kwargs: Any
    ) -> None:
        super().__init__(model, dataset, **kwargs)
        self.trainable = trainable

    def parameters(self) -> dict[str, nn.Parameter]:
        return self.trainable

    def conversation(
        self, example: Example, rng: np.random.Generator, *, names: list[str], proposals: list[Grasp]
    ) -> tuple[str, str]:
        """The user's words and the answer to learn."""
        raise TypeError(f"{type(self).__name__} has no conversation")

    def hints(self, pixel_values: Tensor) -> list[tuple[list[str], list[Grasp]]]:
        """Names and proposals that stand in each picture's prompt."""
        return [([], []) for _ in pixel_values]

    def token_weights(self, answer: str, offsets: Sequence[tuple[int, int]], example: Example) -> list[float]:
        """Weight of each token of the answer, given its span of characters."""
        return [1.0] * len(offsets)

    def loss(self, prepared: tuple[range, list[Example]]) -> Tensor:
        positions, examples = prepared
        pixel_values = self.model.pixel_values([e.rgb for e in examples])
        rows, end = [], end_of_turn(self.model)
        for position, e, (names, proposals) in zip(positions, examples, self.hints(pixel_values), strict=True):
            rng = np.random.default_rng([self.seed, position, 1])
            asked, answer = self.conversation(e, rng, names=names, proposals=proposals)
            prompt = self.model.prompt_ids([user_turn(asked)])
            written = self.model.tokenizer(answer, add_special_tokens=False, return_offsets_mapping=True)
            weights = self.token_weights(answer, written["offset_mapping"], e)
            rows.append((prompt, [*written["input_ids"], end], [*weights, 1.0]))
        length = max(len(prompt) + len(target) for prompt, target, _ in rows)
        ids = torch.full((len(rows), length), end)
        labels = torch.full((len(rows), length), IGNORED)
        mask = torch.zeros(len(rows), length, dtype=torch.long)
        emphasis = torch.zeros(len(rows), length)
        for row, (prompt, target, weights) in enumerate(rows):
            stop = len(prompt) + len(target)
            ids[row, :stop] = torch.tensor(prompt + target)
            # The state before a token predicts it.
            labels[row, len(prompt) - 1 : stop - 1] = torch.tensor(target)
            emphasis[row, len(prompt) - 1 : stop - 1] = torch.tensor(weights)
            mask[row, :stop] = 1
        llava, device = self.model.llava, self.model.device
        ids, labels, mask, emphasis = (t.to(device) for t in (ids, labels, mask, emphasis))
        with autocast(self.model):
            states = llava.model(
                input_ids=ids, attention_mask=mask, pixel_values=pixel_values, use_cache=False
            ).last_hidden_state
            wanted = labels != IGNORED
            logits = llava.lm_head(states[wanted])
        each = F.cross_entropy(logits.float(), labels[wanted], reduction="none")
        return (each * emphasis[wanted]).sum() / emphasis.sum()


class CaptionTask(TextTask):
    """The projector through the frozen language model: what is in the picture?"""

    name = "captions"
    questions = ("What is in the picture?", "What do you see?", "Name the object.", "What lies there?")

    def conversation(
        self, example: Example, rng: np.random.Generator, *, names: list[str], proposals: list[Grasp]
    ) -> tuple[str, str]:
        return self.questions[rng.integers(len(self.questions))], f"A {example.sample.description}."


class AnswerTask(TextTask):
    """The answers of the data set, re-rendered for the augmented picture.

    With proposals, the answer takes the first that is right; where none is, it amends the first to the nearest label.
    """

    name = "answers"

    def __init__(
        self, model: GraspModel, dataset: Dataset, *, recipe: Recipe, watch_samples: int, **kwargs: Any
    ) -> None:
        super().__init__(model, dataset, **kwargs)
        self.recipe, self.watch_samples = recipe, watch_samples

    def rate(self, parameter: str) -> float:
        # Beside LoRA, a projector that keeps the full rate unlearns its alignment.
        aside = parameter.startswith("projector.") and any("lora_" in name for name in self.trainable)
        return self.recipe.projector_rate if aside else 1.0

    def token_weights(self, answer: str, offsets: Sequence[tuple[int, int]], example: Example) -> list[float]:
        start = answer.lower().find(example.sample.category)
        stop = start + len(example.sample.category) if start >= 0 else 0
        return [self.recipe.name_weight if a < stop and b > start else 1.0 for a, b in offsets]

    def hints(self, pixel_values: Tensor) -> list[tuple[list[str], list[Grasp]]]:
        return self.model.hints(pixel_values)

    def conversation(
        self, example: Example, rng: np.random.Generator, *, names: list[str], proposals: list[Grasp]
    ) -> tuple[str, str]:
        labels = example.grasps
        reasoning, _ = parse_grasp(example.sample.answer)
        grasp = labels[rng.integers(len(labels))]
        if proposals:
            if rng.random() < self.recipe.decoys:
                proposals = [decoy(proposals[0], rng), *proposals[:-1]]
            right = [p for p in proposals if hit(p, example)]
            first = proposals[0]
            grasp = right[0] if right else min(labels, key=lambda g: (g.x - first.x) ** 2 + (g.y - first.y) ** 2)
        answer = render_grasp(grasp, answer_format=self.model.card.answer, reasoning=reasoning)
        return with_hints(example.sample.instruction, names=names, proposals=proposals), answer

    def watch(self) -> dict[str, float]:
        """Share of the watched validation photographs that are answered right."""
        chosen = self.validation[: self.watch_samples]
        if not chosen:
            return {}
        examples, hits = self.plain(chosen), []
        for start in range(0, len(examples), 8):
            batch = examples[start : start + 8]
            pixel_values = self.model.pixel_values([e.rgb for e in batch])
            prompts = [
                self.model.prompt_ids([user_turn(with_hints(e.sample.instruction, names=names, proposals=proposals))])
                for e, (names, proposals) in zip(batch, self.hints(pixel_values), strict=True)
            ]
            with autocast(self.model):
                written = write_answers(self.model, prompts, pixel_values, answer_format=self.model.card.answer)
            hits += [hit(parse_grasp(w.text)[1], e) for w, e in zip(written, batch, strict=True)]
        return {"accuracy": mean(hits)}


def decoy(grasp: Grasp, rng: np.random.Generator) -> Grasp:
    """A proposal that is likely no grasp: the first one moved away, or turned across."""
    if rng.random() < 0.5:
        return Grasp(x=grasp.x, y=grasp.y, theta=grasp.theta + float(rng.uniform(1.0, 2.1)), opening=grasp.opening)
    x, y = (float(v) for v in rng.uniform(0.05, 0.95, 2))
    return Grasp(x=x, y=y, theta=float(rng.uniform(-1.57, 1.57)), opening=grasp.opening)
