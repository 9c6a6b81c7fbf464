"""The inside of a hand as balls that move with its skin: how deep hand and object are in each other, both ways at once.

A ball of radius r is free of an object where the object is at least r away from its middle. That holds of an object
whose edge slips between the skin's vertices, and of a wall thinner than a finger, where asking the skin alone fails.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from graspwise.hand.mesh import Distance, Solid
from graspwise.hand.model import FINGERS, HandModel, vertex_normals

# Radii that are tried, metres; a ball may stand out of the skin by OUT and is enough for vertices up to NEAR beyond it.
RADII = np.arange(0.0160, 0.0019, -0.0005)
OUT, NEAR = 0.0003, 0.0008
# A middle's place is kept by so strong a wish that its weights sum to 1, metres.
SUM = 1.0
MEMBERS = 4


@dataclass(frozen=True, eq=False)
class Balls:
    """Balls that fill a hand.

    Attributes:
        members: (K, 4) vertices whose weighted mean is a ball's middle.
        weights: (K, 4), of each ball summing to 1.
        radii: (K,) metres, of the mean hand.
        fingers: (K,) places in `FINGERS`, -1 for the palm and the wrist.
        along: (K,) how far each is from the wrist joint along the resting hand, metres.
    """

    members: Tensor
    weights: Tensor
    radii: Tensor
    fingers: Tensor
    along: Tensor

    @classmethod
    def of(cls, hand: HandModel) -> Self:
        """The balls of a hand, found in its resting pose of mean shape; about a second."""
        transform, shape = torch.eye(4)[None], torch.zeros(1, hand.layout.shape)
        posed = hand.pose(transform, hand.rest[None], shape)
        vertices = posed.vertices[0].double().numpy()
        middles, radii = inscribed(vertices, hand.faces)
        chosen = covering(vertices, middles, radii)
        middles, radii = middles[chosen], radii[chosen]
        members, weights = zip(*(mean_of(vertices, c, r) for c, r in zip(middles, radii, strict=True)), strict=True)
        finger_of = np.full(len(vertices), -1)
        for number, finger in enumerate(FINGERS):
            finger_of[hand.regions[finger]] = number
        touching = np.array([row[0] for row in members])
        return cls(
            torch.from_numpy(np.array(members)), torch.from_numpy(np.array(weights)).float(),
            torch.from_numpy(radii).float(), torch.from_numpy(finger_of[touching]),
            torch.from_numpy(middles[:, 0].copy()).float(),
        )  # fmt: skip

    def middles(self, vertices: Tensor) -> Tensor:
        """Middles (B, K, 3) of the balls in hands of vertices (B, V, 3)."""
        return (vertices[:, self.members] * self.weights[..., None].to(vertices)).sum(2)


def inscribed(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each vertex (V, 3) the largest ball right under it that is inside the surface: middles (V, 3), radii (V,)."""
    normals = vertex_normals(vertices, faces)
    surface = Distance(Solid("hand", vertices, faces, (), np.full(len(faces), -1)))
    radii = np.full(len(vertices), RADII[-1])
    for radius in RADII[::-1]:
        radii[surface.signed(vertices - radius * normals) < OUT - radius] = radius
    return vertices - radii[:, None] * normals, radii


def covering(vertices: np.ndarray, middles: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Numbers of balls that together come near every vertex (V, 3), most vertices first."""
    covers = np.linalg.norm(vertices[None] - middles[:, None], axis=-1) < radii[:, None] + NEAR
    chosen = []
    while covers.any():
        best = int(covers.sum(axis=1).argmax())
        chosen.append(best)
        covers = covers & ~covers[best]
    return np.array(chosen)


def mean_of(vertices: np.ndarray, middle: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Four vertices (of V, 3) on a ball, and weights, whose mean is its middle; the one of most weight first."""
    distance = np.linalg.norm(vertices - middle, axis=1)
    near = np.argsort(distance)[: max(8, int((distance < radius + 2 * NEAR).sum()))]
    weights, _ = nnls(
        np.concatenate([vertices[near] - middle, np.full((len(near), 1), SUM).T.reshape(-1, 1)], axis=1).T,
        np.array([0.0, 0.0, 0.0, SUM]),
    )
    order = np.argsort(-weights)[:MEMBERS]
    return near[order], weights[order] / weights[order].sum()
