"""`graspwise train`: one run, resumable."""

import os
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from graspwise.cli.progress import training_bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from graspwise.train.recipe import Strategy


class ModelChoice(StrEnum):
    llava = "llava"
    grconvnet = "grconvnet"


class StrategyChoice(StrEnum):
    align = "align"
    projector = "projector"
    lora = "lora"
    spt = "spt"
    hand_tokens = "hand-tokens"
    hand_align = "hand-align"
    hand_instruct = "hand-instruct"


# Strategies of models that read and write about pictures.
READERS = (StrategyChoice.align, StrategyChoice.projector, StrategyChoice.lora, StrategyChoice.spt)


class TokensChoice(StrEnum):
    one = "1"
    two = "2"
    three = "3"
    shared = "shared"


class CoordinatesChoice(StrEnum):
    family = "family"
    fraction = "fraction"


class DtypeChoice(StrEnum):
    bf16 = "bf16"
    fp32 = "fp32"


class TrackChoice(StrEnum):
    trackio = "trackio"
    wandb = "wandb"


class SplitChoice(StrEnum):
    object = "object"
    image = "image"
    category = "category"


def train(
    data: Annotated[
        list[Path], typer.Option(help="A data set folder; given more than once, all are learned from together.")
    ],
    out: Annotated[Path, typer.Option(help="Run folder; new, or with --resume the one to go on with.")],
    model: Annotated[
        ModelChoice, typer.Option(help="llava: a model that reasons; grconvnet: its peer, from random weights.")
    ] = ModelChoice.llava,
    strategy: Annotated[
        StrategyChoice | None,
        typer.Option(
            help="align: dense head and projector only; projector and lora (the default): then the answers; spt: "
            "answers that name their target, which steers a dense head. Of hands: hand-tokens, a grasp as three "
            "tokens; hand-align, the projector and the tokens' rows; hand-instruct, then LoRA."
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="A published name (small by default), small-base, a run folder, a checkpoint or a hub id."),
    ] = None,
    tokens_run: Annotated[
        Path | None, typer.Option(metavar="RUN", help="A run of hand-tokens, to teach a language model of hands.")
    ] = None,
    tokens: Annotated[
        TokensChoice,
        typer.Option(help="hand-tokens: how many a grasp is; shared: three from one codebook, no levels."),
    ] = TokensChoice.three,
    mano: Annotated[Path | None, typer.Option(help="MANO's folder, for a data set of that hand.")] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="small (the default), paper, llava-7b-1x80gb, llava-7b-8x80gb or tiny; for grconvnet paper (the "
            "default) or tiny."
        ),
    ] = None,
    budget_samples: Annotated[
        int | None, typer.Option(help="Answer samples, or grconvnet's samples, instead of the recipe's.")
    ] = None,
    depth: Annotated[
        bool, typer.Option("--depth", help="grconvnet: see depth too, of a data set built with --depth.")
    ] = False,
    coordinates: Annotated[
        CoordinatesChoice | None,
        typer.Option(
            help="How places are read and written: as the base's family was taught (the default), or as fractions."
        ),
    ] = None,
    split: Annotated[SplitChoice, typer.Option(help="What a fold keeps together.")] = SplitChoice.object,
    folds: Annotated[int, typer.Option(help="Count of folds; 0 trains on everything.")] = 0,
    fold: Annotated[int, typer.Option(help="Which fold is kept for testing.")] = 0,
    seed: Annotated[int, typer.Option(help="Decides order, augmentation and initial weights.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    micro_batch: Annotated[
        int | None, typer.Option(help="At most so many samples a forward pass; several processes share them out.")
    ] = None,
    dtype: Annotated[DtypeChoice, typer.Option(help="Of the weights that do not learn.")] = DtypeChoice.bf16,
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Less memory, a third more time.")
    ] = False,
    four_bit: Annotated[
        bool, typer.Option("--four-bit", help="Hold the base's language model in 4 bits, by bitsandbytes.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what it would take: parameters, memory, disk, time.")
    ] = False,
    track: Annotated[TrackChoice | None, typer.Option(help="Also tell the run's figures to this service.")] = None,
) -> int:
    """Train a model; stop it with Ctrl-C at any time and go on with --resume.

    `accelerate launch -m graspwise train ...` trains with several processes.
    """
    from graspwise.errors import InputError
    from graspwise.train.hand_language import train_hand_language
    from graspwise.train.hand_text_recipe import HandTextConfig, hand_text_recipe_named
    from graspwise.train.hand_tokens import HandTokensConfig, hand_tokens_recipe_named, train_hand_tokens
    from graspwise.train.peer import PAPER, PeerConfig, peer_recipe_named, train_peer
    from graspwise.train.processes import joined_processes
    from graspwise.train.recipe import SMALL, TrainConfig, recipe_named
    from graspwise.train.run import train as train_llava
    from graspwise.train.trial import try_run

    at_scale = {
        "--micro-batch": micro_batch, "--dtype fp32": dtype is DtypeChoice.fp32, "--four-bit": four_bit,
        "--gradient-checkpointing": gradient_checkpointing, "--estimate": estimate,
        "accelerate launch": int(os.environ.get("WORLD_SIZE", "1")) > 1,
    }  # fmt: skip
    given = [name for name, value in at_scale.items() if value]
    reads = model is ModelChoice.llava and strategy in (None, *READERS)
    if given and not reads:
        listed = ", ".join(choice.value for choice in READERS)
        raise InputError(f"{given[0]}: valid with --model llava and --strategy {listed}")
    if model is ModelChoice.grconvnet:
        if base is not None or strategy is not None:
            raise InputError("--base and --strategy belong to --model llava; grconvnet starts from random weights")
        if coordinates is not None:
            raise InputError("--coordinates belongs to --model llava; grconvnet writes no text")
        if len(data) > 1:
            raise InputError(f"--data has {len(data)} folders; valid for grconvnet is one")
        peer = peer_recipe_named(recipe or PAPER.name).scaled(budget_samples)
        run = partial(
            train_peer,
            PeerConfig(
                data=str(data[0]), recipe=peer, split=split.value, folds=folds, fold=fold, seed=seed, depth=depth
            ),
        )
    elif strategy is StrategyChoice.hand_tokens:
        if len(data) > 1:
            raise InputError(f"--data has {len(data)} folders; valid for {strategy.value} is one")
        if base is not None:
            raise InputError("--base is for models that read and write; hand-tokens start from random weights")
        run = partial(
            train_hand_tokens,
            HandTokensConfig(
                data=str(data[0]), tokens=tokens.value, mano=str(mano) if mano else None, seed=seed,
                recipe=hand_tokens_recipe_named(recipe or SMALL.name).scaled(budget_samples),
            ),
        )  # fmt: skip
    elif strategy is StrategyChoice.hand_align or strategy is StrategyChoice.hand_instruct:
        if len(data) > 1:
            raise InputError(f"--data has {len(data)} folders; valid for {strategy.value} is one")
        run = partial(
            train_hand_language,
            HandTextConfig(
                data=str(data[0]), base=base or "small", tokens=str(tokens_run or ""),
                strategy="hand-align" if strategy is StrategyChoice.hand_align else "hand-instruct",
                recipe=hand_text_recipe_named(recipe or SMALL.name).scaled(budget_samples), seed=seed,
                mano=str(mano) if mano else None,
            ),
        )  # fmt: skip
    else:
        if depth:
            raise InputError("--depth belongs to --model grconvnet; llava sees colours alone")
        config = TrainConfig(
            data=tuple(map(str, data)), base=base or "small",
            strategy=cast("Strategy", (strategy or StrategyChoice.lora).value),
            recipe=recipe_named(recipe or SMALL.name).scaled(budget_samples).in_parts(micro_batch),
            split=split.value, folds=folds, fold=fold, seed=seed,
            coordinates=(coordinates or CoordinatesChoice.family).value,
            dtype=dtype.value, four_bit=four_bit, gradient_checkpointing=gradient_checkpointing,
        )  # fmt: skip
        with joined_processes() as processes:
            if estimate:
                try_run(config, say=print if processes.is_first else silent, processes=processes)
                return 0
            if not processes.is_first:
                return follow(partial(train_llava, config, out=out, resume=resume, processes=processes))
            return lead(partial(train_llava, config, processes=processes), out=out, resume=resume, track=track)
    return lead(run, out=out, resume=resume, track=track)


def silent(line: str) -> None:
    """Says nothing."""


def follow(run: "Callable[[], Path]") -> int:
    """Train as one of several processes, of which another one speaks."""
    from graspwise.train.loop import Interrupted

    try:
        run()
    except Interrupted:
        return 130
    return 0


def lead(run: "Callable[..., Path]", *, out: Path, resume: bool, track: TrackChoice | None) -> int:
    """Train, and show how it goes."""
    from graspwise.train.loop import Interrupted, Progress
    from graspwise.train.plot import plot_run
    from graspwise.train.tracking import tracked

    try:
        with tracked(out, track.value if track else None) as tell, training_bars() as show:

            def report(progress: Progress) -> None:
                show(progress)
                tell()

            folder = run(out=out, resume=resume, report=report, say=lambda line: print(line, file=sys.stderr))
    except Interrupted as stopped:
        print(f"graspwise: {stopped}; go on with --resume", file=sys.stderr)
        return 130
    plot_run(out)
    print(f"model in {folder}")
    return 0
