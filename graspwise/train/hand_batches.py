"""Hands as training takes them: all on some objects as arrays, and a batch of them turned with their objects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graspwise.hand.cloud import Cloud
from graspwise.hand.grasps import HandDataset

# Hands that are posed, encoded or decoded at once outside of training steps.
CHUNK = 64


class Hands:
    """The hands on some objects, as arrays; what is the same at every step is made once.

    Args:
        dataset: Where they are from.
        names: The objects' ids; those without hands are left out.

    Attributes:
        names: Object ids.
        cloud: Of those objects.
        parameters: (n, P), those of an object together.
        ranges: Of each object its first hand and the one after its last.
    """

    def __init__(self, dataset: HandDataset, names: Sequence[str]) -> None:
        rows: dict[str, list[np.ndarray]] = {name: [] for name in names}
        for grasp in dataset.grasps:
            if grasp.object_id in rows:
                rows[grasp.object_id].append(grasp.parameters)
        self.names = tuple(name for name in names if rows[name])
        things = [dataset.objects[name] for name in self.names]
        ends = np.cumsum([0, *(len(rows[name]) for name in self.names)])
        self.ranges = list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
        if things:
            self.cloud = Cloud.of(np.stack([t.cloud for t in things]), np.stack([t.normals for t in things]))
            self.parameters = torch.from_numpy(np.concatenate([rows[name] for name in self.names])).float()

    def __len__(self) -> int:
        return self.ranges[-1][1] if self.ranges else 0

    def chunks(self) -> list[tuple[Cloud, Tensor]]:
        """All hands, some of one object at a time, with that object's cloud."""
        found = []
        for place, (first, end) in enumerate(self.ranges):
            cloud = self.cloud.picked([place])
            found += [(cloud, rows) for rows in self.parameters[first:end].split(CHUNK)]
        return found


@dataclass(frozen=True)
class Batch:
    """Hands on a few objects, turned.

    Attributes:
        cloud: Of the objects.
        parameters: (B, P), of each object as many.
        own: (B, V, 3) metres, the hands' vertices in their own frame.
    """

    cloud: Cloud
    parameters: Tensor
    own: Tensor


def turned(parameters: Tensor, rotations: Tensor) -> Tensor:
    """Hands (B, P) turned by rotations (B, 3, 3) about the origin of their objects' frames."""
    place = parameters[:, :9].unflatten(1, (3, 3)) @ rotations.mT
    return torch.cat([place.flatten(1), parameters[:, 9:]], dim=1)
