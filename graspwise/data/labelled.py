"""What every grasp data set's reader returns: pictures with object ids, categories and grasp rectangles."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from graspwise.errors import InputError
from graspwise.picture import Picture, open_picture
from graspwise.rectangle import GraspRectangle

Workspace = tuple[int, int, int, int]


@dataclass(frozen=True)
class LabelledPicture:
    """One photograph with its grasp rectangles.

    Attributes:
        name: The picture's name in its data set, unique there.
        path: The colour picture.
        object_id: Pictures of one physical object share it; splits go by it.
        category: Grasp category, e.g. "mug".
        description: A few words that name the thing, e.g. "black mug".
        rectangles: Positive labels, pixels of the picture; empty where it is unlabelled.
        workspace: Half-open crop (x0, y0, x1, y1) in pixels, the same for every picture of the set; None is the whole.
        negatives: Rectangles labelled as bad grasps.
        depth_path: Depth picture of the same size, where there is one.
        among_others: Whether other things are in view, so that it must be asked for by name.
        parts: Of each of `rectangles` the part that it holds, "" where none is sure; empty where nothing tells.
    """

    name: str
    path: Path
    object_id: str
    category: str
    description: str
    rectangles: tuple[GraspRectangle, ...]
    workspace: Workspace | None = None
    negatives: tuple[GraspRectangle, ...] = ()
    depth_path: Path | None = None
    among_others: bool = False
    parts: tuple[str, ...] = ()

    def open(self, *, depth: bool = False) -> Picture:
        """Read the picture, with its depth in metres when asked."""
        return open_picture(self.path, depth_path=self.depth_path if depth else None)


def unique_files(root: Path, patterns: Iterable[str], *, what: str) -> dict[str, Path]:
    """Files under `root` at any depth by name, the first of duplicates in sorted order.

    Raises:
        InputError: the folder is missing or holds none.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give the folder that holds {what}")
    found: dict[str, Path] = {}
    for pattern in patterns:
        for path in sorted(root.rglob(pattern)):
            found.setdefault(path.name, path)
    if not found:
        raise InputError(f"{root}: no file {' or '.join(patterns)} at any depth; give the folder that holds {what}")
    return found


def clockwise(rectangle: GraspRectangle) -> GraspRectangle:
    """The same rectangle with its corners clockwise as seen; edge 0-1 stays the opening."""
    return rectangle if rectangle.is_clockwise else GraspRectangle(rectangle.corners[[1, 0, 3, 2]])
