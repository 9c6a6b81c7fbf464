"""A data set at a glance: some of its pictures with their labels and texts on one sheet."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from graspwise.answer import AnswerError, parse_grasp
from graspwise.conversation import text_of
from graspwise.data.store import Dataset, Sample
from graspwise.draw import DARK, contact_sheet, draw_answer
from graspwise.errors import InputError
from graspwise.grasp import Grasp, angle_difference
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle

TILE_SIDE = 320
# Of the right targets' outline.
TARGET = (235, 70, 160)


def dataset_sheet(dataset: Dataset, *, count: int = 24, columns: int = 6, seed: int = 0) -> Image.Image:
    """Random samples in their order, each with all its rectangles, its answer's grasp on top, and its texts below.

    Args:
        dataset: The data set.
        count: How many samples; all where it has fewer.
        columns: Tiles in a row.
        seed: Decides which samples.

    Raises:
        InputError: `count` or `columns` is below 1, or the data set is empty or damaged.
    """
    for name, value in (("count", count), ("columns", columns)):
        if value < 1:
            raise InputError(f"{name} is {value}; valid is 1 or more")
    tiles = [sample_tile(dataset, sample) for sample in chosen_samples(dataset, count=count, seed=seed)]
    if not tiles:
        raise InputError(f"{dataset.folder}: there are no samples to show")
    return contact_sheet(tiles, columns=columns)


def sample_tile(dataset: Dataset, sample: Sample) -> Image.Image:
    """One sample's picture, labels, and what was asked and answered last; of a wish with the right targets outlined.

    In a conversation the grasp that was to change is drawn too.
    """
    picture = dataset.picture(sample)
    mask = dataset.target_mask(sample)
    if mask is not None:
        picture = outlined(picture, mask)
    texts = [text_of(message) for message in sample.messages]
    *_, before, grasp = (None, *(answered_grasp(text, sample, image_size=picture.size) for text in texts[1::2]))
    return draw_answer(
        picture,
        grasp=grasp,
        before=before,
        labels=sample.rectangles,
        title=" - ".join(texts[::2]),
        caption=texts[-1],
        side=TILE_SIDE,
    )


def outlined(picture: Picture, mask: np.ndarray) -> Picture:
    """The picture with an outline round a mask (height, width)."""
    import cv2

    rgb = picture.rgb.copy()
    # Outside of it, or a small target would lie under its own outline.
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    edges, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for colour, thickness in ((DARK, 4), (TARGET, 2)):
        cv2.drawContours(rgb, edges, -1, colour, thickness, cv2.LINE_AA)
    return replace(picture, rgb=rgb)


def answered_grasp(answer: str, sample: Sample, *, image_size: tuple[int, int]) -> Grasp | None:
    """The grasp that an answer says, as wide as the sample's label nearest to it; None where it says none.

    Args:
        answer: One of the sample's answers.
        sample: The sample.
        image_size: (width, height) of its picture, pixels.
    """
    try:
        _, grasp = parse_grasp(answer)
    except AnswerError:
        return None
    if not sample.rectangles:
        return grasp
    width = image_size[0]
    x, y = grasp.pixel(image_size=image_size)

    def distance(label: GraspRectangle) -> float:
        """Pixels, a right angle counting as far as the picture is wide."""
        turn = angle_difference(label.theta, grasp.theta) / (math.pi / 2)
        return math.dist(label.center, (x, y)) + turn * width

    nearest = min(sample.rectangles, key=distance)
    return replace(grasp, opening=nearest.opening / width, jaw=nearest.jaw / width)


def chosen_samples(dataset: Dataset, *, count: int, seed: int) -> Iterator[Sample]:
    """`count` samples without repetition, in the data set's order."""
    total = len(dataset)
    chosen = set(np.random.default_rng(seed).choice(total, min(count, total), replace=False).tolist())
    for index, sample in enumerate(dataset):
        if index in chosen:
            yield sample
            chosen.remove(index)
            if not chosen:
                return
