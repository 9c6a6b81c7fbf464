"""What is drawn is measured in the pixels of the result, by colour."""

import math

import numpy as np
import pytest
from PIL import Image

from graspwise.draw import BEFORE, DARK, JAW, LABEL, NARROWEST, OPENING, Colour, contact_sheet, draw_answer
from graspwise.grasp import Grasp
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle

CAPTION = (
    "The object is a cup, a hollow cylinder. Grasp its rim from the top, jaws square to the edge.\n"
    "Grasp point coordinates: [0.523, 0.317]\nRotation angle in radians: -0.78"
)


def flat(width: int, height: int, grey: int = 128) -> Picture:
    return Picture(np.full((height, width, 3), grey, np.uint8))


def where(image: Image.Image, colour: Colour, *, tolerance: int = 12) -> np.ndarray:
    """Pixels (n, 2) x, y of about that colour."""
    off = np.abs(np.asarray(image).astype(int) - colour).max(axis=2)
    return np.argwhere(off <= tolerance)[:, ::-1]


def test_the_picture_is_left_as_it_was() -> None:
    picture = Picture(np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8))
    kept = picture.rgb.copy()
    nothing = draw_answer(picture, grasp=None)
    assert nothing.size == (800, 600)
    assert (np.asarray(nothing) == kept).all()
    drawn = np.asarray(draw_answer(picture, grasp=Grasp(x=0.25, y=0.5, theta=0.3, opening=0.1), caption=CAPTION))
    assert (picture.rgb == kept).all()
    # No word is written over the picture: its far side is untouched.
    assert (drawn[:600, 400:] == kept[:, 400:]).all()


def test_the_words_stand_below() -> None:
    picture = flat(640, 480)
    drawn = draw_answer(picture, grasp=None, title="Pick up the cup", caption=CAPTION)
    assert drawn.mode == "RGB"
    assert drawn.width == 640
    assert (np.asarray(drawn)[:480] == 128).all()
    band = np.asarray(drawn)[480:]
    assert (band[:4] == 255).all() and (band[-4:] == 255).all(), "clean margins"
    assert (band[:, :4] == 255).all() and (band[:, -4:] == 255).all()
    assert (band < 100).any()


def test_longer_words_take_more_room_up_to_a_limit() -> None:
    def height(caption: str) -> int:
        return draw_answer(flat(640, 480), grasp=None, caption=caption).height

    heights = [height(text) for text in ("one", "one\ntwo", "word " * 60, "word " * 2000, "word " * 9000)]
    assert 480 < heights[0] < heights[1] < heights[2] < heights[3] == heights[4] < 960


@pytest.mark.parametrize(
    "caption", ["x" * 10_000, "拿起杯子" * 60, "naïve θ = ±1.2°\tok\r\n\n\n\x07", "🙂 " * 40, " \n "]
)
def test_odd_words_stay_within_the_band(caption: str) -> None:
    drawn = np.asarray(draw_answer(flat(500, 500), grasp=None, caption=caption))
    assert (drawn[500:, -4:] == 255).all()
    assert drawn.shape[1] == 500


@pytest.mark.parametrize("theta", [0.0, 0.6, -0.6, 1.2, math.pi / 2])
def test_plates_stand_where_the_jaws_are(theta: float) -> None:
    grasp = Grasp(x=0.4, y=0.55, theta=theta, opening=0.3, jaw=0.15)
    drawn = draw_answer(flat(800, 600), grasp=grasp)
    center = np.array([0.4 * 800 - 0.5, 0.55 * 600 - 0.5])
    # As seen, counter-clockwise is positive: the second plate of a positive theta is higher.
    along = np.array([math.cos(theta), -math.sin(theta)])
    offsets = (where(drawn, JAW) - center) @ along
    plates = offsets[np.abs(offsets) > 60]
    assert np.abs(np.abs(plates) - 120).max() < 6
    assert (plates > 0).mean() == pytest.approx(0.5, abs=0.05)
    across = (where(drawn, JAW) - center) @ np.array([along[1], -along[0]])
    assert np.abs(across).max() == pytest.approx(60, abs=5)
    # The opening's edges run along theta.
    edges = (where(drawn, OPENING) - center) @ np.array([along[1], -along[0]])
    assert (np.abs(np.abs(edges[np.abs(edges) > 45]) - 60) < 3).all()


