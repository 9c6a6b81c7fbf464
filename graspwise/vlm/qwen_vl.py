"""Qwen2.5-VL and Qwen3-VL: pictures of any size in patches, and positions on three axes."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from transformers import (
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Qwen2_5_VLConfig,
    Qwen3VLConfig,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from graspwise.vlm.adapter import Adapter, Inputs, Parts
from graspwise.vlm.coordinates import THOUSAND, Coordinates, pixels
from graspwise.vlm.tiny import SIZES, ends

# About as many tokens as LLaVA takes; a checkpoint's own limits come first.
SIDE = 672
IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"


class Qwen25Vl(Adapter):
    """`Qwen2_5_VLForConditionalGeneration`."""

    family = "qwen2.5-vl"
    model_types = ("qwen2_5_vl",)
    template = (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
        "{% for part in message['content'] %}{% if part['type'] == 'image' %}" + IMAGE + "{% else %}{{ part['text'] }}"
        "{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    patch_size: ClassVar[int] = 14

    @classmethod
    def open_processor(cls, checkpoint: str) -> Any:
        return Qwen2VLImageProcessorPil.from_pretrained(checkpoint)

    @property
    def cell(self) -> int:
        """Side of what becomes one token, pixels."""
        return int(self.processor.patch_size * self.processor.merge_size)

    @property
    def image_size(self) -> int:
        """A whole number of cells, so that the processor resizes nothing."""
        least, most = self.processor.size["shortest_edge"], self.processor.size["longest_edge"]
        cells = min(SIDE, math.isqrt(most)) // self.cell
        return int(self.cell * max(cells, math.ceil(math.sqrt(least) / self.cell)))

    @property
    def image_text(self) -> str:
        return self.image_token * (self.image_size // self.cell) ** 2

    @property
    def coordinates(self) -> Coordinates:
        return pixels(self.image_size)

    def inputs(self, pictures: Sequence[np.ndarray]) -> Inputs:
        ready = self.processor(list(pictures), return_tensors="pt")
        # Pictures of one size have as many patches.
        return {**ready, "pixel_values": ready["pixel_values"].unflatten(0, (len(pictures), -1))}

    def joined(self, inputs: Inputs) -> Inputs:
        """All pictures' patches in one row."""
        return {**inputs, "pixel_values": inputs["pixel_values"].flatten(0, 1)}

    def parts(self, model: PreTrainedModel) -> Parts:
        return Parts(model.model.visual, model.model.visual.merger, model.model.language_model)

    def marks(self, ids: Tensor, *, answered: Sequence[int]) -> Inputs:
        return {"mm_token_type_ids": (ids == self.config.image_token_id).int()}

    def positions(self, model: PreTrainedModel, prompt: Sequence[int], picture: Inputs) -> Tensor:
        ids = torch.tensor([list(prompt)])
        kinds = self.marks(ids, answered=[0])["mm_token_type_ids"]
        found, _ = model.model.get_rope_index(ids, kinds, image_grid_thw=picture["image_grid_thw"].cpu())
        return found[:, 0]

    @classmethod
    def tiny_tokens(cls) -> dict[str, list[str]]:
        names = ("vision_start", "vision_end", "image_pad", "video_pad")
        special = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", *(f"<|{name}|>" for name in names)]
        return {"special": special, "plain": []}

    @classmethod
    def tiny(cls, tokenizer: PreTrainedTokenizerBase) -> tuple[PretrainedConfig, Any]:
        vision = {**SIZES, "num_heads": 4, "depth": 2, "out_hidden_size": 32, "patch_size": cls.patch_size}
        config = cls.tiny_config(cls.tiny_text(tokenizer), vision, tokenizer)
        cell = 2 * cls.patch_size
        return config, Qwen2VLImageProcessorPil(
            patch_size=cls.patch_size, size={"shortest_edge": cell**2, "longest_edge": (2 * cell) ** 2}
        )

    @staticmethod
    def tiny_text(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
        return {
            **SIZES,
            "vocab_size": len(tokenizer),
            "num_key_value_heads": 2,
            "head_dim": 8,
            "max_position_embeddings": 1024,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 1, 1]},
            **ends(tokenizer),
        }

    @staticmethod
    def tiny_config(text: dict[str, Any], vision: dict[str, Any], tokenizer: PreTrainedTokenizerBase) -> Any:
        return Qwen2_5_VLConfig(
            text_config=text,
            vision_config={**vision, "window_size": 56, "fullatt_block_indexes": [1]},
            **token_ids(tokenizer),
        )


class Qwen3Vl(Qwen25Vl):
    """`Qwen3VLForConditionalGeneration`; its projector has a part for each layer that features go into."""

    family = "qwen3-vl"
    model_types = ("qwen3_vl",)
    template = Qwen25Vl.template.removeprefix("<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n")
    patch_size = 16

    @property
    def coordinates(self) -> Coordinates:
        return THOUSAND

    def parts(self, model: PreTrainedModel) -> Parts:
        tower = model.model.visual
        projector = nn.ModuleDict({"merger": tower.merger, "deepstack": tower.deepstack_merger_list})
        return Parts(tower, projector, model.model.language_model)

    @staticmethod
    def tiny_config(text: dict[str, Any], vision: dict[str, Any], tokenizer: PreTrainedTokenizerBase) -> Any:
        return Qwen3VLConfig(
            text_config=text,
            vision_config={**vision, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]},
            **token_ids(tokenizer),
        )


def token_ids(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """Ids of the tokens around pictures, as a configuration takes them."""
    names = {"image_token_id": "image_pad", "video_token_id": "video_pad", "vision_start_token_id": "vision_start",
             "vision_end_token_id": "vision_end"}  # fmt: skip
    return {name: tokenizer.convert_tokens_to_ids(f"<|{token}|>") for name, token in names.items()}
