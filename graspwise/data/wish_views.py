"""A scene's picture, masks and depth as a data set of wishes keeps them: once, for all wishes about the scene."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from graspwise.data.build import JPEG_QUALITY
from graspwise.data.store import read_mask
from graspwise.data.wish_scenes import WishScene
from graspwise.errors import InputError
from graspwise.files import replacing
from graspwise.picture import open_picture
from graspwise.transform import Transform, workspace_transform


@dataclass(frozen=True)
class View:
    """A scene's files in the data set.

    Attributes:
        image: Path of the picture, relative to the data set's folder, as the others.
        objects: Of the mask of the things.
        parts: Of the mask of the parts, where there is one.
        depth: Of the depth picture, where there is one.
        transform: From the scene's pixels to these.
    """

    image: str
    objects: str
    parts: str | None
    depth: str | None
    transform: Transform


def write_view(scene: WishScene, *, number: int, folder: Path, side: int, depth: bool) -> View:
    """A scene's files, letterboxed into a square; written unless they are there.

    Args:
        scene: The scene.
        number: Its place among the scenes, which names the files.
        folder: The data set's folder.
        side: Of the square, pixels.
        depth: Also the depth picture, where the scene has one.

    Raises:
        InputError: a file of the scene is missing or damaged, or its picture is not as large as its masks.
    """
    fit = workspace_transform(image_size=scene.image_size, workspace=None, size=(side, side))
    stem = f"images/{number // 1000:03d}/{number:06d}"
    view = View(
        image=f"{stem}.jpg",
        objects=f"{stem}-objects.png",
        parts=f"{stem}-parts.png" if scene.parts else None,
        depth=f"{stem}-depth.png" if depth and scene.depth else None,
        transform=fit,
    )
    if (folder / view.image).is_file():
        return view
    picture = open_picture(scene.picture, depth_path=scene.depth if view.depth else None)
    if picture.size != scene.image_size:
        raise InputError(f"{scene.picture}: found {picture.size} pixels; valid are its masks' {scene.image_size}")
    shown = fit.picture(picture)
    for source, path in ((scene.objects, view.objects), (scene.parts, view.parts)):
        if source is not None and path is not None:
            save(Image.fromarray(mapped_mask(read_mask(source), fit)), folder / path)
    if view.depth is not None and shown.depth is not None:
        save(Image.fromarray(np.nan_to_num(shown.depth * 1000).round().astype(np.uint16)), folder / view.depth)
    # The picture comes last: where it is, the others are.
    save(Image.fromarray(shown.rgb), folder / view.image)
    return view


def save(image: Image.Image, path: Path) -> None:
    """Whole or not at all, because another process may be writing the same scene."""
    with replacing(path) as temporary:
        image.save(temporary, quality=JPEG_QUALITY)


def mapped_mask(mask: np.ndarray, transform: Transform) -> np.ndarray:
    """A mask of indices (height, width) through a transform: the nearest pixel's index, 0 outside."""
    import cv2

    return np.asarray(cv2.warpAffine(mask, transform.matrix, transform.size, flags=cv2.INTER_NEAREST))
