"""Who is asked for a wish: a model, GR-ConvNet that reads nothing, or a name first and GR-ConvNet on the thing's crop.

The last two are shown where the things are: the scene's own masks are their detector, which favours them.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from graspwise.data.wish_scenes import grasps_of
from graspwise.errors import InputError
from graspwise.evaluation.wish_choosers import open_chooser
from graspwise.evaluation.wish_questions import Question, Stage, value_at
from graspwise.evaluation.wish_score import Said
from graspwise.files import read_json
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.registry import open_responder
from graspwise.picture import Picture
from graspwise.predict import Model, load

PEER, NAME_FIRST, RIGHT_CROP, LABELS = "grconvnet", "name-first", "oracle+grconvnet", "oracle"
# These need a trained GR-ConvNet.
PEERS = (PEER, NAME_FIRST, RIGHT_CROP)
# These are told where things are.
TOLD = (NAME_FIRST, RIGHT_CROP, LABELS)
# A crop is this much wider than its thing, and no smaller a part of the picture's side than the peer has learned from.
ROOM, LEAST_PART = 2.0, 0.5
# What of a model that reasons may be asked for apart.
READINGS = {
    "text": "the language model's digits alone, which no map weighs",
    "map": "the answer's map alone: its best grasp, whatever the digits say",
}
# Grasps that the peer is asked for: of a crop those off the thing fall behind, so three would not do.
PEAKS = 16
Say = Callable[[str], None]


class Asker(Protocol):
    """Somebody who answers wishes.

    Attributes:
        note: What it is and what it is told, for the report.
    """

    note: str

    def ask(self, stage: Stage, question: Question) -> Said:
        """The answer to a question about a scene."""


class ModelAsker:
    """A model that is shown the picture and the wish, and nothing else.

    Args:
        model: The model.
        note: For the report.
        by_map: Rank its grasps by their quality, instead of the answer's first.
    """

    def __init__(self, model: Model, *, note: str = "", by_map: bool = False) -> None:
        self.model, self.note, self.by_map = model, note, by_map

    def ask(self, stage: Stage, question: Question) -> Said:
        return self.look(stage.picture, question.text)

    def look(self, picture: Picture, text: str) -> Said:
        """The answer to any text about any picture.

        Raises:
            InputError: the picture lacks depth that the model takes, or the text is empty or too long.
        """
        answer = self.model.look(picture).ask(text)
        grasps = answer.grasps
        if self.by_map:
            grasps = tuple(sorted(grasps, key=lambda grasp: -(grasp.quality or 0.0)))
        return Said(grasps, answer.target, answer.refused, answer.reasoning, answer.seconds)


class CropAsker:
    """GR-ConvNet on a crop around a thing's mask; of its grasps those with their middle on the mask come first.

    Args:
        peer: GR-ConvNet.
        choose: Index of the thing that a question is taken to be about.
        note: For the report.
    """

    def __init__(self, peer: Model, choose: Callable[[Stage, Question], int], *, note: str) -> None:
        self.peer, self.choose, self.note = peer, choose, note

    def ask(self, stage: Stage, question: Question) -> Said:
        started = time.perf_counter()
        index = self.choose(stage, question)
        mask = stage.objects == index
        answer = self.peer.look(stage.picture, workspace=box_around(mask)).ask(question.text)
        # Among those on the thing, and among the others, the order stays the peer's.
        ranked = tuple(sorted(answer.grasps, key=lambda grasp: value_at(stage.objects, grasp) != index))
        name = stage.scene.thing(index).category
        return Said(ranked, name, False, "", time.perf_counter() - started)


class LabelsAsker:
    """The scene's own right grasps, the surest first; it refuses where there is none."""

    note = "the scene's own labels: what is right by definition"

    def ask(self, stage: Stage, question: Question) -> Said:
        found = sorted(grasps_of(stage.scene, question.targets), key=lambda label: -label.rate)
        grasps = tuple(replace(label.grasp, quality=label.rate) for label in found)
        name = stage.scene.thing(found[0].index).category if found else None
        return Said(grasps, name, not found, "", 0.0)


