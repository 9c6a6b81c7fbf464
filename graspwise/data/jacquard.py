"""Reader of the Jacquard data set (Depierre et al. 2018).

A folder an object holds scenes `N_<object>_RGB.png`, `N_<object>_perfect_depth.tiff` and `N_<object>_grasps.txt`, whose
lines are `x;y;theta;opening;jaw` in pixels and degrees. Jacquard's theta grows clockwise as seen; ours the other way.
"""

import math
import re
from pathlib import Path

from graspwise.data.labelled import LabelledPicture, unique_files
from graspwise.errors import InputError
from graspwise.rectangle import GraspRectangle


def read_grasps(path: Path) -> tuple[GraspRectangle, ...]:
    """Rectangles of a `*_grasps.txt` file, pixels.

    Raises:
        InputError: a line is not five finite numbers with a positive opening and jaw.
    """
    rectangles = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            x, y, degrees, opening, jaw = (float(word) for word in line.strip().rstrip(";").split(";"))
            if not all(map(math.isfinite, (x, y, degrees))) or not (0 < opening < math.inf and 0 < jaw < math.inf):
                raise ValueError
        except ValueError:
            raise InputError(
                f"{path}: line {number} is {line[:60]!r}; valid is x;y;theta;opening;jaw, pixels and degrees"
            ) from None
        rectangles.append(
            GraspRectangle.from_pose(center=(x, y), theta=-math.radians(degrees), opening=opening, jaw=jaw)
        )
    return tuple(rectangles)


def read_jacquard(root: Path | str) -> list[LabelledPicture]:
    """All scenes under a folder, in order of their names; Jacquard gives no categories, so each is an "object".

    Raises:
        InputError: no scene there, or a label file that is missing or cannot be read.
    """
    pictures = unique_files(Path(root), ("*_RGB.png",), what="Jacquard's *_RGB.png pictures")
    found = []
    for file_name, path in sorted(pictures.items()):
        stem = file_name.removesuffix("_RGB.png")
        labels, depth = path.with_name(f"{stem}_grasps.txt"), path.with_name(f"{stem}_perfect_depth.tiff")
        if not labels.is_file():
            raise InputError(f"{labels}: no such file, though {file_name} is there")
        found.append(
            LabelledPicture(
                name=stem,
                path=path,
                object_id=re.sub(r"^\d+_", "", stem),
                category="object",
                description="object",
                rectangles=read_grasps(labels),
                depth_path=depth if depth.is_file() else None,
            )
        )
    return found
