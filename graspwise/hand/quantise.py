"""A codebook: a vector becomes the number of the nearest of a few hundred learned ones (van den Oord et al. 2017).

The codes follow the vectors that choose them by moving averages instead of a gradient. A code that is hardly chosen any
more is moved to a vector that its own code describes badly, so that all of them stay in use (as Dhariwal et al. 2020).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Codebook(nn.Module):
    """Codes, and how they are learned.

    Args:
        number: Of codes.
        width: Of each.
        decay: Of the moving averages, a step.
        least: A code chosen less often than this share of the codes' mean is moved.

    Attributes:
        codes: (number, width).
        uses: (number,) how many vectors a step choose each code, a moving average.
        sums: (number, width) the sums of those vectors, likewise.
    """

    codes: Tensor
    uses: Tensor
    sums: Tensor

    def __init__(self, number: int = 512, width: int = 256, *, decay: float = 0.98, least: float = 0.05) -> None:
        super().__init__()
        self.decay, self.least = decay, least
        self.register_buffer("codes", torch.zeros(number, width))
        # Needed to learn on, not to use what was learned.
        self.register_buffer("uses", torch.zeros(number), persistent=False)
        self.register_buffer("sums", torch.zeros(number, width), persistent=False)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Codes (B, width) in the place of vectors (B, width), their numbers (B,), and the commitment loss.

        Gradients pass the codes by to the vectors. In training mode the codes learn, and moved ones are drawn from
        PyTorch's global generator.
        """
        if self.training:
            self._move_unused(vectors.detach())
        numbers = self.nearest(vectors)
        chosen = self.codes[numbers]
        if self.training:
            self._follow(vectors.detach(), numbers)
        return vectors + (chosen - vectors).detach(), numbers, F.mse_loss(vectors, chosen)

    def nearest(self, vectors: Tensor, *, count: int | None = None) -> Tensor:
        """Number (B,) of the code nearest to each vector (B, width); with `count` (B, count), the nearest first."""
        squared = (self.codes**2).sum(-1) - 2 * vectors @ self.codes.T
        return squared.argmin(-1) if count is None else squared.topk(count, largest=False).indices

    def usage(self, numbers: Tensor) -> float:
        """Share of the codes that are among the numbers (n,)."""
        return len(numbers.unique()) / len(self.codes)

    @torch.no_grad()
    def _follow(self, vectors: Tensor, numbers: Tensor) -> None:
        chose = F.one_hot(numbers, len(self.codes)).to(vectors)
        self.uses.lerp_(chose.sum(0), 1 - self.decay)
        self.sums.lerp_(chose.T @ vectors, 1 - self.decay)
        self.codes.copy_(self.sums / self.uses.clamp_min(1e-6)[:, None])

    @torch.no_grad()
    def _move_unused(self, vectors: Tensor) -> None:
        """Put hardly used codes on vectors of this step, likelier on those far from any code; at first, all codes."""
        share = len(vectors) / len(self.codes)
        unused = (self.uses < self.least * share).nonzero()[:, 0]
        # No more than there are vectors, the rest in the next steps: two codes on one vector serve as one.
        unused = unused[: len(vectors)]
        if not len(unused):
            return
        error = (vectors - self.codes[self.nearest(vectors)]).square().sum(-1)
        drawn = vectors[torch.multinomial(error + 1e-6, len(unused))]
        self.codes[unused] = drawn
        # Little, so that one that is not chosen is soon moved again, and one that is follows its vectors.
        self.uses[unused] = 2 * self.least * share
        self.sums[unused] = self.uses[unused, None] * drawn
