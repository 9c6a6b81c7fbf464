"""The whole benchmark on a tiny recipe: cells of every kind, resumed, interrupted, and on Ray."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from killed_workers import killing_one

import graspwise.evaluation.fold as fold_module
from graspwise.errors import InputError
from graspwise.evaluation.benchmark import benchmark_cornell, independent, run_fold
from graspwise.evaluation.cells import read_cells
from graspwise.evaluation.fold import metrics
from graspwise.evaluation.plan import BenchmarkConfig
from graspwise.evaluation.score import Record
from graspwise.train.loop import Interrupted, Progress

ALONE = {"seconds_single": 0.5, "memory_mib": 10.0}


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """Without a fresh process for every cell, and as many threads as a worker of Ray has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_module, "measure_alone", lambda opener, pictures, conversation: ALONE)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def config(cornell_with_depth: Path, tiny_checkpoint: Path) -> BenchmarkConfig:
    return BenchmarkConfig(
        data=str(cornell_with_depth), models=("centre", "head", "grconvnet", "grconvnet-depth", "naming"),
        answers=("bare",), strategies=("lora",), folds=3, run_folds=(0, 2), samples=6, recipe="tiny",
        base=str(tiny_checkpoint),
    )  # fmt: skip


@pytest.fixture(scope="module")
def done(config: BenchmarkConfig, quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return benchmark_cornell(config, out=tmp_path_factory.mktemp("benchmark") / "report")


def by_name(folder: Path, fold: int = 0) -> dict[str, dict[str, Any]]:
    return {cell["cell"]: cell for cell in read_cells(folder) if cell["fold"] == fold}


def timeless(value: Any) -> Any:
    """A cell without what no two runs share."""
    if isinstance(value, dict):
        gone = ("date", "training_seconds", "seconds", "seconds_single", "seconds_median", "memory_mib")
        return {key: timeless(inner) for key, inner in value.items() if key not in gone}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value


def test_every_cell_says_what_it_is(done: Path, config: BenchmarkConfig):
    for fold in (0, 2):
        cells = by_name(done, fold)
        assert set(cells) == {
            "centre", "head", "grconvnet", "grconvnet-depth", "naming-majority", "naming-nearest", "lora-bare"
        }  # fmt: skip
        for cell in cells.values():
            assert cell["split"] == "object" and cell["config"]["folds"] == 3 and cell["summary"]["n"] == 2
        ours = cells["lora-bare"]["training_samples"]
        assert ours["answers"] == 12 and ours["align"] > 0
        assert cells["grconvnet"]["training_samples"] == {"align": 0, "answers": sum(ours.values())}
        assert cells["head"]["training_samples"] == {"align": ours["align"], "answers": 0}
        for name in ("lora-bare", "grconvnet", "grconvnet-depth"):
            assert cells[name]["curve"] == [] and cells[name]["training_seconds"] >= 0
        assert "curve" not in cells["centre"] and "training_seconds" not in cells["centre"]


def test_both_protocols_are_scored_on_the_test_photographs_of_the_splits_file(done: Path):
    splits = json.loads((done / "splits.json").read_text())
    for cell in read_cells(done):
        test = splits["object"][cell["fold"]]["test"]
        if cell["cell"].startswith("naming-"):
            assert sorted(record["image"] for record in cell["names"]) == test["photographs"]
            assert set(cell["summary"]) == {"n", "objects", "naming"} and "records" not in cell
            continue
        assert {key: cell[key] for key in ALONE} == ALONE
        for part in (cell, cell["centred"]):
            records = [Record(**record) for record in part["records"]]
            assert sorted(record.image for record in records) == test["photographs"]
            assert {record.object_id for record in records} == set(test["objects"])
            assert part["summary"]["seen_objects"] == 0
            assert part["summary"]["opening"]["n"] == sum(record.hit for record in records)
    # Nothing weighs the digits of a text alone, which a tiny random model then puts elsewhere.
    trained = by_name(done)["lora-bare"]
    alone = trained["text_alone"]["records"]
    assert [r["image"] for r in alone] == [r["image"] for r in trained["records"]]
    assert [r["grasp"] for r in alone] != [r["grasp"] for r in trained["records"]]
    assert not any("text_alone" in by_name(done)[name] for name in ("head", "grconvnet", "centre"))
    # The centre of another part of the picture is another place of the picture.
    centre = by_name(done)["centre"]
    assert [r["grasp"] for r in centre["records"]] != [r["grasp"] for r in centre["centred"]["records"]]
    assert {r["grasp"]["x"] for r in centre["records"]} == {0.5}


def test_the_peer_with_depth_is_another_network(done: Path):
    runs = done / "work" / "runs"
    cards = [json.loads((runs / f"object-0-{name}" / "model" / "graspwise.json").read_text())
             for name in ("grconvnet", "grconvnet-depth")]  # fmt: skip
    assert [card["channels"] for card in cards] == [3, 4]


def test_what_is_there_is_not_done_again(done: Path, config: BenchmarkConfig):
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    said: list[str] = []
    benchmark_cornell(config, out=done, say=said.append)
    assert said == []
    assert {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()} == before


def test_a_missing_cell_is_done_from_the_run_that_is_there(done: Path, config: BenchmarkConfig):
    path = done / "cells" / "object-0-lora-bare.json"
    run = done / "work" / "runs" / "object-0-lora-bare" / "metrics.jsonl"
    before, trained = json.loads(path.read_text()), run.stat().st_mtime_ns
    path.unlink()
    said: list[str] = []
    benchmark_cornell(replace(config, run_folds=(0,)), out=done, say=said.append)
    assert said[0] == "object-wise fold 0: lora-bare" and len(said) == 2
    assert run.stat().st_mtime_ns == trained
    assert timeless(json.loads(path.read_text())) == timeless(before)


def test_cells_without_their_data_are_enough(done: Path, config: BenchmarkConfig):
    """What is committed is the splits file and the cells: with these alone nothing is built or trained."""
    work = done / "work"
    work.rename(done / "elsewhere")
    try:
        benchmark_cornell(config, out=done)
        assert not work.exists()
    finally:
        (done / "elsewhere").rename(work)


def test_other_photographs_and_too_few_samples_are_refused(done: Path, config: BenchmarkConfig, tmp_path: Path):
    with pytest.raises(InputError, match=r"splits\.json: found another seed, object, image"):
        benchmark_cornell(replace(config, seed=1), out=done)
    with pytest.raises(InputError, match=r"--samples is 5; valid is 6, the labelled photographs, or more"):
        benchmark_cornell(replace(config, samples=5), out=tmp_path)


def test_without_depth_the_peer_with_depth_is_left_out(
    cornell_folder: Path, config: BenchmarkConfig, quick: None, tmp_path: Path
):
    said: list[str] = []
    flat = replace(
        config, data=str(cornell_folder), models=("centre", "grconvnet-depth"), strategies=(), run_folds=(1,)
    )
    benchmark_cornell(flat, out=tmp_path, say=said.append)
    assert [cell["cell"] for cell in read_cells(tmp_path)] == ["centre"]
    assert [line for line in said if "grconvnet-depth" in line] == [
        f"grconvnet-depth is left out: {cornell_folder} has no depth picture (pcdNNNNd.tiff) beside each photograph"
    ]


def test_whole_categories_are_left_out(config: BenchmarkConfig, quick: None, tmp_path: Path):
    by_category = replace(config, models=("centre",), strategies=(), splits=("category",), run_folds=(0, 1, 2))
    benchmark_cornell(by_category, out=tmp_path)
    folds = json.loads((tmp_path / "splits.json").read_text())["category"]
    cells = read_cells(tmp_path)
    assert [(cell["split"], cell["fold"]) for cell in cells] == [("category", 0), ("category", 1), ("category", 2)]
    for cell, fold in zip(cells, folds, strict=True):
        (category,) = {record["category"] for record in cell["records"]}
        assert sorted(record["image"] for record in cell["records"]) == fold["test"]["photographs"]
        assert not any(record["known_category"] for record in cell["records"])
        # The others are as common as each other.
        assert cell["commonest_category"] == min({"remote control", "sunglasses", "computer mouse"} - {category})


def test_an_interrupted_benchmark_goes_on_to_the_same_figures(done: Path, config: BenchmarkConfig, tmp_path: Path):
    stops: list[str] = []

    @contextmanager
    def bars() -> Iterator[Callable[[Progress], None]]:
        def report(progress: Progress) -> None:
            # Once in each stage of training, before its last step.
            if progress.stage not in stops and progress.step < progress.steps:
                stops.append(progress.stage)
                os.kill(os.getpid(), signal.SIGINT)

        yield report

    one_fold = replace(config, run_folds=(0,), models=("head",))
    interruptions = 0
    while interruptions < 10:
        try:
            benchmark_cornell(one_fold, out=tmp_path, bars=bars)
            break
        except Interrupted:
            interruptions += 1
    assert interruptions == len(stops) >= 2 and "answers" in stops
    unbroken, broken = by_name(done), by_name(tmp_path)
    for name in ("head", "lora-bare"):
        assert timeless(broken[name]) == timeless(unbroken[name])


def test_cells_that_share_a_trained_model_stay_together():
    cells = ["centre", "head", "lora-reasoned", "controls", "grconvnet", "lora-bare"]
    together = ("lora-reasoned", "controls")
    assert independent(cells) == [("centre",), ("head",), together, ("grconvnet",), ("lora-bare",)]
    assert independent(["controls"]) == [("controls",)] and independent([]) == []


def test_a_killed_worker_of_ray_changes_nothing_in_the_table(done: Path, config: BenchmarkConfig, tmp_path: Path):
    """Killed in the middle of a training; no cell of the table is another one, and none was done twice."""
    pytest.importorskip("ray")
    said: list[str] = []
    part = replace(config, models=("naming",))
    runs = tmp_path / "work" / "runs"
    with killing_one(lambda: any(runs.glob("*-align/metrics.jsonl"))) as killed:
        benchmark_cornell(part, out=tmp_path, ray="local", say=said.append)
    assert killed
    wanted = [f"object-wise fold {fold}: aligned" for fold in (0, 2)]
    names = ("lora-bare", "naming-majority", "naming-nearest")
    wanted += [f"object-wise fold {fold}: {name} done" for fold in (0, 2) for name in names]
    assert sorted(line for line in said if line.startswith("object-wise")) == sorted(wanted)
    assert (tmp_path / "splits.json").read_bytes() == (done / "splits.json").read_bytes()
    for fold in (0, 2):
        here, there = by_name(done, fold), by_name(tmp_path, fold)
        assert set(there) == set(names)
        for name, cell in there.items():
            assert json.dumps(timeless(cell)).encode() == json.dumps(timeless(here[name])).encode()
            assert cell["summary"]["n"] == 2
        assert there["lora-bare"]["memory_mib"] > 50 and there["lora-bare"]["seconds_single"] > 0
        for run in (f"object-{fold}-align", f"object-{fold}-lora-bare"):
            steps = [(line["stage"], line["step"]) for line in metrics(runs / run)]
            assert len(steps) == len(set(steps)) == len(metrics(done / "work" / "runs" / run))


def test_a_cell_that_a_dead_worker_had_written_is_not_done_again(done: Path, config: BenchmarkConfig):
    before = (done / "cells" / "object-0-centre.json").stat().st_mtime_ns
    assert run_fold(("object", 0, ("centre",)), config=config, folder=done) == "object-wise fold 0: centre done"
    assert (done / "cells" / "object-0-centre.json").stat().st_mtime_ns == before
