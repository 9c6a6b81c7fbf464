"""Training hand tokens by the same loop and run folder as all models: hands in, the same hands out of their tokens.

A batch takes a few objects and several hands on each, so that an object is looked at once for all its hands. Object and
hands are turned together by a small angle; they are not mirrored, which would make left hands. The loss is the distance
of vertices, the squared error of parameters, and the vectors' distance to their codes. The last weights are the result.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor
from torch.nn import functional as F

from graspwise.errors import InputError
from graspwise.files import write_json
from graspwise.hand.grasps import HandDataset
from graspwise.hand.mano import load_mano
from graspwise.hand.open_hand import load_open_hand
from graspwise.hand.tokens import NETWORK, HandTokens, Reconstruction, load_hand_tokens, save_hand_tokens
from graspwise.model.load import device
from graspwise.train.hand_batches import CHUNK, Batch, Hands, turned
from graspwise.train.loop import Progress, fit
from graspwise.train.recipe import Stage, named_in, with_budget
from graspwise.train.run import check_run

Tokens = Literal["1", "2", "3", "shared"]
LEVELS: dict[Tokens, Literal[1, 2, 3]] = {"1": 1, "2": 2, "3": 3, "shared": 3}
# What counts as 1 in the loss, metres.
UNIT = 0.01


@dataclass(frozen=True)
class HandTokensRecipe:
    """Every number of a training of hand tokens.

    Attributes:
        name: Its name on the command line.
        stage: Budget and optimiser; a micro-batch is a multiple of `each`.
        each: Hands of an object in a batch.
        turn: Largest angle that object and hands are turned by, radians.
        parameter: Weight of the parameters' squared error, against 1 for a centimetre of the vertices.
        commitment: Weight of the vectors' distance to their codes.
        codes: Of a codebook.
        width: Of a code.
        features: Width of the cloud's features.
        hidden: Width of the levels' layers.
    """

    name: str
    stage: Stage
    each: int = 8
    turn: float = 0.35
    parameter: float = 0.5
    commitment: float = 0.25
    codes: int = 512
    width: int = 256
    features: int = 128
    hidden: int = 256

    def scaled(self, budget: int | None) -> "HandTokensRecipe":
        """The same recipe with another budget of samples."""
        return with_budget(self, budget, stages=("stage",))


SMALL = HandTokensRecipe("small", Stage(samples=400_000, batch=128, micro_batch=128, learning_rate=1e-3))
TINY = HandTokensRecipe(
    "tiny", Stage(samples=32, batch=8, micro_batch=8, learning_rate=1e-3), each=4, codes=16, width=16, features=16,
    hidden=32,
)  # fmt: skip
HAND_TOKENS_RECIPES = {recipe.name: recipe for recipe in (SMALL, TINY)}


def hand_tokens_recipe_named(name: str) -> HandTokensRecipe:
    """A recipe of hand tokens.

    Raises:
        InputError: there is none of that name.
    """
    return named_in(HAND_TOKENS_RECIPES, name, what=NETWORK)


@dataclass(frozen=True)
class HandTokensConfig:
    """One run, as dumped into `config.json`.

    Attributes:
        data: Folder of a data set of hands.
        tokens: How many a hand is, or "shared": three from one codebook that are no levels.
        recipe: All numbers of the training.
        validation: Share of the objects for training that are watched and not trained on.
        seed: Decides split, order, augmentation and initial weights.
        watch: How often the validation figures are taken.
        mano: Where MANO's files lie, for a data set of that hand.
    """

    data: str
    tokens: Tokens = "3"
    recipe: HandTokensRecipe = SMALL
    validation: float = 0.1
    seed: int = 0
    watch: int = 4
    mano: str | None = None
    strategy: Literal["hand-tokens"] = "hand-tokens"

    def to_json(self) -> dict[str, Any]:
        """What the run depends on."""
        return asdict(self)


def train_hand_tokens(
    config: HandTokensConfig,
    *,
    out: Path | str,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Train hand tokens from random weights; returns the model folder.

    Args:
        config: The run; dumped into `config.json`.
        out: Run folder; `report.json` has MPVPE and codebook usage of the model as it was written.
        resume: Go on with the run in `out`, which must have been started with the same configuration.
        report: Called after every optimiser step.
        say: Called with a line before the training, and with one of its figures after it.

    Raises:
        InputError: the folder or the data set is not valid, or MANO is needed and not there.
        graspwise.train.loop.Interrupted: stopped on request; resume goes on from there.
    """
    if config.tokens not in LEVELS:
        raise InputError(f"--tokens is {config.tokens}; valid: {', '.join(LEVELS)}")
    folder, dataset, recipe = Path(out), HandDataset(config.data), config.recipe
    split = dataset.split(validation=config.validation, seed=config.seed)
    hands = {part: Hands(dataset, names) for part, names in asdict(split).items()}
    if not len(hands["training"]):
        raise InputError(f"{config.data}: no hand is left for training; valid is a data set of more objects")
    check_run(folder, config.to_json(), resume=resume)
    hand = load_mano(config.mano) if dataset.hand == "mano" else load_open_hand()
    torch.manual_seed(config.seed)
    tokens = HandTokens(
        hand, levels=LEVELS[config.tokens], shared=config.tokens == "shared", number=recipe.codes,
        width=recipe.width, features=recipe.features, hidden=recipe.hidden,
    ).to(device())  # fmt: skip
    task = HandTokensTask(
        tokens, training=hands["training"], validation=hands["validation"], recipe=recipe, seed=config.seed
    )
    write_json(folder / "config.json", config.to_json())
    write_json(folder / "split.json", asdict(split))
    say(f"{NETWORK}: {recipe.stage.samples} samples of {len(hands['training'])} hands")
    fit(task, recipe.stage, folder=folder, seed=config.seed, watch=config.watch, report=report)
    save_hand_tokens(folder / "model", tokens, recipe=recipe.name, trained_on=split.training)
    written = load_hand_tokens(folder / "model", mano=config.mano).to(device())
    measured = {part: measure(written, of) for part, of in hands.items() if len(of)}
    write_json(
        folder / "report.json",
        {
            "tokens": config.tokens,
            "hands": {part: len(of) for part, of in hands.items()},
            "objects": {part: len(of.names) for part, of in hands.items()},
            "mpvpe_mm": {part: figures["mpvpe_mm"] for part, figures in measured.items()},
            "usage": {name: value for name, value in measured["training"].items() if name != "mpvpe_mm"},
        },
    )
    say("; ".join(f"{part}: " + json.dumps(figures) for part, figures in measured.items()))
    return folder / "model"


