"""Reasoning Grasping's benchmark in simulation: who is asked what, kept so that what is there is not done again.

A report folder holds `questions.json`, the scenes unless they are elsewhere, and `cells/`: for each model
`wishes-SEED-NAME.json` (its answers, written after each scene), `robustness-SEED-NAME.json`, `trials-SEED-NAME.json`.
Scenes are as `graspwise dataset build sim` makes them, `seen/` of the set `train` and `unseen/` of `household`, with
seeds of their own, so that no training data has the same ones.
"""

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graspwise.data.sim import SimConfig, make_scenes
from graspwise.data.sim import check as check_scenes
from graspwise.data.wish_scenes import WishScene, read_scene
from graspwise.errors import InputError
from graspwise.evaluation.cells import cell_path, write_cell
from graspwise.evaluation.trials import Bar, short_names
from graspwise.evaluation.wish_baselines import PEERS, TOLD, Asker, ModelAsker, check_peer, open_asker
from graspwise.evaluation.wish_questions import Question, Seen, Stage, kept_questions
from graspwise.evaluation.wish_robustness import cases_of, try_cases
from graspwise.evaluation.wish_score import WishRecord, names_targets, record_of
from graspwise.evaluation.wish_trials import WishTrial, run_wish_trials, trial_questions
from graspwise.files import is_begun, read_json, write_json

if TYPE_CHECKING:
    from graspwise.sim.catalogue import SetName

OBJECTS: "dict[Seen, SetName]" = {"seen": "train", "unseen": "household"}
WISHES, ROBUSTNESS, TRIALS = "wishes", "robustness", "trials"
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
        cells: By the model's name: `note`, `records`, `robustness`, `trials` as JSON has them.
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
    questions = kept_questions(folder / "questions.json", scenes_of(places, count), seed=config.seed)
    carried = trial_questions(questions, trials)
    blank = tuple(name for model, name in zip(models, names, strict=True) if model in PEERS and not grconvnet)
    cells: dict[str, dict[str, Any]] = {}
    for model, name in zip(models, names, strict=True):
        if name in blank:
            say(f"{name}: left out, because there is no --grconvnet")
            continue
        run = ModelRun(model, name, folder, places, config, grconvnet if model in PEERS else "", say)
        cell = run.wishes(questions, bar=bar)
        records = read_records(cell)
        cells[name] = {
            "note": cell["note"], "records": cell["records"], "robustness": run.robustness(questions),
            "trials": run.trials(carried, records, workers=workers, ray=ray, bar=bar),
        }  # fmt: skip
    return WishBenchmark(config, count, places, tuple(questions), cells, blank)


def begin(folder: Path, config: dict[str, Any]) -> Path:
    """The folder with its configuration.

    Raises:
        InputError: it was begun with another one, or holds something else.
    """
    if not is_begun(folder / "config.json", config):
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError(f"{folder}: is not empty and was not begun by this benchmark; give a new folder")
        write_json(folder / "config.json", config)
    return folder


def scenes_of(places: Path, count: int) -> list[tuple[Seen, WishScene]]:
    """The first `count` scenes of each set."""
    return [(objects, read_scene(places / objects / f"{number:06d}")) for objects in OBJECTS for number in range(count)]


def read_records(cell: dict[str, Any]) -> list[WishRecord]:
    """The records of a cell."""
    return [WishRecord(**{**row, "grasps": tuple(row["grasps"])}) for row in cell["records"]]


