"""Draw a grasp on its picture, with the words below it, so that it reads on any background and at any size.

The picture is shown as given, reduced when its longer side is above 1,600 pixels and enlarged by a whole factor when it
is small; marks are drawn at the exact place (an integer is a pixel's centre) and with smooth edges.
"""

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from graspwise.grasp import Grasp
from graspwise.picture import Picture
from graspwise.rectangle import GraspRectangle

Colour = tuple[int, int, int]

DARK: Colour = (13, 17, 23)
JAW: Colour = (255, 176, 0)
OPENING: Colour = (88, 196, 255)
LABEL: Colour = (60, 220, 120)
OTHER: Colour = (235, 235, 240)
BEFORE: Colour = (236, 102, 221)
PAPER: Colour = (255, 255, 255)
INK: Colour = (31, 35, 40)
MUTED: Colour = (101, 109, 118)

LARGEST = 1600
SMALLEST = 480
NARROWEST = 320
MOST_LINES = 14
SMOOTH = 4
DASHES = str.maketrans("\u2212\u2013\u2014", "---")
# Length of the line that shows theta where a grasp has no opening, as a fraction of the longer side.
FIXED_LENGTH = 0.16


def draw_answer(
    picture: Picture,
    *,
    grasp: Grasp | None,
    before: Grasp | None = None,
    others: Sequence[Grasp] = (),
    labels: Sequence[GraspRectangle] = (),
    title: str = "",
    caption: str = "",
    side: int | None = None,
) -> Image.Image:
    """The picture with a grasp on it and the words in a band below.

    The jaw plates are thick and amber, the opening edges thin and blue, two arrows show how the jaws close; a grasp
    without an opening is a cross and a line along theta.

    Args:
        picture: The picture as given.
        grasp: The grasp to show, in the picture's frame; None draws none.
        before: The grasp of an earlier turn, drawn in pink below it.
        others: Further grasps, drawn faintly below both.
        labels: Label rectangles in pixels of the picture, drawn in green below all.
        title: What was asked, in grey above the caption.
        caption: What was answered; line breaks are kept, long lines are wrapped.
        side: Longer side of the picture as shown, in pixels; by default 480 to 1,600, its own where it can be.

    Returns:
        RGB image: the picture, and where there are words a white band below it.
    """
    shown, scale = _shown(picture, side)
    longer = max(shown.size)
    pen = _Pen(shown, scale=scale, unit=max(longer / 460, 1.0))
    for label in labels:
        pen.rectangle(label, opening=LABEL, jaw=LABEL, weight=0.55)
    lesser = [(other, OTHER, 0.55) for other in reversed(others)]
    if before is not None:
        lesser.append((before, BEFORE, 0.8))
    for one, colour, weight in lesser:
        if one.opening is None:
            pen.cross(one, picture=picture, colour=colour, weight=weight)
        else:
            pen.rectangle(one.rectangle(image_size=picture.size), opening=colour, jaw=colour, weight=weight)
    if grasp is not None and grasp.opening is None:
        pen.cross(grasp, picture=picture, colour=JAW, weight=1.0)
    elif grasp is not None:
        pen.rectangle(grasp.rectangle(image_size=picture.size), opening=OPENING, jaw=JAW, weight=1.0, arrows=True)
    return _with_words(shown, title=title, caption=caption)


