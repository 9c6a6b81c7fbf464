"""The rectangle metric: a grasp is right when one label overlaps it by more than 25% and points within 30 degrees.

Jiang et al. 2011; RT-Grasp section V-A.3. Exact polygons, no rasterising: rounding corners to pixels flips about one
decision in a hundred. Needs no deep-learning library.
"""

import math
from collections.abc import Sequence
from typing import Literal

from graspwise.grasp import Grasp, angle_difference
from graspwise.rectangle import GraspRectangle

IOU_THRESHOLD = 0.25
ANGLE_THRESHOLD = math.radians(30.0)
Width = Literal["label", "own"] | float


def matches(predicted: GraspRectangle, label: GraspRectangle) -> bool:
    """IoU > 0.25 and angle difference < 30 degrees."""
    return angle_difference(predicted.theta, label.theta) < ANGLE_THRESHOLD and predicted.iou(label) > IOU_THRESHOLD


def is_hit(
    grasp: Grasp, *, labels: Sequence[GraspRectangle], image_size: tuple[int, int], width: Width = "label"
) -> bool:
    """Whether a grasp matches any label of its picture.

    Args:
        grasp: The prediction, in the frame of the picture.
        labels: Label rectangles in pixels of the same picture.
        image_size: (width, height) of the picture, pixels.
        width: "label" takes opening and jaw from each label compared (the paper's ground-truth w), "own" takes the
            grasp's, a number is a fixed opening in pixels with a plate of half its length.
    """
    for label in labels:
        if width == "label":
            predicted = grasp.rectangle(image_size=image_size, opening=label.opening, jaw=label.jaw)
        elif width == "own":
            predicted = grasp.rectangle(image_size=image_size)
        else:
            predicted = grasp.rectangle(image_size=image_size, opening=width)
        if matches(predicted, label):
            return True
    return False


def is_oblique(label: GraspRectangle, *, low: float = math.radians(20), high: float = math.radians(70)) -> bool:
    """Whether a label lies 20 to 70 degrees off both picture axes; a flipped angle sign fails exactly there."""
    return low <= abs(label.theta) <= high
