"""Reader of the Cornell grasping data set (Jiang et al. 2011), as downloaded or as plain jpg pictures.

`pcdNNNNr.png|jpg` is the photograph, `pcdNNNNcpos.txt` its positive rectangles (four `x y` lines each),
`pcdNNNNcneg.txt` the negative ones, `pcdNNNNd.tiff` its depth; folders may nest in any way. Object ids and categories
come from `cornell_objects.csv` beside this file, made by looking at the pictures: the download has none that can be
trusted.
"""

import csv
import math
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from graspwise.data.labelled import LabelledPicture, clockwise, unique_files
from graspwise.errors import InputError
from graspwise.rectangle import GraspRectangle
from graspwise.transform import CORNELL_WORKSPACE

UNLISTED = ("unlisted", "object", "object")


@cache
def object_table() -> dict[str, tuple[str, str, str]]:
    """(object id, category, description) by picture name, e.g. "pcd0100"."""
    text = files("graspwise.data").joinpath("cornell_objects.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["image"]: (row["object_id"], row["category"], row["description"]) for row in rows}


def read_rectangles(path: Path) -> tuple[GraspRectangle, ...]:
    """Rectangles of a cpos or cneg file, in its pixels.

    Those with a NaN corner (pcd0132, pcd0165) and those without an area are left out.

    Raises:
        InputError: a line is not two numbers, or the last rectangle is cut short.
    """
    points: list[tuple[float, float]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        try:
            x, y = map(float, words)
        except ValueError:
            raise InputError(f"{path}: line {number} is {line[:60]!r}; valid is two numbers, x y") from None
        points.append((x, y))
    if len(points) % 4:
        raise InputError(
            f"{path}: {len(points)} corners, the last rectangle is cut short; valid is a multiple of four lines"
        )
    corners = np.array(points).reshape(-1, 4, 2)
    rectangles = (clockwise(GraspRectangle(c)) for c in corners if all(math.isfinite(v) for v in c.flat))
    return tuple(r for r in rectangles if r.polygon.area > 0)


def read_cornell(root: Path | str) -> list[LabelledPicture]:
    """All photographs under a folder, in order of their number; those without a cpos file are unlabelled.

    A photograph whose number is not in our object table gets the object id "unlisted": one group, so that no split can
    put one of them in training and its sibling in test.

    Raises:
        InputError: no photograph there, or a label file that cannot be read.
    """
    folder = Path(root)
    pictures = unique_files(folder, ("pcd*r.png", "pcd*r.jpg"), what="Cornell's pcdNNNNr.png or .jpg pictures")
    texts = {p.name: p for p in sorted(folder.rglob("pcd*.txt"))}
    depths = {p.name: p for p in sorted(folder.rglob("pcd*d.tiff"))}
    table = object_table()
    found: dict[str, LabelledPicture] = {}
    for file_name, path in sorted(pictures.items()):
        match = re.fullmatch(r"(pcd\d{4})r\.(png|jpg)", file_name)
        if match is None or match[1] in found:
            continue
        name = match[1]
        labels, bad = texts.get(f"{name}cpos.txt"), texts.get(f"{name}cneg.txt")
        object_id, category, description = table.get(name, UNLISTED)
        found[name] = LabelledPicture(
            name=name,
            path=path,
            object_id=object_id,
            category=category,
            description=description,
            rectangles=read_rectangles(labels) if labels else (),
            workspace=CORNELL_WORKSPACE,
            negatives=read_rectangles(bad) if bad else (),
            depth_path=depths.get(f"{name}d.tiff"),
        )
    return list(found.values())
