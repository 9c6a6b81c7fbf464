"""What a run will take: parameters that learn, memory, disk, and after a few steps its time."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from graspwise.files import write_json
from graspwise.model.grasp_map import GraspMapHead
from graspwise.model.grasp_model import GraspModel
from graspwise.model.steering import SteeredHead
from graspwise.train.loop import Progress
from graspwise.train.recipe import Recipe, Stage, TrainConfig

ESTIMATE = "estimate.json"
# Bytes of a parameter that learns: itself, its gradient and AdamW's two means, fp32.
LEARNING, KEPT, SAVED = 16, 12, 2
# Of a sample beside its picture: question, hints and answer.
TEXT_TOKENS, ANSWER_TOKENS = 160, 60
# Steps of a stage after the first that tell its time.
FEW = 3
# Stages that run the language model on pictures.
READING = ("captions", "answers")


@dataclass(frozen=True)
class Estimate:
    """What a run will take, a process.

    Attributes:
        parameters: Of the whole model.
        trained: How many learn, stage by stage.
        weights: Bytes of those that do not learn.
        learning: Bytes of those that do, in the stage that has most, with gradients and optimiser.
        activations: Bytes that a micro-batch keeps for the way back, about.
        disk: Bytes of the run folder when it is done, about.
    """

    parameters: int
    trained: Mapping[str, int]
    weights: int
    learning: int
    activations: int
    disk: int

    @property
    def memory(self) -> int:
        """Bytes of all of it."""
        return self.weights + self.learning + self.activations

    def lines(self) -> list[str]:
        """What is said of it."""
        most = max(self.trained.values(), default=0)
        parts = ((self.weights, "weights"), (self.learning, "what learns"), (self.activations, "a micro-batch"))
        listed = ", ".join(f"{name} {size(value)}" for value, name in parts)
        return [
            f"learns: {count(most)} of {count(self.parameters)} parameters",
            f"memory: about {size(self.memory)} a process ({listed}), and the libraries'",
            f"disk: about {size(self.disk)}",
        ]

    def to_json(self) -> dict[str, Any]:
        return {
            "parameters": self.parameters,
            "trained": dict(self.trained),
            "memory_bytes": {
                "weights": self.weights, "learning": self.learning, "activations": self.activations,
                "together": self.memory,
            },
            "disk_bytes": self.disk,
        }  # fmt: skip


def estimate(model: GraspModel, config: TrainConfig, stages: Mapping[str, Stage], *, processes: int = 1) -> Estimate:
    """What a run will take.

    Args:
        model: As it is loaded, before a stage adds to it.
        config: The run.
        stages: Those ahead, by name.
        processes: How many share a step.
    """
    trained = {name: trained_parameters(model, config.recipe, config.strategy, name) for name in stages}
    return Estimate(
        parameters=model.vlm.num_parameters(),
        trained=trained,
        weights=sum(held_bytes(parameter) for parameter in model.vlm.parameters()),
        learning=LEARNING * max(trained.values(), default=0),
        activations=max(
            (activation_bytes(model, config, stage) for name, stage in stages.items() if name in READING), default=0
        ),
        disk=sum(trained.values()) * KEPT + max(trained.values(), default=0) * SAVED,
    )


def trained_parameters(model: GraspModel, recipe: Recipe, strategy: str, stage: str) -> int:
    """How many parameters learn in a stage."""
    parts = model.family.parts(model.vlm)
    projector = numbers(parts.projector)
    lora = lora_numbers(parts.language_model, rank=recipe.lora_rank)
    if stage in ("maps", "scene"):
        # The names in a scene are a head of about that size.
        return numbers(GraspMapHead(model.vlm.config.vision_config.map_channels))
    if stage == "steer":
        return steered_parameters(model)
    if stage == "reasons":
        return lora
    if stage != "answers" or strategy == "projector":
        return projector
    return projector + lora + (steered_parameters(model) if strategy == "spt" else 0)


def lora_numbers(language_model: nn.Module, *, rank: int) -> int:
    """How many parameters LoRA has there, or will have."""
    found = sum(p.numel() for name, p in language_model.named_parameters() if "lora_" in name)
    layers = [layer for layer in language_model.modules() if isinstance(layer, nn.Linear)]
    return found or sum(rank * (layer.in_features + layer.out_features) for layer in layers)


def steered_parameters(model: GraspModel) -> int:
    config = model.vlm.config
    return numbers(SteeredHead(config.vision_config.map_channels, config.text_config.hidden_size))


def numbers(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def held_bytes(parameter: torch.Tensor) -> int:
    """Bytes of a parameter here; of one that is spread over processes, its share."""
    here = parameter.to_local() if hasattr(parameter, "to_local") else parameter
    return int(here.numel() * here.element_size())


def activation_bytes(model: GraspModel, config: TrainConfig, stage: Stage) -> int:
    """What the language model keeps of a micro-batch for the way back, by its shape."""
    shape = model.vlm.config.get_text_config()
    wide, inner, layers = shape.hidden_size, shape.intermediate_size, shape.num_hidden_layers
    # Several answers may share a picture.
    pictures = max(1, stage.micro_batch // max(1, config.recipe.answers_a_picture))
    tokens = pictures * (model.image_tokens + TEXT_TOKENS) + (stage.micro_batch - pictures) * ANSWER_TOKENS
    each = 2 if config.dtype == "bf16" else 4
    # A layer's norms, queries, keys, values, sums and what LoRA reads; the gate's products.
    layer = each * tokens * (14 * wide + 6 * inner)
    logits = 12 * stage.micro_batch * ANSWER_TOKENS * shape.vocab_size
    if config.gradient_checkpointing:
        return int(layers * each * tokens * wide + layer + logits)
    return int(layers * layer + logits)


class Forecast:
    """A run's estimate while it runs: said before the first step, with the time once a few steps tell it.

    Attributes:
        seconds: Of a sample, by stage.
    """

    def __init__(
        self,
        folder: Path,
        expected: Estimate,
        stages: Mapping[str, Stage],
        *,
        report: Callable[[Progress], None],
        say: Callable[[str], None],
    ) -> None:
        self._folder, self._expected, self._stages = folder, expected, stages
        self._report, self._say = report, say
        self._first: tuple[str, int, float] = "", 0, 0.0
        self.seconds: dict[str, float] = {}

    def begin(self) -> None:
        """Say it, and write `estimate.json`."""
        for line in self._expected.lines():
            self._say(line)
        self.write()

    def report(self, progress: Progress) -> None:
        """Take note of a step, and pass it on."""
        self._report(progress)
        now = time.monotonic()
        if self._first[0] != progress.stage:
            self._first = progress.stage, progress.step, now
        stage, began, since = self._first
        if progress.step == began + FEW:
            self.seconds[stage] = (now - since) / FEW / self._stages[stage].batch
            left = (progress.steps - progress.step) * self._stages[stage].batch
            each = self.seconds[stage]
            if left:
                self._say(f"stage {stage}: about {duration(left * each)} left, {each:.3g} s a sample")
        if progress.step in (began + FEW, progress.steps):
            self.write()

    def write(self) -> None:
        """Write what is known by now."""
        stages = {
            name: {"samples": stage.samples, "seconds": round(stage.samples * self.seconds[name], 1)
                   if name in self.seconds else None}
            for name, stage in self._stages.items()
        }  # fmt: skip
        write_json(
            self._folder / ESTIMATE,
            {**self._expected.to_json(), "stages": stages, "peak_memory_bytes": peak_memory()},
        )


def peak_memory() -> int:
    """Most bytes this process has held so far: on its accelerator if there is one, else in all."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    import resource

    # Linux counts kilobytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def size(value: float) -> str:
    """Bytes as one reads them."""
    return f"{value / 1e9:.1f} GB" if value >= 1e8 else f"{value / 1e6:.1f} MB"


def count(value: float) -> str:
    return f"{value / 1e9:.2f} G" if value >= 1e9 else f"{value / 1e6:.2f} M"


def duration(seconds: float) -> str:
    """A time as one reads it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
