"""The language model that hands are talked about with: any causal one, or that of a LLaVA such as `small`."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging

from graspwise.errors import InputError
from graspwise.model.load import (
    Say,
    base_checkpoint,
    base_hash,
    device,
    load_model,
    model_folder,
    read_card,
)
from graspwise.model.save import ADAPTER
from graspwise.vlm.llava import TEMPLATE

# A turn: "user" or "assistant", and what is said.
Turn = tuple[str, str]


@dataclass
class Causal:
    """A causal language model in two pieces, frozen, bf16.

    Attributes:
        name: As it was asked for.
        sha256: Of its weights.
        body: Embeddings (B, L, H) to last hidden states (B, L, H), as transformers' base models are.
        head: Hidden states to logits of its vocabulary.
        tokenizer: With a chat template.
    """

    name: str
    sha256: str
    body: Any
    head: Any
    tokenizer: PreTrainedTokenizerBase

    @property
    def end_of_turn(self) -> int:
        """The token that ends an answer."""
        token = self.tokenizer.eos_token_id
        return int(token[0] if isinstance(token, list) else token)

    @cached_property
    def writable(self) -> Tensor:
        """Which tokens (V,) bool may stand in words: all but the special ones."""
        weight = self.body.get_input_embeddings().weight
        found = torch.zeros(len(weight), dtype=torch.bool)
        found[: len(self.tokenizer)] = True
        special = {token for token, added in self.tokenizer.added_tokens_decoder.items() if added.special}
        found[sorted(special | set(self.tokenizer.all_special_ids))] = False
        return found

    @cached_property
    def begins(self) -> Tensor:
        """Which of them (V,) bool have a letter or a digit, so that words are not empty."""
        spelled = self.tokenizer.convert_ids_to_tokens(range(len(self.tokenizer)))
        found = self.writable.clone()
        found[: len(spelled)] &= torch.tensor([re.search("[A-Za-z0-9]", token) is not None for token in spelled])
        return found

    def chat_text(self, turns: Sequence[Turn]) -> str:
        """A conversation by the chat template, ending where the next answer starts.

        Raises:
            InputError: the template leaves words out.
        """
        said = [words for _, words in turns]
        # A template of models that see takes a list of parts, any other takes a text.
        for contents in (said, [[{"type": "text", "text": words}] for words in said]):
            messages = [{"role": role, "content": c} for (role, _), c in zip(turns, contents, strict=True)]
            text = str(self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
            if all(words in text for words in said):
                return text
        raise InputError(f"model {self.name}: its chat template leaves words out; valid is one of text or of parts")


def load_causal(name: str, *, say: Say = lambda line: None) -> Causal:
    """A language model by name.

    Args:
        name: A published name ("small"), "small-base", a run or model folder of a LLaVA, a checkpoint folder of a LLaVA
            or of a causal language model, or a hub id of one.
        say: Called with a line when something slow happens.

    Raises:
        InputError: there is no such model, or it is of another kind.
    """
    folder = model_folder(name)
    if folder is not None:
        card = read_card(folder)
        # Heads and memory beside the language model may change without changing it.
        digest = hashlib.sha256(card.base_sha256.encode())
        for path in sorted((folder / ADAPTER).glob("*")):
            digest.update(path.read_bytes())
        return of_llava(name, digest.hexdigest(), say=say)
    checkpoint = base_checkpoint(name, say=say)
    logging.disable_progress_bar()
    try:
        if AutoConfig.from_pretrained(checkpoint).model_type == "llava":
            return of_llava(name, base_hash(name, checkpoint), say=say)
        whole = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.bfloat16).to(device()).eval()
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    except (OSError, ValueError, RuntimeError, SafetensorError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"model {name}: cannot be loaded as a language model ({reason[:200]})") from error
    if tokenizer.chat_template is None:
        tokenizer.chat_template = TEMPLATE
    whole.requires_grad_(False)
    return Causal(name, base_hash(name, checkpoint), whole.base_model, whole.get_output_embeddings(), tokenizer)


def of_llava(name: str, sha256: str, *, say: Say) -> Causal:
    """The language model of a LLaVA, its LoRA merged."""
    model = load_model(name, say=say)
    model.vlm.requires_grad_(False)
    body = model.family.parts(model.vlm).language_model
    return Causal(name, sha256, body, model.vlm.get_output_embeddings(), model.tokenizer)
