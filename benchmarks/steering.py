"""FiLM or attention: what makes the steered head take what the answer names, measured on scenes not trained on.

    graspwise dataset build wishes --scenes SCENES --samples 6000 --out WISHES
    python benchmarks/steering.py WISHES --run FOLDER [--samples 4800] [--base small] --out results/parts/steering.json
    python benchmarks/steering.py WISHES --run RUN --names --out results/parts/cell_names.json

Heads conditioned by FiLM alone, by attention alone and by both learn from the same batches, one pass, on the frozen
tower; the target's state is read off the right answer by the untuned language model, so that what is measured is the
head and not the words. A fifth of the scenes is kept for testing. `none` is the dense head they all begin as.

`--names` reads a finished run of the strategy spt instead, on the scenes that it watched and was not trained on: its
steered head without the names at the cells, weighed by the target's own name there, and by a wrong one.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from graspwise.data.split import Split, make_split
from graspwise.data.store import Dataset, Sample
from graspwise.evaluation.score import in_percent
from graspwise.files import read_json, write_json
from graspwise.metric import is_hit
from graspwise.model.grasp_map import best_grasps
from graspwise.model.grasp_model import GraspModel
from graspwise.model.load import load_model, new_steered_head
from graspwise.model.steering import SteeredHead
from graspwise.train.examples import plain_example
from graspwise.train.loop import Progress, fit
from graspwise.train.parts import divide
from graspwise.train.recipe import SMALL, Stage
from graspwise.train.steer_tasks import SteerTask, names_target, reason_states
from graspwise.train.tasks import autocast

KINDS = ("film", "attention", "both")


class Heads(nn.Module):
    """Steered heads of each kind, as one module with the sum of their losses."""

    def __init__(self, model: GraspModel, *, seed: int) -> None:
        super().__init__()
        heads = {}
        for kind in KINDS:
            torch.manual_seed(seed)
            heads[kind] = new_steered_head(model).float()
        self.heads = nn.ModuleDict(heads)

    def maps(self, kind: str, dense: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        head = self.heads[kind]
        assert isinstance(head, SteeredHead)
        maps, place = head(dense, states)
        if kind == "both":
            return maps, place
        condition = head.mlp(states.to(next(head.mlp.parameters()).dtype))
        if kind == "film":
            # Nothing is learned of where the target is.
            return head.maps(dense, condition), torch.zeros_like(place)
        quality, *pose = head.maps(dense, torch.zeros_like(condition)).unbind(1)
        quality = quality + head.power * nn.functional.logsigmoid(place)
        return torch.stack([quality, *pose], 1), place


class HeadsTask(SteerTask):
    """As `SteerTask`, for heads of all kinds at once."""

    def __init__(self, model: GraspModel, dataset: Dataset, *, heads: Heads, **kwargs: Any) -> None:
        super().__init__(model, dataset, **kwargs)
        self.heads = heads.train()

    def parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.heads.named_parameters())

    def maps(self, places: Any, dense: Tensor) -> Any:
        states = torch.stack([self.states[place] for place in places])
        return [self.heads.maps(kind, dense, states) for kind in KINDS]

    def compare(self, maps: Any, labels: Any) -> Tensor:
        return sum((super(HeadsTask, self).compare(one, labels) for one in maps), torch.zeros(()))


@torch.inference_mode()
def rights(task: HeadsTask, heads: Heads, samples: list[Sample]) -> dict[str, list[dict[str, Any]]]:
    """By kind of head, for each sample whether its best grasp, and one of its three best, is right."""
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in ("none", *KINDS)}
    heads.eval()
    model = task.model
    assert model.head is not None
    for start in range(0, len(samples), 16):
        batch = samples[start : start + 16]
        examples = task.plain(batch)
        dense = model.vlm.model.vision_tower.dense(model.pixel_values([e.rgb for e in examples]))
        states = torch.stack(reason_states(model, batch))
        with autocast(model):
            maps = {"none": model.head(dense), **{kind: heads.maps(kind, dense, states)[0] for kind in KINDS}}
        for kind, drawn in maps.items():
            for e, grasps in zip(examples, best_grasps(drawn.float(), plate=model.card.plate), strict=True):
                hits = [is_hit(g, labels=e.rectangles, image_size=e.size) for g in grasps[:3]]
                rows[kind].append({"scene": e.sample.object_id, "r1": hits[0], "r3": any(hits)})
    return rows


@torch.inference_mode()
def named_rights(model: GraspModel, dataset: Dataset, samples: list[Sample]) -> dict[str, list[dict[str, Any]]]:
    """By how the names at the cells are used, for each sample whether its best grasp, and one of three, is right."""
    assert model.scene_names is not None
    rng = np.random.default_rng(0)
    rows: dict[str, list[dict[str, Any]]] = {}
    for sample in samples:
        example = plain_example(dataset, sample, size=model.image_size)
        dense, state = model.look(model.pixel_values([example.rgb])), torch.stack(reason_states(model, [sample]))
        assert sample.wish is not None
        right = str(sample.wish.targets[0]["name"])
        wrong = str(rng.choice([name for name in model.scene_names.names if not right.endswith(name)]))
        for kind, target in (("no names", None), ("its own name", right), ("a wrong name", wrong)):
            maps = model.steered_maps(dense, state, targets=[target])
            [grasps] = best_grasps(maps, plate=model.card.plate)
            hits = [is_hit(g, labels=example.rectangles, image_size=example.size) for g in grasps[:3]]
            rows.setdefault(kind, []).append({"scene": sample.object_id, "r1": hits[0], "r3": any(hits)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--samples", type=int, default=4_800)
    parser.add_argument("--base", default="small")
    parser.add_argument("--most", type=int, default=400, help="test samples")
    parser.add_argument("--run", type=Path, required=True, help="folder for checkpoints; with --names a finished run")
    parser.add_argument("--names", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    dataset = Dataset(options.data)
    if options.names:
        watched = set(Split.from_json(read_json(options.run / "split.json")).validation)
        test = [sample for sample in dataset if names_target(sample) and sample.object_id in watched]
        model = load_model(str(options.run))
        report(options, named_rights(model, dataset, test[: options.most]), test[: options.most], base="no names")
        return
    split = make_split(dataset, by="object", folds=5, fold=0, validation=0.0, seed=0)
    parts = divide(dataset, split)
    model = load_model(options.base)
    # The maps' own head is in bf16, and learning is not.
    heads = Heads(model, seed=0).to(model.device)
    stage: Stage = replace(SMALL.steer, samples=options.samples)
    task = HeadsTask(
        model, dataset, heads=heads, distinct=options.samples, training=parts.training, validation=[], seed=0
    )

    def told(progress: Progress) -> None:
        print(f"{progress.step}/{progress.steps} loss {progress.loss:.3f}", end="\r", flush=True)

    fit(task, stage, folder=options.run, seed=0, watch=0, report=told)
    test = [sample for sample in split.test_samples(dataset) if names_target(sample)][: options.most]
    report(options, rights(task, heads, test), test, base="film")


def report(
    options: argparse.Namespace, rows: dict[str, list[dict[str, Any]]], test: list[Sample], *, base: str
) -> None:
    value: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"), "seed": 0,
        **({} if options.names else {"base": options.base, "samples": options.samples}),
        "test": {"scenes": len({sample.object_id for sample in test}), "wishes": len(test)}, "rows": {},
    }  # fmt: skip
    for kind, found in rows.items():
        scenes = [row["scene"] for row in found]
        value["rows"][kind] = {}
        for key in ("r1", "r3"):
            percent, ci95 = in_percent([row[key] for row in found], scenes)
            value["rows"][kind][key] = {"percent": percent, "ci95": ci95}
        gain = np.array([a["r1"] for a in found], float) - np.array([b["r1"] for b in rows[base]], float)
        value["rows"][kind][f"minus {base}"] = round(100 * float(gain.mean()), 2)
    if options.out:
        write_json(options.out, value)
    print(value)


if __name__ == "__main__":
    main()
