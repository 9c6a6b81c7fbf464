"""What the picture looks like: the photographs of training remembered, and the nearest of them asked for their names.

A picture is looked at as a whole and, closer and closer, around its best grasps; each look is one vector of the vision
tower. Small things come out better in a close look, and what surrounds them in a wide one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from graspwise.files import replacing

# The looks after the first: how many times closer.
CLOSER = (1.6, 2.2)
# So many photographs vote, each the more the nearer it is.
NEIGHBOURS, SOFTNESS = 5, 0.05


@dataclass(frozen=True)
class Memory:
    """Photographs as the tower sees them, with the names of what they show.

    Attributes:
        names: Name of each of N photographs.
        objects: Object id of each.
        looks: (N, L, D) unit vectors, one a look.
        center: (L, D) what was taken off before.
    """

    names: tuple[str, ...]
    objects: tuple[str, ...]
    looks: Tensor
    center: Tensor

    @classmethod
    def of(cls, looks: Tensor, *, names: Sequence[str], objects: Sequence[str]) -> Self:
        """A memory of photographs' looks (N, L, D) as the tower gives them."""
        center = looks.float().mean(0)
        return cls(tuple(names), tuple(objects), F.normalize(looks.float() - center, dim=-1), center)

    @cached_property
    def replaceable(self) -> frozenset[str]:
        """Objects with whose names other objects are called, too."""
        owners: dict[str, set[str]] = {}
        for name, owner in zip(self.names, self.objects, strict=True):
            owners.setdefault(name, set()).add(owner)
        return frozenset(owner for listed in owners.values() if len(listed) > 1 for owner in listed)

    def nearest(self, looks: Tensor, *, count: int, besides: Sequence[str] | None = None) -> list[list[str]]:
        """The `count` likeliest names of each picture, likeliest first.

        Args:
            looks: (B, L, D) as the tower gives them.
            count: Names a picture; fewer where its neighbours have fewer.
            besides: An object id a picture whose photographs are not asked, as in training: a picture resembles itself.
                They are asked all the same where no other object has that name.
        """
        seen = F.normalize(looks.float().cpu() - self.center, dim=-1)
        likeness = torch.einsum("bld,nld->bn", seen, self.looks) / self.looks.shape[1]
        ranked = []
        for index, row in enumerate(likeness):
            if besides is not None and besides[index] in self.replaceable:
                row = row.masked_fill(torch.tensor([name == besides[index] for name in self.objects]), -torch.inf)
            values, places = row.topk(min(len(self.names), NEIGHBOURS * count))
            votes: dict[str, float] = {}
            # Names that the nearest do not bring come after, in the order of the next ones.
            for rank, (value, place) in enumerate(zip(values.tolist(), places.tolist(), strict=True)):
                weight = math.exp((value - float(values[0])) / SOFTNESS) if rank < NEIGHBOURS else 0.0
                votes[self.names[place]] = votes.get(self.names[place], 0.0) + weight
            ranked.append(sorted(votes, key=lambda name: -votes[name])[:count])
        return ranked

    def save(self, path: Path) -> None:
        with replacing(path) as temporary:
            tensors = {"looks": self.looks.to(torch.bfloat16), "center": self.center.to(torch.bfloat16)}
            metadata = {"names": "\n".join(self.names), "objects": "\n".join(self.objects)}
            save_file(tensors, temporary, metadata=metadata)

    @classmethod
    def load(cls, path: Path) -> Self:
        with safe_open(path, framework="pt") as file:
            listed = file.metadata()
            looks, center = file.get_tensor("looks").float(), file.get_tensor("center").float()
        names, objects = (tuple(listed[key].split("\n")) for key in ("names", "objects"))
        return cls(names, objects, F.normalize(looks, dim=-1), center)


def closer(pictures: Tensor, *, centre: Tensor, times: float) -> Tensor:
    """The part of each picture (B, C, S, S) around `centre` (B, 2; x and y, 0 to 1), `times` as large; edges go on."""
    batch = len(pictures)
    turn = torch.zeros(batch, 2, 3)
    turn[:, 0, 0] = turn[:, 1, 1] = 1 / times
    turn[:, :, 2] = 2 * centre - 1
    grid = F.affine_grid(turn.to(pictures.device), list(pictures.shape), align_corners=False)
    shown = F.grid_sample(pictures.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return shown.to(pictures.dtype)
