import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graspwise.data.cornell import object_table, read_cornell, read_rectangles
from graspwise.data.templates import load_reasoning
from graspwise.errors import InputError
from graspwise.transform import CORNELL_WORKSPACE

# The first rectangle of the published pcd0100cpos.txt, whose plates are short and whose opening is long.
CPOS = "253 319.7\n309 324\n307 350\n251 345.7\n"
TILTED = " 200 250 \n 220 230 \n 234 244 \n 214 264 \n"
NAN = "NaN NaN\n 1 2\n 3 4\n NaN 5\n"


def photo(folder: Path, name: str, kind: str = "png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}r.{kind}"
    Image.new("RGB", (640, 480), (200, 190, 180)).save(path)
    return path


def label(folder: Path, name: str, text: str, kind: str = "cpos") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{kind}.txt"
    path.write_bytes(text.encode())
    return path


# ---------------------------------------------------------------- the object table


def test_the_table_holds_every_picture_we_know() -> None:
    table = object_table()
    assert len(table) == 762
    assert all(name.startswith("pcd") and name[3:].isdecimal() and len(name) == 7 for name in table)


def test_an_object_has_one_category() -> None:
    categories = defaultdict(set)
    for object_id, category, _ in object_table().values():
        categories[object_id].add(category)
    assert len(categories) > 150
    assert {len(c) for c in categories.values()} == {1}


def test_every_category_has_reasoning_and_every_row_a_description() -> None:
    rows = object_table().values()
    assert 70 <= len({category for _, category, _ in rows}) <= 80
    assert {category for _, category, _ in rows} <= set(load_reasoning())
    assert all(object_id and object_id != "unlisted" and description.strip() for object_id, _, description in rows)


# ---------------------------------------------------------------- rectangles


def test_corners_give_the_opening_and_the_angle(tmp_path: Path) -> None:
    level, tilted = read_rectangles(label(tmp_path, "pcd0100", CPOS + TILTED))
    assert level.corners.tolist() == [[253, 319.7], [309, 324], [307, 350], [251, 345.7]]
    assert level.opening == pytest.approx(math.hypot(56, 4.3))
    # Its right end is lower as seen.
    assert level.theta == pytest.approx(-math.atan2(4.3, 56))
    # This one's is higher.
    assert tilted.theta == pytest.approx(math.pi / 4)
    assert tilted.center == pytest.approx((217, 247))


def test_counter_clockwise_corners_are_put_in_order(tmp_path: Path) -> None:
    lines = TILTED.splitlines(keepends=True)
    (label_read,) = read_rectangles(label(tmp_path, "pcd0100", "".join(lines[i] for i in (1, 0, 3, 2))))
    assert label_read.is_clockwise
    assert label_read.theta == pytest.approx(math.pi / 4)
    assert label_read.opening == pytest.approx(math.hypot(20, 20))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("\n \n", 0),
        (CPOS, 1),
        (CPOS.replace("\n", "\r\n"), 1),
        (CPOS.replace(" ", "\t"), 1),
        (CPOS.rstrip(), 1),
        ("\n" + CPOS + "\n\n" + TILTED, 2),
        (NAN + CPOS, 1),
        (CPOS + NAN + TILTED, 2),
        (NAN, 0),
        (CPOS.replace("253", "inf"), 0),
        ("5 5\n" * 4 + CPOS, 1),
    ],
    ids=["empty", "blank", "one", "crlf", "tabs", "no newline", "blank lines", "nan first", "nan between", "nan only",
         "infinite", "without an area"],
)  # fmt: skip
def test_what_is_read_and_what_is_left_out(tmp_path: Path, text: str, count: int) -> None:
    assert len(read_rectangles(label(tmp_path, "pcd0132", text))) == count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CPOS + "253 319\n", "5 corners, the last rectangle is cut short; valid is a multiple of four lines"),
        (CPOS[:-20], "2 corners, the last rectangle is cut short"),
        (CPOS[: CPOS.index("350") - 1], "line 3 is '307'; valid is two numbers"),
        (CPOS + "two words\n", "line 5 is 'two words'; valid is two numbers, x y"),
        ("1 2 3\n", "line 1 is '1 2 3'"),
        ("1,2\n", "line 1"),
        ("\x00\xff\xfe\n", "line 1"),
        ("<html>not found</html>", "line 1"),
    ],
)
def test_a_bad_label_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = label(tmp_path, "pcd0100", text)
    with pytest.raises(InputError, match=message) as caught:
        read_rectangles(path)
    assert "pcd0100cpos.txt" in str(caught.value)
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- folders


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_photograph_with_everything(tmp_path: Path, kind: str) -> None:
    photo(tmp_path, "pcd0100", kind)
    label(tmp_path, "pcd0100", CPOS + TILTED)
    label(tmp_path, "pcd0100", TILTED, "cneg")
    depth = np.full((480, 640), 0.9, np.float32)
    depth[0, 0] = 0
    Image.fromarray(depth).save(tmp_path / "pcd0100d.tiff")
    (picture,) = read_cornell(tmp_path)
    assert (picture.name, picture.object_id, picture.category) == ("pcd0100", "1", "remote control")
    assert picture.description == "black TV remote control"
    assert len(picture.rectangles) == 2
    assert len(picture.negatives) == 1
    assert picture.workspace == CORNELL_WORKSPACE == (144, 64, 496, 416)
    opened = picture.open(depth=True)
    assert opened.size == (640, 480)
    assert opened.depth is not None
    assert opened.depth[5, 5] == pytest.approx(0.9) and math.isnan(opened.depth[0, 0])
    assert picture.open().depth is None