class HandTokensTask:
    """What the loop needs: hands on turned objects, and how far their tokens are from giving them back."""

    name = NETWORK

    def __init__(
        self, tokens: HandTokens, *, training: Hands, validation: Hands, recipe: HandTokensRecipe, seed: int
    ) -> None:
        self.tokens, self.training, self.validation = tokens.train(), training, validation
        self.recipe, self.seed = recipe, seed
        self.device = next(tokens.parameters()).device
        layout = tokens.rig.layout
        counts = np.array([end - first for first, end in training.ranges])
        self.shares = counts / counts.sum()
        with torch.no_grad():
            own = [tokens.rig.own(*layout.split(rows)[1:]) for rows in training.parameters.split(CHUNK)]
        self.own = torch.cat(own)

    def parameters(self) -> dict[str, Any]:
        # Codebooks get no gradient and so no step, but a checkpoint needs them with their averages.
        return {**dict(self.tokens.named_parameters()), **dict(self.tokens.named_buffers())}

    def rate(self, parameter: str) -> float:
        return 1.0

    def prepare(self, positions: range) -> Batch:
        """Hands drawn by (seed, first position): objects by their share of the hands, then hands of each."""
        rng, each = np.random.default_rng([self.seed, positions.start]), self.recipe.each
        objects = rng.choice(len(self.shares), max(1, len(positions) // each), p=self.shares)
        ranges = [self.training.ranges[place] for place in objects]
        rows = [rng.integers(first, end, size=each) for first, end in ranges]
        chosen = torch.from_numpy(np.concatenate(rows))
        axes = rng.normal(size=(len(objects), 3))
        angles = rng.uniform(0, self.recipe.turn, size=(len(objects), 1))
        turns = Rotation.from_rotvec(angles * axes / np.linalg.norm(axes, axis=1, keepdims=True)).as_matrix()
        rotations = torch.from_numpy(turns).float()
        parameters = turned(self.training.parameters[chosen], rotations.repeat_interleave(each, 0))
        return Batch(self.training.cloud.picked(objects.tolist()).turned(rotations), parameters, self.own[chosen])

    def loss(self, prepared: Batch) -> Tensor:
        found = self.tokens(
            prepared.parameters.to(self.device), prepared.cloud.to(self.device), own=prepared.own.to(self.device)
        )
        vertices, parameters = errors(self.tokens, found)
        loss: Tensor = vertices / UNIT + self.recipe.parameter * parameters + self.recipe.commitment * found.commitment
        return loss

    def watch(self) -> dict[str, float]:
        """MPVPE of the hands on validation objects, and the share of codes that the training hands use."""
        self.tokens.eval()
        usage = {f"usage_{name}": value for name, value in measure(self.tokens, self.training).items()}
        error = usage.pop("usage_mpvpe_mm")
        seen = {"mpvpe_mm": measure(self.tokens, self.validation)["mpvpe_mm"]} if len(self.validation) else {}
        self.tokens.train()
        return {**seen, "training_mpvpe_mm": error, **usage}


def errors(tokens: HandTokens, found: Reconstruction) -> tuple[Tensor, Tensor]:
    """Mean distance of the vertices, metres, and mean squared error of the parameters, each summed over the levels.

    What a level does not write is taken from the truth: where the first of several levels puts the hand is measured
    on the right hand, put there.
    """
    truth, right = found.truth, tokens.rig.numbers(found.truth)
    vertices, parameters = [], []
    for level, guess in zip(tokens.steps, found.guesses, strict=True):
        if level.writes == "place":
            guess, numbers = replace(guess, own=truth.own), slice(0, 9)
        else:
            numbers = slice(None)
        vertices.append((guess.vertices - truth.vertices).norm(dim=-1).mean())
        parameters.append(F.mse_loss(tokens.rig.numbers(guess)[:, numbers], right[:, numbers]))
    return torch.stack(vertices).sum(), torch.stack(parameters).sum()


@torch.no_grad()
def measure(tokens: HandTokens, hands: Hands) -> dict[str, float]:
    """MPVPE in millimetres of hands after encoding and decoding, and the codebooks' usage by the tokens' names."""
    place = next(tokens.parameters()).device
    written, distances = [], []
    for cloud, rows in hands.chunks():
        cloud, rows = cloud.to(place), rows.to(place)
        written.append(tokens.encode(rows, cloud))
        layout, hand = tokens.rig.layout, tokens.rig.hand
        first, second = (hand.pose(*layout.split(p)).vertices for p in (rows, tokens.decode(written[-1], cloud)))
        distances.append((first - second).norm(dim=-1).mean(1))
    mean = float(torch.cat(distances).mean())
    return {"mpvpe_mm": round(1000 * mean, 3), **tokens.usage(torch.cat(written))}
