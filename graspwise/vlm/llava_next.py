"""LLaVA-NeXT: a square picture is seen whole, and once more in four or more tiles."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from transformers import (
    CLIPVisionConfig,
    LlavaNextConfig,
    LlavaNextProcessor,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil

from graspwise.vlm.adapter import Adapter, Inputs, Parts
from graspwise.vlm.llava import TEMPLATE
from graspwise.vlm.tiny import SIZES, tiny_llama


class LlavaNext(Adapter):
    """`LlavaNextForConditionalGeneration`."""

    family = "llava-next"
    model_types = ("llava_next",)
    template = TEMPLATE

    @classmethod
    def open_processor(cls, checkpoint: str) -> Any:
        return LlavaNextImageProcessorPil.from_pretrained(checkpoint)

    @property
    def image_size(self) -> int:
        """The largest square that its tiles make; without one, a tile's side."""
        squares = [height for height, width in self.config.image_grid_pinpoints if height == width]
        return int(max(squares, default=self.config.vision_config.image_size))

    @cached_property
    def image_text(self) -> str:
        # The tower's own token for the whole is left out by the strategy that counts one less.
        counting = LlavaNextProcessor(
            self.processor,
            self.tokenizer,
            patch_size=self.config.vision_config.patch_size,
            vision_feature_select_strategy="full",
            image_token=self.image_token,
        )
        seen = self.inputs([np.zeros((self.image_size, self.image_size, 3), np.uint8)])
        return str(counting.replace_image_token(seen, 0))

    def inputs(self, pictures: Sequence[np.ndarray]) -> Inputs:
        return dict(self.processor(list(pictures), return_tensors="pt"))

    def parts(self, model: PreTrainedModel) -> Parts:
        inside = model.model
        return Parts(inside.vision_tower, inside.multi_modal_projector, inside.language_model)

    @classmethod
    def tiny(cls, tokenizer: PreTrainedTokenizerBase) -> tuple[PretrainedConfig, Any]:
        pinpoints = [[28, 56], [56, 28], [56, 56]]
        config = LlavaNextConfig(
            vision_config=CLIPVisionConfig(**SIZES, image_size=28, patch_size=14, projection_dim=32),
            text_config=tiny_llama(tokenizer),
            image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
            image_grid_pinpoints=pinpoints,
            image_seq_length=4,
        )
        size = {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28}}
        return config, LlavaNextImageProcessorPil(**size, image_grid_pinpoints=pinpoints)
