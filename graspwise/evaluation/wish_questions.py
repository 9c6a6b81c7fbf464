"""What the benchmark asks of a scene: drawn once by seed, and kept, so that every model is asked the same.

A scene is asked one wish of each kind that it can answer, one that nothing in view serves, and one without a target.
"""

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from graspwise.data.store import read_mask
from graspwise.data.wish_build import wish_in
from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import WishScene, grasps_of
from graspwise.data.wishes import KINDS, any_wish
from graspwise.errors import InputError
from graspwise.evaluation.score import UNNAMED
from graspwise.files import read_json, write_json
from graspwise.picture import Picture, open_picture
from graspwise.rectangle import GraspRectangle

Seen = Literal["seen", "unseen"]
NOTHING, ANYTHING = "nothing serves", "no target named"


@dataclass(frozen=True)
class Question:
    """A wish about a scene.

    Attributes:
        objects: Whether the scene's things are of the set trained on: "seen", else "unseen".
        scene: The scene's name.
        things: How many things are in view.
        kind: One of the data set's four kinds, `NOTHING` or `ANYTHING`.
        text: The wish.
        family: Family of its wording.
        targets: All right targets; () where nothing serves.
    """

    objects: Seen
    scene: str
    things: int
    kind: str
    text: str
    family: str
    targets: tuple[Target, ...]

    @property
    def place(self) -> str:
        """The scene with its set: scenes of both have the same names."""
        return f"{self.objects}/{self.scene}"

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(**{**value, "targets": tuple(Target(**target) for target in value["targets"])})


@dataclass(frozen=True)
class Stage:
    """A scene with its pictures, each read when it is first needed.

    Attributes:
        scene: The scene.
    """

    scene: WishScene

    @cached_property
    def picture(self) -> Picture:
        return open_picture(self.scene.picture, depth_path=self.scene.depth)

    @cached_property
    def objects(self) -> np.ndarray:
        """(height, width) uint8, each thing's index, 0 is the table."""
        return read_mask(self.scene.objects)

    def right(self, targets: Sequence[Target]) -> list[GraspRectangle]:
        """Right grasps of these targets, pixels."""
        size = self.scene.image_size
        return [found.grasp.rectangle(image_size=size) for found in grasps_of(self.scene, targets)]


def questions_of(scene: WishScene, *, objects: Seen, seed: int) -> list[Question]:
    """The questions of a scene, none where nothing of it is in view; the same scene and seed give the same ones.

    Args:
        scene: The scene.
        objects: Which set its things are of.
        seed: Decides the wishes.
    """
    if not scene.things:
        return []
    rng = np.random.default_rng([zlib.crc32(f"{objects}/{scene.name}".encode()), seed])
    asked: list[tuple[str, str, str, tuple[Target, ...]]] = []
    for kind in (*KINDS, None):
        found = wish_in(scene, kind, test=True, rng=rng)
        if found is not None:
            wish, targets = found
            asked.append((kind or NOTHING, wish.text, wish.family, targets))
    everything = tuple(Target(thing.index, thing.category, None) for thing in scene.things)
    if grasps_of(scene, everything):
        wish = any_wish(rng, test=True)
        asked.append((ANYTHING, UNNAMED if rng.random() < 0.5 else wish.text, wish.family, everything))
    return [Question(objects, scene.name, len(scene.things), *row) for row in asked]


def kept_questions(path: Path, scenes: Sequence[tuple[Seen, WishScene]], *, seed: int) -> list[Question]:
    """The questions of these scenes, read from a file, to which those of new scenes are added.

    Raises:
        InputError: the file is damaged.
    """
    try:
        known = [Question.from_json(row) for row in read_json(path)] if path.is_file() else []
    except (TypeError, KeyError) as error:
        raise InputError(
            f"{path}: holds no questions of this version ({error}); remove it to draw them anew"
        ) from error
    there = {question.place for question in known}
    new = [
        question
        for objects, scene in scenes
        if f"{objects}/{scene.name}" not in there
        for question in questions_of(scene, objects=objects, seed=seed)
    ]
    if new or not path.is_file():
        write_json(path, [asdict(question) for question in (*known, *new)])
    wanted = {f"{objects}/{scene.name}" for objects, scene in scenes}
    return [question for question in (*known, *new) if question.place in wanted]
