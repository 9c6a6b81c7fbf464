"""Gradient checkpointing: the same gradients, less kept, and nothing changed outside."""

from pathlib import Path

import pytest
import torch
from torch import nn

from graspwise.data.store import Dataset
from graspwise.errors import InputError
from graspwise.model.load import load_model
from graspwise.train.recipe import recipe_named
from graspwise.train.recompute import recomputable_layers
from graspwise.train.run import add_lora, lora_parameters
from graspwise.train.text_tasks import CaptionTask
from graspwise.vlm.holding import Holding


def kept_bytes(task: CaptionTask) -> tuple[float, int]:
    """Loss of a pass there and back, and the bytes that autograd kept for the way back."""
    kept: dict[int, int] = {}

    def keep(value: torch.Tensor) -> torch.Tensor:
        kept[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        return value

    prepared = task.prepare(range(4))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        loss = task.loss(prepared)
    loss.backward()
    return float(loss.detach()), sum(kept.values())


@pytest.mark.parametrize("dtype", ["bf16", "fp32"])
def test_gradients_stay_and_less_is_kept(tiny_checkpoint: Path, dataset_folder: Path, dtype: str):
    model = load_model(str(tiny_checkpoint), merged=False, holding=Holding(dtype=dtype))
    assert model.dtype == (torch.bfloat16 if dtype == "bf16" else torch.float32)
    torch.manual_seed(0)
    model.adapter = add_lora(model, recipe_named("tiny"))
    learned = lora_parameters(model)
    dataset = Dataset(dataset_folder)
    shared = {"training": list(dataset), "validation": [], "seed": 0, "trainable": learned}
    found = []
    for layers in ([], recomputable_layers(model)):
        loss, kept = kept_bytes(CaptionTask(model, dataset, **shared, recomputed=layers))
        found.append((loss, kept, {name: p.grad.clone() for name, p in learned.items()}))
        for parameter in learned.values():
            parameter.grad = None
    (loss, kept, gradients), (again, less, others) = found
    assert again == loss and less < kept
    assert all(torch.equal(gradients[name], others[name]) for name in gradients)
    # Generation keeps its cache.
    assert not any(layer.training or layer.gradient_checkpointing for layer in recomputable_layers(model))


def test_a_model_without_such_layers_is_refused(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch):
    model = load_model(str(tiny_checkpoint), merged=False)
    monkeypatch.setattr("graspwise.train.recompute.GradientCheckpointingLayer", nn.Conv3d)
    with pytest.raises(InputError, match="--gradient-checkpointing: LlamaModel has none"):
        recomputable_layers(model)
