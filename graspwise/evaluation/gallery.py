"""Photographs of a model's misses and hits, drawn into the report's folder and nowhere else.

Photographs of a data set may be for research use only, so `report.json` names them and holds none.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from graspwise.data.store import Dataset, Sample
from graspwise.draw import draw_answer
from graspwise.errors import InputError
from graspwise.evaluation.document import Gallery, Tile
from graspwise.files import replacing
from graspwise.grasp import Grasp
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle

FOLDER = "gallery"
# Of misses and of hits.
MOST = 12
SIDE = 480

# A photograph by its name, in the workspace frame that records' grasps are in, and its labels in pixels.
Photograph = Callable[[str], tuple[Picture, Sequence[GraspRectangle]]]


def picks(records: Sequence[dict[str, Any]], *, seed: int = 0) -> list[dict[str, Any]]:
    """Up to 12 misses and 12 hits drawn by chance, of as many objects as can be; what a tile says of each."""
    shuffled = [records[i] for i in np.random.default_rng(seed).permutation(len(records))]
    chosen = []
    for right in (False, True):
        seen: dict[str, int] = {}
        ranked = []
        for record in shuffled:
            if bool(record["hit"]) is right:
                seen[record["object_id"]] = seen.get(record["object_id"], 0) + 1
                ranked.append((seen[record["object_id"]], record))
        # First one of each object, then a second of each.
        ranked.sort(key=lambda pair: pair[0])
        chosen += [record for _, record in ranked[:MOST]]
    keys = ("image", "object_id", "category", "hit", "hit_any", "grasp", "reasoning")
    return [{key: record.get(key) for key in keys} for record in chosen]


def photographs(dataset: Dataset) -> Photograph:
    """The unaugmented photographs of a data set with their labels, by name.

    Raises:
        InputError: (from the function) the data set has none of that name.
    """
    found: dict[str, Sample] = {}

    def photograph(name: str) -> tuple[Picture, Sequence[GraspRectangle]]:
        if not found:
            found.update({sample.source_image: sample for sample in dataset if sample.original})
        if name not in found:
            raise InputError(f"{dataset.folder}: has no photograph {name}; give the data set that was scored")
        return dataset.picture(found[name]), found[name].rectangles

    return photograph


def gallery_of(report: dict[str, Any]) -> Gallery | None:
    """The section of a report's photographs."""
    shown = report["gallery"]
    if shown is None:
        return None
    tiles = []
    for pick in shown["picks"]:
        almost = "" if pick["hit"] or not pick["hit_any"] else ", a later one of its ranked grasps is right"
        title = f"{pick['category']}: {'hit' if pick['hit'] else 'miss'}{almost}"
        tiles.append(Tile(tile_path(pick), title, pick["reasoning"] or "", bool(pick["hit"])))
    text = (
        f"{shown['label']}, {shown['split']}-wise; up to {MOST} of each, drawn by chance, of as many objects as can "
        "be. Amber and blue: the predicted grasp; thin green: the labels; below: the model's reason."
    )
    return Gallery("Misses and hits", text, tuple(tiles))


def draw_gallery(report: dict[str, Any], folder: Path, photograph: Photograph) -> None:
    """Write the pictures of `gallery_of` under the report's folder; those of an earlier report go.

    Raises:
        InputError: a photograph is not there.
    """

    def tile(pick: dict[str, Any]) -> Image.Image:
        picture, labels = photograph(pick["image"])
        values = pick["grasp"] or {}
        grasp = None if values.get("x") is None else Grasp(**values)
        return draw_answer(picture, grasp=grasp, labels=labels, side=SIDE)

    shown = report["gallery"]["picks"] if report["gallery"] else []
    write_tiles(folder, ((tile_path(pick), tile(pick)) for pick in shown))


def write_tiles(folder: Path, tiles: Iterable[tuple[str, Image.Image]]) -> None:
    """Write a gallery's pictures, each under its path in the report's folder; those of an earlier report go."""
    kept = set()
    for path, tile in tiles:
        with replacing(folder / path) as temporary:
            tile.save(temporary, quality=85)
        kept.add(folder / path)
    for old in (folder / FOLDER).glob("*.jpg"):
        if old not in kept:
            old.unlink()


def tile_path(pick: dict[str, Any]) -> str:
    return f"{FOLDER}/{'hit' if pick['hit'] else 'miss'}-{pick['image']}.jpg"
