"""What is learned in each stage: the dense head, the projector's words, its captions, and the answers themselves."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
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
from graspwise.model.density import GraspDensity
from graspwise.model.grasp_map import MapLoss, best_grasps
from graspwise.model.grasp_model import GraspModel
from graspwise.model.load import new_head
from graspwise.model.prompt import with_hints
from graspwise.model.responder import LlavaResponder
from graspwise.picture import Picture
from graspwise.train.digit_targets import MOST, DigitTokens
from graspwise.train.examples import Example, Order, augmented_example, plain_example
from graspwise.train.names import NameTable, word_tokens
from graspwise.train.packing import Row, pack
from graspwise.train.recipe import Recipe


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
    return torch.autocast(model.device.type, dtype=torch.bfloat16)


class MapsTask(SampleTask):
    """The dense grasp head, on the frozen tower.

    The tower sees `distinct` augmented samples once; after that the head goes over the same maps again, which are kept.
    """

    name = "maps"
    measure = MapLoss()

    def __init__(self, model: GraspModel, dataset: Dataset, *, distinct: int, **kwargs: Any) -> None:
        super().__init__(model, dataset, **kwargs)
        if model.head is None:
            torch.manual_seed(self.seed)
            model.head = new_head(model)
        self.head = model.head.float().train()
        self.distinct = distinct
        self.seen: dict[int, tuple[Tensor, Tensor, list[Grasp]]] = {}

    def parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.head.named_parameters())

    def prepare(self, positions: range) -> tuple[list[int], dict[int, Example]]:
        places = [position % self.distinct for position in positions]
        new = [place for place in dict.fromkeys(places) if place not in self.seen]
        return places, dict(zip(new, self.augmented(new), strict=True))

    def loss(self, prepared: tuple[list[int], dict[int, Example]]) -> Tensor:
        places, new = prepared
        tower = self.model.llava.model.vision_tower
        if new:
            with torch.no_grad():
                levels = tower.levels(self.model.pixel_values([e.rgb for e in new.values()]))
            for place, fine, coarse, e in zip(new, *levels, new.values(), strict=True):
                self.seen[place] = fine.clone(), coarse.clone(), e.grasps
        fines, coarses, grasps = zip(*(self.seen[place] for place in places), strict=True)
        with autocast(self.model):
            maps = self.head(tower.joined(torch.stack(fines), torch.stack(coarses)))
        labels, valid = padded(grasps)
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
        self.projector = model.llava.model.multi_modal_projector.float()
        embeddings = model.llava.model.language_model.embed_tokens.weight.detach()
        self.names = NameTable.build(
            sorted({sample.category for sample in self.training}),
            background=sorted({sample.description for sample in self.training}),
            tokenizer=model.tokenizer,
            embeddings=embeddings,
        )
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


@dataclass(frozen=True)
class Lesson:
    """What a text task teaches about one picture.

    Attributes:
        asked: The user's words.
        answers: Answers to learn, and for each the grasps that would be as right as its own.
    """

    asked: str
    answers: list[tuple[str, list[Grasp]]]


class TextTask(SampleTask):
    """Cross-entropy on the answers' tokens alone; logits are computed for those only.

    A sample is an answer; `each` of them in turn are about one picture and read its prompt together.
    """

    each = 1

    def __init__(
        self, model: GraspModel, dataset: Dataset, *, trainable: dict[str, nn.Parameter], **kwargs: Any
    ) -> None:
        super().__init__(model, dataset, **kwargs)
        self.trainable = trainable

    def parameters(self) -> dict[str, nn.Parameter]:
        return self.trainable

    def prepare(self, positions: range) -> tuple[list[int], list[Example]]:
        pictures = list(dict.fromkeys(position // self.each for position in positions))
        return pictures, self.augmented(pictures)

    def lesson(self, example: Example, rng: np.random.Generator, *, names: list[str], proposals: list[Grasp]) -> Lesson:
        raise TypeError(f"{type(self).__name__} teaches nothing")

    def hints(self, pixel_values: Tensor, examples: Sequence[Example]) -> list[tuple[list[str], list[Grasp]]]:
        """Names and proposals that stand in each picture's prompt."""
        return [([], []) for _ in examples]

    def token_weights(self, answer: str, offsets: Sequence[tuple[int, int]], example: Example) -> list[float]:
        """Weight of each token of the answer, given its span of characters."""
        return [1.0] * len(offsets)

    def soft_targets(
        self, answer: str, tokens: Sequence[int], offsets: Sequence[tuple[int, int]], right: Sequence[Grasp]
    ) -> list[tuple[int, list[int], np.ndarray]]:
        """Tokens of the answer that have more than one right value: index, ids, probabilities."""
        return []

    def loss(self, prepared: tuple[list[int], list[Example]]) -> Tensor:
        pictures, examples = prepared
        model, end = self.model, self.model.end_of_turn
        pixel_values = model.pixel_values([e.rgb for e in examples])
        rows: list[Row] = []
        soft: list[tuple[int, list[int], np.ndarray]] = []
        count = 0
        for picture, e, (names, proposals) in zip(pictures, examples, self.hints(pixel_values, examples), strict=True):
            rng = np.random.default_rng([self.seed, picture, 1])
            lesson = self.lesson(e, rng, names=names, proposals=proposals)
            line = Row(model.prompt_ids([user_turn(lesson.asked)]), [])
            for answer, right in lesson.answers:
                written = model.tokenizer(answer, add_special_tokens=False, return_offsets_mapping=True)
                tokens, offsets = written["input_ids"], written["offset_mapping"]
                line.answers.append(([*tokens, end], [*self.token_weights(answer, offsets, e), 1.0]))
                found = self.soft_targets(answer, tokens, offsets, right)
                soft += [(count + index, group, likely) for index, group, likely in found]
                count += len(tokens) + 1
            rows.append(line)
        batch = pack(rows, padding=end).to(model.device)
        with autocast(model):
            states = model.llava.model(
                input_ids=batch.ids,
                attention_mask=batch.attention,
                position_ids=batch.positions,
                pixel_values=pixel_values,
                use_cache=False,
            ).last_hidden_state
            logits = model.llava.lm_head(states[batch.states[0], batch.states[1]])
        losses = F.cross_entropy(logits.float(), batch.targets, reduction="none")
        if soft:
            places = torch.tensor([index for index, _, _ in soft], device=losses.device)
            groups, likely = torch.zeros(len(soft), MOST, dtype=torch.long), torch.zeros(len(soft), MOST)
            for row, (_, group, shares) in enumerate(soft):
                groups[row, : len(group)] = torch.tensor(group)
                likely[row, : len(group)] = torch.from_numpy(shares)
            known = logits[places].float().log_softmax(-1).gather(1, groups.to(losses.device))
            losses = losses.index_put((places,), -(known * likely.to(losses.device)).sum(1))
        return (losses * batch.weights).sum() / batch.weights.sum()


