"""What the benchmark asks of a scene: drawn once by seed, and kept, so that every model is asked the same.

A scene is asked one wish of each kind that it can answer, one that nothing in view serves, and one without a target.
All are worded as no training data is, but for `UNNAMED`, which half of those without a target are.
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
from graspwise.data.wishes import KINDS, any_wish, load_wishes
from graspwise.errors import InputError
from graspwise.evaluation.score import UNNAMED
from graspwise.files import read_json, write_json
from graspwise.grasp import Grasp
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

    @cached_property
    def parts(self) -> np.ndarray | None:
        """(height, width) uint8, each part's index in the scene, 0 is the table; None without such a mask."""
        return None if self.scene.parts is None else read_mask(self.scene.parts)

    def index_at(self, grasp: Grasp) -> int:
        """Index of the thing that a grasp's middle lies on, 0 on the table."""
        return value_at(self.objects, grasp)

    def is_on(self, grasp: Grasp, targets: Sequence[Target]) -> bool:
        """Whether a grasp's middle lies on one of the targets: on the part, where a target has one."""
        index = self.index_at(grasp)
        part = None if self.parts is None else value_at(self.parts, grasp)
        return any(
            index == target.index
            and (target.part is None or part == self.scene.part_indices.get((target.index, target.part)))
            for target in targets
        )

    def object_id(self, targets: Sequence[Target]) -> str | None:
        """The object that the first target is; None without one."""
        ids = {thing.index: name for thing, name in zip(self.scene.things, self.scene.object_ids, strict=True)}
        return ids[targets[0].index] if targets else None

    def right(self, targets: Sequence[Target]) -> list[GraspRectangle]:
        """Right grasps of these targets, pixels."""
        size = self.scene.image_size
        return [found.grasp.rectangle(image_size=size) for found in grasps_of(self.scene, targets)]


def value_at(mask: np.ndarray, grasp: Grasp) -> int:
    """The value of an index mask (height, width) under a grasp's middle."""
    height, width = mask.shape
    x, y = grasp.pixel(image_size=(width, height))
    return int(mask[min(max(round(y), 0), height - 1), min(max(round(x), 0), width - 1)])


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
        if rng.random() < 0.5:
            wish = next(known for known in load_wishes() if known.text == UNNAMED)
        asked.append((ANYTHING, wish.text, wish.family, everything))
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
