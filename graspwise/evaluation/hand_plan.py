"""What the benchmark of hands asks: which objects are for testing, which hands are given back, what is wished.

Everything is drawn by seed, spread evenly over the objects. Those that come first are also simulated and drawn.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graspwise.errors import InputError
from graspwise.hand.grasps import Caption, HandDataset, HandGrasp, Level
from graspwise.hand.metrics import part_agreement

LEVELS: tuple[Level, ...] = ("low", "high", "talk")
# What tells two builds of a data set apart, in dataset.json.
BUILT = ("hand", "grasps", "seed", "version")


@dataclass(frozen=True)
class HandBenchmarkConfig:
    """What is asked; dumped into `config.json`.

    Attributes:
        count: Hands given back, and sentences asked; None is every grasp of the test objects.
        simulated: Of those so many are also simulated.
        pictured: So many of the answers are drawn, for people to rate and for the judge.
        adapt: Bring all hands but the true ones the last millimetres; what was not is then shown beside.
        seed: Decides which hands and sentences.
    """

    count: int | None = None
    simulated: int = 60
    pictured: int = 20
    adapt: bool = True
    seed: int = 0

    def check(self) -> None:
        """Raise for a number that is not valid.

        Raises:
            InputError: one is not.
        """
        for option, value, least in (
            ("--count", self.count, 1), ("--simulated", self.simulated, 0), ("--pictured", self.pictured, 0),
            ("--seed", self.seed, 0),
        ):  # fmt: skip
            if value is not None and value < least:
                raise InputError(f"{option} is {value}; valid is {least} or more")


@dataclass(frozen=True)
class HandQuestion:
    """A sentence about a test object, and what of it geometry can check.

    Attributes:
        number: Place in the data set of the grasp that the sentence was written for.
        object_id: The object.
        level: Of the caption; "talk" changes the answer to `before`.
        sentence: What is asked.
        asked: Pairs of a finger and a part that it names; None for any finger.
        free: Parts that it wants free.
        before: What is asked first, a caption of another grasp on the object; "" for nothing.
    """

    number: int
    object_id: str
    level: Level
    sentence: str
    asked: tuple[tuple[str | None, str], ...]
    free: tuple[str, ...]
    before: str = ""


def objects_to_test(dataset: HandDataset, learned: Collection[str]) -> list[str]:
    """Objects with grasps to test on: those that are for testing, or where there are none, those nobody learned from.

    Args:
        dataset: Hands.
        learned: Object ids that any of the models was trained on.

    Raises:
        InputError: there are none.
    """
    held = {grasp.object_id for grasp in dataset.grasps}
    named = [name for name in dataset.split().test if name in held]
    found = named or sorted(held - set(learned))
    if not found:
        raise InputError(f"{dataset.folder}: the models were trained on all of its objects; give one with others")
    return found


def spread(dataset: HandDataset, objects: Sequence[str], *, seed: int) -> list[int]:
    """Places of all grasps on some objects, one of each object, then a second of each, and so on."""
    rng = np.random.default_rng([seed, 1])
    of: dict[str, list[int]] = {name: [] for name in objects}
    for number, grasp in enumerate(dataset.grasps):
        if grasp.object_id in of:
            of[grasp.object_id].append(number)
    order = [objects[i] for i in rng.permutation(len(objects))]
    rounds = [(turn, number) for name in order for turn, number in enumerate(rng.permutation(of[name]).tolist())]
    return [number for _, number in sorted(rounds, key=lambda pair: pair[0])]


def questions_of(dataset: HandDataset, objects: Sequence[str], config: HandBenchmarkConfig) -> list[HandQuestion]:
    """At most one sentence of each grasp on the objects, the levels in turn; only those that geometry can check.

    Raises:
        InputError: no caption of theirs names a part.
    """
    beside: dict[str, list[HandGrasp]] = {}
    for grasp in dataset.grasps:
        beside.setdefault(grasp.object_id, []).append(grasp)
    found: list[HandQuestion] = []
    for number in spread(dataset, objects, seed=config.seed):
        grasp, rng = dataset.grasps[number], np.random.default_rng([config.seed, 2, number])
        for shift in range(len(LEVELS)):
            level = LEVELS[(len(found) + shift) % len(LEVELS)]
            captions = [c for c in grasp.captions if c.level == level and (c.asked or c.free)]
            if not captions:
                continue
            caption = captions[int(rng.integers(len(captions)))]
            before = first_wish(caption, [g for g in beside[grasp.object_id] if g is not grasp], rng)
            if level != "talk" or before:
                found.append(
                    HandQuestion(
                        number, grasp.object_id, level, caption.text, caption.asked, caption.free,
                        before if level == "talk" else "",
                    )
                )  # fmt: skip
                break
        if len(found) == config.count:
            break
    if not found:
        raise InputError(f"{dataset.folder}: no caption of the test objects names a part; valid are objects with parts")
    return found


def first_wish(caption: Caption, others: Sequence[HandGrasp], rng: np.random.Generator) -> str:
    """A caption of a grasp that does not yet do what another caption asks; "" where there is none."""
    wrong = [g for g in others if part_agreement(g.fingers, asked=caption.asked, free=caption.free) < 1]
    texts = [c.text for g in wrong for c in g.captions if c.level != "talk"]
    return texts[int(rng.integers(len(texts)))] if texts else ""


def question_from_json(value: dict[str, Any]) -> HandQuestion:
    """The inverse of `asdict` after JSON."""
    asked = tuple((finger, part) for finger, part in value["asked"])
    return HandQuestion(**{**value, "asked": asked, "free": tuple(value["free"])})


def digest(rows: Sequence[Any]) -> str:
    """A short hash of what is asked, so that other questions tell."""
    values = [row if isinstance(row, int | str) else asdict(row) for row in rows]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
