"""PaliGemma: the prompt is read both ways, the answer one way, and places are tokens."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import (
    GemmaConfig,
    PaliGemmaConfig,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    SiglipVisionConfig,
)
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from graspwise.vlm.adapter import Adapter, Inputs, Parts
from graspwise.vlm.coordinates import LOCATION, Coordinates
from graspwise.vlm.tiny import SIZES, ends


class PaliGemma(Adapter):
    """`PaliGemmaForConditionalGeneration`, PaliGemma 2's too. It was taught no turns: they are lines."""

    family = "paligemma"
    model_types = ("paligemma",)
    template = (
        "{% for message in messages %}{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<image>{{ bos_token }}{% else %}{{ part['text'] }}\n{% endif %}"
        "{% endfor %}{% endfor %}"
    )
    both_ways = True

    @classmethod
    def open_processor(cls, checkpoint: str) -> Any:
        return SiglipImageProcessorPil.from_pretrained(checkpoint)

    @property
    def image_size(self) -> int:
        return int(self.config.vision_config.image_size)

    @property
    def image_text(self) -> str:
        return self.image_token * (self.image_size // self.config.vision_config.patch_size) ** 2

    @property
    def coordinates(self) -> Coordinates:
        return LOCATION

    def inputs(self, pictures: Sequence[np.ndarray]) -> Inputs:
        return {"pixel_values": self.processor(list(pictures), return_tensors="pt")["pixel_values"]}

    def parts(self, model: PreTrainedModel) -> Parts:
        inside = model.model
        return Parts(inside.vision_tower, inside.multi_modal_projector, inside.language_model)

    def logits(self, model: PreTrainedModel, states: Tensor) -> Tensor:
        logits = model.lm_head(states)
        cap = getattr(self.config.text_config, "final_logit_softcapping", None)
        return logits if cap is None else torch.tanh(logits / cap) * cap

    def marks(self, ids: Tensor, *, answered: Sequence[int]) -> Inputs:
        """Which tokens are an answer's, and so are read one way."""
        place = torch.arange(ids.shape[1])
        return {"token_type_ids": torch.stack([(place >= ids.shape[1] - count).long() for count in answered])}

    def positions(self, model: PreTrainedModel, prompt: Sequence[int], picture: Inputs) -> Tensor:
        # Its positions begin at 1.
        return super().positions(model, prompt, picture) + 1

    @classmethod
    def tiny_tokens(cls) -> dict[str, list[str]]:
        special = ["<bos>", "<eos>", "<pad>", "<unk>", "<image>"]
        return {"special": special, "plain": [f"<loc{number:04d}>" for number in range(1024)]}

    @classmethod
    def tiny(cls, tokenizer: PreTrainedTokenizerBase) -> tuple[PretrainedConfig, Any]:
        text = GemmaConfig(
            **SIZES,
            vocab_size=len(tokenizer),
            num_key_value_heads=1,
            head_dim=8,
            max_position_embeddings=1024,
            **ends(tokenizer),
        )
        config = PaliGemmaConfig(
            vision_config=SiglipVisionConfig(**SIZES, image_size=56, patch_size=14, vision_use_head=False),
            text_config=text,
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
            projection_dim=32,
            hidden_size=32,
            vocab_size=len(tokenizer),
        )
        return config, SiglipImageProcessorPil(size={"height": 56, "width": 56})
