"""Hands on objects as a data set: a folder with `dataset.json`, `hands.npz` and `captions.jsonl`.

`hands.npz` has the grasps' parameters and the objects' points, `captions.jsonl` a line a grasp: what each finger
touches, the force, and the texts. `dataset.json` is written last, so a folder that has it is whole. Objects of the
simulator are made again from their ids; those of other data sets lie in `meshes/`. Metres, in the object's own frame.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from graspwise.errors import InputError
from graspwise.files import read_json, replacing, write_json, write_text
from graspwise.hand.mesh import Solid, solid_of

TASK, VERSION = "hands", 1
CLOUD = 1024
RECORD, ARRAYS, CAPTIONS, MESHES = "dataset.json", "hands.npz", "captions.jsonl", "meshes"
Force = Literal["light", "firm"]
Level = Literal["low", "high", "talk"]
# Sets that are made by the simulator, and those among them, and others, that are for testing only.
CATALOGUE = ("train", "household", "meshes")
TESTING = ("household", "meshes")


@dataclass(frozen=True)
class Caption:
    """A text that belongs to a grasp, and what of it geometry can check.

    Attributes:
        level: "low" says which finger touches which part, "high" the purpose and the force, "talk" is a request to
            change another grasp into this one.
        text: What is said.
        asked: Pairs of a finger and a part that the text names; None as the finger where any finger may touch it.
        free: Parts that it says to leave free.
    """

    level: Level
    text: str
    asked: tuple[tuple[str | None, str], ...] = ()
    free: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        asked = tuple((finger, part) for finger, part in value["asked"])
        return cls(value["level"], value["text"], asked, tuple(value["free"]))

    def to_json(self) -> dict[str, Any]:
        return {"level": self.level, "text": self.text, "asked": self.asked, "free": self.free}


@dataclass(frozen=True, eq=False)
class HandGrasp:
    """One hand on an object.

    Attributes:
        object_id: As in `household/mug` or `train/mug-07`.
        parameters: Array (P,) float32 in the hand's `Layout`: rotation, translation, articulation, shape.
        fingers: Each finger, or the palm, that touches the object, and the parts that it touches; 3 mm count.
        force: "firm" where the hand is closed around the thing, "light" where fingertips hold it.
        captions: What is said of it.
    """

    object_id: str
    parameters: np.ndarray
    fingers: dict[str, tuple[str, ...]]
    force: Force
    captions: tuple[Caption, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All but the parameters."""
        return {
            "object_id": self.object_id,
            "fingers": self.fingers,
            "force": self.force,
            "captions": [caption.to_json() for caption in self.captions],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any], parameters: np.ndarray) -> Self:
        return cls(
            value["object_id"], parameters, {finger: tuple(parts) for finger, parts in value["fingers"].items()},
            value["force"], tuple(Caption.from_json(caption) for caption in value["captions"]),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class HandObject:
    """An object that hands are on, as a model sees it.

    Attributes:
        object_id: As in `HandGrasp`.
        name: Its category, as in "mug".
        set: "train", "household", "meshes", or the name of the data set that it comes from.
        cloud: Array (1024, 3) float32, points on its surface.
        normals: Array (1024, 3) float32, outward, of length 1.
        parts: Names of its parts; may be empty.
        cloud_parts: Array (1024,) int64 of places in `parts`, -1 for none.
        size: Longest side of its box, metres.
    """

    object_id: str
    name: str
    set: str
    cloud: np.ndarray
    normals: np.ndarray
    parts: tuple[str, ...]
    cloud_parts: np.ndarray
    size: float

    @classmethod
    def of(cls, solid: Solid, *, object_id: str, name: str, set_name: str, rng: np.random.Generator) -> Self:
        """An object from its solid."""
        samples = solid.samples(CLOUD, rng=rng)
        return cls(
            object_id, name, set_name, samples.points.astype(np.float32), samples.normals.astype(np.float32),
            solid.parts, samples.parts.astype(np.int64), float(solid.size.max()),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """All but the arrays."""
        return {
            "object_id": self.object_id, "name": self.name, "set": self.set, "parts": self.parts, "size": self.size
        }  # fmt: skip


@dataclass(frozen=True)
class HandSplit:
    """Object ids of three parts; all grasps of an object are on one side.

    Attributes:
        training: To learn from.
        validation: Watched during training.
        test: Not seen in training in any form.
    """

    training: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


class HandDataset:
    """A data set of hands; its arrays and texts are read when they are first asked for.

    Attributes:
        folder: Where it lies.
        info: What `dataset.json` says.

    Raises:
        InputError: the folder is no whole data set of hands, or later, a file is damaged.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.info: dict[str, Any] = read_json(self.folder / RECORD)
        if not isinstance(self.info, dict) or (self.info.get("task"), self.info.get("version")) != (TASK, VERSION):
            raise InputError(f"{self.folder / RECORD}: is no data set of hands, version {VERSION}; build it anew")

    @property
    def hand(self) -> str:
        """Name of the hand model, "open" or "mano"."""
        return str(self.info["hand"])

    @cached_property
    def objects(self) -> dict[str, HandObject]:
        """All objects by id."""
        held = self._arrays
        return {
            entry["object_id"]: HandObject(
                entry["object_id"], entry["name"], entry["set"], held["clouds"][i].astype(np.float32),
                held["normals"][i].astype(np.float32), tuple(entry["parts"]), held["cloud_parts"][i].astype(np.int64),
                entry["size"],
            )
            for i, entry in enumerate(self.info["objects"])
        }  # fmt: skip

    @cached_property
    def grasps(self) -> list[HandGrasp]:
        """All grasps, those of an object together."""
        path = self.folder / CAPTIONS
        if not path.is_file():
            raise InputError(f"{path}: no such file; build the data set anew")
        lines = path.read_text(encoding="utf-8").splitlines()
        parameters = self._arrays["parameters"]
        if len(lines) != len(parameters):
            raise InputError(f"{path}: found {len(lines)} lines; valid are {len(parameters)}, one a grasp")
        return [HandGrasp.from_json(json.loads(line), row) for line, row in zip(lines, parameters, strict=True)]

    @cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        path = self.folder / ARRAYS
        try:
            with np.load(path) as held:
                return {name: held[name] for name in ("parameters", "clouds", "normals", "cloud_parts")}
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path}: cannot be read ({error}); build the data set anew") from error

    def solid(self, object_id: str) -> Solid:
        """The object's surface, in its own frame.

        Raises:
            InputError: there is no such object, or its mesh is not there.
        """
        if object_id not in self.objects:
            raise InputError(f"{self.folder}: found no object {object_id}; valid are {', '.join(self.objects)}")
        if self.objects[object_id].set in CATALOGUE:
            from graspwise.sim.catalogue import thing_of

            return solid_of(thing_of(object_id))
        return read_kept(self.folder, object_id)

    def split(self, *, test_share: float | None = None, validation: float = 0.1, seed: int = 0) -> HandSplit:
        """Objects to learn from, to watch and to test with.

        Args:
            test_share: Share of the objects that are for testing, drawn by seed; None takes those of the sets that
                are for testing only, `household` and `meshes`, which are never learned from either way.
            validation: Share of the others that are watched.
            seed: Decides both.

        Raises:
            InputError: a share is outside 0 to below 1.
        """
        for name, share in (("test_share", test_share or 0.0), ("validation", validation)):
            if not 0 <= share < 1:
                raise InputError(f"{name} is {share:g}; valid is a share, 0 to below 1")
        test = sorted(name for name, thing in self.objects.items() if thing.set in TESTING)
        rest = sorted(name for name in self.objects if name not in test)
        rest = [rest[i] for i in np.random.default_rng([seed, 0]).permutation(len(rest))]
        if test_share is not None:
            count = max(0, math.ceil(test_share * len(self.objects)) - len(test))
            test, rest = sorted(test + rest[:count]), rest[count:]
        held = round(validation * len(rest))
        return HandSplit(tuple(sorted(rest[held:])), tuple(sorted(rest[:held])), tuple(test))


def write_hands(
    folder: Path | str, *, hand: str, objects: Sequence[HandObject], grasps: Sequence[HandGrasp], seed: int
) -> None:
    """Write a data set of hands; files that are there are replaced.

    Args:
        folder: Made if need be.
        hand: Name of the hand model.
        objects: All that have grasps.
        grasps: Of those objects, all with as many parameters.
        seed: What it was built with.

    Raises:
        InputError: there are no grasps.
    """
    folder = Path(folder)
    if not grasps:
        raise InputError(f"{folder}: no grasp was kept; valid is at least one")
    with replacing(folder / ARRAYS) as temporary:
        np.savez_compressed(
            temporary,
            parameters=np.stack([grasp.parameters for grasp in grasps]).astype(np.float32),
            clouds=np.stack([thing.cloud for thing in objects]).astype(np.float16),
            normals=np.stack([thing.normals for thing in objects]).astype(np.float16),
            cloud_parts=np.stack([thing.cloud_parts for thing in objects]).astype(np.int8),
        )
    lines = [json.dumps(grasp.to_json(), ensure_ascii=False) for grasp in grasps]
    write_text(folder / CAPTIONS, "\n".join(lines) + "\n")
    write_json(
        folder / RECORD,
        {
            "task": TASK, "version": VERSION, "hand": hand, "seed": seed, "grasps": len(grasps),
            "objects": [thing.to_json() for thing in objects],
        },
    )  # fmt: skip


def keep_solid(folder: Path | str, object_id: str, solid: Solid) -> None:
    """Write the surface of an object that the simulator does not make into the data set's `meshes/`."""
    with replacing(_kept(folder, object_id)) as temporary:
        np.savez_compressed(
            temporary, name=np.array(solid.name), vertices=solid.vertices.astype(np.float32),
            faces=solid.faces.astype(np.int32), parts=np.array(solid.parts, dtype=np.str_),
            face_parts=solid.face_parts.astype(np.int16),
        )  # fmt: skip


def read_kept(folder: Path | str, object_id: str) -> Solid:
    """A surface that `keep_solid` wrote.

    Raises:
        InputError: it is missing or damaged.
    """
    path = _kept(folder, object_id)
    try:
        with np.load(path) as held:
            return Solid(
                str(held["name"]), held["vertices"].astype(np.float64), held["faces"].astype(np.int64),
                tuple(held["parts"].tolist()), held["face_parts"].astype(np.int64),
            )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: cannot be read ({error}); import the data set anew") from error


def _kept(folder: Path | str, object_id: str) -> Path:
    return Path(folder) / MESHES / f"{object_id}.npz"
