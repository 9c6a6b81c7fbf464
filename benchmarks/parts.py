"""What each part of `small` is worth, measured alone on the folds of `graspwise benchmark cornell`.

    graspwise benchmark cornell --data CORNELL --out REPORT
    python benchmarks/parts.py readings REPORT --folds 0,1,2,3,4 --out results/parts
    python benchmarks/parts.py budgets REPORT --folds 0 --out results/parts
    python benchmarks/parts.py names REPORT --folds 0,1,2,3,4 --out results/parts
    python benchmarks/parts.py digits REPORT --folds 0 --out results/parts

`readings` reads the folds' dense heads from one view and from eight, with and without a direction's certainty in the
quality; `budgets` trains heads of less; `names` asks for the category with and without closer looks; `digits` weighs
the language model's digits against the map's. Test photographs are those of the fold.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graspwise.conversation import user_turn
from graspwise.data.split import make_split
from graspwise.data.store import Dataset, Sample
from graspwise.evaluation.exposure import known_categories, training_photographs
from graspwise.evaluation.naming import majority_names, nearest_names
from graspwise.evaluation.score import UNNAMED, in_percent
from graspwise.grasp import Grasp
from graspwise.metric import is_hit
from graspwise.model.grasp_map import CERTAINTY, best_grasps
from graspwise.model.grasp_model import GraspModel
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.load import load_model
from graspwise.model.memory import Memory
from graspwise.picture import Picture
from graspwise.train.examples import Example, plain_example
from graspwise.train.loop import fit
from graspwise.train.parts import divide, plate_length
from graspwise.train.recipe import SMALL, TrainConfig
from graspwise.train.run import freeze
from graspwise.train.tasks import MapsTask

BATCH = 16
Rows = dict[str, list[dict[str, Any]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=tuple(PARTS))
    parser.add_argument("report", type=Path, help="folder of a benchmark, with its work/")
    parser.add_argument("--folds", default="0,1,2,3,4")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    work = options.report / "work"
    dataset = Dataset(work / "data" / "reasoned")
    rows: Rows = {}
    folds = [int(word) for word in options.folds.split(",")]
    for fold in folds:
        split = make_split(dataset, by="object", folds=5, fold=fold, validation=TrainConfig.validation, seed=0)
        test = split.test_samples(dataset)
        for name, found in PARTS[options.part](dataset, split, test, work / "runs" / f"object-{fold}").items():
            rows.setdefault(name, []).extend(found)
        for name, found in rows.items():
            print(name, {k: round(100 * float(np.mean([r[k] for r in found])), 2) for k in found[0] if k != "object"})
    value = {
        "date": time.strftime("%Y-%m-%d"), "part": options.part, "split": "object", "folds": folds, "seed": 0,
        "rows": {name: summary(found) for name, found in rows.items()},
    }  # fmt: skip
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{options.part}.json").write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Percent and 95% interval over objects of each figure."""
    objects, value = [row["object"] for row in found], {"n": len(found)}
    for key in (k for k in found[0] if k != "object"):
        percent, ci95 = in_percent([row[key] for row in found], objects)
        value[key] = {"percent": percent, "ci95": ci95}
    return value


def outcome(grasp: Grasp | None, example: Example) -> dict[str, Any]:
    def right(width: str) -> bool:
        return grasp is not None and is_hit(grasp, labels=example.rectangles, image_size=example.size, width=width)

    return {"object": example.sample.object_id, "right": right("label"), "right, own opening": right("own")}


def readings(dataset: Dataset, split: Any, test: Sequence[Sample], runs: Path) -> Rows:
    return read_head(load_model(str(runs) + "-align"), dataset, test)


