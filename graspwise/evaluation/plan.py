"""What the Cornell benchmark compares: its options, the cells they ask for in order, and what each depends on."""

from dataclasses import asdict, dataclass
from typing import Any, get_args

from graspwise.answer import FORMATS
from graspwise.data.split import By
from graspwise.errors import InputError
from graspwise.evaluation.comparison import MAIN, PEER
from graspwise.evaluation.protocol import PROTOCOLS
from graspwise.train.peer import PAPER, PEER_RECIPES, PeerRecipe
from graspwise.train.recipe import Recipe, Strategy, recipe_named

# Words of `--models` that are no model's name.
HEAD, NAMING, PEER_DEPTH = "head", "naming", "grconvnet-depth"
MAJORITY, NEAREST = "naming-majority", "naming-nearest"
NAMERS = (MAJORITY, NEAREST)
# Asks the cell `MAIN` after other reasons than its own.
CONTROLS = "controls"
PEERS = (PEER, PEER_DEPTH)
STRATEGIES: tuple[Strategy, ...] = tuple(strategy for strategy in get_args(Strategy) if strategy != "align")


@dataclass(frozen=True)
class BenchmarkConfig:
    """What is compared.

    Attributes:
        data: Folder of the Cornell download.
        models: What has no answer format: models that are not trained here, "head" (the dense head's best grasp),
            "grconvnet" and "grconvnet-depth" (the peer, trained here), "naming" (what names categories without
            reasoning), "controls" (whether the reasoning of lora-reasoned matters to its grasp).
        answers: Answer formats that are trained.
        strategies: Training strategies.
        splits: Some of "object", "image" and "category".
        folds: How many folds there are.
        run_folds: Which of them are run.
        protocols: "workspace", and "centred" where that is wanted beside it.
        samples: Size of the built data set.
        budget_samples: Answer samples that each trained cell gets; None is the recipe's.
        peer_samples: Samples of the peer's training; None is as many as alignment and answers have together.
        recipe: Name of the recipe.
        base: What all trained cells start from.
        seed: Decides data set, folds and training.

    Raises:
        InputError: a value is not valid.
    """

    data: str
    models: tuple[str, ...] = ("centre", "random", "blob", HEAD, PEER, NAMING, CONTROLS)
    answers: tuple[str, ...] = ("reasoned", "prompted", "bare")
    strategies: tuple[str, ...] = ("projector", "lora")
    splits: tuple[str, ...] = ("object",)
    folds: int = 5
    run_folds: tuple[int, ...] = (0, 1, 2, 3, 4)
    protocols: tuple[str, ...] = PROTOCOLS
    samples: int = 6110
    budget_samples: int | None = None
    peer_samples: int | None = None
    recipe: str = "small"
    base: str = "small-base"
    seed: int = 0

    def __post_init__(self) -> None:
        for option, values, valid in (
            ("--answers", self.answers, FORMATS),
            ("--strategies", self.strategies, STRATEGIES),
            ("--splits", self.splits, get_args(By)),
            ("--protocols", self.protocols, PROTOCOLS),
            ("--run-folds", self.run_folds, tuple(range(self.folds))),
        ):
            wrong = [str(value) for value in values if value not in valid]
            if wrong:
                raise InputError(f"{option} has {', '.join(wrong)}; valid: {', '.join(map(str, valid))}")
        if "workspace" not in self.protocols:
            raise InputError(f"--protocols is {','.join(self.protocols)!r}; valid: workspace, or workspace,centred")
        if self.peer_samples is not None and self.peer_samples < 1:
            raise InputError(f"--peer-samples is {self.peer_samples}; valid is 1 or more")
        recipe = self.chosen_recipe
        if "spt" in self.strategies and set(self.answers) != {"reasoned"}:
            raise InputError(
                f"--strategies has spt, --answers {','.join(self.answers)}; valid beside spt is reasoned alone"
            )
        if HEAD in self.models and not recipe.maps.samples:
            raise InputError(f"--models has {HEAD}; recipe {self.recipe} trains no dense head")

    @property
    def chosen_recipe(self) -> Recipe:
        return recipe_named(self.recipe).scaled(self.budget_samples)

    @property
    def peer_recipe(self) -> PeerRecipe:
        """The peer's recipe; unless told otherwise it sees as many samples as our largest cell, alignment included."""
        # The cheap stages of spt go over the same maps again, and are no reason to train the peer longer.
        used: list[Strategy] = ["align", *(name for name in STRATEGIES if name in self.strategies and name != "spt")]
        totals = [sum(stage.samples for stage in self.chosen_recipe.stages(name).values()) for name in used]
        return PEER_RECIPES.get(self.recipe, PAPER).scaled(self.peer_samples or max(totals))


def cell_names(config: BenchmarkConfig, *, has_depth: bool) -> list[str]:
    """Cells of a fold in the order of work: what matters most comes first.

    Args:
        config: What is compared.
        has_depth: Whether the download has depth pictures; without them the peer with depth is left out.
    """
    special = (HEAD, NAMING, CONTROLS, *PEERS)
    trained = [f"{strategy}-{answer}" for strategy in config.strategies for answer in config.answers]
    wanted = [
        *(name for name in config.models if name not in special),
        *(name for name in (HEAD,) if name in config.models),
        *(name for name in trained if name == MAIN),
        *(name for name in (CONTROLS,) if name in config.models and MAIN in trained),
        *(name for name in PEERS if name in config.models and (has_depth or name != PEER_DEPTH)),
        *(name for name in NAMERS if NAMING in config.models),
        *trained,
    ]
    return list(dict.fromkeys(wanted))


def trained_as(name: str) -> tuple[Strategy, str] | None:
    """Strategy and answer format of a cell such as "lora-bare"; None for any other cell."""
    if name == CONTROLS:
        name = MAIN
    for strategy in STRATEGIES:
        for answer in FORMATS:
            if name == f"{strategy}-{answer}":
                return strategy, answer
    return None


def training_samples(config: BenchmarkConfig, name: str) -> dict[str, int]:
    """How many samples a cell's model is trained on here, before the answers and on them."""
    recipe, kind = config.chosen_recipe, trained_as(name)
    if name in PEERS:
        return {"align": 0, "answers": config.peer_recipe.stage.samples}
    if kind:
        *before, answers = recipe.stages(kind[0]).values()
        return {"align": sum(stage.samples for stage in before), "answers": answers.samples}
    aligning = sum(stage.samples for stage in recipe.stages("align").values())
    return {"align": aligning if name == HEAD else 0, "answers": 0}


def cell_config(config: BenchmarkConfig, name: str) -> dict[str, Any]:
    """What a cell's result depends on; a cell that is not trained here depends on the folds alone."""
    value: dict[str, Any] = {"folds": config.folds, "samples": config.samples, "seed": config.seed}
    recipe = config.chosen_recipe
    if kind := trained_as(name):
        return {**value, "base": config.base, "recipe": recipe.numbers(kind[0])}
    if name in PEERS:
        return {**value, "recipe": asdict(config.peer_recipe)}
    if name == HEAD:
        return {**value, "base": config.base, "recipe": recipe.numbers("align")}
    return {**value, "base": config.base} if name == NEAREST else value
