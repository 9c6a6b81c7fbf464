"""Draw the pictures of simulation.md and objects.md into `pictures/`: `python docs/sim_pictures.py`."""

from pathlib import Path

import numpy as np
from PIL import Image

from graspwise.draw import contact_sheet, draw_answer
from graspwise.picture import Picture
from graspwise.sim.catalogue import FAMILIES, HOUSEHOLD, thing_of
from graspwise.sim.film import Film, titled
from graspwise.sim.gripper import Gantry
from graspwise.sim.label import label_object
from graspwise.sim.render import View, render
from graspwise.sim.scene import settled_scene
from graspwise.sim.shapes import SimObject
from graspwise.sim.trial import Conditions, try_grasp

HERE = Path(__file__).resolve().parent / "pictures"
MASKS = np.array([[238, 238, 238], [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178],
                  [213, 94, 0], [204, 121, 167], [120, 120, 120], [150, 60, 20], [60, 150, 120]], np.uint8)  # fmt: skip


def main() -> None:
    gallery({name: thing for name, thing in HOUSEHOLD.items()}, "household.png", columns=9, side=150)
    gallery({name: thing_of(f"train/{name}-00") for name in FAMILIES}, "train-objects.png", columns=12, side=110)
    scene()
    trial()


def portrait(thing: SimObject, *, seed: int) -> View:
    """One thing alone."""
    return render(settled_scene(lambda: ([thing.name], [thing]), seed=seed)[1])


def gallery(things: dict[str, SimObject], name: str, *, columns: int, side: int) -> None:
    """Each thing cut out around its middle."""
    tiles = []
    for seed, (label, thing) in enumerate(things.items()):
        view = portrait(thing, seed=40 * seed)
        ys, xs = np.nonzero(view.objects)
        half = max(60, int(max(np.ptp(xs), np.ptp(ys)) / 2) + 12)
        left, top = (int(np.clip(v.min() / 2 + v.max() / 2 - half, 0, max(400 - 2 * half, 0))) for v in (xs, ys))
        cut = Image.fromarray(view.rgb).crop((left, top, left + 2 * half, top + 2 * half))
        tiles.append(titled(np.asarray(cut.resize((side, side), Image.Resampling.LANCZOS)), label.replace("_", " ")))
    contact_sheet(tiles, columns=columns).quantize(256).save(HERE / name, optimize=True)


def scene() -> None:
    """Colour, depth and the two masks of one scene, and its labels."""
    things = [thing_of(f"train/{name}") for name in ("mug-03", "hammer-01", "scissors-02", "lemon-04")]
    robot = Gantry()
    settled = settled_scene(lambda: ([t.name for t in things], things), seed=12, robot=robot)[1]
    view = render(settled)
    near, far = view.depth.min(), view.depth.max()
    grey = np.repeat(((far - view.depth) / (far - near) * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    labels = [
        label
        for placed in settled.objects
        for label in label_object(settled, view, index=placed.index, robot=robot, count=5, trials=2, seed=0)
        if label.rate == 1 and label.allowed
    ]
    drawn = draw_answer(
        Picture(view.rgb), grasp=None,
        labels=[label.grasp.rectangle(image_size=(400, 400)) for label in labels], side=400,
    )  # fmt: skip
    pictures = {
        "rgb.png": view.rgb, "depth.png": grey, "objects.png": MASKS[view.objects % len(MASKS)],
        "parts.png": MASKS[view.parts % len(MASKS)], "labels that lift every time": np.asarray(drawn),
    }  # fmt: skip
    tiles = [
        titled(np.asarray(Image.fromarray(picture).resize((300, 300), Image.Resampling.LANCZOS)), name)
        for name, picture in pictures.items()
    ]
    contact_sheet(tiles, columns=5).save(HERE / "sim-scene.png", optimize=True)


def trial() -> None:
    """Two trials from approach to the tilt."""
    robot = Gantry()
    rows = []
    for name in ("hammer", "bottle"):
        thing = HOUSEHOLD[name]
        settled = settled_scene(lambda thing=thing: ([thing.name], [thing]), seed=7, robot=robot)[1]
        view = render(settled)
        best = label_object(settled, view, index=1, robot=robot, count=12, trials=2, seed=1, enough=True)[0]
        with Film() as film:
            try_grasp(settled, view, best.grasp, target=1, robot=robot, conditions=Conditions(), film=film)
            rows.append(film.strip())
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "white")
    for number, row in enumerate(rows):
        sheet.paste(row, (0, sum(r.height for r in rows[:number])))
    small = sheet.resize((sheet.width * 2 // 3, sheet.height * 2 // 3), Image.Resampling.LANCZOS)
    small.quantize(256).save(HERE / "trial.png", optimize=True)


if __name__ == "__main__":
    main()
