"""What teaches the names in a scene: at every cell of a picture, which thing stands there.

Of a scene masks tell. A photograph of a single thing has none: it is where its grasps are, and nothing is far off.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.data.store import Dataset, Sample, read_mask
from graspwise.model.grasp_model import GraspModel
from graspwise.model.scene_names import SceneNames
from graspwise.rectangle import GraspRectangle
from graspwise.train.examples import Example
from graspwise.train.tasks import DenseTask

# A cell of which nothing is known.
UNKNOWN = -100
# Of a single thing, nothing stands further from all its grasps than this share of the picture's side.
FAR = 0.3


class SceneTask(DenseTask):
    """The names in a scene, on the frozen tower: masks tell what is at every cell, and where nothing is."""

    name = "scene"

    def __init__(self, model: GraspModel, dataset: Dataset, *, training: Sequence[Sample], **kwargs: Any) -> None:
        super().__init__(model, dataset, training=training, **kwargs)
        names = sorted(all_names(training))
        # More names are another head.
        if model.scene_names is None or not set(names) <= set(model.scene_names.names):
            torch.manual_seed(self.seed)
            model.scene_names = SceneNames(model.vlm.config.vision_config.map_channels, names).to(model.device)
        self.head = model.scene_names.float().train().requires_grad_(True)
        self.number = {name: 1 + index for index, name in enumerate(self.head.names)}

    def parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.head.named_parameters())

    def maps(self, places: Sequence[int], dense: Tensor) -> Tensor:
        logits: Tensor = self.head(dense)
        return logits

    def labels(self, example: Example, *, cells: int) -> Tensor:
        return torch.from_numpy(cell_names(self.dataset, example, cells=cells, number=self.number))

    def compare(self, maps: Tensor, labels: Sequence[Any]) -> Tensor:
        known = torch.stack(list(labels)).to(maps.device)
        losses = F.cross_entropy(maps.float(), known, ignore_index=UNKNOWN, reduction="sum")
        return losses / (known != UNKNOWN).sum().clamp_min(1)


def names_in_view(sample: Sample) -> list[str]:
    """Names of all things that a sample's picture is known to show, each once."""
    return list(dict.fromkeys([sample.category] if sample.wish is None else [t["name"] for t in sample.wish.things]))


def all_names(samples: Iterable[Sample]) -> set[str]:
    return {name for sample in samples for name in names_in_view(sample)}


def cell_names(dataset: Dataset, example: Example, *, cells: int, number: Mapping[str, int]) -> np.ndarray:
    """(cells, cells) number of the name at each cell's centre, 0 where nothing stands, `UNKNOWN` where nobody knows.

    Args:
        dataset: Where the masks are.
        example: A sample as training sees it.
        cells: Cells along each side.
        number: Of each name.
    """
    size = example.size[0]
    centres = (np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), -1).reshape(-1, 2) + 0.5) * size / cells - 0.5
    wish = example.sample.wish
    if wish is None:
        return single_cells(example, centres, name=number[example.sample.category]).reshape(cells, cells)
    if wish.objects is None:
        return np.full((cells, cells), UNKNOWN)
    mask = read_mask(dataset.folder / wish.objects)
    # Where the picture's edge is drawn out, so is what the mask says there.
    places = np.round(example.transform.inverse().points(centres)).astype(int)
    height, width = mask.shape
    index = mask[places[:, 1].clip(0, height - 1), places[:, 0].clip(0, width - 1)]
    numbers = {0: 0} | {thing["index"]: number[thing["name"]] for thing in wish.things}
    return np.array([numbers.get(value, UNKNOWN) for value in index.tolist()]).reshape(cells, cells)


def single_cells(example: Example, centres: np.ndarray, *, name: int) -> np.ndarray:
    """`cell_names` (P,) at centres (P, 2), pixels, of a picture of one thing without a mask."""
    found = np.full(len(centres), UNKNOWN)
    if not example.rectangles:
        return found
    middles = np.array([rectangle.center for rectangle in example.rectangles])
    found[np.linalg.norm(centres[:, None] - middles, axis=-1).min(1) > FAR * example.size[0]] = 0
    for rectangle in example.rectangles:
        # Between the jaws' middle thirds there is the thing.
        held = GraspRectangle.from_pose(
            center=rectangle.center, theta=rectangle.theta, opening=rectangle.opening / 3, jaw=rectangle.jaw
        )
        found[inside(held.corners, centres)] = name
    nearest = np.linalg.norm(centres[:, None] - middles, axis=-1).argmin(0)
    # A thing smaller than a cell has one all the same.
    found[nearest] = name
    return found


def inside(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Which points (P, 2) a convex polygon of corners (K, 2), in order, holds."""
    edges = np.roll(corners, -1, 0) - corners
    way = points[None] - corners[:, None]
    aside = edges[:, None, 0] * way[..., 1] - edges[:, None, 1] * way[..., 0]
    return np.asarray((aside >= 0).all(0) | (aside <= 0).all(0))
