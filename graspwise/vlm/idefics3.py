"""Idefics3 and SmolVLM: a picture in tiles, each between tokens that say its row and column, and once whole."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from transformers import (
    Idefics3Config,
    Idefics3Processor,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    SmolVLMConfig,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from graspwise.vlm.adapter import Adapter, Inputs, Parts
from graspwise.vlm.tiny import SIZES, tiny_llama

END = "<end_of_utterance>"


class Idefics3(Adapter):
    """`Idefics3ForConditionalGeneration`."""

    family = "idefics3"
    model_types = ("idefics3",)
    template = (
        "{{ bos_token }}{% for message in messages %}{{ message['role'] | capitalize }}:"
        "{% if message['content'][0]['type'] != 'image' %} {% endif %}"
        "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}"
        "{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
    )
    processors: ClassVar[Any] = Idefics3ImageProcessorPil
    configs: ClassVar[Any] = Idefics3Config

    @classmethod
    def open_processor(cls, checkpoint: str) -> Any:
        return cls.processors.from_pretrained(checkpoint)

    @property
    def image_size(self) -> int:
        whole = self.processor.size if self.processor.do_image_splitting else self.processor.max_image_size
        return int(whole["longest_edge"])

    @cached_property
    def image_text(self) -> str:
        vision = self.config.vision_config
        each = (vision.image_size // vision.patch_size) ** 2 // self.config.scale_factor**2
        # SmolVLM spells tiles as Idefics3 does; its own processor wants torchvision.
        spelling = Idefics3Processor(self.processor, self.tokenizer, image_seq_len=each)
        _, rows, columns = self.processor.get_number_of_image_patches(self.image_size, self.image_size)
        return str(spelling.replace_image_token({"rows": [[rows]], "cols": [[columns]]}, 0))

    @property
    def end_of_turn(self) -> int:
        return int(self.tokenizer.convert_tokens_to_ids(END))

    def inputs(self, pictures: Sequence[np.ndarray]) -> Inputs:
        return dict(self.processor([[picture] for picture in pictures], return_tensors="pt"))

    def parts(self, model: PreTrainedModel) -> Parts:
        return Parts(model.model.vision_model, model.model.connector, model.model.text_model)

    @classmethod
    def tiny_tokens(cls) -> dict[str, list[str]]:
        around = ["<fake_token_around_image>", "<image>", "<global-img>"]
        tiles = [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
        return {"special": ["<|im_start|>", END, "<|im_end|>", *around, *tiles], "plain": []}

    @classmethod
    def tiny(cls, tokenizer: PreTrainedTokenizerBase) -> tuple[PretrainedConfig, Any]:
        config = cls.configs(
            vision_config={**SIZES, "image_size": 28, "patch_size": 7},
            text_config=tiny_llama(tokenizer),
            image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
            scale_factor=2,
            pad_token_id=tokenizer.pad_token_id,
        )
        return config, cls.processors(size={"longest_edge": 56}, max_image_size={"longest_edge": 28})


class SmolVlm(Idefics3):
    """`SmolVLMForConditionalGeneration`."""

    family = "smolvlm"
    model_types = ("smolvlm",)
    processors = SmolVLMImageProcessorPil
    configs = SmolVLMConfig
