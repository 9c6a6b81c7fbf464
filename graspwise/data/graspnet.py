"""Reader of GraspNet-1Billion (Fang et al. 2020) with its rectangle labels, in its own layout, as its API reads it.

`scenes/scene_0000/kinect/` (and `realsense/`) holds `rgb/0000.png`, `depth/0000.png` (uint16, mm), `label/0000.png` (an
object's id + 1, 0 is no object), `annotations/0000.xml` (each object's id and the name of its mesh), `rect/0000.npy`
and `camK.npy`. A row of `rect` is a rectangle in pixels: centre x and y, x and y of the open point, height, score,
object id. The open point is the middle of one jaw plate, half an opening from the centre; the height is a plate's
length; the score is 1.1 less the smallest friction at which the grasp holds, so higher is better. These labels are
made of those grasps alone that the scene's collision labels leave, so nothing collided is among them.
"""

import math
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from graspwise.data.store import read_mask
from graspwise.data.wish_facts import NAMELESS, Thing
from graspwise.data.wish_scenes import VISIBLE, SceneGrasp, WishScene, WishScenes, pixels_by_index
from graspwise.errors import InputError
from graspwise.grasp import Grasp

CAMERAS = ("kinect", "realsense")
# First scene number of each of its splits; objects of the last two are not in the training scenes.
SPLITS = {"train": 0, "seen": 100, "similar": 130, "novel": 160}
# A grasp is right where it holds at this friction, as its API has it.
FRICTION = 0.4
# Thousands of rectangles a frame say nearly the same: the best of each cell is kept, and so many a thing. A plate is
# some 25 pixels long, so that the next cell's label still overlaps a grasp by more than a quarter.
CELL_PIXELS, CELL_ANGLE, MOST = 8.0, math.radians(20), 128
# Where there are more, the best of each of these comes first.
COARSE = 3

# What its meshes show, as far as their names or their makers say; any other is an "object", which may serve any wish.
# YCB's numbers are taken off the names. The ids are not used: published lists of them differ in two places.
CATEGORIES = {
    "cracker_box": "cracker box", "tomato_soup_can": "tomato soup can", "sugar_box": "sugar box",
    "mustard_bottle": "mustard bottle", "potted_meat_can": "potted meat can", "banana": "banana", "bowl": "bowl",
    "mug": "mug", "power_drill": "power drill", "scissors": "scissors", "chips_can": "chips can",
    "strawberry": "strawberry", "apple": "apple", "lemon": "lemon", "peach": "peach", "pear": "pear",
    "orange": "orange", "plum": "plum", "knife": "knife", "phillips_screwdriver": "screwdriver",
    "flat_screwdriver": "screwdriver", "racquetball": "ball", "cups": "toy cup", "toy_airplane": "toy airplane",
    "padlock": "padlock", "dragon": "toy dragon", "jvr_cleansing_foam": "cleansing foam",
    "nzskincare_mouth_rinse": "mouth rinse", "dabao_sod": "lotion bottle", "soap_box": "soap box",
    "kispa_cleanser": "cleanser bottle", "darlie_toothpaste": "toothpaste", "nivea_men_oil_control": "face wash",
    "baoke_marker": "marker", "dish": "dish", "white_mouse": "computer mouse", "black_mouse": "computer mouse",
    "camel": "toy camel", "deer": "toy deer", "zebra": "toy zebra", "large_elephant": "toy elephant",
    "small_elephant": "toy elephant", "rhinocero": "toy rhinoceros", "monkey": "toy monkey",
    "giraffe": "toy giraffe", "gorilla": "toy gorilla", "lion": "toy lion", "hippo": "toy hippo",
    "darlie_box": "toothpaste box", "soap": "soap", "dabao_facewash": "face wash", "pantene": "shampoo",
    "head_shoulders_supreme": "shampoo", "head_shoulders_care": "shampoo", "thera_med": "toothpaste",
    "coconut_juice_box": "juice box", "tape": "tape", "rubiks_cube": "puzzle cube", "peeler": "peeler",
    "ice_cube_mould": "ice cube tray", "bar_clamp": "clamp", "pawn": "chess pawn", "vase": "vase",
    "weiquan": "beverage", "dove": "body wash", "dabao_wash_soup": "body wash", "sum37_secret_repair": "cosmetic tube",
    "hosjam": "pump bottle", "pitcher_cap": "lid", "endstop_holder": "machine part", "gearbox": "machine part",
    "mount1": "machine part", "mount2": "machine part", "nozzle": "machine part", "part1": "machine part",
    "part3": "machine part", "pipe_connector": "machine part", "turbine_housing": "machine part",
}  # fmt: skip
# Of YCB's toy airplane these letters are the whole; the others are pieces that lie about.
WHOLE_AIRPLANES = ("a", "c")


