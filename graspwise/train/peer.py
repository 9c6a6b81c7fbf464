"""Training GR-ConvNet, the peer, by the same loop, splits and run folder as our own models.

Its own augmentation, not ours: a part of 0.5 to 1 of the picture's side, turned, no mirror and no recolouring. The
original crops about the picture's centre and turns by quarters; here the part holds a label of the picture and is
turned by any angle, labels, picture and depth by one exact transform. The loop's one-cycle schedule and clipped
gradient stand where the original keeps one rate. Of a simulated scene all things' labels are learned at once, because
the peer is not told which thing is meant. The last weights are the result: no checkpoint is chosen by a test
score.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from graspwise.data.split import GROUPS, By, make_split
from graspwise.data.store import Dataset, Sample
from graspwise.errors import InputError
from graspwise.files import write_json
from graspwise.model.grconvnet import (
    NETWORK,
    SIZE,
    GrConvNet,
    PeerCard,
    label_maps,
    map_loss,
    network_input,
    read_grasps,
    save_grconvnet,
)
from graspwise.model.load import device
from graspwise.train.examples import Example, Order, example, is_visible, plain_example
from graspwise.train.loop import Progress, fit
from graspwise.train.parts import divide
from graspwise.train.peer_labels import with_all_labels
from graspwise.train.recipe import Stage, named_in, with_budget
from graspwise.train.run import check_run
from graspwise.train.tasks import hit, mean
from graspwise.transform import Transform


@dataclass(frozen=True)
class PeerRecipe:
    """Every number of a training of the peer.

    Attributes:
        name: Its name on the command line.
        stage: Budget and optimiser; AdamW without decay is Adam.
        image_size: Side of the square pictures, pixels.
        width: Channels of the first convolution.
        dropout: Before each head.
        zoom: Smallest part of the picture's side that augmentation shows.
    """

    name: str
    stage: Stage
    image_size: int = SIZE
    width: int = 32
    dropout: float = 0.1
    zoom: float = 0.5

    def scaled(self, budget: int | None) -> "PeerRecipe":
        """The same recipe with another budget of samples."""
        return with_budget(self, budget, stages=("stage",))


# The paper's optimiser, rate, batch and network; the budget is ours.
PAPER = PeerRecipe("paper", Stage(samples=20_000, batch=8, micro_batch=8, learning_rate=1e-3))
TINY = PeerRecipe("tiny", Stage(samples=16, batch=4, micro_batch=4, learning_rate=1e-3), image_size=64, width=4)
PEER_RECIPES = {recipe.name: recipe for recipe in (PAPER, TINY)}


def peer_recipe_named(name: str) -> PeerRecipe:
    """A recipe of the peer.

    Raises:
        InputError: there is none of that name.
    """
    return named_in(PEER_RECIPES, name, what=NETWORK)


@dataclass(frozen=True)
class PeerConfig:
    """One run of the peer, as dumped into `config.json`.

    Attributes:
        depth: Whether the network sees the data set's depth too; the others as in `graspwise.train.recipe.TrainConfig`.
    """

    data: str
    recipe: PeerRecipe = PAPER
    split: By = "object"
    folds: int = 0
    fold: int = 0
    validation: float = 0.05
    seed: int = 0
    watch: int = 3
    depth: bool = False
    model: Literal["grconvnet"] = "grconvnet"

    def to_json(self) -> dict[str, Any]:
        """What the run depends on."""
        return asdict(self)


def train_peer(
    config: PeerConfig,
    *,
    out: Path | str,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Train GR-ConvNet from random weights; returns the model folder.

    Args:
        config: The run; dumped into `config.json`.
        out: Run folder.
        resume: Go on with the run in `out`, which must have been started with the same configuration.
        report: Called after every optimiser step.
        say: Called with a line before the training.

    Raises:
        InputError: the folder, the data set or the split is not valid, or a sample lacks the depth asked for.
        graspwise.train.loop.Interrupted: stopped on request; resume goes on from there.
    """
    folder, dataset, recipe = Path(out), Dataset(config.data), config.recipe
    if dataset.info["task"] == "wishes":
        raise InputError(
            f"{config.data}: is of wishes, where one picture has other targets for other words, which {NETWORK} does "
            "not read; valid is a data set of photographs, or of scenes by `graspwise dataset build sim`"
        )
    check_run(folder, config.to_json(), resume=resume)
    split = make_split(
        dataset, by=config.split, folds=config.folds, fold=config.fold, validation=config.validation, seed=config.seed
    )
    parts = divide(dataset, split)
    if not parts.training:
        raise InputError(
            f"{config.data}: no sample is left for training; valid is a data set of more {GROUPS[config.split]}"
        )
    training, validation = (with_all_labels(dataset, part) for part in (parts.training, parts.validation))
    if config.depth:
        # All of them before the first file, not when their turn comes.
        for sample in (*training, *validation):
            dataset.depth_path(sample)
    channels = 4 if config.depth else 3
    torch.manual_seed(config.seed)
    network = GrConvNet(channels=channels, width=recipe.width, dropout=recipe.dropout).to(device())
    task = PeerTask(network, dataset, training=training, validation=validation, recipe=recipe, seed=config.seed)
    write_json(folder / "config.json", config.to_json())
    write_json(folder / "split.json", split.to_json())
    say(f"{NETWORK}: {recipe.stage.samples} samples")
    fit(task, recipe.stage, folder=folder, seed=config.seed, watch=config.watch, report=report)
    trained_on = sorted({f"{dataset.info['source']}:{sample.object_id}" for sample in training})
    card = PeerCard(
        image_size=recipe.image_size,
        channels=channels,
        width=recipe.width,
        recipe=recipe.name,
        trained_on=tuple(trained_on),
    )
    save_grconvnet(folder / "model", network, card)
    return folder / "model"


