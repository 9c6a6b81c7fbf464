"""The dense grasp head: a tower's map in; quality, angle, centre and opening of a grasp at every cell out.

Angles are regressed as cos 2t, sin 2t (GG-CNN, Morrison et al. 2018), which has no seam at +-90 degrees.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.grasp import Grasp, angle_difference

REACH = 1.5
# The eight symmetries of a square: quarter turns counter-clockwise, then the axes of (B, C, s, s) to mirror.
SYMMETRIES = tuple((turn, axes) for turn in (0, 1) for axes in ((), (3,), (2,), (2, 3)))
# Power of a direction's certainty in a grasp's quality, and what is left to a cell that has none: round things are held
# from any side. Chosen on the folds' heads, where powers from 4 to 8 and shares to 0.2 come to the same.
CERTAINTY, UNSURE = 8.0, 0.2


class GraspMapHead(nn.Module):
    """A 1x1 and three 3x3 convolutions over a map (B, C, h, w).

    `forward` returns (B, 6, h, w): quality logit, cos 2t, sin 2t, x and y offset from the cell's centre in cells, and
    the logarithm of the opening as a fraction of the picture's width. With a condition (B, D) every block's channels
    are scaled and shifted by it before they are bent (FiLM, Perez et al. 2018); it starts without effect.

    Args:
        channels: C of the map.
        width: Channels inside.
        condition: D; 0 is a head without condition.
    """

    def __init__(self, channels: int, width: int = 128, *, condition: int = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, inside in enumerate([channels, width, width, width]):
            kernel = 1 if index == 0 else 3
            layers += [nn.Conv2d(inside, width, kernel, padding=kernel // 2), nn.GroupNorm(8, width), nn.GELU()]
        self.body = nn.Sequential(*layers)
        self.film = nn.Linear(condition, 4 * 2 * width) if condition else None
        if self.film is not None:
            nn.init.zeros_(self.film.weight)
            nn.init.zeros_(self.film.bias)
        self.out = nn.Conv2d(width, 6, 1)
        # Few cells hold a grasp, and an opening is about a fifth of the picture.
        start = torch.tensor([-3.0, 0.0, 0.0, 0.0, 0.0, math.log(0.2)])
        self.out.bias = nn.Parameter(start)

    def forward(self, dense: Tensor, condition: Tensor | None = None) -> Tensor:
        if self.film is None or condition is None:
            return self.out(self.body(dense))
        changes = self.film(condition).unflatten(1, (4, 2, -1))[..., None, None].unbind(1)
        for index, change in enumerate(changes):
            normal = self.body[3 * index : 3 * index + 2](dense)
            dense = self.body[3 * index + 2](normal * (1 + change[:, 0]) + change[:, 1])
        return self.out(dense)


def symmetric_views(pictures: Tensor) -> Tensor:
    """Square pictures (B, C, s, s) as they are and in their seven turns and mirror images, (8 B, C, s, s)."""
    return torch.cat([torch.rot90(pictures, turn, (2, 3)).flip(axes) for turn, axes in SYMMETRIES])


def symmetric_mean(maps: Tensor) -> Tensor:
    """The mean of the maps (8 B, 6, s, s) of `symmetric_views`, each turned back: (B, 6, s, s).

    Grasps do not depend on how the picture lies, so what the eight disagree in is error; where they disagree about the
    direction, its mean (cos 2t, sin 2t) is short.
    """
    back = []
    for (turn, axes), part in zip(SYMMETRIES, maps.float().chunk(len(SYMMETRIES)), strict=True):
        quality, cos, sin, x, y, opening = part.flip(axes).unbind(1)
        # A mirror turns one offset round, and the angle with it; two mirrors leave the angle.
        sin = -sin if len(axes) == 1 else sin
        x, y = (-x if 3 in axes else x), (-y if 2 in axes else y)
        if turn:
            # A quarter turn of the picture is half a turn of the doubled angle.
            cos, sin, x, y = -cos, -sin, -y, x
        back.append(torch.rot90(torch.stack([quality, cos, sin, x, y, opening], 1), -turn, (2, 3)))
    return torch.stack(back).mean(0)


def symmetric_mean_of_logits(logits: Tensor) -> Tensor:
    """The mean of maps (8 B, N, s, s) of `symmetric_views` that have no direction in them, each turned back."""
    parts = zip(SYMMETRIES, logits.float().chunk(len(SYMMETRIES)), strict=True)
    return torch.stack([torch.rot90(part.flip(axes), -turn, (2, 3)) for (turn, axes), part in parts]).mean(0)


@dataclass(frozen=True)
class MapLoss:
    """Loss weights of the dense head; the recipe trains with these."""

    quality: float = 1.0
    angle: float = 1.0
    offset: float = 0.5
    opening: float = 0.5
    sigma_cells: float = 0.75

    def __call__(self, maps: Tensor, labels: Tensor, valid: Tensor) -> Tensor:
        """Scalar loss.

        Args:
            maps: (B, 6, h, w) from the head.
            labels: (B, M, 4) normalised x, y, theta (radians) and opening (fraction of the width).
            valid: (B, M) which labels are real.

        At each cell only the best-fitting label near it counts: several valid grasps are not averaged into none.
        """
        height, width = maps.shape[-2:]
        cells = maps.float().flatten(2).mT
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        centre = torch.stack([columns.flatten(), rows.flatten()], -1).to(cells) + 0.5
        place = labels[..., :2] * labels.new_tensor([width, height])
        shift = place[:, None] - centre[None, :, None]
        distance2 = shift.square().sum(-1).masked_fill(~valid[:, None], torch.inf)
        weight = torch.exp(-distance2 / (2 * self.sigma_cells**2))
        target = weight.amax(-1)
        near = distance2 < REACH**2

        double = 2 * labels[:, None, :, 2]
        angle = (cells[..., 1:2] - double.cos()).square() + (cells[..., 2:3] - double.sin()).square()
        offset = (cells[:, :, None, 3:5] - shift).abs().sum(-1)
        opening = (cells[..., 5:6] - labels[:, None, :, 3].clamp_min(1e-3).log()).abs()
        fit = self.angle * angle + self.offset * offset + self.opening * opening
        # A label's pull fades with distance in the choice, so that a far label that fits by luck does not win.
        chosen = (fit.detach() - weight.clamp_min(1e-6).log()).masked_fill(~near, torch.inf).argmin(-1, keepdim=True)
        pose = (fit.masked_fill(~near, 0.0).gather(-1, chosen).squeeze(-1) * target).sum() / target.sum().clamp_min(1)
        quality = F.binary_cross_entropy_with_logits(cells[..., 0], target, reduction="sum") / target.sum().clamp_min(1)
        return pose + self.quality * quality


def best_grasps(
    maps: Tensor,
    *,
    count: int = 3,
    plate: float = 0.0,
    certainty: float = CERTAINTY,
    min_distance: float = 0.06,
    min_angle: float = math.radians(30),
    pool: int = 48,
) -> list[list[Grasp]]:
    """The `count` best grasps of each picture, best first, different by place or by angle.

    A grasp's quality is its cell's, times `UNSURE`, and the rest of it times how certain its direction is: the length
    of (cos 2t, sin 2t), at most 1, to the power of `certainty`. Regression shortens that vector where it cannot tell.

    Args:
        maps: (B, 6, h, w) from the head.
        count: Grasps a picture.
        plate: Length of the grasps' jaw plates, fraction of the picture's width; 0 leaves it at half the opening.
        certainty: Power of a direction's certainty in the quality; 0 leaves it out.
        min_distance: Two grasps closer than this fraction of the picture and ...
        min_angle: ... closer than this in radians are one grasp.
        pool: How many of the best cells are looked at.
    """
    batch, _, height, width = maps.shape
    cells = maps.float().flatten(2)
    sure = cells[:, 1:3].norm(dim=1).clamp(max=1) ** certainty
    quality = cells[:, 0].sigmoid() * (UNSURE + (1 - UNSURE) * sure)
    found = []
    for b in range(batch):
        kept: list[Grasp] = []
        for cell in quality[b].topk(min(pool, height * width)).indices.tolist():
            if len(kept) == count:
                break
            _, cos, sin, dx, dy, log_opening = cells[b, :, cell].tolist()
            grasp = Grasp(
                x=min(max((cell % width + 0.5 + dx) / width, 0.0), 1.0),
                y=min(max((cell // width + 0.5 + dy) / height, 0.0), 1.0),
                theta=math.atan2(sin, cos) / 2,
                opening=min(math.exp(log_opening), 1.0),
                jaw=plate or None,
                quality=float(quality[b, cell]),
            )
            if all(
                math.hypot(grasp.x - other.x, grasp.y - other.y) >= min_distance
                or angle_difference(grasp.theta, other.theta) >= min_angle
                for other in kept
            ):
                kept.append(grasp)
        found.append(kept)
    return found


def middle_of_quality(maps: Tensor, *, pool: int = 12) -> Tensor:
    """Where the best cells of maps (B, 6, h, w) lie on average, weighted by quality: (B, 2), x and y, 0 to 1."""
    width = maps.shape[-1]
    quality, cells = maps[:, 0].float().sigmoid().flatten(1).topk(pool)
    places = torch.stack([cells % width, cells // width], -1)
    shape = maps.new_tensor([width, maps.shape[-2]], dtype=torch.float32)
    weight = (quality / quality.sum(1, keepdim=True)).unsqueeze(-1)
    return ((places + 0.5) / shape * weight).sum(1)
