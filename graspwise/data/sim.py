"""Simulated scenes as a source of labelled pictures: made, labelled by physics, and read back.

A source folder is `000000/`, `000001/` ...: a scene's pictures, masks, camera and `scene.json`, its labels with their
success rates in `labels.json`, and once more in Cornell's rectangle format in `cpos.txt` (lifts every time) and
`cneg.txt` (never does).
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graspwise.data.card import PICTURES
from graspwise.data.labelled import LabelledPicture
from graspwise.errors import InputError
from graspwise.files import empty_directory, is_begun, read_json, replacing_folder, write_json, write_text
from graspwise.grasp import Grasp
from graspwise.parallel import in_order

if TYPE_CHECKING:
    from graspwise.sim.catalogue import SetName

# A label is right when its grasp lifts at least this often, by parts that may be held.
RIGHT = 0.75
# Data to train on may hold nothing else, so that the household stays unseen.
TRAINING: "tuple[SetName, ...]" = ("train",)


@dataclass(frozen=True)
class SimConfig:
    """How scenes are made and labelled.

    Attributes:
        objects: Names of sets, objects or families, of the sets that are allowed.
        scenes: How many.
        fewest: Things in a scene, at least.
        most: At most; a scene's count is drawn between the two.
        candidates: Grasps tried on each thing.
        trials: Trials of each.
        seed: Decides everything random.
    """

    objects: tuple[str, ...]
    scenes: int
    fewest: int = 1
    most: int = 1
    candidates: int = 12
    trials: int = 4
    seed: int = 0


@dataclass(frozen=True)
class Made:
    """What became of one scene number.

    Attributes:
        name: Its folder.
        objects: Things in it.
        labels: Grasps tried.
        right: Those that lift often enough, by a part that may be held.
        thrown_away: Scenes before it that did not settle.
    """

    name: str
    objects: int
    labels: int
    right: int
    thrown_away: int


def start(config: SimConfig, out: Path | str) -> Path:
    """The folder `scenes/` in `out`: new, or one that the same configuration has begun.

    Raises:
        InputError: a value outside its range, no such family, or `out` holds something else.
    """
    check(config)
    folder = Path(out)
    if not is_begun(folder / "scenes.json", asdict(config)):
        write_json(empty_directory(folder) / "scenes.json", asdict(config))
    elif not (folder / "dataset.json").is_file():
        # Samples are quickly made again from the scenes, so a half-made set of them goes.
        for left in (
            "images",
            "captions.jsonl",
            "llava.json",
            PICTURES,
            *(path.name for path in folder.glob("samples-*")),
        ):
            remove(folder / left)
    return folder / "scenes"


def remove(path: Path) -> None:
    """A file or a folder with all that is in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check(config: SimConfig, *, sets: "Sequence[SetName]" = TRAINING) -> None:
    """Raise for what no scene can be made with.

    Args:
        config: How scenes are to be made.
        sets: Object sets that may be used; training data is of `train` alone.

    Raises:
        InputError: a value outside its range, or no such object in these sets.
    """
    from graspwise.sim.catalogue import entries

    for name in ("scenes", "candidates", "trials"):
        if getattr(config, name) < 1:
            raise InputError(f"--{name} is {getattr(config, name)}; valid is 1 or more")
    if config.seed < 0:
        raise InputError(f"--seed is {config.seed}; valid is 0 or more")
    if not 1 <= config.fewest <= config.most <= 12:
        raise InputError(f"--clutter is {config.fewest}-{config.most}; valid is 1-1 to 1-12, the fewer first")
    entries(config.objects, sets=sets)


def make_scenes(
    config: SimConfig,
    folder: Path,
    *,
    sets: "Sequence[SetName]" = TRAINING,
    workers: int | None = None,
    ray: str = "",
    progress: Callable[[Iterator[Made], int], Iterator[Made]] = lambda stream, total: stream,
) -> list[Made]:
    """Fill `folder` with scenes; those that are there already are not made again.

    Args:
        config: How they are made.
        folder: Where to.
        sets: Object sets that may be used; training data is of `train` alone.
        workers: Processes; all cores by default.
        ray: "local" or a cluster's address, to make them there.
        progress: Wraps the stream of scenes, of which it is told the count.

    Raises:
        InputError: a value outside its range, or no such object in these sets.
    """
    check(config, sets=sets)
    folder.mkdir(parents=True, exist_ok=True)
    make = partial(make_scene, config=config, folder=folder.resolve(), sets=sets)
    stream = in_order(make, range(config.scenes), workers=workers, ray=ray)
    return list(progress(stream, config.scenes))


