"""Small photographs of dark bars on a light table whose grasp labels are known, and a data set made from them."""

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from graspwise.data.build import BuildConfig, build_dataset
from graspwise.data.labelled import LabelledPicture
from graspwise.data.store import Dataset
from graspwise.rectangle import GraspRectangle

SIZE = (160, 120)
WORKSPACE = (30, 10, 130, 110)
BAR, TABLE, OUTSIDE = 10, 200, (0, 255, 0)
CATEGORIES = ("stapler", "marker", "banana")


def photograph(path: Path, *, center: tuple[float, float], rising: float, labelled: bool = True) -> LabelledPicture:
    """A bar of 40 x 10 pixels whose right end is `rising` radians high as seen; outside the workspace all is green.

    Its labels close the jaws across it, in the middle and near both ends.
    """
    rgb = np.full((SIZE[1], SIZE[0], 3), OUTSIDE, np.uint8)
    x0, y0, x1, y1 = WORKSPACE
    rgb[y0:y1, x0:x1] = TABLE
    along = np.array([math.cos(rising), -math.sin(rising)])
    aside = np.array([math.sin(rising), math.cos(rising)])
    middle = np.array(center)
    corners = [middle + 20 * a * along + 5 * b * aside for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))]
    cv2.fillPoly(rgb, [np.rint(np.array(corners) * 16).astype(np.int32)], (BAR,) * 3, lineType=cv2.LINE_AA, shift=4)
    Image.fromarray(rgb).save(path)
    number = int(path.stem.removeprefix("p"))
    category = CATEGORIES[number // 2 % len(CATEGORIES)]
    places = [middle + shift * along for shift in (-12, 0, 12)]
    return LabelledPicture(
        name=path.stem,
        path=path,
        object_id=f"object-{number // 2}",
        category=category,
        description=f"dark {category}",
        rectangles=tuple(
            GraspRectangle.from_pose(center=(x, y), theta=rising + math.pi / 2, opening=24, jaw=8) for x, y in places
        )
        if labelled
        else (),
        workspace=WORKSPACE,
    )


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledPicture]:
    """Ten photographs of five objects, the last object's two without labels."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(5)
    return [
        photograph(
            folder / f"p{number}.png",
            center=(float(rng.uniform(60, 100)), float(rng.uniform(40, 80))),
            rising=float(rng.uniform(-math.pi, math.pi)),
            labelled=number < 8,
        )
        for number in range(10)
    ]


@pytest.fixture(scope="session")
def built(
    photographs: list[LabelledPicture], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[BuildConfig, int], Path]:
    """A data set folder for a configuration and a count of processes, built once."""
    folders: dict[tuple[BuildConfig, int], Path] = {}

    def build(config: BuildConfig, workers: int = 1) -> Path:
        if (config, workers) not in folders:
            out = tmp_path_factory.mktemp("built") / "data"
            folders[config, workers] = build_dataset(
                photographs, source="bars", out=out, config=config, workers=workers
            )
        return folders[config, workers]

    return build


@pytest.fixture(scope="session")
def dataset(built: Callable[[BuildConfig], Path]) -> Dataset:
    """Five passes over the photographs, the first unaugmented."""
    return Dataset(built(BuildConfig(samples=40, size=96, zoom_low=0.2, seed=1)))
