"""Table I: answer formats and training strategies, cross-validated on Cornell (RT-Grasp, section V-A).

A cell is one model on one fold, a unit of work: its result is one small JSON file, and what is there is not done again.
All cells of a fold start from one alignment, trained without the fold's test objects.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from graspwise.answer import FORMATS
from graspwise.data.build import BuildConfig, build_dataset
from graspwise.data.cornell import read_cornell
from graspwise.data.split import Split, make_split
from graspwise.data.store import Dataset, Sample
from graspwise.errors import InputError
from graspwise.evaluation.score import score, summarise
from graspwise.files import read_json, write_text
from graspwise.model.responder import HeadResponder, Responder, open_responder
from graspwise.train.loop import Progress
from graspwise.train.recipe import Strategy, TrainConfig, recipe_named
from graspwise.train.run import check_run, train

HEAD = "head"
STRATEGIES = tuple(strategy for strategy in get_args(Strategy) if strategy != "align")


@dataclass(frozen=True)
class BenchmarkConfig:
    """What is compared.

    Attributes:
        data: Folder of the Cornell download.
        models: Models that are not trained here: baselines, and "head", the dense head's best grasp.
        answers: Answer formats that are trained.
        strategies: Training strategies.
        splits: "object", "image" or both.
        folds: How many folds there are.
        run_folds: Which of them are run.
        samples: Size of the built data set.
        budget_samples: Answer samples that each trained cell gets; None is the recipe's.
        recipe: Name of the recipe.
        seed: Decides data set, folds and training.
    """

    data: str
    models: tuple[str, ...] = ("centre", "random", "blob", HEAD)
    answers: tuple[str, ...] = ("reasoned", "bare")
    strategies: tuple[str, ...] = ("lora",)
    splits: tuple[str, ...] = ("object",)
    folds: int = 5
    run_folds: tuple[int, ...] = (0, 1, 2, 3, 4)
    samples: int = 6110
    budget_samples: int | None = None
    recipe: str = "small"
    seed: int = 0

    def __post_init__(self) -> None:
        for option, values, valid in (
            ("--answers", self.answers, FORMATS),
            ("--strategies", self.strategies, STRATEGIES),
            ("--splits", self.splits, ("object", "image")),
            ("--run-folds", self.run_folds, tuple(range(self.folds))),
        ):
            wrong = [str(value) for value in values if value not in valid]
            if wrong:
                raise InputError(f"{option} has {', '.join(wrong)}; valid: {', '.join(map(str, valid))}")


def benchmark_cornell(
    config: BenchmarkConfig,
    *,
    out: Path | str,
    bars: Callable[[], AbstractContextManager[Callable[[Progress], None]]],
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Do every cell that is not done yet; results in `OUT/cells`, data sets and runs in `OUT/work`.

    Args:
        config: What is compared.
        out: Report folder; one that holds cells of the same configuration is gone on with.
        bars: Opens progress bars for one training.
        say: Called with a line a unit of work.
    """
    folder = Path(out)
    work = folder / "work"
    for by in config.splits:
        for fold in config.run_folds:
            for name, responder_of in cells(config, by, fold, work, bars, say):
                result = folder / "cells" / f"{by}-{fold}-{name}.json"
                if is_done(result, config, name):
                    continue
                say(f"{by}-wise fold {fold}: {name}")
                dataset = lazily_built(config, config.answers[0], work / "data" / config.answers[0], say)()
                split = make_split(
                    dataset,
                    by=by,  # type: ignore[arg-type]
                    folds=config.folds,
                    fold=fold,
                    validation=TrainConfig.validation,
                    seed=config.seed,
                )
                started = time.perf_counter()
                responder = responder_of()
                trained = time.perf_counter() - started
                records = score(responder, dataset, test_samples(dataset, split))
                write_cell(result, config=config, by=by, fold=fold, name=name, records=records, seconds=trained)
    return folder


