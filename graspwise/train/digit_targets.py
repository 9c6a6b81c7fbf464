"""Soft targets of an answer's digits: every right grasp counts, and a near digit is less wrong than a far one.

Plain cross-entropy on one drawn label says that 0.52 is as wrong as 0.92 where 0.53 was drawn, and that the other
labels are wrong. Here a digit's target is its probability under a `GraspDensity` of all right grasps, given the digits
before it: place value, the labels' mixture and theta modulo pi come with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from transformers import PreTrainedTokenizerBase

from graspwise.answer import GRASP, AnswerFormat
from graspwise.model.density import GraspDensity

GROUPS = (tuple("0123456789"), ("-", "+"), (" -", " +"))
# Tokens of the largest group.
MOST = max(map(len, GROUPS))


@dataclass(frozen=True)
class DigitTokens:
    """Which tokens stand for each other in a number: the digits, and the signs with and without a blank before.

    Attributes:
        groups: Of a token that is one of a group, the ids and the texts of the whole group.
    """

    groups: dict[int, tuple[list[int], list[str]]]

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> Self:
        """The groups whose members are single tokens of this tokenizer."""
        groups: dict[int, tuple[list[int], list[str]]] = {}
        for texts in GROUPS:
            ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
            if all(len(one) == 1 for one in ids):
                flat = [one[0] for one in ids]
                groups |= {token: (flat, list(texts)) for token in flat}
        return cls(groups)

    def targets(
        self,
        answer: str,
        tokens: Sequence[int],
        offsets: Sequence[tuple[int, int]],
        *,
        density: GraspDensity,
        answer_format: AnswerFormat,
    ) -> list[tuple[int, list[int], np.ndarray]]:
        """(index of the token, ids of its group, their probabilities) of each token inside a number.

        Args:
            answer: The answer text.
            tokens: Its token ids.
            offsets: Span of characters of each token.
            density: Of the right grasps.
            answer_format: How the answer is written.
        """
        found = []
        for index, (token, (_, end)) in enumerate(zip(tokens, offsets, strict=True)):
            if token not in self.groups or GRASP.numbers_begun(answer[:end], answer_format=answer_format) is None:
                continue
            ids, texts = self.groups[token]
            alternatives = [
                GRASP.numbers_begun(answer[: end - 1] + text[-1], answer_format=answer_format) for text in texts
            ]
            logs = np.array([density.log_likelihood(begun) if begun else -np.inf for begun in alternatives])
            likely = np.exp(logs - logs.max())
            found.append((index, ids, likely / likely.sum()))
        return found
