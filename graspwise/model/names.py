"""Naming without a classifier: the projector's tokens compared with the embeddings of words.

The projector is aligned so that its tokens point where the language model has the words for what is seen; the nearest
names of a list are then what the picture looks like. Any list of names does; the list of training is a default.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedTokenizerBase

from graspwise.files import replacing

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

    def nearest(self, tokens: Tensor, *, count: int) -> list[list[str]]:
        """The `count` nearest names of each picture, nearest first."""
        whole, cells = self.logits(tokens)
        ranked = (whole + cells).topk(min(count, len(self.names))).indices.tolist()
        return [[self.names[index] for index in row] for row in ranked]

    def save(self, path: Path) -> None:
        with replacing(path) as temporary:
            tensors = {"directions": self.directions.to(torch.bfloat16), "center": self.center.to(torch.bfloat16)}
            save_file(tensors, temporary, metadata={"names": "\n".join(self.names)})

    @classmethod
    def load(cls, path: Path) -> "NameTable":
        from safetensors import safe_open

        with safe_open(path, framework="pt") as file:
            names = (file.metadata() or {}).get("names", "").split("\n")
        values = load_file(path)
        return cls(tuple(names), F.normalize(values["directions"].float(), dim=-1), values["center"].float())


def word_tokens(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Token ids of a text as it stands inside a sentence."""
    return list(tokenizer(" " + text, add_special_tokens=False)["input_ids"])