def cells(
    config: BenchmarkConfig,
    by: str,
    fold: int,
    work: Path,
    bars: Callable[[], AbstractContextManager[Callable[[Progress], None]]],
    say: Callable[[str], None],
) -> Iterator[tuple[str, Callable[[], Responder]]]:
    """Names of a fold's cells and what makes each one's model, training it when it is not there."""
    recipe = recipe_named(config.recipe)
    aligned = work / "runs" / f"{by}-{fold}-align"

    def trained(answer: str, strategy: Strategy, base: str, run: Path) -> Path:
        data = lazily_built(config, answer, work / "data" / answer, say)()
        chosen = recipe if strategy == "align" else recipe.scaled(config.budget_samples)
        train_config = TrainConfig(
            data=str(data.folder), base=base, strategy=strategy, recipe=chosen, split=by,  # type: ignore[arg-type]
            folds=config.folds, fold=fold, seed=config.seed,
        )  # fmt: skip
        started = (run / "config.json").is_file()
        if started:
            check_run(run, train_config, resume=True)
        if not (run / "model" / "graspwise.json").is_file():
            with bars() as report:
                train(train_config, out=run, resume=started, report=report, say=say)
        return run

    def align() -> Path:
        return trained(config.answers[0], "align", "small-base", aligned)

    for name in config.models:
        if name == HEAD:
            yield HEAD, lambda: HeadResponder(str(align()))
        else:
            yield name, lambda name=name: open_responder(name)  # type: ignore[misc]
    for strategy in config.strategies:
        for answer in config.answers:
            run = work / "runs" / f"{by}-{fold}-{strategy}-{answer}"
            yield (
                f"{strategy}-{answer}",
                lambda answer=answer, strategy=strategy, run=run: open_responder(  # type: ignore[misc]
                    str(trained(answer, strategy, str(align()), run))
                ),
            )


def lazily_built(
    config: BenchmarkConfig, answer: str, folder: Path, say: Callable[[str], None]
) -> Callable[[], Dataset]:
    """A function that opens the data set of an answer format, building it the first time."""

    def opened() -> Dataset:
        if not (folder / "dataset.json").is_file():
            say(f"building {config.samples} {answer} samples")
            build = BuildConfig(answer=answer, samples=config.samples, seed=config.seed)  # type: ignore[arg-type]
            build_dataset(read_cornell(config.data), source="cornell", out=folder, config=build)
        return Dataset(folder)

    return opened


def is_done(path: Path, config: BenchmarkConfig, name: str) -> bool:
    """Whether a cell's result is there.

    Raises:
        InputError: it is there, from another recipe, budget, seed or data set size.
    """
    if not path.is_file():
        return False
    found, wanted = read_json(path)["config"], cell_config(config, name)
    changed = [key for key in wanted if found.get(key) != wanted[key]]
    if changed:
        raise InputError(f"{path}: made with another {', '.join(changed)}; give a new --out, or remove that file")
    return True


def is_trained(name: str) -> bool:
    """Whether a cell is a strategy and an answer format, e.g. "lora-bare"."""
    return name in {f"{strategy}-{answer}" for strategy in STRATEGIES for answer in FORMATS}


def cell_config(config: BenchmarkConfig, name: str) -> dict[str, Any]:
    """What a cell's result depends on; a cell that is not trained here depends on the folds alone."""
    fixed = {"protocol": "workspace", "folds": config.folds, "samples": config.samples, "seed": config.seed}
    if name != HEAD and not is_trained(name):
        return fixed
    recipe = asdict(recipe_named(config.recipe).scaled(config.budget_samples))
    if name == HEAD:
        return {**fixed, "recipe": {key: recipe[key] for key in ("maps",)}}
    return {**fixed, "recipe": recipe}


def test_samples(dataset: Dataset, split: Split) -> list[Sample]:
    """The unaugmented photographs of a split's test part."""
    test = set(split.test)
    return [sample for sample in dataset if sample.original and split.group(sample) in test]


def write_cell(
    path: Path, *, config: BenchmarkConfig, by: str, fold: int, name: str, records: Sequence[Any], seconds: float
) -> None:
    recipe = recipe_named(config.recipe).scaled(config.budget_samples)
    budget = {"align": 0, "answers": 0}
    if name == HEAD or is_trained(name):
        budget["align"] = recipe.maps.samples + recipe.words.samples + recipe.captions.samples
    if is_trained(name):
        budget["answers"] = (recipe.lora if name.startswith("lora") else recipe.projector).samples
    value = {
        "cell": name,
        "split": by,
        "fold": fold,
        "date": time.strftime("%Y-%m-%d"),
        "config": cell_config(config, name),
        "training_samples": budget,
        "training_seconds": round(seconds, 1),
        "summary": summarise(records),
    }
    head = json.dumps(value, indent=1, ensure_ascii=False)[:-2]
    lines = ",\n  ".join(json.dumps(asdict(record), ensure_ascii=False) for record in records)
    write_text(path, f'{head},\n "records": [\n  {lines}\n ]\n}}\n')


def read_cells(folder: Path | str) -> list[dict[str, Any]]:
    """Results of all finished cells under a report folder, by file name."""
    return [read_json(path) for path in sorted((Path(folder) / "cells").glob("*.json"))]