def test_files_may_lie_anywhere_under_the_folder(tmp_path: Path) -> None:
    photo(tmp_path / "10" / "deeper", "pcd1024")
    photo(tmp_path / "01", "pcd0101", "jpg")
    photo(tmp_path, "pcd0100")
    label(tmp_path / "labels", "pcd0101", CPOS)
    label(tmp_path / "10", "pcd1024", TILTED)
    pictures = read_cornell(str(tmp_path))
    assert [p.name for p in pictures] == ["pcd0100", "pcd0101", "pcd1024"]
    assert [len(p.rectangles) for p in pictures] == [0, 1, 1]
    assert pictures[1].depth_path is None


def test_the_same_photograph_twice_counts_once(tmp_path: Path) -> None:
    photo(tmp_path / "a", "pcd0100")
    photo(tmp_path / "b", "pcd0100")
    photo(tmp_path / "c", "pcd0100", "jpg")
    assert [p.name for p in read_cornell(tmp_path)] == ["pcd0100"]


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    photo(tmp_path, "pcd0100")
    photo(tmp_path, "pcd100")
    photo(tmp_path, "pcd0100-copy")
    Image.new("RGB", (20, 20)).save(tmp_path / "background.png")
    label(tmp_path, "pcd0100", "1 2 3 4 5", ".pointcloud")
    (tmp_path / "processedData.txt").write_text("words")
    assert [p.name for p in read_cornell(tmp_path)] == ["pcd0100"]


def test_photographs_with_unknown_numbers_are_one_object(tmp_path: Path) -> None:
    for name in ("pcd5000", "pcd5001"):
        photo(tmp_path, name)
        label(tmp_path, name, CPOS)
    pictures = read_cornell(tmp_path)
    assert {(p.object_id, p.category, p.description) for p in pictures} == {("unlisted", "object", "object")}


def test_a_bad_label_file_stops_the_reader(tmp_path: Path) -> None:
    photo(tmp_path, "pcd0100")
    label(tmp_path, "pcd0100", CPOS[:-20])
    with pytest.raises(InputError, match=r"pcd0100cpos\.txt"):
        read_cornell(tmp_path)


@pytest.mark.parametrize(("name", "message"), [("", "no file pcd"), ("missing", "no such folder")])
def test_a_folder_without_photographs_is_refused(tmp_path: Path, name: str, message: str) -> None:
    label(tmp_path, "pcd0100", CPOS)
    with pytest.raises(InputError, match=message):
        read_cornell(tmp_path / name)
