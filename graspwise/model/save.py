"""What a model folder holds, and how it is written: what training changed, and nothing else.

A model folder holds what training changed and nothing else: `graspwise.json` (the card), `projector.safetensors`,
`maps.safetensors` (the dense head), `steered.safetensors` (the one that an answer's target steers),
`scene_names.safetensors` (names of several things), `memory.safetensors` (photographs to compare with), `adapter/`
(LoRA in peft's layout), `taught.txt` (reasons to draft answers by, one a line). The card names the base and its hash.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from graspwise.files import read_json, replacing, write_json, write_text
from graspwise.model.grasp_model import GraspModel
from graspwise.model.weights import CARD

PROJECTOR, MAPS, STEERED = "projector.safetensors", "maps.safetensors", "steered.safetensors"
SCENE_NAMES = "scene_names.safetensors"
MEMORY, ADAPTER, TAUGHT = "memory.safetensors", "adapter", "taught.txt"


def save_parts(folder: Path, model: GraspModel) -> None:
    """Write a model folder in bf16; the card is written last."""
    folder.mkdir(parents=True, exist_ok=True)
    save_part(model.family.parts(model.vlm).projector, folder / PROJECTOR)
    if model.head is not None:
        save_part(model.head, folder / MAPS)
    save_beside(folder, model)
    if model.adapter is not None:
        save_adapter(folder / ADAPTER, model.adapter, base=model.card.base)
    write_json(folder / CARD, model.card.to_json())


def save_beside(folder: Path, model: GraspModel) -> None:
    """Write what lies beside the vision-language model and its dense head."""
    if model.scene_names is not None:
        model.scene_names.save(folder / SCENE_NAMES)
    if model.steered is not None:
        save_part(model.steered, folder / STEERED)
    if model.memory is not None:
        model.memory.save(folder / MEMORY)
    if model.taught:
        write_text(folder / TAUGHT, "".join(f"{line}\n" for line in model.taught))


def save_adapter(folder: Path, adapter: Any, *, base: str) -> None:
    """Write a peft model's LoRA in bf16, in peft's layout; `base` is the name of what it belongs to."""
    # Asked to find out whether the vocabulary grew, peft looks for the base on the hub.
    adapter.save_pretrained(folder, save_embedding_layers=False)
    weights, settings = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    save_file({name: value.to(torch.bfloat16) for name, value in load_file(weights).items()}, weights)
    # peft writes where the base lay on this machine; elsewhere its name counts.
    write_json(settings, {**read_json(settings), "base_model_name_or_path": base})
    (folder / "README.md").unlink(missing_ok=True)


def save_part(module: torch.nn.Module, path: Path) -> None:
    with replacing(path) as temporary:
        save_file({k: v.detach().to(torch.bfloat16).contiguous() for k, v in module.state_dict().items()}, temporary)
