"""Gradient checkpointing: layers keep their input alone and are computed once more on the way back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

from graspwise.errors import InputError
from graspwise.model.grasp_model import GraspModel


def recomputable_layers(model: GraspModel) -> list[nn.Module]:
    """The language model's layers, for `recomputing`.

    Raises:
        InputError: this class of model has none.
    """
    language_model = model.family.parts(model.vlm).language_model
    layers = [layer for layer in language_model.modules() if isinstance(layer, GradientCheckpointingLayer)]
    if not layers:
        raise InputError(f"--gradient-checkpointing: {type(language_model).__name__} has none; leave it out")
    for layer in layers:
        layer._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)
    return layers


@contextmanager
def recomputing(layers: Sequence[nn.Module]) -> Iterator[None]:
    """A forward pass whose layers keep their input alone.

    They count as training within, themselves and not their children: dropout stays off, and outside nothing differs.
    """
    for layer in layers:
        layer.training, layer.gradient_checkpointing = True, True  # type: ignore[assignment]
    try:
        yield
    finally:
        for layer in layers:
            layer.training, layer.gradient_checkpointing = False, False  # type: ignore[assignment]
