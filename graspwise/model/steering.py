"""What the language model means decides where the dense head looks (Reasoning Grasping, arXiv 2402.06798).

An answer names its target between two [SPT] tokens: "You want to drink, so here is the [SPT] mug [SPT]." The mean of
the language model's last hidden states between the two goes through an MLP, which conditions a grasp map head (FiLM)
and asks every cell of the picture whether the target is there (attention): a grasp counts where both agree.

[SPT] is a special token that the base's tokenizer has already and that no user can type: no embedding is added, so that
adapters, merges and exports stay what they are.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedTokenizerBase

from graspwise.answer import SPT
from graspwise.model.grasp_map import GraspMapHead

# Tokens that bases have and texts do not; the first that a tokenizer knows stands for [SPT].
SPARE = ("<file_sep>", "<|object_ref_start|>", "<unused0>", "<pad>")
CONDITION = 128


class SteeredHead(nn.Module):
    """A grasp map head that a hidden state steers.

    `forward` takes maps (B, C, h, w) of the tower and states (B, D), and returns (B, 6, h, w) as `GraspMapHead` does,
    and logits (B, h, w) of where the target is. A grasp's quality is that of the conditioned head times the likelihood
    that the target is there, to a learned power.

    Args:
        channels: C.
        hidden: D, the width of the language model.
        condition: Width of what the MLP makes of a state.
    """

    def __init__(self, channels: int, hidden: int, *, condition: int = CONDITION) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.LayerNorm(hidden), nn.Linear(hidden, 2 * condition), nn.GELU(), nn.Linear(2 * condition, condition)
        )
        self.maps = GraspMapHead(channels, condition=condition)
        self.keys = nn.Sequential(
            nn.Conv2d(channels, condition, 1), nn.GroupNorm(8, condition), nn.GELU(),
            nn.Conv2d(condition, condition, 3, padding=1), nn.GroupNorm(8, condition), nn.GELU(),
            nn.Conv2d(condition, condition, 1),
        )  # fmt: skip
        self.query = nn.Linear(condition, condition)
        # Begins with the target anywhere, so that the head begins as the one it starts from but for 0.05 of quality.
        nn.init.zeros_(self.query.weight)
        nn.init.zeros_(self.query.bias)
        self.anywhere = nn.Parameter(torch.tensor(3.0))
        self.power = nn.Parameter(torch.tensor(1.0))

    def forward(self, dense: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        condition = self.mlp(states.to(next(self.mlp.parameters()).dtype))
        quality, *pose = self.maps(dense, condition).unbind(1)
        asked = torch.einsum("bc,bchw->bhw", self.query(condition), self.keys(dense))
        place = asked / math.sqrt(condition.shape[1]) + self.anywhere
        return torch.stack([quality + self.power * F.logsigmoid(place), *pose], 1), place

    def start_from(self, head: GraspMapHead) -> None:
        """Begin as a head without condition, of the same shape."""
        self.maps.load_state_dict(head.state_dict(), strict=False)


def spt_token(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """The spelling of the token that stands for [SPT]; None where the tokenizer has none to spare."""
    vocabulary = tokenizer.get_added_vocab()
    return next((name for name in SPARE if name in vocabulary), None)


def spelled(text: str, token: str) -> str:
    """A text with [SPT] as the tokenizer spells it; the blank before it goes, so that words keep theirs."""
    return text.replace(f" {SPT}", token).replace(SPT, token)


def unspelled(text: str, token: str) -> str:
    """The inverse of `spelled`."""
    return text.replace(token, f" {SPT}").strip()


def between(ids: Sequence[int], spt: int) -> tuple[int, int] | None:
    """First and past-the-last index of the tokens between the first two [SPT]; None where there are no two apart."""
    marks = [index for index, token in enumerate(ids) if token == spt][:2]
    return (marks[0] + 1, marks[1]) if len(marks) == 2 and marks[1] > marks[0] + 1 else None


def mean_state(states: Tensor, ids: Sequence[int], spt: int) -> Tensor | None:
    """Mean (D,) of the states (L, D) of the tokens between the first two [SPT] of ids (L)."""
    span = between(ids, spt)
    return None if span is None else states[span[0] : span[1]].float().mean(0)


def steered_grammar(*, refusal: str | None, words: str, name: str, after: str, tail: str, token: str) -> str:
    """Lark grammar of an answer that names a target and gives numbers, or does neither: a refusal.

    Args:
        refusal: Regular expression of a refusal; None where there may be none.
        words: Of the words before the target.
        name: Of the target.
        after: Of the words after it.
        tail: Of the line break and the numbers.
        token: Spelling of [SPT].
    """
    other, refused = ("", "") if refusal is None else (" | REFUSAL", f"REFUSAL: /{refusal}/\n")
    return (
        f"start: WORDS {token} NAME {token} AFTER TAIL{other}\n{refused}"
        f"WORDS: /{words}/\nNAME: /{name}/\nAFTER: /{after}/\nTAIL: /{tail}/\n"
    )
