"""Draw the pictures of this documentation into `pictures/`: `python docs/pictures.py`.

Nothing is trained or downloaded: rectangles, transforms, scores and answer texts come from the package itself, and the
photographs are those in `examples/`. `pictures/predict.png` is not drawn here; predict.md says how it is made.
"""

import io
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, FancyBboxPatch, Polygon
from matplotlib.patches import Rectangle as Box
from PIL import Image
from pyarrow.parquet import read_table

from graspwise.answer import POINT, AnswerFormat, render_grasp
from graspwise.conversation import Message
from graspwise.data.build import BuildConfig, build_dataset
from graspwise.data.labelled import LabelledPicture
from graspwise.data.lerobot import export_lerobot
from graspwise.data.sheet import dataset_sheet
from graspwise.data.store import Dataset
from graspwise.draw import INK, JAW, LABEL, MUTED, OPENING, contact_sheet, draw_answer
from graspwise.grasp import Grasp, angle_difference
from graspwise.metric import matches
from graspwise.model.responder import Response
from graspwise.picture import Picture, open_picture
from graspwise.predict import Model
from graspwise.rectangle import GraspRectangle
from graspwise.vlm.coordinates import FRACTION, LOCATION, THOUSAND, pixels

HERE = Path(__file__).resolve().parent / "pictures"
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
WRONG = "#d1242f"
Colour = str | tuple[float, ...]


def shade(colour: tuple[int, int, int]) -> tuple[float, ...]:
    return tuple(value / 255 for value in colour)


BLUE, AMBER, GREEN, DARK, GREY = (shade(c) for c in (OPENING, JAW, LABEL, INK, MUTED))


def main() -> None:
    HERE.mkdir(exist_ok=True)
    geometry()
    workspace()
    metric()
    answer()
    chat()
    sheet()
    hub()
    templates()
    stages()
    model()
    conventions()
    shares()


def save(figure: Figure, name: str) -> None:
    figure.savefig(HERE / name, dpi=110, metadata={"Software": None})


def fewer_colours(path: Path) -> None:
    """Photographs in a PNG are large; a palette keeps the repository small."""
    image = Image.open(path).convert("RGB")
    # Its own palette would miss the thin lines; this one covers them, and dithering keeps the greys smooth.
    palette = image.quantize(256, method=Image.Quantize.MAXCOVERAGE)
    image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


def blank(axis: Axes, *, width: float, height: float) -> None:
    """Picture coordinates without ticks: x right, y down."""
    axis.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    axis.axis("off")


# ---- geometry.md


