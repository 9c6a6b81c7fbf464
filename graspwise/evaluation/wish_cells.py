"""A model's part of the wishes' benchmark: its cells, small JSON files that are gone on with and never mixed.

`wishes-SEED-NAME.json` (its answers, written after each scene), `robustness-SEED-NAME.json`, `trials-SEED-NAME.json`.
Each says which model with which weights it is of; one of another is refused.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from graspwise.data.wish_scenes import read_scene
from graspwise.errors import InputError
from graspwise.evaluation.cells import cell_path, check_same, rows_of, write_cell
from graspwise.evaluation.runs import Bar
from graspwise.evaluation.wish_baselines import TOLD, Asker, ModelAsker, open_asker, reading_of
from graspwise.evaluation.wish_questions import Question, Stage
from graspwise.evaluation.wish_robustness import CaseRecord, cases_of, try_cases
from graspwise.evaluation.wish_score import WishRecord, names_targets, record_of, with_plate
from graspwise.evaluation.wish_trials import WishTrial, run_wish_trials
from graspwise.files import read_json

WISHES, ROBUSTNESS, TRIALS = "wishes", "robustness", "trials"
Say = Callable[[str], None]


@dataclass
class ModelRun:
    """One model's part of the benchmark; it is loaded when something is left to ask.

    Attributes:
        model: As given.
        name: For the report.
        folder: Report folder.
        places: Folder with the scenes.
        seed: The benchmark's.
        plate: Length of the labels' jaw plates, fraction of the picture's width, for answers that give none; None
            where nothing has a right label.
        grconvnet: Run folder that its answers come from; "" for none.
        say: Called with a line before it is loaded.
    """

    model: str
    name: str
    folder: Path
    places: Path
    seed: int
    plate: float | None
    grconvnet: str
    say: Say

    @cached_property
    def asker(self) -> Asker:
        self.say(f"model {self.name}")
        return open_asker(self.model, grconvnet=self.grconvnet, say=self.say)

    def path(self, kind: str) -> Path:
        return cell_path(self.folder, kind, self.seed, self.name)

    def begun(self, kind: str) -> dict[str, Any] | None:
        """The cell as far as it is there.

        Raises:
            InputError: it is there, of another model or GR-ConvNet or of other weights, or it is damaged.
        """
        path = self.path(kind)
        if not path.is_file():
            return None
        cell = read_json(path)
        if not isinstance(cell, dict):
            raise InputError(f"{path}: is no cell of this benchmark; remove that file")
        check_same(path, cell, self.uses)
        return cell

    @cached_property
    def uses(self) -> dict[str, Any]:
        """What all of the cells depend on."""
        from graspwise.model.load import fingerprint

        weights, _ = reading_of(self.model)
        # A folder counts by its own name: where it lies is no matter of the report's.
        return {
            "model": self.name if Path(weights).is_dir() else self.model, "grconvnet": Path(self.grconvnet).name,
            "weights": fingerprint(self.grconvnet or weights), "seed": self.seed,
        }  # fmt: skip

    def stage(self, place: str) -> Stage:
        return Stage(read_scene(self.places / place))

    def wishes(self, questions: Sequence[Question], *, bar: Bar) -> tuple[str, list[WishRecord]]:
        """The asker's note and a record for every question; written after each scene."""
        path = self.path(WISHES)
        cell = self.begun(WISHES) or {**self.uses, "note": "", "date": "", "records": []}
        records = {(r.place, r.kind, r.wish): r for r in rows_of(cell, "records", path=path, read=WishRecord.from_json)}
        by_place: dict[str, list[Question]] = {}
        for question in questions:
            if (question.place, question.kind, question.text) not in records:
                by_place.setdefault(question.place, []).append(question)
        if records and by_place:
            # The name may be chosen by another model than before, where the first cannot be had.
            check_same(path, cell, {"note": self.asker.note})
        for place in bar(iter(by_place), len(by_place), self.name) if by_place else ():
            stage = self.stage(place)
            for question in by_place[place]:
                said = with_plate(self.asker.ask(stage, question), self.plate)
                record = record_of(question, said, stage)
                records[record.place, record.kind, record.wish] = record
            cell |= {"note": self.asker.note, "date": time.strftime("%Y-%m-%d"), "records": list(records.values())}
            write_cell(path, cell)
        return str(cell.get("note", "")), [records[q.place, q.kind, q.text] for q in questions]

    def robustness(self, questions: Sequence[Question]) -> list[dict[str, Any]] | None:
        """What became of bad input; None for what is told where things are."""
        path = self.path(ROBUSTNESS)
        cell = self.begun(ROBUSTNESS)
        if cell is not None:
            found = rows_of(cell, "cases", path=path, read=lambda row: CaseRecord(**row))
        elif self.model in TOLD or not isinstance(self.asker, ModelAsker):
            return None
        else:
            found = try_cases(self.asker, cases_of(questions, self.stage))
            write_cell(path, {**self.uses, "cases": found})
        return [asdict(case) for case in found]

    def trials(
        self, questions: Sequence[Question], records: Sequence[WishRecord], *, workers: int | None, ray: str, bar: Bar
    ) -> list[WishTrial]:
        """The robot trials of these questions; those that are there are not done again."""
        path = self.path(TRIALS)
        cell = self.begun(TRIALS) or {**self.uses, "trials": []}
        rows = rows_of(cell, "trials", path=path, read=WishTrial.from_json)
        known = {(row.scene, row.wish): row for row in rows}
        missing = [question for question in questions if (question.scene, question.text) not in known]
        if missing:
            found = run_wish_trials(
                missing, records, self.places / "unseen", seed=self.seed, names_targets=names_targets(records),
                workers=workers, ray=ray, bar=bar, title=f"{self.name} trials",
            )  # fmt: skip
            known |= {(row.scene, row.wish): row for row in found}
            write_cell(path, {**cell, "trials": list(known.values())})
        return [known[question.scene, question.text] for question in questions]
