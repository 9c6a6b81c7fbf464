"""Tiny random checkpoints of the real classes: what tests and trials of a set-up need, made in seconds."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForImageTextToText,
    LlamaConfig,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from graspwise.answer import FORMATS, GRASP
from graspwise.data.templates import load_instructions, load_reasoning
from graspwise.files import empty_directory, replacing_folder, write_text

if TYPE_CHECKING:
    from graspwise.vlm.adapter import Adapter

# Of a transformer that is no more than a shape.
SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
VOCABULARY = 700


def tiny_llama(tokenizer: PreTrainedTokenizerBase) -> LlamaConfig:
    """A tiny Llama for a tokenizer."""
    return LlamaConfig(**SIZES, vocab_size=len(tokenizer), max_position_embeddings=1024, **ends(tokenizer))


def ends(tokenizer: PreTrainedTokenizerBase) -> dict[str, int | None]:
    """Ids of a tokenizer's own tokens, as configurations take them."""
    return {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}


def tiny_tokenizer(special: Sequence[str], plain: Sequence[str]) -> PreTrainedTokenizerFast:
    """A byte-level BPE of the templates' own texts, every digit a token.

    Args:
        special: Special tokens, of them first those that begin a text, end it and fill it up.
        plain: Further tokens that texts spell.
    """
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bare.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(special), initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    instructions = load_instructions()
    answers = [GRASP.template(answer_format) for answer_format in FORMATS]
    told = [text for texts in load_reasoning().values() for text in texts]
    bare.train_from_iterator([*instructions.named, *instructions.unnamed, *told, *answers], trainer)
    bare.add_tokens([AddedToken(token, normalized=False) for token in plain])
    begin, end, fill, *others = special
    return PreTrainedTokenizerFast(
        tokenizer_object=bare, bos_token=begin, eos_token=end, pad_token=fill, additional_special_tokens=others
    )


def write_tiny(adapter: type["Adapter"], folder: Path, *, seed: int = 0) -> None:
    """Write a tiny random checkpoint of a family, weights bf16, into a new or empty folder.

    Raises:
        InputError: the folder holds something.
    """
    empty_directory(folder)
    tokens = adapter.tiny_tokens()
    tokenizer = tiny_tokenizer(tokens["special"], tokens["plain"])
    tokenizer.chat_template = adapter.template
    config, processor = adapter.tiny(tokenizer)
    torch.manual_seed(seed)
    model = AutoModelForImageTextToText.from_config(config).to(torch.bfloat16)
    with replacing_folder(folder) as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        if isinstance(processor, dict):
            write_text(temporary / "preprocessor_config.json", json.dumps(processor, indent=1) + "\n")
        else:
            processor.save_pretrained(temporary)