def read_graspnet(root: Path | str, *, test: bool = False) -> WishScenes:
    """Every frame that has rectangle labels, by both cameras; of its training scenes, or of its test scenes.

    Args:
        root: The folder that holds `scenes/`.
        test: Scenes 100 to 189 in place of 0 to 99.

    Raises:
        InputError: there is no such frame; a damaged one raises when it is read.
    """
    folder = Path(root)
    first = SPLITS["seen"]
    places = tuple(
        sorted(
            f"{camera.relative_to(folder).as_posix()}/{labels.stem}"
            for name in CAMERAS
            for camera in folder.glob(f"scenes/scene_[0-9][0-9][0-9][0-9]/{name}")
            if (scene_number(camera.parent.name) >= first) == test
            for labels in camera.glob("rect/[0-9][0-9][0-9][0-9].npy")
        )
    )
    if not places:
        span = f"{first:04d} to 0189" if test else f"0000 to {first - 1:04d}"
        raise InputError(
            f"{folder}: no scenes/scene_NNNN/kinect/rect/NNNN.npy there, scenes {span}; valid is the folder of "
            "GraspNet-1Billion with its rectangle labels copied into its scenes"
        )
    return WishScenes(source="graspnet", root=folder, places=places, read=read_frame, has_parts=False)


def scene_number(name: str) -> int:
    return int(name.removeprefix("scene_"))


def read_frame(place: Path) -> WishScene:
    """One frame: `.../scene_0000/kinect/0000` names it, there is no such file.

    Raises:
        InputError: a file is missing or damaged, or they do not agree.
    """
    camera, number = place.parent, place.name
    mask_path = camera / "label" / f"{number}.png"
    mask = read_mask(mask_path)
    size = (mask.shape[1], mask.shape[0])
    pixels = pixels_by_index(mask)
    scene = scene_number(camera.parent.name)
    split = max((first, name) for name, first in SPLITS.items() if first <= scene)[1]
    things, ids = [], []
    for object_id, mesh in read_objects(camera / "annotations" / f"{number}.xml").items():
        if pixels[object_id + 1] >= VISIBLE:
            category = category_of(mesh)
            things.append(Thing(index=object_id + 1, category=category, description=category, material="", parts=()))
            ids.append(f"graspnet-{split}/{mesh}")
    shown = {thing.index for thing in things}
    grasps = read_rectangles(camera / "rect" / f"{number}.npy", image_size=size)
    depth, intrinsics = camera / "depth" / f"{number}.png", camera / "camK.npy"
    return WishScene(
        name=f"{camera.parent.name}-{camera.name}-{number}", group=camera.parent.name,
        picture=camera / "rgb" / f"{number}.png",
        depth=depth if depth.is_file() else None, objects=mask_path, parts=None,
        camera=intrinsics if intrinsics.is_file() else None, image_size=size, things=tuple(things),
        object_ids=tuple(ids), grasps=tuple(grasp for grasp in grasps if grasp.index in shown),
    )  # fmt: skip


def category_of(mesh: str) -> str:
    """What a mesh shows, by its name as in `072-a_toy_airplane`."""
    letter, name = re.fullmatch(r"(?:\d{3}(?:-([a-z]))?_)?(.*)", mesh, re.DOTALL).groups()  # type: ignore[union-attr]
    if name == "toy_airplane" and letter not in WHOLE_AIRPLANES:
        return "toy part"
    return CATEGORIES.get(name, NAMELESS)


