"""What of a photograph a model is shown at test time; labels and answers are moved along exactly.

`workspace` is the honest protocol: the same fixed crop for every photograph. `centred` cuts around the labels, which
nobody knows where a robot works; the literature's figures are made so.
"""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from graspwise.data.store import Sample
from graspwise.transform import Transform

ProtocolName = Literal["workspace", "centred"]
PROTOCOLS: tuple[ProtocolName, ...] = get_args(ProtocolName)
# Side of the literature's crop, pixels of the photograph.
CENTRED_SIDE = 224

View = Callable[[Sample, tuple[int, int], int], Transform]


def workspace_view(sample: Sample, size: tuple[int, int], side: int) -> Transform:
    """The whole picture of an unaugmented sample, letterboxed.

    Args:
        sample: The sample.
        size: (width, height) of its picture, pixels.
        side: Side of the square that the model takes, pixels.
    """
    return Transform.letterbox(source_size=size, size=(side, side))


def centred_view(sample: Sample, size: tuple[int, int], side: int) -> Transform:
    """A square of 224 pixels of the photograph around the mean centre of its labels; arguments as `workspace_view`.

    GR-ConvNet (Kumra et al. 2020; `CornellDataset._get_crop_attrs` of its published code, after GG-CNN, Morrison et al.
    2018): the mean of all labels' corners, cut off to whole pixels, less half the side, clamped into the picture; at
    training and at test time. There the picture is the photograph of 640 x 480, here the workspace.
    """
    photograph, width = sample.transform.source_size, CENTRED_SIDE
    back = sample.transform.inverse()
    low, high = np.round(back.points(np.array([(-0.5, -0.5), (size[0] - 0.5, size[1] - 0.5)])) + 0.5).astype(int)
    width = min(width, *(high - low).tolist())
    middle = np.mean([back.rectangle(r).center for r in sample.rectangles], axis=0)
    x, y = np.clip(np.trunc(middle).astype(int) - width // 2, low, high - width).tolist()
    cut = Transform.crop(box=(x, y, x + width, y + width), source_size=photograph)
    return back.then(cut).then(Transform.letterbox(source_size=cut.size, size=(side, side)))


VIEWS: dict[ProtocolName, View] = {"workspace": workspace_view, "centred": centred_view}