def test_the_sign_of_theta() -> None:
    """A small positive theta: of the two plates the right one is the higher."""
    points = where(draw_answer(flat(800, 600), grasp=Grasp(x=0.5, y=0.5, theta=0.4, opening=0.5)), JAW)
    right, left = (points[keep, 1].mean() for keep in (points[:, 0] > 500, points[:, 0] < 300))
    assert right < 300 - 40 < 300 + 40 < left


@pytest.mark.parametrize("size", [(64, 64), (100, 75), (352, 352), (640, 480), (3000, 2000), (1601, 1203)])
def test_labels_are_exactly_in_place_at_every_size(size: tuple[int, int]) -> None:
    width, height = size
    label = GraspRectangle.from_pose(
        center=(0.3 * width, 0.6 * height), theta=0.0, opening=0.4 * width, jaw=0.3 * height
    )
    drawn = draw_answer(flat(width, height), grasp=None, labels=[label])
    points = where(drawn, LABEL)
    scale = np.array(drawn.size) / size
    low, high = ((label.corners[i] + 0.5) * scale - 0.5 for i in (0, 2))
    half = 0.004 * max(drawn.size) + 1
    assert points.min(axis=0) == pytest.approx(low, abs=half)
    assert points.max(axis=0) == pytest.approx(high, abs=half)
    assert points.min(axis=0) - low == pytest.approx(-(points.max(axis=0) - high), abs=1.01), "centred on the edge"


@pytest.mark.parametrize("grey", [0, 128, 255])
@pytest.mark.parametrize("grasp", [Grasp(x=0.5, y=0.5, theta=0.6, opening=0.4), Grasp(x=0.5, y=0.5, theta=0.6)])
def test_it_reads_on_any_background(grey: int, grasp: Grasp) -> None:
    drawn = draw_answer(flat(640, 480, grey), grasp=grasp)
    for colour in (JAW, OPENING, DARK):
        assert len(where(drawn, colour)) > 100


def test_a_grasp_without_an_opening_is_a_cross_and_a_line() -> None:
    drawn = draw_answer(flat(800, 600), grasp=Grasp(x=0.5, y=0.5, theta=0.5))
    line = where(drawn, OPENING) - np.array([399.5, 299.5])
    along = line @ np.array([math.cos(0.5), -math.sin(0.5)])
    aside = line @ np.array([math.sin(0.5), math.cos(0.5)])
    assert np.abs(aside).max() < 3
    assert along.max() == pytest.approx(64, abs=4) and along.min() == pytest.approx(-64, abs=4)
    cross = where(drawn, JAW) - np.array([399.5, 299.5])
    assert np.abs(cross.mean(axis=0)).max() < 1
    assert np.linalg.norm(cross, axis=1).max() < 30


def test_other_grasps_are_fainter_and_below() -> None:
    grasp = Grasp(x=0.5, y=0.5, theta=0.3, opening=0.4)
    others = [Grasp(x=0.2, y=0.2, theta=1.0, opening=0.2), Grasp(x=0.8, y=0.8, theta=-1.0), grasp]
    picture = flat(640, 480)
    alone, together = (np.asarray(draw_answer(picture, grasp=grasp, others=list(o))) for o in ((), others))
    assert (alone != together).any()
    strong = where(Image.fromarray(alone), JAW, tolerance=0)
    assert (together[strong[:, 1], strong[:, 0]] == JAW).all()


