"""Table I: answer formats and training strategies, cross-validated on Cornell (RT-Grasp, section V-A), peers beside.

A cell is one model on one fold, a unit of work: its result is one small JSON file, and what is there is not done again.
All cells of a fold start from one alignment, trained without the fold's test objects. A report folder holds
`splits.json`, `cells/`, and in `work/` the data sets and runs.
"""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast, get_args

from graspwise.data.build import BuildConfig, build_dataset
from graspwise.data.cornell import read_cornell
from graspwise.data.labelled import LabelledPicture
from graspwise.data.split import By, Shown, keep_splits, splits_json
from graspwise.errors import InputError
from graspwise.evaluation.cells import cell_path, is_done, write_cell
from graspwise.evaluation.comparison import MAIN
from graspwise.evaluation.fold import SHARED, Bars, Fold, Say, data_folder, no_bars
from graspwise.evaluation.plan import (
    CONTROLS,
    HEAD,
    NAMERS,
    PEER_DEPTH,
    BenchmarkConfig,
    cell_config,
    cell_names,
    trained_as,
    training_samples,
)
from graspwise.files import replacing_folder
from graspwise.parallel import in_order
from graspwise.train.recipe import TrainConfig

SOURCE = "cornell"
SPLITS, WORK = "splits.json", "work"
# A split, the number of a fold, and names of its cells.
Unit = tuple[By, int, tuple[str, ...]]


def benchmark_cornell(
    config: BenchmarkConfig, *, out: Path | str, ray: str = "", bars: Bars = no_bars, say: Say = lambda line: None
) -> Path:
    """Do every cell that is not done yet; returns the report folder.

    Args:
        config: What is compared.
        out: Report folder; one that holds cells of the same configuration is gone on with.
        ray: "local" or a cluster's address, to train the folds' alignments there, then all cells of all folds at once;
            every machine of it must see the report folder under the same path. By default one fold after the other,
            here.
        bars: Opens progress bars for one training; without Ray.
        say: Called with a line a unit of work.

    Raises:
        InputError: the download, the folder or a model is not valid.
        graspwise.train.loop.Interrupted: training stopped on request; the same call goes on from there.
    """
    folder, pictures = Path(out).resolve(), read_cornell(config.data)
    labelled = {picture.name: picture for picture in pictures if picture.rectangles}
    if config.samples < len(labelled):
        raise InputError(f"--samples is {config.samples}; valid is {len(labelled)}, the labelled photographs, or more")
    photographs = {name: Shown(picture.object_id, picture.category) for name, picture in labelled.items()}
    splits = splits_json(
        photographs, source=SOURCE, folds=config.folds, validation=TrainConfig.validation, seed=config.seed,
        kinds=[by for by in get_args(By) if by in config.splits],
    )  # fmt: skip
    keep_splits(folder / SPLITS, splits)
    has_depth = all(picture.depth_path for picture in labelled.values())
    if PEER_DEPTH in config.models and not has_depth:
        say(f"{PEER_DEPTH} is left out: {config.data} has no depth picture (pcdNNNNd.tiff) beside each photograph")
    names = cell_names(config, has_depth=has_depth)
    missing = {
        (by, fold): [name for name in names if not is_done(cell_path(folder, by, fold, name), config, name)]
        for by in config.splits
        for fold in config.run_folds
    }
    wanted = [name for cells in missing.values() for name in cells]
    build_missing_data(config, wanted, pictures, work=folder / WORK, depth=has_depth, say=say)
    items = [(cast(By, by), fold, tuple(cells)) for (by, fold), cells in missing.items() if cells]
    run = partial(run_fold, config=config, folder=folder)
    if ray:
        bases = [(by, fold) for by, fold, cells in items if any(trained_as(cell) or cell == HEAD for cell in cells)]
        for line in in_order(partial(align_fold, config=config, folder=folder), bases, ray=ray, gpu=True):
            say(line)
        items = [(by, fold, group) for by, fold, cells in items for group in independent(cells)]
    else:
        run = partial(run, bars=bars, say=say)
    for line in in_order(run, items, workers=1, ray=ray, gpu=True):
        say(line)
    return folder


def independent(cells: Sequence[str]) -> list[tuple[str, ...]]:
    """A fold's cells in groups that may be done at the same time; those that ask one trained model stay together."""
    groups: dict[str, list[str]] = {}
    for cell in cells:
        groups.setdefault(MAIN if cell == CONTROLS else cell, []).append(cell)
    return [tuple(group) for group in groups.values()]


def align_fold(item: tuple[By, int], *, config: BenchmarkConfig, folder: Path) -> str:
    """Train what all trained cells of a fold start from, if it is not there; returns a line about it."""
    by, number = item
    Fold(config, by=by, number=number, work=folder / WORK).aligned()
    return f"{by}-wise fold {number}: aligned"


def build_missing_data(
    config: BenchmarkConfig, names: Sequence[str], pictures: Sequence[LabelledPicture], *, work: Path, depth: bool,
    say: Say,
) -> None:  # fmt: skip
    """Build the data sets that cells of those names need and that are not there, before any fold asks for them."""
    answers = [kind[1] for name in names if (kind := trained_as(name))]
    for answer in dict.fromkeys([*([SHARED] if names else []), *answers]):
        target = data_folder(work, answer)
        if target.exists():
            continue
        say(f"building {config.samples} {answer} samples")
        build = BuildConfig(
            answer=answer,  # type: ignore[arg-type]
            samples=config.samples,
            seed=config.seed,
            depth=depth and answer == SHARED,
        )
        # Whole or not at all, so that one that was interrupted is built again.
        with replacing_folder(target) as temporary:
            build_dataset(pictures, source=SOURCE, out=temporary, config=build)


def run_fold(
    item: Unit, *, config: BenchmarkConfig, folder: Path, bars: Bars = no_bars, say: Say = lambda line: None
) -> str:
    """Do the named cells of a fold, each written when it is done; returns a line about it."""
    by, number, names = item
    fold = Fold(config, by=by, number=number, work=folder / WORK, bars=bars, say=say)
    for name in names:
        path = cell_path(folder, by, number, name)
        # On Ray the process that began them may have died.
        if is_done(path, config, name):
            continue
        say(f"{by}-wise fold {number}: {name}")
        header = {
            "cell": name,
            "split": by,
            "fold": number,
            "date": time.strftime("%Y-%m-%d"),
            "config": cell_config(config, name),
            "training_samples": training_samples(config, name),
        }
        result = fold.naming(name) if name in NAMERS else fold.controls() if name == CONTROLS else fold.result(name)
        write_cell(path, {**header, **result})
    return f"{by}-wise fold {number}: {', '.join(names)} done"
