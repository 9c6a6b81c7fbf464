"""`graspwise train`: one run, resumable."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from graspwise.cli.progress import training_bars


class StrategyChoice(StrEnum):
    align = "align"
    projector = "projector"
    lora = "lora"


class SplitChoice(StrEnum):
    object = "object"
    image = "image"


def train(
    data: Annotated[Path, typer.Option(help="A data set folder.")],
    out: Annotated[Path, typer.Option(help="Run folder; new, or with --resume the one to go on with.")],
    strategy: Annotated[
        StrategyChoice, typer.Option(help="align: dense head and projector only; projector and lora: then the answers.")
    ] = StrategyChoice.lora,
    base: Annotated[
        str, typer.Option(help="A published name, small-base, a run folder, a checkpoint or a hub id.")
    ] = "small",
    recipe: Annotated[str, typer.Option(help="small, paper or tiny.")] = "small",
    budget_samples: Annotated[int | None, typer.Option(help="Answer samples, instead of the recipe's.")] = None,
    split: Annotated[SplitChoice, typer.Option(help="What a fold keeps together.")] = SplitChoice.object,
    folds: Annotated[int, typer.Option(help="Count of folds; 0 trains on everything.")] = 0,
    fold: Annotated[int, typer.Option(help="Which fold is kept for testing.")] = 0,
    seed: Annotated[int, typer.Option(help="Decides order, augmentation and initial weights.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
) -> int:
    """Train a model; stop it with Ctrl-C at any time and go on with --resume."""
    from graspwise.train.loop import Interrupted
    from graspwise.train.plot import plot_run
    from graspwise.train.recipe import TrainConfig, recipe_named
    from graspwise.train.run import train as run

    config = TrainConfig(
        data=str(data), base=base, strategy=strategy.value, recipe=recipe_named(recipe).scaled(budget_samples),
        split=split.value, folds=folds, fold=fold, seed=seed,
    )  # fmt: skip
    try:
        with training_bars() as report:
            folder = run(config, out=out, resume=resume, report=report, say=lambda line: print(line, file=sys.stderr))
    except Interrupted as stopped:
        print(f"graspwise: {stopped}; go on with --resume", file=sys.stderr)
        return 130
    plot_run(out)
    print(f"model in {folder}")
    return 0
