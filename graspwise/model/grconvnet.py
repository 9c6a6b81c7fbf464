"""GR-ConvNet, the peer: a convolutional network that draws four maps of a picture, and how a grasp is read off them.

Kumra, Joshi and Sahin 2020, "Antipodal Robotic Grasping using Generative Residual Convolutional Neural Network",
arXiv 1909.04810. Written anew from the paper. With four channels it has the paper's 1,900,900 parameters.

Depth is a fourth channel after red, green and blue: metres less the picture's mean, held within -1..1, as in the
original's code. A zoom leaves it as it is, there and here: what is shown larger is not said to be nearer.

Maps are (4, S, S): quality, cos 2t, sin 2t, and the opening as a share of `WIDEST`. Where two labels overlap, the later
one is drawn over the earlier. Outside labels quality and opening are 0 and the angle is that of theta 0.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.errors import InputError
from graspwise.files import read_json, replacing, write_json
from graspwise.grasp import Grasp
from graspwise.model.load import device, load_part
from graspwise.model.weights import CARD
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle

NETWORK = "grconvnet"
WEIGHTS = f"{NETWORK}.safetensors"
SIZE = 224
# All as fractions of the picture's width, so that they hold at other sizes; in pixels at 224 they are 150, 2 and 20.
WIDEST, SIGMA, APART = 150 / SIZE, 2 / SIZE, 20 / SIZE
# A second grasp is given where the smoothed quality has a peak above this; so many of the highest peaks are looked at.
LEAST_QUALITY, POOL = 0.2, 48


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class GrConvNet(nn.Module):
    """The published network.

    Args:
        channels: 3 for RGB, 4 with depth; `takes_depth` tells which.
        width: Channels of the first convolution; the middle has four times as many.
        dropout: Share of the values that each head does not see in training.

    `forward` takes pictures (B, channels, S, S), S a multiple of 4, and returns maps (B, 4, S, S).
    """

    def __init__(self, *, channels: int = 3, width: int = 32, dropout: float = 0.1) -> None:
        super().__init__()
        self.takes_depth = channels == 4
        self.down = nn.Sequential(
            *normed(nn.Conv2d(channels, width, 9, padding=4)),
            *normed(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)),
            *normed(nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1)),
        )
        self.middle = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(5)))
        # One row and column more than the picture has; the heads' 2x2 convolutions take them away.
        self.up = nn.Sequential(
            *normed(nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1, output_padding=1)),
            *normed(nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=2, output_padding=1)),
            nn.ConvTranspose2d(width, width, 9, padding=4),
        )
        self.heads = nn.ModuleList(nn.Sequential(nn.Dropout(dropout), nn.Conv2d(width, 1, 2)) for _ in range(4))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(module.weight)

    def forward(self, pictures: Tensor) -> Tensor:
        features = self.up(self.middle(self.down(pictures)))
        return torch.cat([head(features) for head in self.heads], 1)


def normed(convolution: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(inplace=True)]


def network_input(pictures: Sequence[Picture], *, depth: bool) -> Tensor:
    """Square pictures as (B, 3, S, S) float32: 0 to 1, less each picture's mean; with `depth` (B, 4, S, S)."""
    values = torch.from_numpy(np.stack([picture.rgb for picture in pictures])).permute(0, 3, 1, 2).float() / 255
    values = values - values.mean((1, 2, 3), keepdim=True)
    if not depth:
        return values
    relief = np.stack([centred_depth(picture) for picture in pictures])
    return torch.cat([values, torch.from_numpy(relief)[:, None]], 1)


def centred_depth(picture: Picture) -> np.ndarray:
    """Depth (height, width) float32: metres less their mean, within -1..1, holes filled.

    Raises:
        ValueError: the picture has no depth.
    """
    if picture.depth is None:
        raise ValueError(f"{picture.path or 'picture'}: no depth for a network that takes it")
    filled = fill_holes(picture.depth)
    return np.clip(filled - filled.mean(), -1, 1)


