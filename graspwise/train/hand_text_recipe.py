"""Recipes of the hand language model: every number a run depends on, dumped into its folder."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from graspwise.train.recipe import Stage, named_in, with_budget

ALIGN, INSTRUCT = "hand-align", "hand-instruct"
Strategy = Literal["hand-align", "hand-instruct"]


@dataclass(frozen=True)
class HandTextRecipe:
    """All numbers of the two stages.

    Attributes:
        name: Its name on the command line.
        align: Projector and the new tokens' rows, through the frozen language model.
        instruct: LoRA and the new tokens' rows; the projector is frozen.
        words: Share of samples that put a grasp in words.
        talk: Share of samples that change a grasp in conversation.
        code_weight: Weight of a hand token against 1 for a word's.
        turned: Objects are turned about any axis by up to so many radians.
        lora_rank: r.
        lora_alpha: alpha.
    """

    name: str
    align: Stage
    instruct: Stage
    words: float = 0.25
    talk: float = 0.2
    code_weight: float = 4.0
    turned: float = 0.2
    lora_rank: int = 16
    lora_alpha: int = 32

    def scaled(self, budget: int | None) -> "HandTextRecipe":
        """The same recipe with another budget of samples for each stage."""
        return with_budget(self, budget, stages=("align", "instruct"))


SMALL = HandTextRecipe(
    name="small",
    align=Stage(samples=8_000, batch=16, micro_batch=16, learning_rate=2e-3),
    instruct=Stage(samples=8_000, batch=16, micro_batch=16, learning_rate=5e-4),
)
TINY = HandTextRecipe(
    name="tiny",
    align=Stage(samples=8, batch=4, micro_batch=2, learning_rate=1e-3),
    instruct=Stage(samples=8, batch=4, micro_batch=2, learning_rate=1e-3),
    lora_rank=4,
    lora_alpha=8,
)
RECIPES = {recipe.name: recipe for recipe in (SMALL, TINY)}


def hand_text_recipe_named(name: str) -> HandTextRecipe:
    """A shipped recipe.

    Raises:
        InputError: there is none of that name.
    """
    return named_in(RECIPES, name, what=f"{ALIGN} and {INSTRUCT}")


@dataclass(frozen=True)
class HandTextConfig:
    """One run, as dumped into `config.json`.

    Attributes:
        data: A data set of hands.
        base: A language model by name, or a run of hand-align or hand-instruct to go on from.
        tokens: Run of hand-tokens; empty where the base carries them.
        strategy: hand-instruct goes through hand-align first where the base has not.
        recipe: All numbers of the stages.
        validation: Share of the objects to learn from that are watched instead.
        seed: Decides order, turns and initial weights.
        watch: How often the validation figures are taken in a stage.
        watch_samples: On how many lessons.
        mano: Where MANO's files lie, for a data set of that hand.
    """

    data: str
    base: str
    tokens: str
    strategy: Strategy
    recipe: HandTextRecipe
    validation: float = 0.1
    seed: int = 0
    watch: int = 4
    watch_samples: int = 64
    mano: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
