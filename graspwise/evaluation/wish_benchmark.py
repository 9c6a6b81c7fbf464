"""Reasoning Grasping's benchmark in simulation: who is asked what, kept so that what is there is not done again.

A report folder holds `questions.json`, the scenes unless they are elsewhere, and each model's `cells/`. Scenes are as
`graspwise dataset build sim` makes them, `seen/` of the set `train` and `unseen/` of `household`, with seeds of their
own, so that no training data has the same ones.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from graspwise.data.sim import SimConfig, make_scenes
from graspwise.data.sim import check as check_scenes
from graspwise.data.wish_scenes import WishScene, read_scene
from graspwise.errors import InputError
from graspwise.evaluation.runs import Bar, begin, short_names
from graspwise.evaluation.wish_baselines import PEERS, check_peer
from graspwise.evaluation.wish_cells import ModelRun
from graspwise.evaluation.wish_questions import Question, Seen, kept_questions
from graspwise.evaluation.wish_trials import trial_questions

if TYPE_CHECKING:
    from graspwise.sim.catalogue import SetName

OBJECTS: "dict[Seen, SetName]" = {"seen": "train", "unseen": "household"}
Say = Callable[[str], None]


@dataclass(frozen=True)
class WishBenchmarkConfig:
    """How scenes and questions are made; dumped into `config.json`.

    Attributes:
        fewest: Things in a scene, at least.
        most: At most; a scene's count is drawn between the two.
        candidates: Grasps tried on each thing, to know which are right.
        tries: Trials of each.
        seed: Decides scenes, wishes, friction and errors.
    """

    fewest: int = 1
    most: int = 8
    candidates: int = 24
    tries: int = 4
    seed: int = 0

    def scenes(self, objects: Seen, count: int) -> SimConfig:
        """How the scenes of a set are made."""
        return SimConfig(
            objects=(OBJECTS[objects],), scenes=count, fewest=self.fewest, most=self.most,
            candidates=self.candidates, trials=self.tries,
            seed=zlib.crc32(f"wishes {objects} {self.seed}".encode()),
        )  # fmt: skip


@dataclass(frozen=True)
class WishBenchmark:
    """What was asked, and what each model made of it.

    Attributes:
        config: How it was made.
        count: Scenes of each set.
        scenes: Folder with `seen/` and `unseen/`.
        questions: All questions.
        cells: By the model's name: `note`, `records` and `trials`, and `robustness`, what became of bad input, as JSON
            has it.
        blank: Models that were left out, because no GR-ConvNet was given.
    """

    config: WishBenchmarkConfig
    count: int
    scenes: Path
    questions: tuple[Question, ...]
    cells: dict[str, dict[str, Any]]
    blank: tuple[str, ...]


def run_wishes(
    config: WishBenchmarkConfig,
    models: Sequence[str],
    out: Path | str,
    *,
    count: int = 60,
    scenes: Path | None = None,
    grconvnet: str = "",
    trials: int = 0,
    workers: int | None = None,
    ray: str = "",
    bar: Bar = lambda stream, total, title: stream,
    say: Say = lambda line: None,
) -> WishBenchmark:
    """Ask every model the same wishes.

    Args:
        config: Scenes and seed.
        models: Models, run folders and baselines by name; also `name-first`, `grconvnet`, `oracle+grconvnet`, `oracle`.
        out: Report folder, new or begun with the same configuration.
        count: Scenes of each set; may be raised later.
        scenes: Folder for the scenes, which several reports may share; by default `scenes` in the report folder.
        grconvnet: Run folder of a GR-ConvNet, for the baselines that are built on one.
        trials: Robot trials of each model, 0 for none.
        workers: Processes that make scenes and carry out trials; all cores by default.
        ray: "local" or a cluster's address, to do that there.
        bar: Wraps a stream of work in a progress bar.
        say: Called with a line before a model is loaded.

    Raises:
        InputError: a model, a number or a folder is not valid.
    """
    if not models:
        raise InputError("--models is empty; valid are models, run folders and baselines with commas between")
    # All that can be wrong comes before the first file.
    names = short_names(models)
    given = (("--count", count, 1), ("--tries", config.tries, 1), ("--trials", trials, 0), ("--seed", config.seed, 0))
    for option, value, least in given:
        if value < least:
            raise InputError(f"{option} is {value}; valid is {least} or more")
    for objects, own in OBJECTS.items():
        check_scenes(config.scenes(objects, count), sets=(own,))
    if grconvnet:
        check_peer(grconvnet)
    folder = begin(Path(out), asdict(config))
    places = folder / "scenes" if scenes is None else begin(scenes, asdict(config))
    for objects, own in OBJECTS.items():
        make_scenes(
            config.scenes(objects, count), places / objects, sets=(own,), workers=workers, ray=ray,
            progress=lambda stream, total, title=f"{objects} scenes": bar(stream, total, title),  # type: ignore[misc]
        )  # fmt: skip
    asked_of = scenes_of(places, count)
    questions = kept_questions(folder / "questions.json", asked_of, seed=config.seed)
    if not questions:
        raise InputError(f"{places}: found nothing in view in {2 * count} scenes; valid are more scenes")
    plate = plate_of([scene for _, scene in asked_of])
    carried = trial_questions(questions, trials)
    blank = tuple(name for model, name in zip(models, names, strict=True) if model in PEERS and not grconvnet)
    cells: dict[str, dict[str, Any]] = {}
    for model, name in zip(models, names, strict=True):
        if name in blank:
            say(f"{name}: left out, because there is no --grconvnet")
            continue
        run = ModelRun(
            model, name, folder, places, config.seed, plate, grconvnet if model in PEERS else "", say,
        )  # fmt: skip
        note, records = run.wishes(questions, bar=bar)
        cells[name] = {
            "note": note, "records": records, "robustness": run.robustness(questions),
            "trials": run.trials(carried, records, workers=workers, ray=ray, bar=bar),
        }  # fmt: skip
    return WishBenchmark(config, count, places, tuple(questions), cells, blank)


def scenes_of(places: Path, count: int) -> list[tuple[Seen, WishScene]]:
    """The first `count` scenes of each set."""
    return [(objects, read_scene(places / objects / f"{number:06d}")) for objects in OBJECTS for number in range(count)]


def plate_of(scenes: Sequence[WishScene]) -> float | None:
    """Median plate of the right labels, fraction of the picture's width: the gripper's own; None without labels.

    A model that learns from such labels has it in its card.
    """
    plates = [grasp.grasp.jaw for scene in scenes for grasp in scene.grasps if grasp.is_right]
    known = [plate for plate in plates if plate is not None]
    return round(median(known), 4) if known else None
