"""Several answers to one prompt in one sequence: the prompt, with its picture, is read once.

Each answer sees the prompt and itself, and stands at the positions right after the prompt, as if it were alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Row:
    """A prompt and its answers.

    Attributes:
        prompt: P token ids.
        answers: Token ids of each, and a weight for every token.
        positions: (A, P) of the prompt's tokens on A axes; an answer goes on after the greatest, alike on all of them.
            None counts from 0 on one axis.
        both_ways: Whether the prompt's tokens see each other both ways.
    """

    prompt: list[int]
    answers: list[tuple[list[int], list[float]]]
    positions: Tensor | None = None
    both_ways: bool = False


@dataclass(frozen=True)
class Packed:
    """A batch of rows, padded to L tokens.

    Attributes:
        ids: (B, L).
        positions: (B, L) position of each token in its own conversation; (A, B, L) on A axes.
        attention: (B, 1, L, L) whether a token (third axis) sees another (fourth axis).
        states: (2, N) row and column of the state that predicts each of the N tokens of all answers.
        targets: (N,) those tokens.
        weights: (N,) their weights.
    """

    ids: Tensor
    positions: Tensor
    attention: Tensor
    states: Tensor
    targets: Tensor
    weights: Tensor

    def to(self, device: torch.device) -> "Packed":
        return Packed(*(value.to(device) for value in vars(self).values()))


def pack(rows: Sequence[Row], *, padding: int) -> Packed:
    """Rows as one batch; `padding` is the token id that fills it up."""
    lengths = [len(row.prompt) + sum(len(tokens) for tokens, _ in row.answers) for row in rows]
    batch, length = len(rows), max(lengths)
    ids = torch.full((batch, length), padding)
    read = [torch.arange(len(row.prompt))[None] if row.positions is None else row.positions.cpu() for row in rows]
    positions = torch.zeros(len(read[0]), batch, length, dtype=torch.long)
    # Padding sees itself, or its softmax would have nothing.
    attention = torch.eye(length, dtype=torch.bool).repeat(batch, 1, 1)
    states: list[tuple[int, int]] = []
    targets: list[int] = []
    weights: list[float] = []
    for index, row in enumerate(rows):
        first = len(row.prompt)
        ids[index, :first] = torch.tensor(row.prompt)
        positions[:, index, :first] = read[index]
        attention[index, :first, :first] = True if row.both_ways else causal(first)
        start, after = first, int(read[index].max()) + 1
        for tokens, token_weights in row.answers:
            stop = start + len(tokens)
            ids[index, start:stop] = torch.tensor(tokens)
            positions[:, index, start:stop] = torch.arange(after, after + len(tokens))
            attention[index, start:stop, :first] = True
            attention[index, start:stop, start:stop] = causal(len(tokens))
            # The state before a token predicts it; before an answer stands the prompt.
            states += [(index, first - 1), *((index, column) for column in range(start, stop - 1))]
            targets += tokens
            weights += token_weights
            start = stop
    # A model of one axis has no axis of axes.
    positions = positions[0] if len(positions) == 1 else positions
    return Packed(
        ids, positions, attention[:, None], torch.tensor(states).T, torch.tensor(targets), torch.tensor(weights)
    )


def causal(length: int) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool).tril()
