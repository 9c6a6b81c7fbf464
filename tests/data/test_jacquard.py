import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from graspwise.data.jacquard import read_grasps, read_jacquard
from graspwise.errors import InputError
from graspwise.grasp import angle_difference
from graspwise.picture import open_picture

# A bar that rises to the right at 30 degrees as seen. The gripper opens square to it: turned clockwise, as Jacquard
# counts, from pointing right by 60 degrees, which points right and down.
RISING = math.radians(30)
LINE = "100.0;80.0;60.0;40.0;20.0\n"


def scene(folder: Path, *, number: int = 0, name: str = "abc123", lines: str = LINE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    along = np.array([math.cos(RISING), -math.sin(RISING)])
    aside = np.array([math.sin(RISING), math.cos(RISING)])
    corners = [np.array([100, 80]) + 50 * a * along + 10 * b * aside for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))]
    rgb = np.full((160, 200, 3), 255, np.uint8)
    cv2.fillPoly(rgb, [np.rint(corners).astype(np.int32)], (30, 30, 30))
    stem = f"{number}_{name}"
    Image.fromarray(rgb).save(folder / f"{stem}_RGB.png")
    (folder / f"{stem}_grasps.txt").write_text(lines)
    return folder / f"{stem}_RGB.png"


def test_the_angle_has_jacquards_own_sign(tmp_path: Path) -> None:
    image = scene(tmp_path)
    (label,) = read_grasps(tmp_path / "0_abc123_grasps.txt")
    assert label.theta == pytest.approx(math.radians(-60))
    assert label.center == pytest.approx((100, 80))
    assert (label.opening, label.jaw) == pytest.approx((40, 20))
    assert label.is_clockwise

    def grey(point: np.ndarray) -> int:
        x, y = np.rint(point).astype(int)
        return int(open_picture(image).rgb[y, x, 0])

    corners = label.corners
    for jaw in ((corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2):
        assert grey(jaw) == 255, "the jaws stand on the table"
    for side in (label.center, (corners[0] + corners[1]) / 2, (corners[2] + corners[3]) / 2):
        assert grey(np.asarray(side)) == 30, "and close on the bar"


@pytest.mark.parametrize(
    ("degrees", "ours"), [(0, 0), (30, -30), (-30, 30), (90, 90), (-90, 90), (100, 80), (179, 1), (270, 90)]
)
def test_angles_are_canonical(tmp_path: Path, degrees: float, ours: float) -> None:
    (tmp_path / "g.txt").write_text(f"10;20;{degrees};30;15\n")
    theta = read_grasps(tmp_path / "g.txt")[0].theta
    assert angle_difference(theta, math.radians(ours)) < 1e-9
    assert -math.pi / 2 < theta <= math.pi / 2


def test_scenes_are_read_in_order_with_one_object_for_all_its_scenes(tmp_path: Path) -> None:
    scene(tmp_path / "part_1" / "b7", number=1, name="b7")
    scene(tmp_path / "part_1" / "b7", number=0, name="b7", lines=LINE + "50;50;-10.5;30;10\n")
    scene(tmp_path / "a", number=0, name="a_b")
    pictures = read_jacquard(tmp_path)
    assert [p.name for p in pictures] == ["0_a_b", "0_b7", "1_b7"]
    assert [p.object_id for p in pictures] == ["a_b", "b7", "b7"]
    assert [len(p.rectangles) for p in pictures] == [1, 2, 1]
    assert {p.category for p in pictures} == {"object"}
    assert pictures[0].workspace is None
    assert pictures[0].open().size == (200, 160)


def test_depth_comes_along_where_there_is_some(tmp_path: Path) -> None:
    scene(tmp_path)
    assert read_jacquard(tmp_path)[0].open(depth=True).depth is None
    Image.fromarray(np.full((160, 200), 1.5, np.float32)).save(tmp_path / "0_abc123_perfect_depth.tiff")
    depth = read_jacquard(tmp_path)[0].open(depth=True).depth
    assert depth is not None
    assert depth.shape == (160, 200)
    assert np.allclose(depth, 1.5)


@pytest.mark.parametrize(
    "lines", [LINE.strip(), LINE.strip() + ";\n", "\n" + LINE + "  \n", LINE.replace("\n", "\r\n")]
)
def test_harmless_differences_of_the_file(tmp_path: Path, lines: str) -> None:
    (tmp_path / "g.txt").write_bytes(lines.encode())
    assert len(read_grasps(tmp_path / "g.txt")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "1;2;3;4",
        "1;2;3;4;5;6",
        "1 2 3 4 5",
        "a;b;c;d;e",
        "1;2;nan;4;5",
        "1;2;3;inf;5",
        "1;2;3;0;5",
        "1;2;3;4;-5",
        ";;;;",
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "g.txt").write_text(LINE + line + "\n")
    with pytest.raises(InputError, match=r"g\.txt: line 2 is .* valid is x;y;theta;opening;jaw"):
        read_grasps(tmp_path / "g.txt")


def test_a_scene_without_its_labels_is_refused(tmp_path: Path) -> None:
    scene(tmp_path)
    (tmp_path / "0_abc123_grasps.txt").unlink()
    with pytest.raises(InputError, match=r"0_abc123_grasps\.txt: no such file, though 0_abc123_RGB\.png is there"):
        read_jacquard(tmp_path)


@pytest.mark.parametrize(("name", "message"), [("", "no file"), ("missing", "no such folder")])
def test_a_folder_without_scenes_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=f"{message}.*Jacquard"):
        read_jacquard(tmp_path / name)
