"""How likely the digits of an answer are, by a set of weighted grasps: the picture's share in grounded decoding.

Every grasp is a bump of probability around its x, y and theta; a text such as "[0.5" stands for the poses that are
written with texts that begin so, and its likelihood is the probability that falls on them. The language model's
distribution over the next token, multiplied by the ratio of two such likelihoods, writes digits that both believe in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from graspwise.answer import GRASP
from graspwise.grasp import Grasp

# Width of a bump: a fraction of the picture, and radians.
SIGMA_PLACE, SIGMA_ANGLE = 0.004, 0.02
# Likelihood of what no grasp explains; the language model may write it, if it must.
FLOOR = 1e-12


@dataclass(frozen=True)
class GraspDensity:
    """A mixture of Gaussian bumps over (x, y, theta), theta modulo pi.

    Attributes:
        poses: (K, 3) x and y as fractions of the picture's sides, theta in radians.
        weights: (K,) positive, summing to 1.
    """

    poses: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, grasps: Sequence[Grasp], *, trust: float) -> Self:
        """The density of grasps, each weighted by its quality to the power of `trust`; equal weights without quality.

        Raises:
            ValueError: there is no grasp.
        """
        if not grasps:
            raise ValueError("a density of 0 grasps; valid is 1 or more")
        qualities = np.array([1.0 if g.quality is None else max(g.quality, FLOOR) for g in grasps])
        weights = (qualities / qualities.max()) ** trust
        return cls(np.array([(g.x, g.y, g.theta) for g in grasps]), weights / weights.sum())

    def log_likelihood(self, begun: Sequence[str]) -> float:
        """Log probability of the poses whose numbers are written with these texts; the last may be unfinished."""
        mass = self.weights
        for column, (number, text) in enumerate(zip(GRASP.numbers, begun, strict=False)):
            if not text:
                continue
            low, high = number.interval(text)
            sigma = SIGMA_ANGLE if number.angle else SIGMA_PLACE
            # Grasps half a turn apart are one grasp.
            turns = (-math.pi, 0.0, math.pi) if number.angle else (0.0,)
            mass = mass * sum(share(self.poses[:, column] + turn, sigma, low, high) for turn in turns)
        return math.log(max(float(mass.sum()), FLOOR))


def share(centre: np.ndarray, sigma: float, low: float, high: float) -> np.ndarray:
    """Share of each Gaussian (K,) between two values."""
    return np.array([bell(round((high - c) / sigma, 6)) - bell(round((low - c) / sigma, 6)) for c in centre.tolist()])


@lru_cache(maxsize=65_536)
def bell(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2))