def fill_holes(depth: np.ndarray) -> np.ndarray:
    """Depth (height, width) float32 with each NaN as the nearest measured pixel, beyond the border too; else 0.

    The original inpaints the photographs beforehand. The nearest pixel also fills a letterbox and what a turn brings
    into view, and makes up no depth between an object's and the table's.
    """
    holes = np.isnan(depth)
    if holes.all():
        return np.zeros_like(depth)
    # Each pixel gets the number of its nearest zero, which is a measured pixel.
    _, nearest = cv2.distanceTransformWithLabels(
        holes.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    measured = np.zeros(int(nearest.max()) + 1, np.float32)
    measured[nearest[~holes]] = depth[~holes]
    return measured[nearest]


def label_maps(rectangles: Sequence[GraspRectangle], *, size: int) -> Tensor:
    """Maps (4, size, size) float32 to learn: each label's pose, on the middle third of its opening.

    Args:
        rectangles: Labels in pixels of the square picture.
        size: Its side.
    """
    y, x = np.mgrid[:size, :size].astype(np.float32)
    maps = np.stack([np.zeros_like(x), np.ones_like(x), np.zeros_like(x), np.zeros_like(x)])
    for rectangle in rectangles:
        (px, py), theta = rectangle.center, rectangle.theta
        along = (x - px) * math.cos(theta) - (y - py) * math.sin(theta)
        across = (x - px) * math.sin(theta) + (y - py) * math.cos(theta)
        inside = (abs(along) <= rectangle.opening / 6) & (abs(across) <= rectangle.jaw / 2)
        opening = min(rectangle.opening / (WIDEST * size), 1.0)
        maps[:, inside] = np.array([[1.0], [math.cos(2 * theta)], [math.sin(2 * theta)], [opening]])
    return torch.from_numpy(maps)


def map_loss(maps: Tensor, labels: Tensor) -> Tensor:
    """Smooth L1 of the four maps (B, 4, S, S), each averaged over pictures and pixels, summed."""
    return F.smooth_l1_loss(maps, labels, reduction="none").mean((0, 2, 3)).sum()


def read_grasps(maps: Tensor, *, count: int = 3) -> list[list[Grasp]]:
    """The best grasps of each picture, best first: one to `count` peaks of the smoothed quality.

    Args:
        maps: (B, 4, S, S) from the network.
        count: Grasps a picture at most.
    """
    maps = maps.float().cpu()
    size = maps.shape[-1]
    quality = smooth(maps[:, :1], sigma=SIGMA * size)
    is_peak = (F.max_pool2d(quality, 3, stride=1, padding=1) == quality) & (quality > LEAST_QUALITY)
    found = []
    for picture, smoothed, peaks in zip(maps, quality.flatten(1), is_peak.flatten(1), strict=True):
        ranked = smoothed.masked_fill(~peaks, -math.inf).topk(min(POOL, size**2)).indices
        kept: list[tuple[int, int]] = []
        grasps: list[Grasp] = []
        for cell in [int(smoothed.argmax()), *ranked[peaks[ranked]].tolist()]:
            row, column = divmod(cell, size)
            # Of a flat top all cells are peaks.
            if len(kept) == count or any(math.dist((row, column), other) < APART * size for other in kept):
                continue
            kept.append((row, column))
            _, cos, sin, opening = picture[:, row, column].tolist()
            grasps.append(
                Grasp(
                    x=(column + 0.5) / size,
                    y=(row + 0.5) / size,
                    theta=math.atan2(sin, cos) / 2,
                    opening=min(max(opening * WIDEST, 1 / size), 1.0),
                    quality=float(smoothed[cell]),
                )
            )
        found.append(grasps)
    return found


def smooth(maps: Tensor, *, sigma: float) -> Tensor:
    """Maps (B, 1, S, S) blurred by a Gaussian of `sigma` pixels, the border repeated."""
    radius = max(1, math.ceil(4 * sigma))
    weights = torch.exp(-(torch.arange(-radius, radius + 1, dtype=torch.float32) ** 2) / (2 * sigma**2))
    weights = weights / weights.sum()
    padded = F.pad(maps, (radius,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, weights[None, None, None]), weights[None, None, :, None])


@dataclass(frozen=True)
class PeerCard:
    """What `graspwise.json` of a GR-ConvNet says.

    Attributes:
        image_size: Side of its square pictures, pixels.
        channels: 3 for RGB, 4 with depth.
        width: Channels of the first convolution.
        recipe: Name of the training recipe.
        trained_on: "source:object id" of every object trained on.
    """

    image_size: int
    channels: int
    width: int
    recipe: str
    trained_on: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"network": NETWORK, **asdict(self)}


def is_grconvnet(folder: Path) -> bool:
    """Whether a model folder holds a GR-ConvNet."""
    return (folder / CARD).is_file() and read_json(folder / CARD).get("network") == NETWORK


def save_grconvnet(folder: Path, network: GrConvNet, card: PeerCard) -> None:
    """Write a model folder in fp32; the card is written last."""
    with replacing(folder / WEIGHTS) as temporary:
        save_file({name: value.contiguous().cpu() for name, value in network.state_dict().items()}, temporary)
    write_json(folder / CARD, card.to_json())


def load_grconvnet(folder: Path) -> tuple[GrConvNet, PeerCard]:
    """A trained GR-ConvNet on the accelerator where there is one, ready to answer.

    Raises:
        InputError: the folder is not whole, or its parts do not belong together.
    """
    value = read_json(folder / CARD)
    try:
        named = {key: value[key] for key in value if key != "network"}
        card = PeerCard(**{**named, "trained_on": tuple(named["trained_on"])})
        network = GrConvNet(channels=card.channels, width=card.width)
    except (TypeError, KeyError) as error:
        raise InputError(f"{folder / CARD}: not a card of this version ({error})") from error
    load_part(network, folder / WEIGHTS)
    return network.to(device()).eval().requires_grad_(False), card
