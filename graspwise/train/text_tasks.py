"""What the stages teach by text: captions, and the answers themselves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.answer import parse_grasp, render_grasp
from graspwise.conversation import Message
from graspwise.data.store import Dataset, Sample
from graspwise.grasp import Grasp
from graspwise.metric import is_hit
from graspwise.model.changes import spread_grasps
from graspwise.model.density import GraspDensity
from graspwise.model.grasp_map import best_grasps
from graspwise.model.grasp_model import GraspModel
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.steering import mean_state, spelled
from graspwise.picture import Picture
from graspwise.train.digit_targets import MOST, DigitTokens
from graspwise.train.examples import Example
from graspwise.train.lessons import Hints, Lesson, Read, asked, decoy, named_example, request_lessons
from graspwise.train.names import name_weights
from graspwise.train.packing import Row, pack
from graspwise.train.recipe import Recipe
from graspwise.train.recompute import recomputing
from graspwise.train.steer_tasks import meant_grasps, names_target, reason_of, steered_loss
from graspwise.train.tasks import SampleTask, autocast, hit, mean
from graspwise.vlm.adapter import of_pictures
from graspwise.vlm.coordinates import FRACTION


class TextTask(SampleTask):
    """Cross-entropy on the answers' tokens alone; logits are computed for those only.

    A sample is an answer; `each` of them in turn are about one picture and read its prompt together. A conversation
    takes as many samples whatever its length, and each of its answers is written after all that was said before; where
    one answer alone is learned of a picture, it is one of the conversation's, drawn from (seed, picture).
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

    def lessons(self, example: Example, picture: int, hints: Hints) -> list[Lesson]:
        """All lessons of picture number `picture`."""
        rng = np.random.default_rng([self.seed, picture, 1])
        return [self.lesson(example, rng, names=hints.names, proposals=hints.proposals)]

    def hints(self, pixel_values: Tensor, examples: Sequence[Example]) -> list[Hints]:
        """What each picture's prompt is written with."""
        return [Hints() for _ in examples]

    def token_weights(self, answer: str, offsets: Sequence[tuple[int, int]], example: Example) -> list[float]:
        """Weight of each token of the answer, given its span of characters."""
        return [1.0] * len(offsets)

    def soft_targets(
        self, answer: str, tokens: Sequence[int], offsets: Sequence[tuple[int, int]], right: Sequence[Grasp]
    ) -> list[tuple[int, list[int], np.ndarray]]:
        """Tokens of the answer that have more than one right value: index, ids, probabilities."""
        return []

    def maps_loss(self, pixel_values: Tensor, examples: Sequence[Example], answers: Sequence[Read]) -> Tensor | float:
        """What is added for the maps that the answers steer."""
        return 0.0

    def spelled(self, answer: str) -> str:
        """An answer as the model writes it: [SPT] as its tokenizer has it, places in its coordinates."""
        answer = spelled(answer, self.model.spt[0]) if self.model.names_target else answer
        return self.model.coordinates.written(answer)

    def loss(self, prepared: tuple[list[int], list[Example]]) -> Tensor:
        pictures, examples = prepared
        model, end = self.model, self.model.end_of_turn
        inputs = model.inputs([e.rgb for e in examples])
        pixel_values = inputs["pixel_values"]
        rows: list[Row] = []
        shown: list[int] = []
        spans: list[tuple[int, Lesson, int, list[int]]] = []
        soft: list[tuple[int, list[int], np.ndarray]] = []
        count = 0
        hints = self.hints(pixel_values, examples)
        lessons = [
            (place, lesson)
            for place, picture in enumerate(pictures)
            for lesson in self.lessons(examples[place], picture, hints[place])
        ]
        for place, lesson in lessons:
            prompt = model.prompt_ids(lesson.messages)
            picture = of_pictures(inputs, [place])
            line = Row(prompt, [], model.family.positions(model.vlm, prompt, picture), model.family.both_ways)
            for text, right in lesson.answers:
                answer = self.spelled(text)
                written = model.tokenizer(answer, add_special_tokens=False, return_offsets_mapping=True)
                tokens, offsets = written["input_ids"], written["offset_mapping"]
                line.answers.append(([*tokens, end], [*self.token_weights(answer, offsets, examples[place]), 1.0]))
                found = self.soft_targets(answer, tokens, offsets, right)
                soft += [(count + index, group, likely) for index, group, likely in found]
                spans.append((place, lesson, count, tokens))
                count += len(tokens) + 1
            rows.append(line)
            shown.append(place)
        batch = pack(rows, padding=end).to(model.device)
        with autocast(model), recomputing(self.recomputed):
            states = model.vlm.model(
                input_ids=batch.ids,
                attention_mask=model.family.attention(model.vlm, batch.attention),
                position_ids=batch.positions,
                **model.family.joined(inputs if shown == [*range(len(examples))] else of_pictures(inputs, shown)),
                use_cache=False,
            ).last_hidden_state
            read = states[batch.states[0], batch.states[1]]
            logits = model.family.logits(model.vlm, read)
        if model.names_target:
            logits = logits.masked_fill(model.like_spt, -torch.inf)
        losses = F.cross_entropy(logits.float(), batch.targets, reduction="none")
        if soft:
            places = torch.tensor([index for index, _, _ in soft], device=losses.device)
            groups, likely = torch.zeros(len(soft), MOST, dtype=torch.long), torch.zeros(len(soft), MOST)
            for row, (_, group, shares) in enumerate(soft):
                groups[row, : len(group)] = torch.tensor(group)
                likely[row, : len(group)] = torch.from_numpy(shares)
            known = logits[places].float().log_softmax(-1).gather(1, groups.to(losses.device))
            losses = losses.index_put((places,), -(known * likely.to(losses.device)).sum(1))
        # The state that predicts a token stands before it, so those after an answer's tokens begin one later.
        answers = [
            Read(place, lesson, tokens, read[start + 1 : start + 1 + len(tokens)])
            for place, lesson, start, tokens in spans
        ]
        text_loss = (losses * batch.weights).sum() / batch.weights.sum()
        return text_loss + self.maps_loss(pixel_values, examples, answers)


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
    The names in the prompt are those that photographs of other objects bring, after the right one: a first name that
    is wrong teaches to doubt it, and the language model cannot tell when it should.
    """

    name = "answers"

    def __init__(
        self, model: GraspModel, dataset: Dataset, *, recipe: Recipe, watch_samples: int, **kwargs: Any
    ) -> None:
        super().__init__(model, dataset, **kwargs)
        self.recipe, self.watch_samples = recipe, watch_samples
        self.digits = DigitTokens.of(model.tokenizer)
        # What is said of a photograph holds for all samples made of it, what answers a wish for that wish alone.
        self.each = recipe.answers_a_picture
        if self.each > 1 and any(sample.wish for sample in self.training):
            self.each = 1
        self.reasonings = self.told() if self.each > 1 else {}

    def told(self) -> dict[str, list[str]]:
        """All reasonings of each photograph; templates repeat, so a text is held once."""
        found: dict[str, list[str]] = {}
        texts: dict[str, str] = {}
        for sample in self.training:
            text = self.reason(sample)
            found.setdefault(sample.source_image, []).append(texts.setdefault(text, text))
        return found

    def reason(self, sample: Sample) -> str:
        return reason_of(sample) if self.model.names_target else parse_grasp(sample.answer)[0]

    def parameters(self) -> dict[str, nn.Parameter]:
        if self.model.steered is None or not self.model.names_target:
            return self.trainable
        return self.trainable | {f"steered.{name}": p for name, p in self.model.steered.named_parameters()}

    def rate(self, parameter: str) -> float:
        # Beside LoRA, a projector that keeps the full rate unlearns its alignment.
        aside = parameter.startswith("projector.") and any("lora_" in name for name in self.trainable)
        return self.recipe.projector_rate if aside else 1.0

    def token_weights(self, answer: str, offsets: Sequence[tuple[int, int]], example: Example) -> list[float]:
        # The name is that of the target, where that is marked.
        place = max(answer.find(self.model.spt[0]), 0) if self.model.names_target else 0
        return name_weights(answer, offsets, example.sample.category, place=place, weight=self.recipe.name_weight)

    def hints(self, pixel_values: Tensor, examples: Sequence[Example]) -> list[Hints]:
        maps, proposals, spread = None, [list[Grasp]() for _ in examples], [list[Grasp]() for _ in examples]
        if self.model.head is not None:
            with torch.inference_mode(), autocast(self.model):
                # One look is enough where only the prompt depends on it.
                maps = self.model.head(self.model.vlm.model.vision_tower.dense(pixel_values)).float()
            proposals = best_grasps(maps, count=self.recipe.proposals)
            # What names its target is shown no changes.
            if self.recipe.proposals and not self.model.names_target and any(e.sample.turns > 1 for e in examples):
                spread = spread_grasps(maps)
        likely = self.model.recognise(pixel_values, maps, besides=[e.sample.object_id for e in examples])
        names = [
            listed if e.sample.wish else first_named(e.sample.category, listed)
            for e, listed in zip(examples, likely, strict=True)
        ]
        return [Hints(*hints) for hints in zip(names, proposals, spread, strict=True)]

    def soft_targets(
        self, answer: str, tokens: Sequence[int], offsets: Sequence[tuple[int, int]], right: Sequence[Grasp]
    ) -> list[tuple[int, list[int], np.ndarray]]:
        # A bin's or a whole number's digits have no fixed places.
        if not (self.recipe.soft_digits and right and self.model.coordinates == FRACTION):
            return []
        density = GraspDensity.of(right, trust=0)
        written = self.model.card.answer
        return self.digits.targets(answer, tokens, offsets, density=density, answer_format=written)

    def lessons(self, example: Example, picture: int, hints: Hints) -> list[Lesson]:
        [first] = super().lessons(example, picture, hints)
        if example.sample.turns == 1:
            return [first]
        # The other answers of the picture are those that follow; where it has but one, any of them is.
        text, right = first.answers[0]
        following = request_lessons(
            example, (first.asked, parse_grasp(text)[0], right[0]), spread=hints.spread,
            answer_format=self.model.card.answer, names_target=self.model.names_target,
            rng=np.random.default_rng([self.seed, picture, 2]),
        )  # fmt: skip
        every = [replace(first, answers=[(text, right)]), *following]
        if self.each > 1:
            return every
        rng = np.random.default_rng([self.seed, picture, 3])
        return [every[int(rng.integers(len(every)))]]

    def lesson(self, example: Example, rng: np.random.Generator, *, names: list[str], proposals: list[Grasp]) -> Lesson:
        if not names_target(example.sample):
            said, earlier = self.asked(example, rng, names, proposals)
            return Lesson(said, [(self.reason(example.sample), [])], earlier)
        labels = meant_grasps(example)
        right = labels
        if proposals:
            if rng.random() < self.recipe.decoys:
                proposals = [decoy(proposals[0], rng), *proposals[:-1]]
            first = proposals[0]
            amended = min(labels, key=lambda g: (g.x - first.x) ** 2 + (g.y - first.y) ** 2)
            # A mixture of all right proposals was tried: the language model then takes the worse ones as often.
            taken = (p for p in proposals if is_hit(p, labels=example.meant, image_size=example.size))
            right = [next(taken, amended)]
        answers = []
        for index in range(self.each):
            reasoning = self.reason(example.sample)
            if index:
                others = self.reasonings[example.sample.source_image]
                reasoning = others[rng.integers(len(others))]
            grasp = right[rng.integers(len(right))]
            answers.append((render_grasp(grasp, answer_format=self.model.card.answer, reasoning=reasoning), right))
        said, earlier = self.asked(example, rng, names, proposals)
        return Lesson(said, answers, earlier)

    def asked(
        self, example: Example, rng: np.random.Generator, names: list[str], proposals: list[Grasp]
    ) -> tuple[str, list[Message]]:
        return asked(example, rng, names=names, proposals=proposals, answer_format=self.model.card.answer)

    def maps_loss(self, pixel_values: Tensor, examples: Sequence[Example], answers: Sequence[Read]) -> Tensor | float:
        if not self.model.names_target:
            return 0.0
        found = [(answer, mean_state(answer.states, answer.tokens, self.model.spt[1])) for answer in answers]
        meant = [(answer, state) for answer, state in found if state is not None]
        if not meant:
            return 0.0
        with torch.no_grad():
            dense = self.model.vlm.model.vision_tower.dense(pixel_values)
        named, states = zip(*meant, strict=True)
        about = [named_example(examples[answer.place], answer.lesson) for answer in named]
        loss = steered_loss(self.model, self.dataset, dense[[answer.place for answer in named]], states, about)
        return self.recipe.maps_weight * loss

    def watch(self) -> dict[str, float]:
        """Share of the watched validation photographs that are answered right."""
        chosen = self.validation[: self.watch_samples]
        if not chosen:
            return {}
        responder, examples, hits = LlavaResponder("", self.model), self.plain(chosen), []
        for start in range(0, len(examples), 32):
            batch = examples[start : start + 32]
            conversations = [e.sample.messages[: e.sample.start + 1] for e in batch]
            with autocast(self.model):
                answers = responder.respond([Picture(e.rgb) for e in batch], conversations)
            hits += [
                hit(a.grasp, e) if a.grasp is not None else a.refused and not names_target(e.sample)
                for a, e in zip(answers, batch, strict=True)
            ]
        return {"accuracy": mean(hits)}


def first_named(name: str, listed: Sequence[str]) -> list[str]:
    """As many names as are listed, `name` first."""
    return [name, *(other for other in listed if other != name)][: len(listed)]