class PeerTask:
    """What the loop needs: pictures turned and zoomed, the maps of their labels, and the loss between maps."""

    name = NETWORK

    def __init__(
        self,
        network: GrConvNet,
        dataset: Dataset,
        *,
        training: Sequence[Sample],
        validation: Sequence[Sample],
        recipe: PeerRecipe,
        seed: int,
    ) -> None:
        self.network = network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.dataset, self.recipe, self.seed = dataset, recipe, seed
        self.training, self.validation = list(training), list(validation)
        self.order = Order(len(self.training), seed=seed)
        self.readers = ThreadPoolExecutor(2)
        self.device = next(network.parameters()).device
        self.bf16 = quick_in_bf16(self.device)

    def parameters(self) -> dict[str, Any]:
        # Batch norm's statistics get no gradient and so no step, but a checkpoint needs them.
        return dict(self.network.state_dict(keep_vars=True))

    def rate(self, parameter: str) -> float:
        return 1.0

    def prepare(self, positions: range) -> tuple[Tensor, Tensor]:
        """Pictures (B, 3 or 4, S, S) and maps (B, 4, S, S)."""
        samples = [self.training[self.order[position]] for position in positions]
        examples = list(self.readers.map(self.augmented, samples, positions))
        maps = [label_maps(e.rectangles, size=self.recipe.image_size) for e in examples]
        return self.input(examples), torch.stack(maps)

    def input(self, examples: Sequence[Example]) -> Tensor:
        return network_input([e.picture for e in examples], depth=self.network.takes_depth)

    def augmented(self, sample: Sample, position: int) -> Example:
        rng = np.random.default_rng([self.seed, position])
        return turned_part(
            self.dataset, sample, size=self.recipe.image_size, zoom=self.recipe.zoom, rng=rng,
            depth=self.network.takes_depth,
        )  # fmt: skip

    def loss(self, prepared: tuple[Tensor, Tensor]) -> Tensor:
        pictures, maps = (part.to(self.device) for part in prepared)
        # Half the time of fp32 with channels first; the loss itself is taken in fp32.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            drawn = self.network(pictures.contiguous(memory_format=torch.channels_last))
        return map_loss(drawn.float(), maps)

    @torch.no_grad()
    def watch(self) -> dict[str, float]:
        """Share of the validation photographs whose best grasp, and one of whose three best, is right."""
        hits = []
        self.network.eval()
        for start in range(0, len(self.validation), 16):
            chosen = self.validation[start : start + 16]
            examples = [
                plain_example(self.dataset, sample, size=self.recipe.image_size, depth=self.network.takes_depth)
                for sample in chosen
            ]
            found = read_grasps(self.network(self.input(examples).to(self.device)))
            hits += [[hit(g, e) for g in grasps] for grasps, e in zip(found, examples, strict=True)]
        self.network.train()
        if not hits:
            return {}
        return {"accuracy": mean(h[0] for h in hits), "accuracy_of_three": mean(any(h) for h in hits)}


def quick_in_bf16(place: torch.device) -> bool:
    """Whether convolutions gain by bf16 there: other CPUs make it up from fp32, and accelerators need no help."""
    return place.type == "cpu" and torch.backends.cpu.get_cpu_capability() == "AVX512"


def turned_part(
    dataset: Dataset, sample: Sample, *, size: int, zoom: float, rng: np.random.Generator, depth: bool = False
) -> Example:
    """A square part of `zoom` to 1 of the sample's picture around one of its labels, turned by any angle.

    The plain picture where no label stays in view. Depth stays in metres, whatever the zoom.
    """
    picture = dataset.picture(sample, depth=depth)
    fit = Transform.letterbox(source_size=picture.size, size=(size, size))
    labels = [fit.rectangle(r) for r in sample.rectangles]
    part, theta = rng.uniform(zoom, 1.0), rng.uniform(-math.pi, math.pi)
    held = np.array(labels[rng.integers(len(labels))].center if labels else (size / 2, size / 2))
    half = part * size / 2
    low = np.clip(held - half, half, size - half)
    high = np.clip(held + half, half, size - half)
    middle = rng.uniform(low, high) - 0.5
    turn = Transform.about(
        source=(float(middle[0]), float(middle[1])),
        target=((size - 1) / 2, (size - 1) / 2),
        scale=1 / part,
        theta=theta,
        source_size=fit.size,
        size=fit.size,
    )
    transform = fit.then(turn)
    if sample.rectangles and not any(is_visible(transform.rectangle(r), size) for r in sample.rectangles):
        return plain_example(dataset, sample, size=size, depth=depth)
    return example(sample, transform.picture(picture, fill="edge"), transform)