class CaptionTask(TextTask):
    """The projector through the frozen language model: what is in the picture?"""

    name = "captions"
    questions = ("What is in the picture?", "What do you see?", "Name the object.", "What lies there?")

    def lesson(self, example: Example, rng: np.random.Generator, *, names: list[str], proposals: list[Grasp]) -> Lesson:
        asked = self.questions[rng.integers(len(self.questions))]
        return Lesson(asked, [(f"A {example.sample.description}.", [])])


class AnswerTask(TextTask):
    """The answers of the data set, re-rendered for the augmented picture.

    With proposals, the answer takes the first that is right; where none is, it amends the first to the nearest label.
    The names in the prompt are those that photographs of other objects bring, as they are for an object never seen.
    """

    name = "answers"

    def __init__(
        self, model: GraspModel, dataset: Dataset, *, recipe: Recipe, watch_samples: int, **kwargs: Any
    ) -> None:
        super().__init__(model, dataset, **kwargs)
        self.recipe, self.watch_samples = recipe, watch_samples
        self.digits = DigitTokens.of(model.tokenizer)
        self.each = recipe.answers_a_picture
        self.reasonings: dict[str, list[str]] = {}
        for sample in self.training:
            self.reasonings.setdefault(sample.source_image, []).append(parse_grasp(sample.answer)[0])

    def rate(self, parameter: str) -> float:
        # Beside LoRA, a projector that keeps the full rate unlearns its alignment.
        aside = parameter.startswith("projector.") and any("lora_" in name for name in self.trainable)
        return self.recipe.projector_rate if aside else 1.0

    def token_weights(self, answer: str, offsets: Sequence[tuple[int, int]], example: Example) -> list[float]:
        start = answer.lower().find(example.sample.category)
        stop = start + len(example.sample.category) if start >= 0 else 0
        return [self.recipe.name_weight if a < stop and b > start else 1.0 for a, b in offsets]

    def hints(self, pixel_values: Tensor, examples: Sequence[Example]) -> list[tuple[list[str], list[Grasp]]]:
        if self.model.head is None:
            return [([], []) for _ in examples]
        with torch.inference_mode(), autocast(self.model):
            # One look is enough where only the prompt depends on it.
            maps = self.model.head(self.model.llava.model.vision_tower.dense(pixel_values)).float()
        names = self.model.recognise(pixel_values, maps, besides=[e.sample.object_id for e in examples])
        return list(zip(names, best_grasps(maps, count=self.recipe.proposals), strict=True))

    def soft_targets(
        self, answer: str, tokens: Sequence[int], offsets: Sequence[tuple[int, int]], right: Sequence[Grasp]
    ) -> list[tuple[int, list[int], np.ndarray]]:
        if not self.recipe.soft_digits:
            return []
        density = GraspDensity.of(right, trust=0)
        written = self.model.card.answer
        return self.digits.targets(answer, tokens, offsets, density=density, answer_format=written)

    def lesson(self, example: Example, rng: np.random.Generator, *, names: list[str], proposals: list[Grasp]) -> Lesson:
        labels = example.grasps
        right = labels
        if proposals:
            if rng.random() < self.recipe.decoys:
                proposals = [decoy(proposals[0], rng), *proposals[:-1]]
            first = proposals[0]
            amended = min(labels, key=lambda g: (g.x - first.x) ** 2 + (g.y - first.y) ** 2)
            # A mixture of all right proposals was tried: the language model then takes the worse ones as often.
            right = [next((p for p in proposals if hit(p, example)), amended)]
        answers = []
        # What is said of a photograph holds for all samples made of it.
        others = self.reasonings[example.sample.source_image]
        for index in range(self.each):
            reasoning = others[rng.integers(len(others))] if index else parse_grasp(example.sample.answer)[0]
            grasp = right[rng.integers(len(right))]
            answers.append((render_grasp(grasp, answer_format=self.model.card.answer, reasoning=reasoning), right))
        return Lesson(with_hints(example.sample.instruction, names=names, proposals=proposals), answers)

    def watch(self) -> dict[str, float]:
        """Share of the watched validation photographs that are answered right."""
        chosen = self.validation[: self.watch_samples]
        if not chosen:
            return {}
        responder, examples, hits = LlavaResponder("", self.model), self.plain(chosen), []
        for start in range(0, len(examples), 32):
            batch = examples[start : start + 32]
            conversations = [[user_turn(e.sample.instruction)] for e in batch]
            with autocast(self.model):
                answers = responder.respond([Picture(e.rgb) for e in batch], conversations)
            hits += [a.grasp is not None and hit(a.grasp, e) for a, e in zip(answers, batch, strict=True)]
        return {"accuracy": mean(hits)}


def decoy(grasp: Grasp, rng: np.random.Generator) -> Grasp:
    """A proposal that is likely no grasp: the first one moved away, or turned across."""
    if rng.random() < 0.5:
        return Grasp(x=grasp.x, y=grasp.y, theta=grasp.theta + float(rng.uniform(1.0, 2.1)), opening=grasp.opening)
    x, y = (float(v) for v in rng.uniform(0.05, 0.95, 2))
    return Grasp(x=x, y=y, theta=float(rng.uniform(-1.57, 1.57)), opening=grasp.opening)
