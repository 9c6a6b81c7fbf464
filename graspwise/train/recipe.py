"""Training recipes by name: every number a run depends on, dumped into its folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from graspwise.data.split import By
from graspwise.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
Strategy = Literal["align", "projector", "lora", "spt"]
# Stages that come before the answers.
ALIGNING = ("maps", "words", "captions")


@dataclass(frozen=True)
class Stage:
    """One stage of a run.

    Attributes:
        samples: Training budget; 0 leaves the stage out.
        batch: Samples a step of the optimiser.
        micro_batch: Samples a forward pass; the gradient of a step is summed over them.
        learning_rate: Peak of the one-cycle schedule.
        warmup: Share of the steps in which the rate rises.
        weight_decay: AdamW's.
    """

    samples: int
    batch: int
    micro_batch: int
    learning_rate: float
    warmup: float = 0.1
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """What a run does, stage after stage; stages the base has already been through are left out.

    Attributes:
        name: Its name on the command line.
        maps: Dense grasp head on the frozen tower.
        distinct_maps: So many augmented samples the tower looks at for `maps`; more passes go over the same ones.
        words: Projector alone, its tokens drawn to the embeddings of the right words, without the language model.
        captions: Projector alone, through the frozen language model, on captions.
        projector: The strategy `projector`: projector alone, on answers.
        lora: The strategy `lora`: projector and LoRA in all linear layers of the language model, on answers.
        scene: Names of the things in a scene, at every cell of the tower's map.
        steer: The steered head, on the frozen tower and language model.
        reasons: LoRA, on the reasons of wishes, without their pictures.
        spt: The strategy `spt`: as `lora`, with the steered head, on answers that name their target.
        maps_weight: Weight of the steered maps' loss, against 1 for the text's.
        proposals: Grasps of the dense head written into the prompt; 0 is the pure text model.
        names: Likeliest names, by the photographs that the picture resembles, written into the prompt.
        answers_a_picture: Answers learned from one augmented picture, with one prompt; each counts as a sample.
        soft_digits: Digits learn all right grasps and their neighbourhood, instead of one right grasp's digits alone.
        trust: Power of a proposal's quality in grounded decoding; 0 leaves the digits to the language model.
        decoys: Share of the samples in which a proposal that is no grasp is put first, so that copying it does not pay.
        name_weight: Weight of the tokens that name the category, against 1 for the other tokens of an answer.
        projector_rate: Learning rate of the aligned projector in the strategy `lora`, as a share of the stage's.
        lora_rank: r.
        lora_alpha: alpha.
        projector_act: "gelu" is LLaVA-1.5's two-layer projector, "linear" LLaVA v0's.
    """

    name: str
    maps: Stage
    words: Stage
    captions: Stage
    projector: Stage
    lora: Stage
    scene: Stage
    steer: Stage
    reasons: Stage
    spt: Stage
    distinct_maps: int = 9_600
    proposals: int = 3
    names: int = 3
    answers_a_picture: int = 4
    soft_digits: bool = True
    trust: float = 8.0
    decoys: float = 0.15
    name_weight: float = 4.0
    projector_rate: float = 0.1
    lora_rank: int = 16
    lora_alpha: int = 32
    projector_act: Literal["gelu", "linear"] = "gelu"
    maps_weight: float = 0.25

    def stages(self, strategy: Strategy) -> dict[str, Stage]:
        """The stages that a strategy goes through from a bare base, in order; the last is the answers', if any."""
        names = {"align": (), "spt": ("scene", "steer", "reasons", "spt")}.get(strategy, (strategy,))
        return {name: getattr(self, name) for name in (*ALIGNING, *names)}

    def numbers(self, strategy: Strategy) -> dict[str, Any]:
        """What of the recipe a strategy's result depends on."""
        used, spt = self.stages(strategy), ("maps_weight",)
        return {
            name: value
            for name, value in asdict(self).items()
            if name in used or not (isinstance(getattr(self, name), Stage) or (name in spt and strategy != "spt"))
        }

    def scaled(self, budget: int | None) -> "Recipe":
        """The same recipe with another budget of answer samples for all strategies."""
        return with_budget(self, budget, stages=("projector", "lora", "spt"))

    def in_parts(self, samples: int | None) -> "Recipe":
        """The same recipe with micro-batches of at most so many samples in all stages; None leaves them as they are.

        Raises:
            InputError: it is below 1.
        """
        if samples is None:
            return self
        if samples < 1:
            raise InputError(f"--micro-batch is {samples}; valid is 1 or more")
        return self.each_stage(lambda stage: replace(stage, micro_batch=min(stage.micro_batch, samples)))

    def each_stage(self, changed: Callable[[Stage], Stage]) -> "Recipe":
        """The same recipe with every stage changed."""
        stages: dict[str, Any] = {n: changed(stage) for n, stage in vars(self).items() if isinstance(stage, Stage)}
        return replace(self, **stages)