def contact_sheet(tiles: Sequence[Image.Image], *, columns: int) -> Image.Image:
    """Tiles in rows of `columns` on white, the tops of a row level and each centred in its column.

    Raises:
        ValueError: there is no tile, or `columns` is below 1.
    """
    if not tiles or columns < 1:
        raise ValueError(f"{len(tiles)} tiles in {columns} columns; valid is at least one tile and one column")
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    width = max(tile.width for tile in tiles)
    heights = [max(tile.height for tile in row) for row in rows]
    gap = max(width // 24, 4)
    across = min(columns, len(tiles))
    sheet = Image.new("RGB", (across * (width + gap) + gap, sum(heights) + gap * (len(rows) + 1)), PAPER)
    top = gap
    for row, height in zip(rows, heights, strict=True):
        for column, tile in enumerate(row):
            sheet.paste(tile, (gap + column * (width + gap) + (width - tile.width) // 2, top))
        top += height + gap
    return sheet


def _shown(picture: Picture, side: int | None) -> tuple[Image.Image, tuple[float, float]]:
    """The picture at the size it is shown in, and shown pixels per pixel along x and y."""
    image = Image.fromarray(picture.rgb)
    longer = max(image.size)
    if side is None:
        # A whole factor keeps a small picture's pixels even.
        side = longer * -(-SMALLEST // longer) if longer < SMALLEST else min(longer, LARGEST)
    size = (max(1, round(image.width * side / longer)), max(1, round(image.height * side / longer)))
    scale = (size[0] / image.width, size[1] / image.height)
    if size == image.size:
        return image, scale
    kind = Image.Resampling.LANCZOS if side < longer else Image.Resampling.BICUBIC
    return image.resize(size, kind, reducing_gap=3.0), scale


@dataclass(frozen=True)
class _Pen:
    """Draws on `image` in the pixels of the picture that it shows.

    Attributes:
        image: Changed in place.
        scale: Shown pixels per pixel along x and y.
        unit: Width of a thin line, shown pixels.
    """

    image: Image.Image
    scale: tuple[float, float]
    unit: float

    def at(self, points: np.ndarray) -> np.ndarray:
        """Picture pixels (n, 2) to shown pixels; in both an integer is a pixel's centre."""
        return (np.asarray(points, dtype=np.float64) + 0.5) * self.scale - 0.5

    def rectangle(
        self, rectangle: GraspRectangle, *, opening: Colour, jaw: Colour, weight: float, arrows: bool = False
    ) -> None:
        corners = self.at(rectangle.corners)
        wide, deep = math.dist(corners[0], corners[1]), math.dist(corners[1], corners[2])
        # Lines may not fill a small rectangle.
        thin = max(min(1.6 * self.unit * weight, min(wide, deep) / 10), 1.0)
        thick = max(min(4.2 * self.unit * weight, min(wide, deep) / 4), 1.5)
        plates = [corners[[0, 3]], corners[[1, 2]]]
        sides = [corners[[0, 1]], corners[[3, 2]]]
        middle = corners.mean(axis=0)
        # In a tiny rectangle the arrows would hide what is grasped.
        roomy = arrows and wide > 36 * self.unit
        inward = [_arrow(plate.mean(axis=0), middle, head=2.1 * thick) for plate in plates] if roomy else []
        rim = max(0.9 * thin, 1.0) * (1.0 if arrows else 0.6)
        self.stroke(sides, width=thin + 2 * rim, colour=DARK)
        self.stroke(plates, width=thick + 2 * rim, colour=DARK)
        for lines in inward:
            self.stroke(lines, width=thin + 2 * rim, colour=DARK)
        self.stroke(sides, width=thin, colour=opening)
        for lines in inward:
            self.stroke(lines, width=thin, colour=opening)
        self.stroke(plates, width=thick, colour=jaw)
        if arrows:
            self.dot(middle, width=1.2 * thick, rim=rim, colour=jaw)

    def cross(self, grasp: Grasp, *, picture: Picture, colour: Colour, weight: float) -> None:
        """A line of fixed length along theta, a saltire at the centre."""
        middle = self.at(np.array([grasp.pixel(image_size=picture.size)]))[0]
        half = FIXED_LENGTH / 2 * max(self.image.size)

        def ray(turn: float, length: float) -> np.ndarray:
            angle = grasp.theta + turn
            along = np.array([math.cos(angle), -math.sin(angle)]) * length
            return np.stack([middle - along, middle + along])

        thin, thick = max(1.6 * self.unit * weight, 1.0), max(3.2 * self.unit * weight, 1.5)
        line, saltire = [ray(0, half)], [ray(math.pi / 4, 0.3 * half), ray(-math.pi / 4, 0.3 * half)]
        rim = max(0.9 * thin, 1.0)
        self.stroke(line, width=thin + 2 * rim, colour=DARK)
        self.stroke(saltire, width=thick + 2 * rim, colour=DARK)
        self.stroke(line, width=thin, colour=OPENING if colour == JAW else colour)
        self.stroke(saltire, width=thick, colour=colour)

    def dot(self, point: np.ndarray, *, width: float, rim: float, colour: Colour) -> None:
        self.stroke([np.stack([point, point])], width=width + 2 * rim, colour=DARK)
        self.stroke([np.stack([point, point])], width=width, colour=colour)

    def stroke(self, lines: Sequence[np.ndarray], *, width: float, colour: Colour) -> None:
        """Lines (n, 2) in shown pixels with round ends; drawn four times as large, then averaged to smooth edges."""
        points = np.concatenate(lines)
        low = np.maximum(np.floor(points.min(axis=0) - width), 0).astype(int)
        high = np.minimum(np.ceil(points.max(axis=0) + width) + 1, self.image.size).astype(int)
        if (high <= low).any():
            return
        left, top, right, bottom = (int(v) for v in (*low, *high))
        mask = Image.new("L", ((right - left) * SMOOTH, (bottom - top) * SMOOTH))
        draw = ImageDraw.Draw(mask)
        radius = width * SMOOTH / 2
        for line in lines:
            large = (line - low + 0.5) * SMOOTH - 0.5
            for (x0, y0), (x1, y1) in pairwise(large):
                length = math.hypot(x1 - x0, y1 - y0)
                if length > 0:
                    dx, dy = -(y1 - y0) / length * radius, (x1 - x0) / length * radius
                    draw.polygon([(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)], 255)
            for x, y in large:
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
        self.image.paste(colour, (left, top), mask.reduce(SMOOTH))


def _arrow(start: np.ndarray, end: np.ndarray, *, head: float) -> list[np.ndarray]:
    """A line from `start` half of the way to `end`, with a head of that length where there is room."""
    way = end - start
    length = float(np.linalg.norm(way))
    tip = start + 0.5 * way
    if length == 0:
        return [np.stack([start, start])]
    head = min(head, 0.3 * length)
    back = -way / length * head
    aside = np.array([-back[1], back[0]]) * 0.7
    return [np.stack([start, tip]), np.stack([tip + back + aside, tip, tip + back - aside])]


def _with_words(shown: Image.Image, *, title: str, caption: str) -> Image.Image:
    if not title.strip() and not caption.strip():
        return shown
    width = max(shown.width, NARROWEST)
    size = min(max(width / 42, 13.0), 36.0)
    font = ImageFont.load_default(size)
    margin = round(1.1 * size)
    asked, answered = (_wrapped(_plain(text), font=font, width=width - 2 * margin) for text in (title, caption))
    step = round(1.45 * size)
    gap = round(0.4 * size) if asked and answered else 0
    canvas = Image.new("RGB", (width, shown.height + 2 * margin + gap + step * len(asked + answered)), PAPER)
    canvas.paste(shown, ((width - shown.width) // 2, 0))
    draw = ImageDraw.Draw(canvas)
    # "ls" places the baseline, so that lines are even whatever letters they have.
    y = shown.height + margin + round(1.05 * size)
    for texts, colour in ((asked, MUTED), (answered, INK)):
        for text in texts:
            draw.text((margin, y), text, fill=colour, font=font, anchor="ls")
            y += step
        y += gap
    return canvas


def _plain(text: str) -> str:
    """Accents and dashes as ASCII: Pillow's own font has no others, and boxes would stand there."""
    letters = unicodedata.normalize("NFKD", text.translate(DASHES))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _wrapped(text: str, *, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Lines no wider than `width` pixels; words that are too long are broken, more than 14 lines are cut off."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            joined = f"{line} {word}" if line else word
            if font.getlength(joined) <= width:
                line = joined
                continue
            if line:
                lines.append(line)
            while font.getlength(word) > width and len(word) > 1 and len(lines) <= MOST_LINES:
                ends = list(accumulate(font.getlength(letter) for letter in word[: int(width)]))
                fits = max(bisect_right(ends, width), 1)
                lines.append(word[:fits])
                word = word[fits:]
            if len(lines) > MOST_LINES:
                return [*lines[: MOST_LINES - 1], "..."]
            line = word
        if line:
            lines.append(line)
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "..."]
