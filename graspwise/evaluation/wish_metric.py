"""Recall at k of ranked grasps: any of the first k, after suppression, matches a grasp of a right target.

Pure geometry, without a deep-learning library. Every grasp has its own opening; one without has no rectangle, so it is
right of nothing and suppresses nothing.
"""

from collections.abc import Sequence

from graspwise.grasp import Grasp
from graspwise.metric import is_hit, matches
from graspwise.rectangle import GraspRectangle


def suppressed(grasps: Sequence[Grasp], *, image_size: tuple[int, int]) -> list[Grasp]:
    """Non-maximum suppression: a grasp goes where one before it has IoU > 0.25 with it and is within 30 degrees.

    Args:
        grasps: Ranked as the model ranks them, best first; its answer leads, whatever the quality of the others.
        image_size: (width, height) of the picture, pixels.
    """
    kept: list[Grasp] = []
    standing: list[GraspRectangle] = []
    for grasp in grasps:
        if grasp.opening is not None:
            rectangle = grasp.rectangle(image_size=image_size)
            if any(matches(rectangle, other) for other in standing):
                continue
            standing.append(rectangle)
        kept.append(grasp)
    return kept


def recall_at(grasps: Sequence[Grasp], right: Sequence[GraspRectangle], *, k: int, image_size: tuple[int, int]) -> bool:
    """Whether one of the first `k` grasps that suppression leaves is right by the rectangle metric, own opening.

    Args:
        grasps: Ranked, best first.
        right: Grasps of right targets, pixels of the same picture.
        k: How many count, 1 or more.
        image_size: (width, height) of the picture, pixels.

    Raises:
        ValueError: `k` is below 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}; valid is 1 or more")
    return any(
        grasp.opening is not None and is_hit(grasp, labels=right, image_size=image_size, width="own")
        for grasp in suppressed(grasps, image_size=image_size)[:k]
    )
