"""The figures of the wishes' benchmark: what `report.json` holds, from which all of the report is made."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from graspwise.evaluation.score import UNNAMED
from graspwise.evaluation.wish_baselines import LABELS, PEERS
from graspwise.evaluation.wish_benchmark import WishBenchmark
from graspwise.evaluation.wish_gallery import picks
from graspwise.evaluation.wish_score import SETS, paired, summarise_wishes
from graspwise.evaluation.wish_tables import published_json
from graspwise.evaluation.wish_trials import trial_figures


def wishes_figures(done: WishBenchmark, *, command: str) -> dict[str, Any]:
    """What `report.json` holds."""
    records = {name: cell["records"] for name, cell in done.cells.items()}
    reference = reference_of(list(records))
    models = {}
    for name, rows in records.items():
        cell = done.cells[name]
        alone = reference is None or name == reference
        models[name] = {
            "note": cell["note"],
            **summarise_wishes(rows),
            "minus": {
                objects: None if alone else paired(records[str(reference)], rows, objects=objects) for objects in SETS
            },
            "robustness": cell["robustness"],
            "trials": trial_figures(cell["trials"]) if cell["trials"] else None,
            "trial_rows": [asdict(trial) for trial in cell["trials"]],
        }
    shown = reference or next(iter(records), None)
    things = (done.config.fewest, done.config.most)
    return {
        "protocol": (
            f"{done.count} scenes of each set that no training data has, {things[0]} to {things[1]} things on a table "
            "seen from above; wordings of families that are for testing only, but for half of the wishes that name no "
            f"target, which are `{UNNAMED}`; right is what a gripper in simulation lifts by a part that may be held"
        ),
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "config": {**asdict(done.config), "count": done.count},
        "asked": {
            objects: dict(Counter(q.kind for q in done.questions if q.objects == objects)) for objects in SETS
        },
        "published": published_json(),
        "reference": reference,
        "models": models,
        "blank": list(done.blank),
        "gallery": None
        if shown is None
        else {"model": shown, "picks": picks(done.questions, records[shown], seed=done.config.seed)},
    }  # fmt: skip


def reference_of(names: Sequence[str]) -> str | None:
    """The model that the others are compared with: the first that is no baseline."""
    from graspwise.model.baselines import BASELINES

    return next((name for name in names if name not in (*BASELINES, *PEERS, LABELS)), None)