def make_scene(number: int, *, config: SimConfig, folder: Path, sets: "Sequence[SetName]" = TRAINING) -> Made:
    """Scene `number`: drawn from (seed, number), rendered, labelled and written; or read, where it is there."""
    from graspwise.sim.catalogue import Entry, entries
    from graspwise.sim.gripper import Gantry
    from graspwise.sim.label import Label, label_object
    from graspwise.sim.render import render, write_scene
    from graspwise.sim.scene import settled_scene

    target = folder / f"{number:06d}"
    if (target / "labels.json").is_file():
        return Made(**read_json(target / "labels.json")["made"])
    rng = np.random.default_rng([config.seed, number])
    pool = entries(config.objects, sets=sets)
    robot = Gantry()

    def draw() -> tuple[list[str], list[Any]]:
        """Things of different categories, so that a name tells which is meant."""
        wanted = int(rng.integers(config.fewest, config.most + 1))
        chosen: dict[str, tuple[str, Any]] = {}
        for pick in rng.permutation(len(pool)):
            entry: Entry = pool[pick]
            object_id, thing = entry.draw(rng)
            chosen.setdefault(thing.category, (object_id, thing))
            if len(chosen) == wanted:
                break
        ids, things = zip(*chosen.values(), strict=True)
        return list(ids), list(things)

    ids, scene, thrown_away = settled_scene(draw, seed=int(rng.integers(2**31)), robot=robot)
    view = render(scene)
    labels: list[Label] = []
    for placed in scene.objects:
        labels += label_object(
            scene,
            view,
            index=placed.index,
            robot=robot,
            count=config.candidates,
            trials=config.trials,
            seed=config.seed,
        )
    made = Made(
        target.name, len(ids), len(labels), sum(label.rate >= RIGHT and label.allowed for label in labels), thrown_away
    )
    with replacing_folder(target) as temporary:
        write_scene(temporary, scene, view)
        size = (scene.camera.width, scene.camera.height)
        write_text(temporary / "cpos.txt", corners([x.grasp for x in labels if x.rate == 1], size))
        write_text(temporary / "cneg.txt", corners([x.grasp for x in labels if x.rate == 0], size))
        write_json(
            temporary / "labels.json",
            {"made": asdict(made), "object_ids": ids, "image_size": size, "labels": [x.to_json() for x in labels]},
        )
    return made


def corners(grasps: Sequence[Grasp], size: tuple[int, int]) -> str:
    """Cornell's format: four lines `x y` a rectangle."""
    rows = [corner for grasp in grasps for corner in grasp.rectangle(image_size=size).corners]
    return "".join(f"{x:.3f} {y:.3f}\n" for x, y in rows)


def read_sim(folder: Path | str) -> list[LabelledPicture]:
    """One labelled picture for each thing in each scene that has a right label.

    Raises:
        InputError: there is no scene in the folder, or one is damaged.
    """
    source = Path(folder)
    scenes = sorted(path.parent for path in source.glob("*/labels.json"))
    if not scenes:
        raise InputError(
            f"{source}: no scene there; valid is the folder scenes/ that `graspwise dataset build sim` makes"
        )
    return [picture for scene in scenes for picture in scene_pictures(scene)]


def is_right(label: dict[str, Any]) -> bool:
    """Whether a label's grasp lifts often enough, and by no part that should be left alone."""
    return bool(label["rate"] >= RIGHT and label["allowed"])


def part_held(label: dict[str, Any]) -> str:
    """The part that a label's grasp holds; "" where it is more than one, or none surely."""
    return str(label["parts"][0]) if len(label["parts"]) == 1 else ""


def scene_pictures(folder: Path) -> list[LabelledPicture]:
    """A scene's things that have a right label."""
    labels, scene = read_json(folder / "labels.json"), read_json(folder / "scene.json")
    size = tuple(labels["image_size"])
    pictures = []
    for placed, object_id in zip(scene["objects"], labels["object_ids"], strict=True):
        mine = [label for label in labels["labels"] if label["index"] == placed["index"]]
        right, wrong = (
            tuple(Grasp(**label["grasp"]).rectangle(image_size=size) for label in mine if keep(label))
            for keep in (is_right, lambda label: label["rate"] == 0)
        )
        if right:
            pictures.append(
                LabelledPicture(
                    name=f"{folder.name}-{placed['index']}",
                    path=folder / "rgb.png",
                    object_id=object_id,
                    category=placed["category"],
                    description=placed["description"],
                    rectangles=right,
                    negatives=wrong,
                    depth_path=folder / "depth.png",
                    among_others=len(scene["objects"]) > 1,
                    parts=tuple(part_held(label) for label in mine if is_right(label)),
                )
            )
    return pictures