def box_around(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Half-open square box (x0, y0, x1, y1) around a mask (height, width) with room, moved into the picture."""
    height, width = mask.shape
    ys, xs = np.nonzero(mask)
    extent = max(int(np.ptp(xs)), int(np.ptp(ys))) + 1
    shorter = min(width, height)
    side = min(max(round(ROOM * extent), round(LEAST_PART * shorter)), shorter)
    x0, y0 = (
        min(max(round((int(at.min()) + int(at.max()) + 1 - side) / 2), 0), length - side)
        for at, length in ((xs, width), (ys, height))
    )
    return x0, y0, x0 + side, y0 + side


def reading_of(name: str) -> tuple[str, str]:
    """The model and which of `READINGS` is asked for, as in `run+text`; "" for its whole answer."""
    model, plus, reading = name.rpartition("+")
    return (model, reading) if plus and reading in READINGS else (name, "")


def open_asker(name: str, *, grconvnet: str, say: Say) -> Asker:
    """Somebody to ask, by name.

    Args:
        name: `oracle`, one of `PEERS`, or whatever `graspwise.load` takes; of a model that reasons maybe with `+text`.
        grconvnet: Run folder of the GR-ConvNet, for `PEERS`.
        say: Called with a line when something slow happens.

    Raises:
        InputError: there is no such model.
    """
    if name == LABELS:
        return LabelsAsker()
    if name not in PEERS:
        model, reading = reading_of(name)
        if not reading:
            return ModelAsker(load(model, say=say))
        opened = open_responder(model, say=say)
        if not isinstance(opened, LlavaResponder):
            raise InputError(f"--models: {name}; valid before +{reading} is a model that reasons")
        if reading == "text":
            opened = LlavaResponder(name, opened.model, trust=0)
        return ModelAsker(Model(opened), note=READINGS[reading], by_map=reading == "map")
    peer, learned = open_peer(grconvnet)
    if name == PEER:
        return ModelAsker(peer, note=f"GR-ConvNet on the whole picture; it reads no wish; {learned}")
    if name == RIGHT_CROP:
        note = f"told the right thing and its mask, then GR-ConvNet on its crop; {learned}"
        return CropAsker(peer, first_target, note=note)
    chooser = open_chooser(say=say)

    def choose(stage: Stage, question: Question) -> int:
        things = stage.scene.things
        return things[chooser.choose(question.text, [thing.category for thing in things])].index

    told = "told the names and masks of all things in view, which favours it"
    return CropAsker(peer, choose, note=f"{told}; {chooser.note}, then GR-ConvNet on its crop; {learned}")


def first_target(stage: Stage, question: Question) -> int:
    """Index of the first right target; of the first thing in view where nothing is right."""
    return question.targets[0].index if question.targets else stage.scene.things[0].index


def open_peer(folder: str) -> tuple[Model, str]:
    """A GR-ConvNet that gives `PEAKS` grasps, and what it has learned from, for the report.

    Raises:
        InputError: the folder holds none, or is damaged.
    """
    from graspwise.model.plain_responders import GrConvNetResponder

    found = check_peer(folder)
    return Model(GrConvNetResponder(PEER, found, count=PEAKS)), learned_from(found)


def learned_from(folder: Path) -> str:
    """The data and budget of a GR-ConvNet's training, from its card and the run folder around it."""
    from graspwise.model.weights import CARD

    card, run = read_json(folder / CARD), folder.parent / "config.json"
    counts = Counter(str(name).partition(":")[0] for name in card.get("trained_on", ()))
    objects = " and ".join(f"{count} objects of {source}" for source, count in sorted(counts.items()))
    config = read_json(run) if run.is_file() else {}
    budget = config["recipe"]["stage"]["samples"] if config.get("model") == PEER else None
    samples = "an unknown number of samples" if budget is None else f"{budget} samples"
    return f"trained on {samples} of {objects or 'no known objects'}, recipe {card.get('recipe')}"


def check_peer(folder: str) -> Path:
    """The model folder of a trained GR-ConvNet.

    Raises:
        InputError: it is none.
    """
    from graspwise.model.grconvnet import is_grconvnet
    from graspwise.model.load import model_folder

    found = model_folder(folder)
    if found is None or not is_grconvnet(found):
        raise InputError(f"--grconvnet {folder}: holds no GR-ConvNet; valid is a run folder that has trained one")
    return found
