"""Sentences to grasps: the model's hands, the true ones and the baselines', each as given and adapted, by cells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graspwise.errors import InputError
from graspwise.evaluation.hand_cells import Make, fill_cells
from graspwise.evaluation.hand_measures import Ground, Grounds, HandRow
from graspwise.evaluation.hand_neighbours import Memory, by_caption, by_shape
from graspwise.evaluation.hand_plan import BUILT, HandBenchmarkConfig, HandQuestion, digest
from graspwise.evaluation.hand_reconstruction import ADAPTED, TRUTH, samples_of, truths
from graspwise.evaluation.hand_regressor import BUDGET, regressor
from graspwise.evaluation.hand_texts import open_likeness
from graspwise.evaluation.runs import Bar
from graspwise.files import read_json
from graspwise.hand.causal import load_causal
from graspwise.hand.cloud import Cloud
from graspwise.hand.grasps import HandDataset
from graspwise.hand.language import TOKENS, HandTalker, load_talker, talker_folder
from graspwise.hand.model import HandModel
from graspwise.hand.tokens import HandTokens, load_hand_tokens
from graspwise.hand.writing import Question, Written, write_all
from graspwise.model.load import fingerprint
from graspwise.model.weights import CARD

PART = "language"
CAPTION, SHAPE, REGRESSOR = "nearest caption", "nearest shape, sentence not read", "direct regressor"
BASELINES = (CAPTION, SHAPE, REGRESSOR)
# Answers that the model writes at once.
BATCH = 16

Say = Callable[[str], None]
# Hands (B, P) and reasons for questions about one object.
Method = Callable[[str, Sequence[HandQuestion]], tuple[Tensor, list[str]]]


@dataclass(frozen=True)
class TalkerRun:
    """A hand language model that lies in a folder, opened where it is needed.

    Attributes:
        name: In the report.
        model: As it was asked for.
        folder: Its model folder.
        trained_on: Object ids that it learned from.
        samples: Its budget of training; None where the run's folder does not say.
        mano: Where MANO's files lie.
    """

    name: str
    model: str
    folder: Path
    trained_on: tuple[str, ...]
    samples: int | None
    mano: Path | str | None = None

    @classmethod
    def of(cls, name: str, model: str, *, mano: Path | str | None = None) -> "TalkerRun":
        """A run by its name.

        Raises:
            InputError: there is no such model.
        """
        folder = talker_folder(model)
        if folder is None:
            raise InputError(f"--model {model}: holds no hand language model; valid is a run of hand-instruct")
        card = read_json(folder / CARD)
        # A run of hand-instruct goes through hand-align first where its base is none.
        through = ("align", "instruct") if "hand-instruct" in card.get("stages", ()) else ("align",)
        return cls(name, model, folder, tuple(card["trained_on"]), samples_of(Path(model), through), mano)

    @cached_property
    def tokens(self) -> HandTokens:
        return load_hand_tokens(self.folder / TOKENS, mano=self.mano)

    @property
    def base(self) -> str:
        """The language model that it was made from."""
        return str(read_json(self.folder / CARD)["base"])


def run_answers(
    config: HandBenchmarkConfig, run: TalkerRun, dataset: HandDataset, questions: Sequence[HandQuestion], folder: Path,
    *, grounds: Grounds, hand: HandModel, bar: Bar, say: Say,
) -> tuple[dict[str, list[HandRow]], dict[str, str]]:  # fmt: skip
    """Rows of every method by name, and by baseline how it was made.

    Args:
        config: What is asked.
        run: The model.
        dataset: Hands.
        questions: The first are simulated.
        folder: Report folder.
        grounds: The test objects.
        hand: Whose hands they are.
        bar: Wraps the objects in a progress bar.
        say: Called with a line when something slow happens.
    """
    memory = Memory(dataset, run.trained_on or dataset.split().training, hand, seed=config.seed)
    captions = sorted({caption.text for grasp in memory.grasps for caption in grasp.captions})
    likeness = open_likeness(captions, say=say)
    openers: dict[str, Callable[[], Method]] = {
        run.name: lambda: by_model(load_talker(run.model, mano=run.mano, say=say), dataset),
        CAPTION: lambda: by_caption(memory, likeness),
        SHAPE: lambda: by_shape(memory),
        REGRESSOR: lambda: regressor(memory, load_causal(run.base, say=say), run.tokens, seed=config.seed),
    }
    notes = {CAPTION: likeness.note, SHAPE: "by the surfaces' mean distance", REGRESSOR: BUDGET}
    shared = {
        "built": {key: dataset.info.get(key) for key in BUILT}, "asked": digest(questions),
        "learned": digest([grasp.object_id for grasp in memory.grasps]),
    }  # fmt: skip
    by_number = {question.number: question for question in questions}
    simulated = {question.number for question in questions[: config.simulated]}
    fixed: dict[str, Any] = {
        "seed": config.seed, "wanted": {q.number: q.object_id for q in questions}, "bar": bar,
    }  # fmt: skip

    def truth(object_id: str, asked: Sequence[HandQuestion]) -> tuple[Tensor, list[str]]:
        return truths(dataset, [question.number for question in asked]), [""] * len(asked)

    def maker(opener: Callable[[], Method], *, adapt: bool) -> Make:
        method = opener()

        def make(object_id: str, some: Sequence[int]) -> list[list[HandRow]]:
            asked = [by_number[number] for number in some]
            ground = grounds(object_id)
            given, reasons = method(object_id, asked)
            return [
                measured(ground, hands, asked, reasons, simulated)
                for hands in (given, *([ground.adapted(given)] if adapt else []))
            ]

        return make

    [own] = fill_cells(
        folder, PART, [TRUTH], uses=shared, make=partial(maker, lambda: truth, adapt=False), **fixed
    )  # fmt: skip
    found = {TRUTH: own}
    for name, opener in openers.items():
        names = [name, *([name + ADAPTED] if config.adapt else [])]
        uses = {**shared, "note": notes.get(name, "")}
        if name in (run.name, REGRESSOR):
            uses["weights"] = fingerprint(run.model)
        made = fill_cells(folder, PART, names, uses=uses, make=partial(maker, opener, adapt=config.adapt), **fixed)
        found |= dict(zip(names, made, strict=True))
    return found, notes


def measured(
    ground: Ground, hands: Tensor, asked: Sequence[HandQuestion], reasons: Sequence[str], simulated: set[int]
) -> list[HandRow]:
    """Rows of the hands (B, P) that answer questions about one object."""
    posed = ground.vertices(hands)
    return [
        ground.row(
            question.number, hands[i], posed[i], simulate=question.number in simulated, asked=question.asked,
            free=question.free, text=reasons[i],
        )
        for i, question in enumerate(asked)
    ]  # fmt: skip


def by_model(talker: HandTalker, dataset: HandDataset) -> Method:
    """The model's own answers; what is asked before is answered by it too, and stands in the conversation."""

    def answer(object_id: str, questions: Sequence[HandQuestion]) -> tuple[Tensor, list[str]]:
        thing = dataset.objects[object_id]
        cloud = Cloud.of(thing.cloud, thing.normals)
        found: list[Written] = []
        for start in range(0, len(questions), BATCH):
            some = questions[start : start + BATCH]
            later = [i for i, question in enumerate(some) if question.before]
            first = write_all(talker, [Question(cloud, some[i].before) for i in later]) if later else []
            turns = {i: ((some[i].before, written),) for i, written in zip(later, first, strict=True)}
            found += write_all(
                talker, [Question(cloud, question.sentence, turns.get(i, ())) for i, question in enumerate(some)]
            )
        return torch.stack([torch.from_numpy(one.parameters) for one in found]), [one.text for one in found]

    return answer