SMALL = Recipe(
    name="small",
    maps=Stage(samples=24_000, batch=32, micro_batch=32, learning_rate=2e-3, weight_decay=0.01),
    words=Stage(samples=6_400, batch=32, micro_batch=32, learning_rate=2e-3, weight_decay=0.01),
    captions=Stage(samples=0, batch=16, micro_batch=16, learning_rate=5e-4),
    projector=Stage(samples=960, batch=16, micro_batch=16, learning_rate=1e-3),
    lora=Stage(samples=960, batch=16, micro_batch=16, learning_rate=1e-3),
    scene=Stage(samples=24_000, batch=32, micro_batch=32, learning_rate=2e-3, weight_decay=0.01),
    steer=Stage(samples=24_000, batch=32, micro_batch=32, learning_rate=2e-3, weight_decay=0.01),
    reasons=Stage(samples=4_800, batch=32, micro_batch=16, learning_rate=1e-3),
    spt=Stage(samples=1_600, batch=16, micro_batch=8, learning_rate=1e-3),
)
# RT-Grasp section V-A.1; the paper names no count of epochs: one pass over its 76k samples here, alignment as LLaVA's.
PAPER = replace(
    SMALL,
    name="paper",
    maps=replace(SMALL.maps, samples=0),
    projector=Stage(samples=76_000, batch=32, micro_batch=4, learning_rate=2e-3, warmup=0.03),
    lora=Stage(samples=76_000, batch=32, micro_batch=4, learning_rate=5e-4, warmup=0.03),
    proposals=0,
    names=0,
    answers_a_picture=1,
    soft_digits=False,
    trust=0.0,
    decoys=0.0,
    name_weight=1.0,
    projector_rate=1.0,
    lora_rank=64,
    lora_alpha=32,
    projector_act="linear",
)
# The same numbers for LLaVA-7B, whose step of 32 samples goes through one card in four parts, or one part each through
# eight; by the estimate a part of eight samples takes 64 GB, one of four 40 GB.
LLAVA_ONE = replace(
    PAPER,
    name="llava-7b-1x80gb",
    projector=replace(PAPER.projector, micro_batch=8),
    lora=replace(PAPER.lora, micro_batch=8),
)
LLAVA_EIGHT = replace(PAPER, name="llava-7b-8x80gb")
TINY = Recipe(
    name="tiny",
    maps=Stage(samples=16, batch=4, micro_batch=4, learning_rate=1e-3),
    words=Stage(samples=16, batch=4, micro_batch=4, learning_rate=1e-3),
    captions=Stage(samples=8, batch=4, micro_batch=4, learning_rate=1e-3),
    projector=Stage(samples=12, batch=4, micro_batch=2, learning_rate=1e-3),
    lora=Stage(samples=12, batch=4, micro_batch=2, learning_rate=1e-3),
    scene=Stage(samples=16, batch=4, micro_batch=4, learning_rate=1e-3),
    steer=Stage(samples=16, batch=4, micro_batch=4, learning_rate=1e-3),
    reasons=Stage(samples=8, batch=4, micro_batch=2, learning_rate=1e-3),
    spt=Stage(samples=12, batch=4, micro_batch=2, learning_rate=1e-3),
    answers_a_picture=2,
    lora_rank=4,
    lora_alpha=8,
)
RECIPES = {recipe.name: recipe for recipe in (SMALL, PAPER, LLAVA_ONE, LLAVA_EIGHT, TINY)}


def recipe_named(name: str) -> Recipe:
    """A shipped recipe.

    Raises:
        InputError: there is none of that name.
    """
    return named_in(RECIPES, name)


def with_budget(recipe: R, budget: int | None, *, stages: Sequence[str]) -> R:
    """Any recipe with another budget of samples in these of its stages; None leaves it as it is.

    Raises:
        InputError: the budget is below 1.
    """
    if budget is None:
        return recipe
    if budget < 1:
        raise InputError(f"--budget-samples is {budget}; valid is 1 or more")
    return replace(recipe, **{name: replace(getattr(recipe, name), samples=budget) for name in stages})


def named_in(recipes: Mapping[str, R], name: str, *, what: str = "") -> R:
    """One of some recipes by name; `what` they are for is said where there is none.

    Raises:
        InputError: there is none of that name.
    """
    if name not in recipes:
        raise InputError(f"recipe {name!r}; valid{what and f' for {what}'}: {', '.join(recipes)}")
    return recipes[name]


@dataclass(frozen=True)
class TrainConfig:
    """One run, as dumped into `config.json`.

    Attributes:
        data: Data set folders, learned from together.
        base: Where it starts: a published name, a model folder, a run folder or a hub id.
        strategy: Which parts learn.
        recipe: All numbers of the stages.
        split: How test samples are kept apart.
        folds: Count of folds; 0 trains on everything.
        fold: Which fold is the test fold.
        validation: Share of the training objects (or photographs) watched during training and not trained on.
        seed: Decides order, augmentation and initial weights.
        watch: How often the validation accuracy is taken in the last stage.
        watch_samples: On how many validation photographs.
        coordinates: Whether places are read and written as the base's family was taught, or as the project's fractions.
        dtype: Of the weights that do not learn, and with bf16 of the products; what learns is fp32.
        four_bit: Hold the base's language model in 4 bits.
        gradient_checkpointing: Compute the language model's layers once more on the way back, to save memory.
    """

    data: tuple[str, ...]
    base: str
    strategy: Strategy
    recipe: Recipe
    split: By = "object"
    folds: int = 0
    fold: int = 0
    validation: float = 0.05
    seed: int = 0
    watch: int = 3
    watch_samples: int = 24
    coordinates: Literal["family", "fraction"] = "family"
    dtype: Literal["bf16", "fp32"] = "bf16"
    four_bit: bool = False
    gradient_checkpointing: bool = False

    def to_json(self) -> dict[str, Any]:
        """What the run depends on: of the recipe the strategy's own numbers, of later choices another than the first.

        Gradient checkpointing changes no result, so a resumed run may choose anew.
        """
        value = {**asdict(self), "data": list(self.data), "recipe": self.recipe.numbers(self.strategy)}
        del value["gradient_checkpointing"]
        # What every run took before there was a choice stays unsaid.
        usual = {name: getattr(TrainConfig, name) for name in ("coordinates", "dtype", "four_bit")}
        return {name: v for name, v in value.items() if name not in usual or v != usual[name]}
