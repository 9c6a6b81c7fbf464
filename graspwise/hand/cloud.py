"""An object as points on its surface, and the encoder that hand tokens and the language model see it through.

Metres. Sizes are kept: no cloud is scaled to its own size, so that a cup and a bucket differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from graspwise.hand.grasps import CLOUD
from graspwise.hand.mesh import Solid

# What a network is given as 1, metres: of places on an object, and of distances within a patch.
PLACE, NEAR = 0.1, 0.02


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points on the surfaces of B objects, each in the frame of its mesh file.

    Attributes:
        points: (B, N, 3) float32, metres.
        normals: (B, N, 3) float32, outward, of length 1.
    """

    points: Tensor
    normals: Tensor

    @classmethod
    def of(cls, points: np.ndarray, normals: np.ndarray) -> "Cloud":
        """Arrays (N, 3) of one object, or (B, N, 3) of several, of any precision."""
        both = (torch.from_numpy(np.asarray(array, np.float32)) for array in (points, normals))
        return cls(*(array.reshape(-1, *array.shape[-2:]) for array in both))

    @property
    def middles(self) -> Tensor:
        """(B, 3) metres: the middles of the objects' boxes."""
        return (self.points.amax(1) + self.points.amin(1)) / 2

    @property
    def centred(self) -> "Cloud":
        """The same, each object with its middle in the origin."""
        return Cloud(self.points - self.middles[:, None], self.normals)

    def picked(self, places: Sequence[int]) -> "Cloud":
        """Some of the objects, in this order."""
        return Cloud(self.points[list(places)], self.normals[list(places)])

    def to(self, device: torch.device | str) -> "Cloud":
        return Cloud(self.points.to(device), self.normals.to(device))

    def turned(self, rotations: Tensor) -> "Cloud":
        """The same, turned about their frames' origins by rotations (B, 3, 3)."""
        return Cloud(self.points @ rotations.mT, self.normals @ rotations.mT)


def cloud_of(solid: Solid, *, seed: int = 0) -> Cloud:
    """The cloud of one object, 1,024 points; the same for the same seed."""
    samples = solid.samples(CLOUD, rng=np.random.default_rng(seed))
    return Cloud.of(samples.points, samples.normals)


class CloudEncoder(nn.Module):
    """Features of a cloud: of the whole, and of patches that lie all over it.

    In the manner of PointNet++ (Qi et al. 2017) and PointBERT (Yu et al. 2022): the points nearest to each of
    `patches` points far from each other go through a small PointNet, then the patches look at each other once.

    Args:
        width: D, of all features.
        patches: T.
        neighbours: Points a patch.

    Attributes:
        width: D.
        patches: T.
    """

    def __init__(self, *, width: int = 128, patches: int = 16, neighbours: int = 64) -> None:
        super().__init__()
        self.width, self.patches, self.neighbours = width, patches, neighbours
        self.point = nn.Sequential(nn.Linear(6, width // 2), nn.GELU(), nn.Linear(width // 2, width))
        self.patch = nn.Sequential(nn.Linear(width + 3, width), nn.GELU(), nn.Linear(width, width))
        self.among = nn.TransformerEncoderLayer(
            width, 4, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.whole = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, points: Tensor, normals: Tensor) -> tuple[Tensor, Tensor]:
        """Features of the whole (B, D) and of the patches (B, T, D).

        Args:
            points: (B, N, 3) metres, centred; N is at least `patches`.
            normals: (B, N, 3).
        """
        chosen = far_apart(points, self.patches)
        centres = at(points, chosen)
        near = torch.cdist(centres, points).topk(min(self.neighbours, points.shape[1]), largest=False).indices
        around = at(points, near.flatten(1)).unflatten(1, near.shape[1:]) - centres[:, :, None]
        facing = at(normals, near.flatten(1)).unflatten(1, near.shape[1:])
        seen = self.point(torch.cat([around / NEAR, facing], dim=-1)).amax(2)
        patches = self.among(self.patch(torch.cat([seen, centres / PLACE], dim=-1)))
        return self.whole(torch.cat([patches.mean(1), patches.amax(1)], dim=-1)), patches


def far_apart(points: Tensor, count: int) -> Tensor:
    """Numbers (B, count) of points (B, N, 3), each the one farthest from those before, the first from the origin."""
    distance = points.norm(dim=-1)
    chosen = [distance.argmax(1)]
    distance = torch.full_like(distance, torch.inf)
    for _ in range(count - 1):
        distance = torch.minimum(distance, (points - at(points, chosen[-1][:, None])).norm(dim=-1))
        chosen.append(distance.argmax(1))
    return torch.stack(chosen, dim=1)


def at(values: Tensor, numbers: Tensor) -> Tensor:
    """Rows (B, n, C) of values (B, N, C) at numbers (B, n)."""
    return values.gather(1, numbers[..., None].expand(-1, -1, values.shape[-1]))


def nearest_points(probes: Tensor, cloud: Cloud) -> tuple[Tensor, Tensor]:
    """The points of a cloud nearest to probes, and their normals, both (B, P, 3).

    Args:
        probes: (B, P, 3) metres, in the cloud's frame.
        cloud: Of O objects; the first B / O rows of probes are at the first object, and so on.
    """
    count = len(cloud.points)
    # The squared distance less the probe's own square, whose least point is the same, is one matrix product.
    points = torch.cat([cloud.points, (cloud.points**2).sum(-1, keepdim=True)], dim=-1)
    rows = probes.reshape(count, -1, 3)
    squared = torch.cat([-2 * rows, torch.ones_like(rows[..., :1])], dim=-1) @ points.mT
    nearest = squared.argmin(-1)
    return at(cloud.points, nearest).reshape(probes.shape), at(cloud.normals, nearest).reshape(probes.shape)


def surroundings(probes: Tensor, cloud: Cloud, *, rotations: Tensor, reach: float = PLACE) -> Tensor:
    """What each probe has around it, (B, P, 6): the way to the object's nearest point, and its normal.

    Both in the frame of the hand; ways in units of `NEAR`, those longer than `reach` shortened to it. With the normal
    a way tells on which side of the surface a probe is.

    Args:
        probes: (B, P, 3) metres, in the cloud's frame.
        cloud: As for `nearest_points`.
        rotations: (B, 3, 3) from the hand's frame to the cloud's.
        reach: Metres.
    """
    points, normals = nearest_points(probes, cloud)
    ways = points - probes
    ways = ways * (reach / ways.norm(dim=-1, keepdim=True).clamp_min(reach))
    return torch.cat([ways @ rotations / NEAR, normals @ rotations], dim=-1)