@dataclass
class ModelRun:
    """One model's part of the benchmark; it is loaded when something is left to ask.

    Attributes:
        model: As given.
        name: For the report.
        folder: Report folder.
        places: Folder with the scenes.
        config: How scenes and questions were made.
        grconvnet: Run folder that its answers come from; "" for none.
        say: Called with a line before it is loaded.
    """

    model: str
    name: str
    folder: Path
    places: Path
    config: WishBenchmarkConfig
    grconvnet: str
    say: Say
    _asker: Asker | None = None

    @property
    def asker(self) -> Asker:
        if self._asker is None:
            self.say(f"model {self.name}")
            self._asker = open_asker(self.model, grconvnet=self.grconvnet, say=self.say)
        return self._asker

    def path(self, kind: str) -> Path:
        return cell_path(self.folder, kind, self.config.seed, self.name)

    def begun(self, kind: str) -> dict[str, Any] | None:
        """The cell as far as it is there.

        Raises:
            InputError: it is there, of another model or GR-ConvNet.
        """
        path = self.path(kind)
        if not path.is_file():
            return None
        cell: dict[str, Any] = read_json(path)
        uses = self.uses()
        changed = [key for key in uses if cell.get(key) != uses[key]]
        if changed:
            raise InputError(f"{path}: made with another {', '.join(changed)}; give a new --out, or remove that file")
        return cell

    def uses(self) -> dict[str, Any]:
        # A folder counts by its own name: where it lies is no matter of the report's.
        model = self.name if Path(self.model).is_dir() else self.model
        return {"model": model, "grconvnet": Path(self.grconvnet).name, "seed": self.config.seed}

    def stage(self, place: str) -> Stage:
        return Stage(read_scene(self.places / place))

    def wishes(self, questions: Sequence[Question], *, bar: Bar) -> dict[str, Any]:
        """The cell with a record for every question; written after each scene."""
        cell = self.begun(WISHES) or {**self.uses(), "note": "", "date": "", "records": []}
        wanted = {(question.place, question.kind, question.text) for question in questions}
        records = {(r.place, r.kind, r.wish): r for r in read_records(cell)}
        by_place: dict[str, list[Question]] = {}
        for question in questions:
            if (question.place, question.kind, question.text) not in records:
                by_place.setdefault(question.place, []).append(question)
        for place in bar(iter(by_place), len(by_place), self.name) if by_place else ():
            stage = self.stage(place)
            for question in by_place[place]:
                record = record_of(question, self.asker.ask(stage, question), stage)
                records[record.place, record.kind, record.wish] = record
            cell |= {"note": self.asker.note, "date": time.strftime("%Y-%m-%d"), "records": list(records.values())}
            write_cell(self.path(WISHES), cell)
        done = [asdict(record) for key, record in records.items() if key in wanted]
        return {**cell, "records": done}

    def robustness(self, questions: Sequence[Question]) -> list[dict[str, Any]] | None:
        """What became of bad input; None for what is told where things are."""
        cell = self.begun(ROBUSTNESS)
        if cell is None:
            if self.model in TOLD or not isinstance(self.asker, ModelAsker):
                return None
            found = try_cases(self.asker, cases_of(questions, self.stage))
            cell = {**self.uses(), "cases": [asdict(record) for record in found]}
            write_json(self.path(ROBUSTNESS), cell)
        cases: list[dict[str, Any]] = cell["cases"]
        return cases

    def trials(
        self, questions: Sequence[Question], records: Sequence[WishRecord], *, workers: int | None, ray: str, bar: Bar
    ) -> list[WishTrial]:
        """The robot trials of these questions; those that are there are not done again."""
        cell = self.begun(TRIALS) or {**self.uses(), "trials": []}
        rows = [WishTrial(**{**row, "parts": tuple(row["parts"])}) for row in cell["trials"]]
        known = {(row.scene, row.wish): row for row in rows}
        missing = [question for question in questions if (question.scene, question.text) not in known]
        if missing:
            found = run_wish_trials(
                missing, records, self.places / "unseen", seed=self.config.seed,
                names_targets=names_targets(records), workers=workers, ray=ray, bar=bar, title=f"{self.name} trials",
            )  # fmt: skip
            known |= {(row.scene, row.wish): row for row in found}
            write_cell(self.path(TRIALS), {**cell, "trials": list(known.values())})
        return [known[question.scene, question.text] for question in questions]
