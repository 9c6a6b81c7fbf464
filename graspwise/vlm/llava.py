"""LLaVA-1.5 and `small`: a tower, a projector, and one token for each place of the tower's map."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import CLIPVisionConfig, LlavaConfig, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import cached_file

from graspwise.errors import InputError
from graspwise.vlm.adapter import Adapter, Inputs, Parts
from graspwise.vlm.tiny import SIZES, tiny_llama

TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}USER: {% else %}ASSISTANT: {% endif %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %} {% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)


class Llava(Adapter):
    """`LlavaForConditionalGeneration`. Its processor is a dictionary of mean and deviation: a square needs no more."""

    family = "llava"
    # An export of `small` is a LLaVA with a dense head.
    model_types = ("llava", "graspwise")
    template = TEMPLATE
    channels_last = True

    @classmethod
    def open_processor(cls, checkpoint: str) -> Any:
        path = cached_file(checkpoint, "preprocessor_config.json")
        if path is None:
            raise InputError(f"model {checkpoint}: has no preprocessor_config.json; valid is a whole checkpoint")
        return dict(json.loads(Path(path).read_text(encoding="utf-8")))

    @property
    def image_size(self) -> int:
        return int(self.config.vision_config.image_size)

    @property
    def image_text(self) -> str:
        return self.image_token * int(self.config.image_seq_length)

    def inputs(self, pictures: Sequence[np.ndarray]) -> Inputs:
        batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div_(255)
        mean, std = (torch.tensor(self.processor[name]).view(1, 3, 1, 1) for name in ("image_mean", "image_std"))
        return {"pixel_values": (batch - mean) / std}

    def parts(self, model: PreTrainedModel) -> Parts:
        inside = model.model
        return Parts(inside.vision_tower, inside.multi_modal_projector, inside.language_model)

    @classmethod
    def tiny(cls, tokenizer: PreTrainedTokenizerBase) -> tuple[PretrainedConfig, Any]:
        config = LlavaConfig(
            vision_config=CLIPVisionConfig(**SIZES, image_size=56, patch_size=14, projection_dim=32),
            text_config=tiny_llama(tokenizer),
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
            image_seq_length=16,
        )
        return config, {"image_mean": [0.481, 0.458, 0.408], "image_std": [0.269, 0.261, 0.276]}
