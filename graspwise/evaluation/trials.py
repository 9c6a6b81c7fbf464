"""Robot trials in simulation (RT-Grasp section V-B, Table II, Fig. 9): the same scenes for every model, resumable.

A report folder holds `scenes/` (pictures, and grasps known to lift), `answers/MODEL.json` (what each model said of each
scene) and `trials/SCENE.json` (what became of it). Whatever is there is not done again.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from graspwise.conversation import user_turn
from graspwise.errors import InputError
from graspwise.evaluation.runs import Bar, begin, short_names
from graspwise.files import read_json, replacing, replacing_folder, write_json
from graspwise.grasp import Grasp
from graspwise.parallel import in_order
from graspwise.predict import grasp_json

if TYPE_CHECKING:
    from graspwise.sim.film import Film

Setting = Literal["any", "narrow"]
SETTINGS: tuple[Setting, ...] = ("any", "narrow")
ORACLE, RANDOM = "oracle", "random"
ORACLE_CANDIDATES, ORACLE_TRIALS = 24, 4
BATCH = 8


@dataclass(frozen=True)
class TrialConfig:
    """What is compared on what; dumped into `config.json`.

    Attributes:
        objects: Names of objects or sets.
        poses: Scenes of each object.
        robot: "gripper" or "panda".
        panda_model: MJCF file of the arm; "" looks among what is installed.
        narrow: Opening of the second setting's gripper, metres.
        seed: Decides scenes and conditions.
    """

    objects: tuple[str, ...] = ("household",)
    poses: int = 5
    robot: Literal["gripper", "panda"] = "gripper"
    panda_model: str = ""
    narrow: float = 0.040
    seed: int = 0


@dataclass(frozen=True)
class Trial:
    """One grasp of one model in one scene, carried out.

    Attributes:
        scene: Its folder's name.
        object_id: The object.
        category: Its category.
        setting: "any" opening, or the "narrow" gripper that the instruction told of.
        lifted: Lifted, and held after shake and tilt.
        allowed: Lifted by no part that should be left alone.
        cause: Why not lifted.
        parts: Parts held.
        grasp: As the model gave it, in the frame of the scene's picture.
    """

    scene: str
    object_id: str
    category: str
    setting: Setting
    lifted: bool
    allowed: bool
    cause: str | None
    parts: tuple[str, ...]
    grasp: dict[str, float | None] | None


def run_trials(
    config: TrialConfig,
    models: Sequence[str],
    out: Path | str,
    *,
    film: bool = False,
    workers: int | None = None,
    ray: str = "",
    bar: Bar = lambda stream, total, title: stream,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, list[Trial]]:
    """Trials of every model.

    Args:
        config: Objects, poses and robot.
        models: Models, run folders and baselines by name; also `oracle` and `random` (on the object).
        out: Report folder, new or begun with the same configuration.
        film: Also write a film strip and an animation of each trial.
        workers: Processes; all cores by default.
        ray: "local" or a cluster's address, to run the scenes there.
        bar: Wraps a stream of work in a progress bar.
        say: Called with a line before a model is loaded.

    Raises:
        InputError: an object, a model, a number or the folder is not valid.
    """
    if not models:
        raise InputError("--models is empty; valid are models, run folders and baselines with commas between")
    # All that can be wrong comes before the first file.
    names, scenes = short_names(models), scene_names(config)
    check(config)
    folder = begin(Path(out).resolve(), asdict(config))
    make = partial(make_scene, config=config, folder=folder)
    for _ in bar(in_order(make, scenes, workers=workers, ray=ray), len(scenes), "scenes"):
        pass
    for model, name in zip(models, names, strict=True):
        answer(model, name, scenes, folder, config, bar=bar, say=say)
    carry = partial(carry_out_scene, names=tuple(names), config=config, folder=folder, film=film)
    trials: dict[str, list[Trial]] = {name: [] for name in names}
    for done in bar(in_order(carry, scenes, workers=workers, ray=ray), len(scenes), "trials"):
        for name in names:
            trials[name] += [Trial(**{**row, "parts": tuple(row["parts"])}) for row in done[name]]
    return trials


def check(config: TrialConfig) -> None:
    """Raise for what no trial can be made with.

    Raises:
        InputError: a value is outside its range, or the robot's model is not there.
    """
    if config.poses < 1:
        raise InputError(f"--poses is {config.poses}; valid is 1 or more")
    if config.seed < 0:
        raise InputError(f"--seed is {config.seed}; valid is 0 or more")
    robot_of(config)


def scene_names(config: TrialConfig) -> list[str]:
    """`SET-OBJECT-POSE` of every scene, objects in their order."""
    from graspwise.sim.catalogue import entries

    # Once each: `mug,household:mug` would have two processes write one folder.
    found = dict.fromkeys(entries(config.objects))
    return [f"{entry.set}-{entry.name}-{pose}" for entry in found for pose in range(config.poses)]


def make_scene(name: str, *, config: TrialConfig, folder: Path) -> None:
    """Compose, render and write a scene, with grasps that lift for each setting and a random one."""
    from graspwise.sim.catalogue import entries
    from graspwise.sim.label import label_object, random_grasp_on
    from graspwise.sim.render import render, write_scene
    from graspwise.sim.scene import settled_scene

    target = folder / "scenes" / name
    if (target / "grasps.json").is_file():
        return
    set_name, _, member = name.rpartition("-")[0].partition("-")
    entry = entries([f"{set_name}:{member}"])[0]
    seed = zlib.crc32(f"{name} {config.seed}".encode())
    rng = np.random.default_rng(seed)
    object_id, thing = entry.draw(rng)
    robot = robot_of(config)
    # A seed of MuJoCo's size leaves room for the attempts that follow it.
    _, scene, _ = settled_scene(lambda: ([object_id], [thing]), seed=seed // 2, robot=robot)
    view = render(scene)
    widest = robot.gripper.max_opening
    shared: dict[str, Any] = {"index": 1, "robot": robot, "count": ORACLE_CANDIDATES, "trials": ORACLE_TRIALS}
    best = {}
    for setting, opening in (("any", widest), ("narrow", config.narrow)):
        labels = label_object(scene, view, **shared, seed=config.seed, max_opening=opening, enough=True)
        best[setting] = grasp_json(labels[0].grasp) if labels else None
    guess = random_grasp_on(view, index=1, max_opening=widest, focal=scene.camera.fx, rng=rng)
    with replacing_folder(target) as temporary:
        write_scene(temporary, scene, view)
        grasps = {ORACLE: best, RANDOM: {setting: grasp_json(guess) for setting in SETTINGS}}
        write_json(
            temporary / "grasps.json",
            {"object_id": object_id, "category": thing.category, "seed": scene.seed, "grasps": grasps},
        )


def robot_of(config: TrialConfig) -> Any:
    """The robot by name."""
    if config.robot == "panda":
        from graspwise.sim.panda import Panda

        return Panda(Path(config.panda_model) if config.panda_model else None)
    from graspwise.sim.gripper import Gantry

    return Gantry()


def instruction_for(category: str, setting: Setting, config: TrialConfig) -> str:
    """What a model is asked."""
    limit = f" My gripper opens {config.narrow * 1000:.0f} mm." if setting == "narrow" else ""
    return f"Pick up the {category}.{limit}"


def answer(
    model: str, name: str, scenes: Sequence[str], folder: Path, config: TrialConfig, *, bar: Bar,
    say: Callable[[str], None],
) -> None:  # fmt: skip
    """Write `answers/NAME.json`: a grasp and a reason for every scene and setting."""
    written = folder / "answers" / f"{name}.json"
    if written.is_file():
        return
    known = {scene: read_json(folder / "scenes" / scene / "grasps.json") for scene in scenes}
    rows = []
    if model in (ORACLE, RANDOM):
        for scene in scenes:
            for setting in SETTINGS:
                rows.append({"scene": scene, "setting": setting, "grasp": known[scene]["grasps"][model][setting]})
    else:
        from graspwise.predict import answer_together, load

        say(f"model {name}")
        loaded = load(model, say=say)
        asked = [(scene, setting) for scene in scenes for setting in SETTINGS]
        batches = [asked[i : i + BATCH] for i in range(0, len(asked), BATCH)]
        for batch in bar(iter(batches), len(batches), name):
            places = [folder / "scenes" / scene for scene, _ in batch]
            views = [
                loaded.look(place / "rgb.png", depth=place / "depth.png" if loaded.takes_depth else None)
                for place in places
            ]
            asked_for = [
                [user_turn(instruction_for(known[scene]["category"], setting, config))] for scene, setting in batch
            ]
            for (scene, setting), given in zip(batch, answer_together(views, asked_for), strict=True):
                rows.append(
                    {
                        "scene": scene, "setting": setting, "reasoning": given.reasoning, "seconds": given.seconds,
                        "grasp": None if given.grasp is None else grasp_json(given.grasp),
                    }
                )  # fmt: skip
    write_json(written, rows)


def carry_out_scene(
    name: str, *, names: Sequence[str], config: TrialConfig, folder: Path, film: bool
) -> dict[str, list[dict[str, Any]]]:
    """All models' grasps in one scene, under the same conditions; trials already written are read."""
    from graspwise.sim.catalogue import thing_of
    from graspwise.sim.film import Film
    from graspwise.sim.render import read_view
    from graspwise.sim.scene import compose
    from graspwise.sim.trial import Conditions, try_grasp

    written = folder / "trials" / f"{name}.json"
    done: dict[str, list[dict[str, Any]]] = read_json(written) if written.is_file() else {}
    missing = [model for model in names if model not in done]
    if not missing:
        return done
    known = read_json(folder / "scenes" / name / "grasps.json")
    robot = robot_of(config)
    scene = compose([thing_of(known["object_id"])], seed=known["seed"], robot=robot)
    view = read_view(folder / "scenes" / name)
    conditions = Conditions.drawn(np.random.default_rng([zlib.crc32(name.encode()), config.seed, 9]))
    limits = {"any": robot.gripper.max_opening, "narrow": config.narrow}
    for model in missing:
        rows = [row for row in read_json(folder / "answers" / f"{model}.json") if row["scene"] == name]
        done[model] = []
        for row in rows:
            grasp = None if row["grasp"] is None else Grasp(**row["grasp"])
            with Film() as reel:
                outcome = try_grasp(
                    scene, view, grasp, target=1, robot=robot, conditions=conditions,
                    max_opening=limits[row["setting"]], film=reel if film and row["setting"] == "any" else None,
                )  # fmt: skip
                if reel.marked:
                    write_film(reel, folder / "films" / model / name)
            trial = Trial(
                name, known["object_id"], known["category"], row["setting"], outcome.lifted, outcome.allowed,
                outcome.cause, outcome.parts, row["grasp"],
            )  # fmt: skip
            done[model].append(asdict(trial))
    write_json(written, done)
    return done


def write_film(reel: "Film", path: Path) -> None:
    """`PATH.png`, a strip, and `PATH.webp`, an animation."""
    with replacing(path.with_name(f"{path.name}.png")) as temporary:
        reel.strip().save(temporary)
    with replacing(path.with_name(f"{path.name}.webp")) as temporary:
        reel.animate(temporary)