@pytest.mark.parametrize("opening", [0.3, None])
def test_the_grasp_before_is_pink_in_place_and_below(opening: float | None) -> None:
    grasp, before = (Grasp(x=x, y=0.5, theta=0.3, opening=opening) for x in (0.7, 0.25))
    picture = flat(800, 600)
    alone, together = (draw_answer(picture, grasp=grasp, before=b) for b in (None, before))
    assert len(where(alone, BEFORE)) == 0
    assert where(together, BEFORE).mean(axis=0) == pytest.approx([0.25 * 800 - 0.5, 299.5], abs=3)
    for colour in (JAW, OPENING):
        assert (where(together, colour) == where(alone, colour)).all()
    # A grasp that stayed hides the one before.
    x, y = where(alone, JAW, tolerance=0).T
    assert (np.asarray(draw_answer(picture, grasp=grasp, before=grasp))[y, x] == JAW).all()
    # An answer without a grasp leaves the one before where it is asked for.
    assert len(where(draw_answer(picture, grasp=None, before=before), BEFORE)) > 100


@pytest.mark.parametrize(
    ("size", "shown"),
    [((64, 64), (512, 512)), ((352, 352), (704, 704)), ((640, 480), (640, 480)), ((1600, 900), (1600, 900)),
     ((8000, 6000), (1600, 1200)), ((6000, 8000), (1200, 1600)), ((4000, 16), (1600, 6)), ((16, 4000), (6, 1600))],
)  # fmt: skip
def test_sizes_as_shown(size: tuple[int, int], shown: tuple[int, int]) -> None:
    picture = flat(*size)
    assert draw_answer(picture, grasp=Grasp(x=0.5, y=0.5, theta=1.0, opening=0.2)).size == shown
    captioned = draw_answer(picture, grasp=None, caption=CAPTION)
    assert captioned.width == max(shown[0], NARROWEST)
    assert captioned.height > shown[1]


def test_a_given_side_is_the_longer_one() -> None:
    assert draw_answer(flat(800, 600), grasp=None, side=200).size == (200, 150)
    assert draw_answer(flat(64, 32), grasp=None, side=320).size == (320, 160)


@pytest.mark.parametrize(
    "grasp",
    [
        Grasp(x=0.0, y=0.0, theta=0.5, opening=0.2),
        Grasp(x=1.0, y=1.0, theta=0.5),
        Grasp(x=0.5, y=0.5, theta=0.5, opening=1e-6),
        Grasp(x=0.5, y=0.5, theta=0.5, opening=50.0),
        Grasp(x=0.5, y=0.5, theta=0.0, opening=0.2, jaw=1e-9),
    ],
)
def test_grasps_at_the_border_tiny_and_huge_do_no_harm(grasp: Grasp) -> None:
    assert draw_answer(flat(640, 480), grasp=grasp, others=[grasp]).size == (640, 480)


def test_labels_outside_the_picture_do_no_harm() -> None:
    far = GraspRectangle.from_pose(center=(-900, 4000), theta=0.3, opening=60)
    assert (np.asarray(draw_answer(flat(640, 480), grasp=None, labels=[far])) == 128).all()


def test_a_contact_sheet_shows_every_tile_whole() -> None:
    tiles = [Image.new("RGB", (100, 60 + 10 * i), (i * 10, 50, 200)) for i in range(1, 8)]
    sheet = contact_sheet(tiles, columns=3)
    for number, tile in enumerate(tiles, start=1):
        points = where(sheet, (number * 10, 50, 200), tolerance=0)
        assert len(points) == tile.width * tile.height
        box = points.max(axis=0) - points.min(axis=0) + 1
        assert tuple(box) == tile.size
    tops = [where(sheet, (n * 10, 50, 200), tolerance=0).min(axis=0)[1] for n in range(1, 8)]
    assert tops[0] == tops[1] == tops[2] < tops[3] == tops[4] == tops[5] < tops[6]
    assert (np.asarray(sheet)[:3] == 255).all()


def test_a_contact_sheet_of_few_tiles_is_no_wider_than_they_are() -> None:
    tile = Image.new("RGB", (100, 100))
    assert contact_sheet([tile], columns=6).width < 130


@pytest.mark.parametrize(("count", "columns"), [(0, 3), (2, 0), (2, -1)])
def test_an_empty_contact_sheet_is_refused(count: int, columns: int) -> None:
    with pytest.raises(ValueError, match="at least one tile and one column"):
        contact_sheet([Image.new("RGB", (9, 9))] * count, columns=columns)