def geometry() -> None:
    """An oblique rectangle with its corners, its angle and its two lengths named."""
    size = (100, 75)
    grasp = Grasp(x=0.52, y=0.53, theta=0.6, opening=0.44, jaw=0.2)
    rectangle = grasp.rectangle(image_size=size)
    (cx, cy), corners = rectangle.center, rectangle.corners
    figure = Figure(figsize=(7.6, 5.7), layout="constrained")
    axis = figure.subplots()
    blank(axis, width=size[0], height=size[1])
    axis.set(xlim=(-7, size[0] + 1), ylim=(size[1] + 1, -7))
    axis.add_patch(Box((-0.5, -0.5), *size, facecolor="#f6f8fa", edgecolor=GREY, linewidth=1.2))
    for end, word, align in (((22, -4), "x", "left"), ((-4, 22), "y", "center")):
        axis.annotate("", end, (-4, -4), arrowprops={"arrowstyle": "-|>", "color": DARK, "linewidth": 1.4})
        axis.text(end[0] + (word == "x"), end[1] + 2.5 * (word == "y"), word, ha=align, va="center", color=DARK)
    axis.plot(0, 0, "o", markersize=4, color=DARK)
    axis.text(1.5, 2, "(0, 0): the centre of the first pixel; the picture's edge is at -0.5", va="center", fontsize=9,
              color=GREY)  # fmt: skip
    axis.text(98, 72.5, "picture of 100 x 75 pixels", ha="right", va="center", fontsize=9, color=GREY)

    for a, b in ((0, 1), (3, 2)):
        axis.plot(*corners[[a, b]].T, color=BLUE, linewidth=2.5, solid_capstyle="round")
    for a, b in ((0, 3), (1, 2)):
        axis.plot(*corners[[a, b]].T, color=AMBER, linewidth=7, solid_capstyle="round")
    for index, corner in enumerate(corners):
        away = corner + (corner - (cx, cy)) / math.dist(corner, (cx, cy)) * 4.2
        axis.plot(*corner, "o", markersize=5, color=DARK)
        axis.text(*away, str(index), ha="center", va="center", fontsize=14, weight="bold", color=DARK)

    along, across = (corners[1] - corners[0]) / rectangle.opening, (corners[2] - corners[1]) / rectangle.jaw
    axis.plot([cx, cx + 34], [cy, cy], "--", color=GREY, linewidth=1)
    axis.plot(*zip((cx, cy), (cx, cy) + 31 * along, strict=True), "--", color=GREY, linewidth=1)
    axis.plot(cx, cy, "o", markersize=6, color=DARK)
    # The y axis runs down, so an angle that is counter-clockwise as seen is a negative one to matplotlib.
    axis.add_patch(Arc((cx, cy), 52, 52, theta1=-math.degrees(grasp.theta), theta2=0, color=WRONG, linewidth=2))
    head, tail = (grasp.theta - step for step in (0.0, 0.05))
    axis.annotate(
        "", (cx + 26 * math.cos(head), cy - 26 * math.sin(head)), (cx + 26 * math.cos(tail), cy - 26 * math.sin(tail)),
        arrowprops={"arrowstyle": "-|>", "color": WRONG, "linewidth": 2, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
    words = f"theta = +{grasp.theta:.2f} rad\n({math.degrees(grasp.theta):.0f} degrees),\ncounter-clockwise\nas seen"
    axis.text(cx + 24, cy - 24, words, va="center", fontsize=9.5, color=WRONG)
    axis.text(cx - 1, cy + 3, "centre (x, y)", ha="left", va="center", fontsize=9, color=DARK)

    dimension(axis, corners[0] - 8 * across, corners[1] - 8 * across, "opening: jaw to jaw, 0-1", grasp.theta, 1)
    dimension(axis, corners[0] - 8 * along, corners[3] - 8 * along, "jaw: a plate, 1-2", grasp.theta - math.pi / 2, -1)
    save(figure, "geometry.png")


def dimension(axis: Axes, start: Sequence[float], end: Sequence[float], words: str, theta: float, side: int) -> None:
    """A measure from `start` to `end` with words along `theta` (radians), above it (`side` 1) or below (-1)."""
    axis.annotate("", end, start, arrowprops={"arrowstyle": "<->", "color": DARK, "linewidth": 1.2})
    lift = 2.4 * side
    x, y = ((a + b) / 2 for a, b in zip(start, end, strict=True))
    degrees = (math.degrees(theta) + 90) % 180 - 90
    turn = math.radians(degrees)
    axis.text(x - lift * math.sin(turn), y - lift * math.cos(turn), words, rotation=degrees, ha="center", va="center",
              rotation_mode="anchor", fontsize=10, color=DARK)  # fmt: skip


class Onlooker:
    """In a model's place: it keeps the squares it is shown."""

    name, image_size, mode, takes_depth = "onlooker", 352, "plain", False
    answer_format: AnswerFormat = "bare"

    def __init__(self) -> None:
        self.pictures: list[Picture] = []

    def respond(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[Response]:
        self.pictures += pictures
        return [Response(text="", reasoning="", grasp=Grasp(x=0.5, y=0.5, theta=0.0)) for _ in pictures]


def workspace() -> None:
    """What the model sees of a photograph: all of it letterboxed, or a workspace."""
    picture = open_picture(EXAMPLES / "desk.jpg")
    box = (30, 60, 360, 290)
    figure = Figure(figsize=(8.6, 3.05), layout="constrained")
    given, whole, cut = figure.subplots(1, 3, width_ratios=[640 / 480, 1, 1])
    given.imshow(picture.rgb)
    given.add_patch(Box((box[0] - 0.5, box[1] - 0.5), box[2] - box[0], box[3] - box[1], fill=False, edgecolor=AMBER,
                        linewidth=2))  # fmt: skip
    given.set_title("the picture as given, 640 x 480,\nand a workspace", fontsize=9)
    for axis, chosen, words in (
        (whole, None, "default: all of it, letterboxed"),
        (cut, box, f"--workspace {','.join(map(str, box))}"),
    ):
        seen = Onlooker()
        Model(seen).look(picture, workspace=chosen).ask("Pick up the pencil")
        axis.imshow(seen.pictures[0].rgb)
        axis.set_title(words, fontsize=9)
    for axis in (given, whole, cut):
        axis.axis("off")
    save(figure, "workspace.png")
    fewer_colours(HERE / "workspace.png")


# ---- evaluation.md


def metric() -> None:
    """One label and four predictions, judged by the package."""
    label = GraspRectangle.from_pose(center=(50, 50), theta=0.5, opening=46, jaw=20)
    figure = Figure(figsize=(9.2, 2.9), layout="constrained")
    for axis, (words, center, theta) in zip(
        figure.subplots(1, 4),
        (
            ("close to the label", (54, 47), 0.65),
            ("turned too far", (50, 50), 0.5 + math.radians(40)),
            ("too far away", (66, 62), 0.5),
            ("angle sign flipped", (50, 50), -0.5),
        ),
        strict=True,
    ):
        drawn = GraspRectangle.from_pose(center=center, theta=theta, opening=label.opening, jaw=label.jaw)
        right = matches(drawn, label)
        blank(axis, width=100, height=100)
        axis.add_patch(Box((0, 0), 100, 100, facecolor="#f6f8fa", edgecolor=GREY))
        axis.add_patch(Polygon(label.corners, facecolor=(*GREEN, 0.25), edgecolor=GREEN, linewidth=2))
        colour: Colour = DARK if right else WRONG
        axis.add_patch(Polygon(drawn.corners, fill=False, edgecolor=colour, linewidth=2))
        turn = math.degrees(angle_difference(drawn.theta, label.theta))
        axis.set_title(words, fontsize=10)
        axis.text(50, 107, f"IoU {drawn.iou(label):.2f}, angle {turn:.0f} degrees: {'right' if right else 'wrong'}",
                  ha="center", va="top", fontsize=8.5, color=colour)  # fmt: skip
    save(figure, "metric.png")


# ---- answers.md


def answer() -> None:
    """The three formats of one grasp, and the point schema, as the package writes them."""
    reasoning = "I see a cup with a wide mouth. Pinch its upper edge,\nthe gripper pointing at right angles to it."
    grasp = Grasp(x=0.523, y=0.317, theta=-0.78)
    figure = Figure(figsize=(8.6, 3.6), layout="constrained")
    axis = figure.subplots()
    y = 1.0
    texts = [
        ("reasoned", render_grasp(grasp, answer_format="reasoned", reasoning=reasoning), 2),
        ("prompted", render_grasp(grasp, answer_format="prompted"), 0),
        ("bare", render_grasp(grasp, answer_format="bare"), 0),
        ("POINT, bare", POINT.render({"x": grasp.x, "y": grasp.y}, answer_format="bare"), 0),
    ]
    for name, text, reasons in texts:
        lines = text.splitlines()
        frame = FancyBboxPatch((18, y), 56, 3.2 * len(lines) + 0.6, boxstyle="round,pad=0.6", facecolor="#f6f8fa",
                               edgecolor=GREY, linewidth=0.8)  # fmt: skip
        axis.add_patch(frame)
        axis.text(15.5, y + 1.9, name, ha="right", va="center", fontsize=10, weight="bold", color=DARK)
        for index, line in enumerate(lines):
            axis.text(19, y + 1.9 + 3.2 * index, line, va="center", family="monospace", fontsize=9,
                      color=GREY if index < reasons else DARK)  # fmt: skip
        if reasons:
            axis.text(77, y + 3.5, "reasoning: one line,\nno digits or brackets", va="center", fontsize=9, color=GREY)
            axis.text(77, y + 10, "numeric tail:\nfixed width", va="center", fontsize=9, color=DARK)
        y += 3.2 * len(lines) + 3.4
    blank(axis, width=100, height=y - 1)
    save(figure, "answers.png")


# ---- chat.md


def chat() -> None:
    """Two turns as `graspwise chat` draws them, the answers written by hand here."""
    picture = open_picture(EXAMPLES / "desk.jpg")
    tiles, before = [], None
    for asked, reasoning, center in (
        ("Pick up the pencil", "A pencil, thin and long. Close the jaws across its middle.", (200, 173)),
        ("Further left", "Nearer to its blunt end, still across the thin side.", (112, 122)),
    ):
        label = GraspRectangle.from_pose(center=center, theta=math.radians(60.7), opening=70, jaw=34)
        grasp = Grasp.from_rectangle(label, image_size=picture.size)
        caption = render_grasp(grasp, answer_format="reasoned", reasoning=reasoning)
        tiles.append(draw_answer(picture, grasp=grasp, before=before, title=asked, caption=caption, side=480))
        before = grasp
    contact_sheet(tiles, columns=2).save(HERE / "chat.png")
    fewer_colours(HERE / "chat.png")


# ---- datasets.md


def labelled_examples() -> list[LabelledPicture]:
    """Four things of the two photographs in examples/, labelled by hand here."""
    desk, coffee = EXAMPLES / "desk.jpg", EXAMPLES / "coffee.jpg"
    across = math.radians(60.7)
    return [
        LabelledPicture(
            name="pencil", path=desk, object_id="pencil", category="pen", description="black pencil",
            workspace=(40, 0, 340, 300), rectangles=rectangles(across, 44, [(160, 151), (200, 173), (240, 196)]),
        ),
        LabelledPicture(
            name="lighter", path=desk, object_id="lighter", category="object", description="red lighter",
            workspace=(226, 260, 446, 480), rectangles=rectangles(0.0, 66, [(336, 375), (336, 405), (336, 430)]),
        ),
        LabelledPicture(
            name="cap", path=desk, object_id="cap", category="object", description="black bottle cap",
            workspace=(128, 0, 328, 200),
            rectangles=tuple(r for turn in (0.0, 0.8, 1.57, -0.8) for r in rectangles(turn, 96, [(228, 57)])),
        ),
        LabelledPicture(
            name="cup", path=coffee, object_id="cup", category="cup", description="red cup",
            workspace=(100, 0, 500, 400),
            rectangles=(*rectangles(0.0, 60, [(188, 112)]), *rectangles(math.pi / 2, 60, [(300, 200)]),
                        *rectangles(math.radians(-25), 74, [(226, 262)])),
        ),
    ]  # fmt: skip


def built_examples(folder: Path) -> Dataset:
    """A small data set of them."""
    config = BuildConfig(samples=8, seed=3)
    return Dataset(build_dataset(labelled_examples(), source="examples", out=folder, config=config, workers=1))


def sheet() -> None:
    """The sheet of a data set built from the two photographs in examples/."""
    with tempfile.TemporaryDirectory() as folder:
        dataset_sheet(built_examples(Path(folder) / "data"), count=8, columns=4).save(HERE / "sheet.png")
    fewer_colours(HERE / "sheet.png")


# ---- hub.md


def hub() -> None:
    """The same data set in LeRobot's format, read back from its files: frame, task and action."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "lerobot"
        export_lerobot(built_examples(Path(temporary) / "data"), out)
        tasks = read_table(out / "meta" / "tasks.parquet").to_pandas()
        rows = read_table(out / "data").to_pylist()
    tiles = []
    for row in rows:
        frame = Picture(np.asarray(Image.open(io.BytesIO(row["observation.images.top"]["bytes"]))))
        x, y, theta, opening = row["action"]
        grasp = Grasp(x=x, y=y, theta=theta, opening=opening)
        words = f"task: {tasks.iloc[row['task_index']].name}"
        action = f"action: [{x:.3f}, {y:.3f}, {theta:+.2f}, {opening:.3f}]"
        tiles.append(draw_answer(frame, grasp=grasp, title=words, caption=action, side=300))
    contact_sheet(tiles, columns=4).save(HERE / "hub.png")
    fewer_colours(HERE / "hub.png")


def rectangles(theta: float, opening: float, centers: Sequence[tuple[float, float]]) -> tuple[GraspRectangle, ...]:
    return tuple(GraspRectangle.from_pose(center=center, theta=theta, opening=opening) for center in centers)


# ---- templates.md, training.md, models.md


def box(
    axis: Axes, place: tuple[float, float], size: tuple[float, float], words: str, *, colour: Colour = "white"
) -> None:
    """A box with words, its upper left corner at `place`."""
    rounded = "round,pad=0,rounding_size=1"
    axis.add_patch(FancyBboxPatch(place, *size, boxstyle=rounded, facecolor=colour, edgecolor=DARK, linewidth=1))
    axis.text(place[0] + size[0] / 2, place[1] + size[1] / 2, words, ha="center", va="center", fontsize=9, color=DARK)


def arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float], *, colour: Colour = DARK) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", end, start, arrowprops=style)


def templates() -> None:
    """Draft, refine, check, verify."""
    figure = Figure(figsize=(9.2, 2.0), layout="constrained")
    axis = figure.subplots()
    blank(axis, width=120, height=25)
    steps = ("draft\n(the model)", "refine\n(the model)", "check\n(fixed rules)", "verify\n(the model)", "YAML")
    for index, words in enumerate(steps):
        box(axis, (1 + 25 * index, 4), (17, 9), words, colour="#ddf4ff" if "model" in words else "#f6f8fa")
        if index:
            arrow(axis, (25 * index - 7, 8.5), (25 * index + 1, 8.5))
    for x in (59.5, 84.5):
        axis.plot([x, x], [13, 20], color=WRONG, linewidth=1.2)
    axis.plot([84.5, 9.5], [20, 20], color=WRONG, linewidth=1.2)
    arrow(axis, (9.5, 20), (9.5, 13), colour=WRONG)
    words = "rejected, with the reason; at most three rounds"
    axis.text(47, 22.6, words, ha="center", va="center", fontsize=9, color=WRONG)
    save(figure, "templates.png")


def stages() -> None:
    """Which part learns in which stage."""
    parts = ("vision tower", "dense head", "projector", "language model")
    rows = (
        ("maps", "grasp maps", {1}),
        ("words", "category and description", {2}),
        ("captions", "captions", {2}),
        ("answers, projector", "answers", {2}),
        ("answers, lora", "answers", {2, 3}),
    )
    height = 5 + 7.4 * len(rows)
    figure = Figure(figsize=(8.6, 0.074 * height), layout="constrained")
    axis = figure.subplots()
    blank(axis, width=120, height=height)
    for column, part in enumerate(parts):
        axis.text(60 + 17 * column, 2.5, part, ha="center", va="center", fontsize=9, weight="bold", color=DARK)
    axis.text(27, 2.5, "learns from", va="center", fontsize=9, weight="bold", color=DARK)
    for row, (name, what, learns) in enumerate(rows):
        y = 9 + 7.4 * row
        axis.text(24, y, name, ha="right", va="center", fontsize=9.5, weight="bold", color=DARK)
        axis.text(27, y, what, va="center", fontsize=9, color=DARK)
        for column in range(len(parts)):
            # From this row on a part takes part, frozen where it does not learn.
            used = row >= (0, 3, 1, 2)[column] or column in learns
            words = ("LoRA learns" if column == 3 else "learns") if column in learns else "frozen" if used else ""
            colour = AMBER if column in learns else "#eaeef2" if used else "white"
            axis.add_patch(Box((52.5 + 17 * column, y - 2.7), 15, 5.4, facecolor=colour, edgecolor="#d0d7de"))
            axis.text(60 + 17 * column, y, words, ha="center", va="center", fontsize=8.5, color=DARK)
    save(figure, "stages.png")


def model() -> None:
    """From picture and instruction to grasp and rectangle."""
    figure = Figure(figsize=(9.2, 4.0), layout="constrained")
    axis = figure.subplots()
    blank(axis, width=130, height=56)
    blue, plain = "#ddf4ff", "#f6f8fa"
    box(axis, (1, 5), (19, 9), "picture,\nany size", colour=plain)
    box(axis, (1, 42), (19, 9), "instruction", colour=plain)
    box(axis, (28, 5), (17, 9), "vision\ntower", colour=blue)
    box(axis, (53, 5), (17, 9), "projector", colour=blue)
    box(axis, (28, 22), (17, 9), "dense\ngrasp head", colour=blue)
    box(axis, (53, 22), (17, 9), "memory of\nphotographs", colour=plain)
    box(axis, (53, 42), (17, 9), "conversation", colour=plain)
    box(axis, (82, 20), (17, 12), "language\nmodel", colour=blue)
    box(axis, (110, 20), (18, 12), "answer text:\nreasoning,\nx, y, theta", colour=plain)
    box(axis, (110, 42), (18, 9), "Grasp ->\nrectangle", colour=plain)
    arrow(axis, (20, 9.5), (28, 9.5))
    arrow(axis, (45, 9.5), (53, 9.5))
    arrow(axis, (36.5, 14), (36.5, 22))
    arrow(axis, (45, 13), (54.5, 22))
    arrow(axis, (61.5, 31), (61.5, 42))
    arrow(axis, (45, 30), (54.5, 42))
    arrow(axis, (20, 46.5), (53, 46.5))
    arrow(axis, (70, 12), (84, 20))
    arrow(axis, (70, 44), (84, 32))
    arrow(axis, (99, 26), (110, 26))
    arrow(axis, (119, 32), (119, 42))
    for x, y, words, align in (
        (24, 7.3, "a square", "center"),
        (49, 7.3, "tokens", "center"),
        (38, 18, "map", "left"),
        (52, 18, "looks", "left"),
        (63, 36.5, "names, as text", "left"),
        (47, 37.5, "candidates, as text", "right"),
        (104.5, 22.2, "grammar;\ndense head\nat the digits", "center"),
        (117.5, 37, "parsed, mapped back to\nthe picture as given", "right"),
    ):
        axis.text(x, y, words, ha=align, va="center", fontsize=8, color=GREY)
    save(figure, "model.png")


# ---- vlm.md


def conventions() -> None:
    """One grasp in the square that a model sees, and how each convention writes it."""
    figure = Figure(figsize=(9.2, 3.1), layout="constrained")
    axis = figure.subplots()
    blank(axis, width=112, height=36)
    grasp, side, left, top = Grasp(x=0.523, y=0.317, theta=-0.78, opening=0.3), 30, 2, 4
    axis.add_patch(Box((left, top), side, side, facecolor="#f6f8fa", edgecolor=GREY, linewidth=1.2))
    x, y = left + grasp.x * side, top + grasp.y * side
    axis.plot([left, x, x], [y, y, top], "--", color=GREY, linewidth=1)
    dx, dy = math.cos(grasp.theta) * 5, -math.sin(grasp.theta) * 5
    axis.plot([x - dx, x + dx], [y - dy, y + dy], color=BLUE, linewidth=2.5)
    for sign in (-1, 1):
        end = (x + sign * dx, y + sign * dy)
        axis.plot([end[0] - dy / 2, end[0] + dy / 2], [end[1] + dx / 2, end[1] - dx / 2], color=AMBER, linewidth=5)
    axis.plot(x, y, "o", markersize=6, color=DARK)
    axis.text(x, top - 1.6, "x", ha="center", va="center", color=DARK)
    axis.text(left - 1.4, y, "y", ha="center", va="center", color=DARK)
    rows = (
        ("LLaVA, LLaVA-NeXT, Idefics3, SmolVLM", "fractions, three decimals", FRACTION),
        ("Qwen3-VL", "thousandths", THOUSAND),
        ("Qwen2.5-VL, a square of 672", "pixels of that square", pixels(672)),
        ("PaliGemma", "1,024 bins, the row first", LOCATION),
    )
    text = render_grasp(grasp, answer_format="bare")
    for index, (families, words, coordinates) in enumerate(rows):
        middle = 7.5 + 7.5 * index
        axis.text(38, middle - 1.3, families, va="center", fontsize=10, weight="bold", color=DARK)
        axis.text(38, middle + 1.7, words, va="center", fontsize=9, color=GREY)
        axis.text(80, middle, coordinates.written(text), va="center", family="monospace", fontsize=11, color=DARK)
    save(figure, "vlm.png")


# ---- scale.md


def shares() -> None:
    """Eight micro-batches of a step, as one, two and eight processes take them."""
    colours = (AMBER, BLUE, GREEN, "#d8b4fe", "#fecaca", "#a5f3fc", "#fde68a", "#e5e7eb")
    figure = Figure(figsize=(8.6, 2.5), layout="constrained")
    axis = figure.subplots()
    blank(axis, width=120, height=34)
    for column in range(8):
        axis.text(31 + 8.4 * column, 2, f"{4 * column} to {4 * column + 3}", ha="center", fontsize=8, color=DARK)
    axis.text(24, 2, "samples of a step", ha="right", fontsize=9, color=DARK)
    for row, count in enumerate((1, 2, 8)):
        y = 5 + 9.5 * row
        words = f"{count} processes" if count > 1 else "one process"
        axis.text(24, y + 3.5, words, ha="right", va="center", fontsize=9.5, weight="bold", color=DARK)
        for column in range(8):
            rank = column % count
            axis.add_patch(
                Box((27.2 + 8.4 * column, y), 7.6, 7, facecolor=colours[rank], alpha=0.75, edgecolor="white")
            )
            axis.text(31 + 8.4 * column, y + 3.5, str(rank), ha="center", va="center", fontsize=10, color=DARK)
        arrow(axis, (95, y + 3.5), (99, y + 3.5))
        axis.text(100, y + 3.5, "one gradient, one step", va="center", fontsize=8.5, color=DARK)
    save(figure, "shares.png")


if __name__ == "__main__":
    main()
