"""What differs between families of vision-language models, in one place each: a small adapter a family.

Every picture is square, of the side that suits the checkpoint, and all pictures of a batch take the same tokens. So an
adapter is a few answers: how a picture is made ready, what it is in the prompt, where the parts lie.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from jinja2 import TemplateError
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from graspwise.vlm.coordinates import FRACTION, Coordinates

Inputs = dict[str, Tensor]


@dataclass(frozen=True)
class Parts:
    """The modules of a vision-language model.

    Attributes:
        tower: Makes features of pictures.
        projector: Makes tokens of the language model of them; learns in both strategies. May lie inside the tower.
        language_model: Embeddings to last hidden states; LoRA goes into its linear layers.
    """

    tower: nn.Module
    projector: nn.Module
    language_model: nn.Module


@dataclass
class Adapter(ABC):
    """A family's ways, of one checkpoint.

    Attributes:
        family: Name of the family.
        model_types: The transformers configurations it is for.
        template: Chat template, where the checkpoint has none that takes a picture.
        both_ways: Whether a prompt's tokens see each other both ways.
        channels_last: Whether its tower is of convolutions, which are faster so.
        config: Of the checkpoint.
        tokenizer: Of the checkpoint, with a chat template.
        processor: What makes its pictures ready; the family's own kind.
    """

    family: ClassVar[str]
    model_types: ClassVar[tuple[str, ...]]
    template: ClassVar[str]
    both_ways: ClassVar[bool] = False
    channels_last: ClassVar[bool] = False

    config: PretrainedConfig
    tokenizer: PreTrainedTokenizerBase
    processor: Any

    def __post_init__(self) -> None:
        if self.tokenizer.chat_template is None or not self._template_takes_a_picture():
            self.tokenizer.chat_template = self.template

    # ---- what a family says of itself

    @classmethod
    @abstractmethod
    def open_processor(cls, checkpoint: str) -> Any:
        """What makes pictures ready, without torchvision."""

    @property
    @abstractmethod
    def image_size(self) -> int:
        """Side of the square pictures it takes, pixels."""

    @property
    @abstractmethod
    def image_text(self) -> str:
        """What stands in the prompt for a picture, image tokens and what goes with them."""

    @abstractmethod
    def inputs(self, pictures: Sequence[np.ndarray]) -> Inputs:
        """What the model takes of B square pictures (S, S, 3) uint8: tensors (B, ...), fp32 on the CPU."""

    @abstractmethod
    def parts(self, model: PreTrainedModel) -> Parts:
        """Where the parts of a model of the family lie."""

    @classmethod
    @abstractmethod
    def tiny(cls, tokenizer: PreTrainedTokenizerBase) -> tuple[PretrainedConfig, Any]:
        """Configuration and picture processor of a tiny model of the family with this tokenizer."""

    # ---- what most families share

    @classmethod
    def tiny_tokens(cls) -> dict[str, list[str]]:
        """Tokens of a tiny tokenizer: "special" ones, beginning, end and padding first, and "plain" ones."""
        return {"special": ["<s>", "</s>", "<unk>", "<image>"], "plain": []}

    @property
    def coordinates(self) -> Coordinates:
        """The convention that the family was taught before."""
        return FRACTION

    @property
    def image_token(self) -> str:
        return str(self.tokenizer.convert_ids_to_tokens(self.config.image_token_id))

    @cached_property
    def image_tokens(self) -> int:
        """How many tokens of a prompt are a picture's."""
        return self.image_text.count(self.image_token)

    @property
    def end_of_turn(self) -> int:
        """The token that ends an answer."""
        token = self.tokenizer.eos_token_id
        return int(token[0] if isinstance(token, list) else token)

    def attention(self, model: PreTrainedModel, seen: Tensor) -> Tensor:
        """Whether each token sees each other (B, 1, L, L), as the language model takes it."""
        if model.config.get_text_config()._attn_implementation != "eager":
            return seen
        # Plain attention, which models with capped scores such as Gemma 2 need, adds the mask to the scores.
        return torch.zeros(seen.shape, device=seen.device).masked_fill(~seen, torch.finfo(torch.bfloat16).min)

    def logits(self, model: PreTrainedModel, states: Tensor) -> Tensor:
        """Logits (N, V) of last hidden states (N, D)."""
        return model.lm_head(states)

    def joined(self, inputs: Inputs) -> Inputs:
        """Inputs (B, ...) of pictures as the model wants them together."""
        return inputs

    def marks(self, ids: Tensor, *, answered: Sequence[int]) -> Inputs:
        """What generation takes of prompts (B, L), padded on the left, besides their mask.

        Args:
            ids: Token ids.
            answered: How many tokens of each row, the last, are an answer begun.
        """
        return {}

    def positions(self, model: PreTrainedModel, prompt: Sequence[int], picture: Inputs) -> Tensor:
        """Positions (A, L) of a prompt's tokens, A axes; an answer goes on after the greatest, alike on all axes.

        Args:
            model: Whose positions.
            prompt: Token ids.
            picture: Inputs (1, ...) of its picture.
        """
        return torch.arange(len(prompt))[None]

    def _template_takes_a_picture(self) -> bool:
        turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "word"}]}
        try:
            text = str(self.tokenizer.apply_chat_template([turn], tokenize=False, add_generation_prompt=True))
        # A template of texts alone joins, looks up or refuses what it does not know.
        except (TemplateError, TypeError, ValueError, LookupError, AttributeError):
            return False
        return self.image_token in text and "'type'" not in text


def of_pictures(inputs: Inputs, chosen: Sequence[int]) -> Inputs:
    """The inputs of some pictures, in the order they are chosen; one may be chosen more than once."""
    return {name: value[list(chosen)] for name, value in inputs.items()}