def budgets(dataset: Dataset, split: Any, test: Sequence[Sample], runs: Path) -> Rows:
    parts = divide(dataset, split)
    rows: Rows = {}
    for samples in (2_400, 9_600):
        model = load_model("small-base", merged=False)
        task = MapsTask(model, dataset, distinct=SMALL.distinct_maps, training=parts.training, validation=[], seed=0)
        with tempfile.TemporaryDirectory() as folder:
            fit(task, replace(SMALL.maps, samples=samples), folder=Path(folder), seed=0, watch=0, report=lambda p: None)
        freeze(model.head)
        model.card = replace(model.card, plate=plate_length(parts.training))
        rows |= {f"{samples:,} samples, {name}": found for name, found in read_head(model, dataset, test).items()}
    return rows


def read_head(model: GraspModel, dataset: Dataset, test: Sequence[Sample]) -> Rows:
    """What the dense head says, from one view and from eight, with and without certainty."""
    assert model.head is not None
    rows: Rows = {}
    for start in range(0, len(test), BATCH):
        examples = [plain_example(dataset, s, size=model.image_size) for s in test[start : start + BATCH]]
        pixel_values = model.pixel_values([e.rgb for e in examples])
        with torch.inference_mode():
            one = model.head(model.vlm.model.vision_tower.dense(pixel_values))
        for view, maps in (("one view", one), ("eight views", model.grasp_maps(model.look(pixel_values)))):
            for title, certainty in (("", 0.0), (", certainty", CERTAINTY)):
                grasps = best_grasps(maps, plate=model.card.plate, certainty=certainty)
                found = [outcome(g[0], e) for g, e in zip(grasps, examples, strict=True)]
                rows.setdefault(view + title, []).extend(found)
    return rows


def names(dataset: Dataset, split: Any, test: Sequence[Sample], runs: Path) -> Rows:
    photographs = training_photographs(dataset, split)
    known = known_categories(photographs)
    asked = [s for s in test if s.category in known]
    model = load_model(str(runs) + "-align")
    assert model.memory is not None
    looks = []
    for start in range(0, len(asked), BATCH):
        pictures = [plain_example(dataset, s, size=model.image_size).rgb for s in asked[start : start + BATCH]]
        pixel_values = model.pixel_values(pictures)
        looks.append(model.looks(pixel_values, model.grasp_maps(model.look(pixel_values))))
    seen, memory = torch.cat(looks), model.memory
    whole = Memory(memory.names, memory.objects, memory.looks[:, :1], memory.center[:1])
    called = {
        "majority": majority_names(photographs, asked),
        "nearest photograph": nearest_names(model, dataset, photographs, asked),
        "memory, whole picture": [row[0] for row in whole.nearest(seen[:, :1], count=1)],
        "memory, and two closer looks": [row[0] for row in memory.nearest(seen, count=1)],
    }
    return {
        title: [{"object": s.object_id, "named": name == s.category} for s, name in zip(asked, found, strict=True)]
        for title, found in called.items()
    }


def digits(dataset: Dataset, split: Any, test: Sequence[Sample], runs: Path) -> Rows:
    model = load_model(str(runs) + "-lora-reasoned")
    examples = [plain_example(dataset, s, size=model.image_size) for s in test]
    rows: Rows = {}
    for trust in (0.0, 2.0, 8.0):
        responder = LlavaResponder("", model, trust=trust)
        for start in range(0, len(test), BATCH):
            batch = examples[start : start + BATCH]
            answers = responder.respond([Picture(e.rgb) for e in batch], [[user_turn(UNNAMED)]] * len(batch))
            name = f"product, trust {trust:g}" if trust else "language model alone"
            rows.setdefault(name, []).extend(outcome(a.grasp, e) for a, e in zip(answers, batch, strict=True))
    for start in range(0, len(test), BATCH):
        batch = examples[start : start + BATCH]
        maps = model.grasp_maps(model.look(model.pixel_values([e.rgb for e in batch])))
        grasps = best_grasps(maps, plate=model.card.plate)
        found = [outcome(g[0], e) for g, e in zip(grasps, batch, strict=True)]
        rows.setdefault("dense head alone", []).extend(found)
    return rows


PARTS = {"readings": readings, "budgets": budgets, "names": names, "digits": digits}

if __name__ == "__main__":
    main()