def read_objects(path: Path) -> dict[int, str]:
    """Mesh name, without its ending, by object id, of an annotation file.

    Raises:
        InputError: no such file, or it is damaged.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        found = ElementTree.parse(path).getroot().findall("obj")
        objects = {int(thing.findtext("obj_id", "")): thing.findtext("obj_name", "").strip() for thing in found}
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}); valid is a list of obj with obj_id and obj_name") from error
    if not all(0 <= number < 255 for number in objects):
        raise InputError(f"{path}: found obj_id {min(objects)} to {max(objects)}; valid is 0 to 254")
    return {number: name.removesuffix(".ply") for number, name in objects.items()}


def read_rectangles(path: Path, *, image_size: tuple[int, int]) -> list[SceneGrasp]:
    """The right grasps of a rectangle file, the best of each cell of place and angle, best first.

    Args:
        path: `rect/NNNN.npy`.
        image_size: (width, height) of the frame, pixels.

    Raises:
        InputError: no such file, or it is no array of seven finite numbers a row.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: damaged ({error})") from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != 7 or rows.dtype.kind != "f":
        found = f"{rows.dtype} of shape {rows.shape}" if isinstance(rows, np.ndarray) else "an archive"
        raise InputError(f"{path}: found {found}; valid is a float array (n, 7)")
    rows = rows.astype(np.float64)
    if not np.isfinite(rows).all():
        raise InputError(f"{path}: not all of its numbers are finite")
    x, y, height, score = rows[:, 0], rows[:, 1], rows[:, 4], rows[:, 5]
    reach = np.hypot(rows[:, 2] - x, rows[:, 3] - y)
    # The scores are stored with 24 bits.
    good = (score >= 1.1 - FRICTION - 1e-4) & (reach > 0) & (height > 0)
    inside = (x >= -0.5) & (x <= image_size[0] - 0.5) & (y >= -0.5) & (y <= image_size[1] - 0.5)
    return [grasp_of(row, image_size=image_size) for row in thinned(rows[good & inside])]


def thinned(rows: np.ndarray) -> np.ndarray:
    """The best row of each object, cell and angle; of an object 128 at most, spread over it, best first."""
    # Rows of one score come in no order, so that a limit takes none of an object's sides.
    rows = rows[np.random.default_rng(0).permutation(len(rows))]
    rows = rows[np.argsort(-rows[:, 5], kind="stable")]
    rows = rows[first_of(cells_of(rows, pixels=CELL_PIXELS))]
    coarse, kept = cells_of(rows, pixels=COARSE * CELL_PIXELS), []
    for number in np.unique(rows[:, 6]):
        left = np.flatnonzero(rows[:, 6] == number)
        taken = 0
        # The best of every coarse cell, then the second best ...
        while len(left) and taken < MOST:
            best = left[first_of(coarse[left])][: MOST - taken]
            kept.append(best)
            taken, left = taken + len(best), np.setdiff1d(left, best)
    return rows[np.sort(np.concatenate(kept))] if kept else rows


def cells_of(rows: np.ndarray, *, pixels: float) -> np.ndarray:
    """(n, 4) the object, cell and angle of each row."""
    theta = np.arctan2(rows[:, 1] - rows[:, 3], rows[:, 2] - rows[:, 0]) % math.pi
    return np.column_stack([rows[:, 6], rows[:, 0] // pixels, rows[:, 1] // pixels, theta // CELL_ANGLE])


def first_of(cells: np.ndarray) -> np.ndarray:
    """(m,) the places where each cell comes first, ascending."""
    return np.sort(np.unique(cells, axis=0, return_index=True)[1])


def grasp_of(row: np.ndarray, *, image_size: tuple[int, int]) -> SceneGrasp:
    """The grasp of a row; its score is the grasp's quality."""
    x, y, open_x, open_y, height, score, object_id = row.tolist()
    width = image_size[0]
    grasp = Grasp(
        x=(x + 0.5) / width, y=(y + 0.5) / image_size[1], theta=math.atan2(-(open_y - y), open_x - x),
        opening=2 * math.hypot(open_x - x, open_y - y) / width, jaw=height / width, quality=score,
    )  # fmt: skip
    return SceneGrasp(index=int(object_id) + 1, grasp=grasp, parts=(), rate=1.0, allowed=True, width=None)
