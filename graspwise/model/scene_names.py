"""What things stand in a picture of several: at every cell of the tower's map, which of the known names is there."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from graspwise.files import replacing
from graspwise.model.grasp_map import symmetric_mean_of_logits

# A name is in view where a cell believes in it more than this; so many are listed at most.
LEAST, MOST_NAMES = 0.35, 8
# Names nearer together than this share of the picture's side are two names of one thing.
APART = 0.12


class SceneNames(nn.Module):
    """A 1x1 and a 3x3 convolution over a map (B, C, h, w).

    `forward` returns logits (B, 1 + N, h, w): of nothing, and of each name.

    Args:
        channels: C.
        names: The N names, e.g. "mug".
        width: Channels inside.
    """

    def __init__(self, channels: int, names: Sequence[str], *, width: int = 128) -> None:
        super().__init__()
        self.names = tuple(names)
        layers: list[nn.Module] = []
        for inside, kernel in ((channels, 1), (width, 3)):
            layers += [nn.Conv2d(inside, width, kernel, padding=kernel // 2), nn.GroupNorm(8, width), nn.GELU()]
        self.body = nn.Sequential(*layers)
        self.out = nn.Conv2d(width, 1 + len(self.names), 1)

    def forward(self, dense: Tensor) -> Tensor:
        logits: Tensor = self.out(self.body(dense))
        return logits

    def likely(self, dense: Tensor) -> Tensor:
        """How likely each name is at each cell (B, N, h, w), of the maps (8 B, C, h, w) of `symmetric_views`."""
        return symmetric_mean_of_logits(self(dense)).softmax(1)[:, 1:]

    def place(self, target: str) -> int | None:
        """Which of the names a target is called by, as "red mug" is by "mug"; None where none is."""
        found = [name for name in self.names if target == name or target.endswith(f" {name}")]
        return self.names.index(max(found, key=len)) if found else None

    def in_view(self, likely: Tensor) -> list[list[str]]:
        """Names in each picture, the surest first, of what `likely` returns; of several for one thing the surest."""
        side = likely.shape[-1]
        best, cells = likely.flatten(2).max(2)
        listed = []
        for values, where in zip(best, cells, strict=True):
            found: dict[str, tuple[float, float]] = {}
            for index in values.argsort(descending=True).tolist():
                if values[index] <= LEAST or len(found) == MOST_NAMES:
                    break
                row, column = divmod(int(where[index]), side)
                place = (column / side, row / side)
                if all(math.dist(place, other) >= APART for other in found.values()):
                    found[self.names[index]] = place
            listed.append(list(found))
        return listed

    def save(self, path: Path) -> None:
        weights = {name: value.detach().to(torch.bfloat16).contiguous() for name, value in self.state_dict().items()}
        with replacing(path) as temporary:
            save_file(weights, temporary, metadata={"names": "\n".join(self.names)})

    @classmethod
    def load(cls, path: Path, *, channels: int) -> "SceneNames":
        with safe_open(path, framework="pt") as file:
            names = file.metadata()["names"].split("\n")
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
        found = cls(channels, names).to(torch.bfloat16)
        found.load_state_dict(weights)
        return found
