"""Scenes of several things that wishes are about: what is in view, its masks, and the grasps that lift it.

Scenes are read one at a time, when they are asked for, so that a folder of any length takes no memory.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

import numpy as np

from graspwise.data.sim import RIGHT
from graspwise.data.store import read_mask
from graspwise.data.wish_facts import Target, Thing
from graspwise.errors import InputError
from graspwise.files import read_json
from graspwise.grasp import Grasp

# Of less than this many pixels nobody could say what it is, so it is not in view.
VISIBLE = 24


@dataclass(frozen=True)
class SceneGrasp:
    """A grasp that was tried or labelled in a scene.

    Attributes:
        index: Which thing it is on.
        grasp: In the frame of the scene's picture.
        parts: Names of the parts held; () where the source has none.
        rate: How often it lifts, in [0, 1].
        allowed: Whether all that it holds may be held.
        width: Of what is between the jaws, metres; None where the source does not say.
    """

    index: int
    grasp: Grasp
    parts: tuple[str, ...]
    rate: float
    allowed: bool
    width: float | None

    @property
    def is_right(self) -> bool:
        return self.allowed and self.rate >= RIGHT


@dataclass(frozen=True)
class WishScene:
    """One look at a scene; picture, depth and masks are aligned pixel by pixel.

    Attributes:
        name: Unique in its folder.
        group: Looks at the same things have the same one; a split keeps them on one side.
        picture: The colour picture.
        depth: Its depth picture (uint16, mm), where there is one.
        objects: Mask with each thing's index, 0 is the table.
        parts: Mask with each part's index in the scene, where there is one.
        camera: The camera's file, where there is one.
        image_size: (width, height), pixels.
        things: What is in view, with the parts of it that are.
        object_ids: Of the things, in their order, as `train/mug-07`: the set, then the object.
        grasps: Those tried or labelled on the things.
        part_indices: Value in `parts` by a thing's index and the part's name.
    """

    name: str
    group: str
    picture: Path
    depth: Path | None
    objects: Path
    parts: Path | None
    camera: Path | None
    image_size: tuple[int, int]
    things: tuple[Thing, ...]
    object_ids: tuple[str, ...]
    grasps: tuple[SceneGrasp, ...]
    part_indices: Mapping[tuple[int, str], int] = field(default_factory=dict)

    @property
    def sets(self) -> set[str]:
        """The object sets that the things are of: train, household ..."""
        return {object_id.partition("/")[0] for object_id in self.object_ids}

    def thing(self, index: int) -> Thing:
        """The thing in view with that index.

        Raises:
            KeyError: there is none.
        """
        for thing in self.things:
            if thing.index == index:
                return thing
        raise KeyError(index)


@dataclass(frozen=True)
class WishScenes(Sequence[WishScene]):
    """The scenes of a folder, each read when it is asked for.

    Attributes:
        source: Where they come from: sim or graspnet.
        root: The folder.
        places: What `read` takes, relative to `root`, one a scene.
        read: Reads the scene at a path.
        has_parts: Whether the source tells parts apart.
    """

    source: str
    root: Path
    places: tuple[str, ...]
    read: Callable[[Path], WishScene]
    has_parts: bool

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> WishScene: ...
    @overload
    def __getitem__(self, index: slice) -> "WishScenes": ...
    def __getitem__(self, index: int | slice) -> "WishScene | WishScenes":
        if isinstance(index, slice):
            return replace(self, places=self.places[index])
        return self.read(self.root / self.places[index])


def grasps_of(scene: WishScene, targets: Sequence[Target]) -> tuple[SceneGrasp, ...]:
    """The right grasps of a scene: on one of the targets, by its part where it has one."""
    return tuple(
        grasp
        for grasp in scene.grasps
        if grasp.is_right and any(grasp.index == t.index and (t.part is None or t.part in grasp.parts) for t in targets)
    )


def read_wish_scenes(folder: Path | str) -> WishScenes:
    """The scenes that `graspwise dataset build sim` makes, of any object set.

    Args:
        folder: Its --out, or the folder `scenes` in it.

    Raises:
        InputError: there is no scene in the folder; a damaged one raises when it is read.
    """
    given = Path(folder)
    root = given / "scenes" if (given / "scenes").is_dir() else given
    places = tuple(sorted(path.parent.name for path in root.glob("*/labels.json")))
    if not places:
        raise InputError(f"{given}: no scene there; valid is a folder that `graspwise dataset build sim` makes")
    return WishScenes(source="sim", root=root, places=places, read=read_scene, has_parts=True)


def read_scene(folder: Path) -> WishScene:
    """One simulated scene with its labels.

    Raises:
        InputError: a file is missing or damaged, or they do not agree.
    """
    told, labels = read_json(folder / "scene.json"), read_json(folder / "labels.json")
    objects, parts = (read_mask(folder / f"{name}.png") for name in ("objects", "parts"))
    try:
        width, height = labels["image_size"]
        if objects.shape != (height, width) or parts.shape != objects.shape:
            raise InputError(
                f"{folder}: objects.png is {objects.shape[1]}x{objects.shape[0]} and parts.png "
                f"{parts.shape[1]}x{parts.shape[0]} pixels; valid is {width}x{height}, as labels.json says"
            )
        pixels, part_pixels = pixels_by_index(objects), pixels_by_index(parts)
        things, ids, indices = [], [], {}
        for entry, object_id in zip(told["objects"], labels["object_ids"], strict=True):
            if pixels[entry["index"]] < VISIBLE:
                continue
            seen = [part for part in entry["parts"] if part_pixels[part["index"]] >= VISIBLE]
            things.append(Thing.of({**entry, "parts": seen}))
            ids.append(str(object_id))
            indices.update({(entry["index"], part["name"]): part["index"] for part in seen})
        grasps = tuple(read_label(label) for label in labels["labels"])
    except (LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}: scene.json or labels.json is damaged ({error!r})") from error
    except ValueError as error:
        # An InputError is one too, and says it better.
        if isinstance(error, InputError):
            raise
        raise InputError(f"{folder}: scene.json or labels.json is damaged ({error})") from error
    shown = {thing.index for thing in things}
    return WishScene(
        name=folder.name, group=f"scene-{folder.name}", picture=folder / "rgb.png", depth=folder / "depth.png",
        objects=folder / "objects.png", parts=folder / "parts.png", camera=folder / "camera.yaml",
        image_size=(width, height), things=tuple(things), object_ids=tuple(ids),
        grasps=tuple(grasp for grasp in grasps if grasp.index in shown), part_indices=indices,
    )  # fmt: skip


def read_label(label: Mapping[str, Any]) -> SceneGrasp:
    """A row of `labels.json`."""
    return SceneGrasp(
        index=label["index"], grasp=Grasp(**label["grasp"]), parts=tuple(label["parts"]), rate=float(label["rate"]),
        allowed=bool(label["allowed"]), width=float(label["width"]),
    )  # fmt: skip


def pixels_by_index(mask: np.ndarray) -> np.ndarray:
    """(256,) int: how many pixels of an index mask have each value."""
    return np.bincount(mask.ravel(), minlength=256)
