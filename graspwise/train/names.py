"""The projector's tokens compared with the embeddings of words, to draw the ones to the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedTokenizerBase

# Sharpness of the comparison: cosines times this are logits.
SHARPNESS = 16.0


@dataclass(frozen=True)
class NameTable:
    """Names as directions in the language model's embedding space.

    Attributes:
        names: N names.
        directions: (N, D) unit vectors.
        center: (D,) what is taken off an embedding before it is compared.
    """

    names: tuple[str, ...]
    directions: Tensor
    center: Tensor

    @classmethod
    def build(
        cls, names: Sequence[str], *, background: Sequence[str], tokenizer: PreTrainedTokenizerBase, embeddings: Tensor
    ) -> "NameTable":
        """Table of `names`; `background` are further texts whose words only share in the centre."""
        tokens = {text: word_tokens(text, tokenizer) for text in (*names, *background)}
        vocabulary = sorted({token for listed in tokens.values() for token in listed})
        center = embeddings[vocabulary].float().mean(0)
        means = [F.normalize(embeddings[tokens[name]].float() - center, dim=-1).mean(0) for name in names]
        return cls(tuple(names), F.normalize(torch.stack(means), dim=-1), center)

    def logits(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """How near a picture's tokens (B, T, D) are to each name: the whole picture and the best cells, (B, N) each."""
        center, directions = self.center.to(tokens.device), self.directions.to(tokens.device)
        near = F.normalize(tokens.float() - center, dim=-1) @ directions.T * SHARPNESS
        return near[:, 0], near[:, 1:].logsumexp(1)


def word_tokens(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Token ids of a text as it stands inside a sentence."""
    return list(tokenizer(" " + text, add_special_tokens=False)["input_ids"])


def name_weights(
    answer: str, offsets: Sequence[tuple[int, int]], name: str, *, place: int, weight: float
) -> list[float]:
    """Weight of each token of an answer, given its span of characters: `weight` in the name at or after `place`."""
    start = answer.lower().find(name, place)
    stop = start + len(name) if start >= 0 else 0
    return [weight if a < stop and b > start else 1.0 for a, b in offsets]
