"""Families of vision-language models by the kind of their configuration."""

import torch
from transformers import AutoConfig, AutoModelForImageTextToText, AutoTokenizer, PreTrainedModel

from graspwise.errors import InputError
from graspwise.vlm.adapter import Adapter
from graspwise.vlm.holding import Holding, names_outside
from graspwise.vlm.idefics3 import Idefics3, SmolVlm
from graspwise.vlm.llava import Llava
from graspwise.vlm.llava_next import LlavaNext
from graspwise.vlm.paligemma import PaliGemma
from graspwise.vlm.qwen_vl import Qwen3Vl, Qwen25Vl

FAMILIES: dict[str, type[Adapter]] = {
    adapter.family: adapter for adapter in (Llava, LlavaNext, Idefics3, SmolVlm, Qwen25Vl, Qwen3Vl, PaliGemma)
}


def family_named(name: str) -> type[Adapter]:
    """A family by name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in FAMILIES:
        raise InputError(f"family {name!r}; valid: {', '.join(FAMILIES)}")
    return FAMILIES[name]


def open_family(checkpoint: str, *, holding: Holding, device: torch.device) -> tuple[PreTrainedModel, Adapter]:
    """A checkpoint folder or hub id: the model and its family's adapter.

    Args:
        checkpoint: Folder or hub id.
        holding: How its weights are held.
        device: Where four-bit weights are made; others are on the CPU.

    Raises:
        InputError: its family is none of ours.
        OSError, ValueError, RuntimeError, KeyError: it cannot be read or fetched.
    """
    family = open_adapter(checkpoint)
    whole: list[str] = []
    if holding.four_bit:
        with torch.device("meta"):
            shape = AutoModelForImageTextToText.from_config(family.config)
        whole = names_outside(shape, family.parts(shape).language_model)
    options = holding.options(whole=whole, device=device)
    model = AutoModelForImageTextToText.from_pretrained(checkpoint, **options)
    family.config = model.config
    return model, family


def open_adapter(checkpoint: str) -> Adapter:
    """The adapter of a checkpoint folder or hub id, without its weights; errors as of `open_family`."""
    config = AutoConfig.from_pretrained(checkpoint)
    adapter = next((a for a in FAMILIES.values() if config.model_type in a.model_types), None)
    if adapter is None:
        known = ", ".join(kind for a in FAMILIES.values() for kind in a.model_types)
        raise InputError(f"model {checkpoint}: is a {config.model_type}; valid: {known}")
    return adapter(config, AutoTokenizer.from_pretrained(checkpoint), adapter.open_processor(checkpoint))
