"""Draw the picture of conversation.md into `pictures/`: `python docs/conversation_picture.py`."""

from pathlib import Path

import numpy as np

from graspwise.data.request_talk import answered
from graspwise.data.request_texts import worded
from graspwise.data.requests import Hold, Request, choose
from graspwise.draw import contact_sheet, draw_answer
from graspwise.picture import Picture
from graspwise.sim.catalogue import thing_of
from graspwise.sim.gripper import Gantry
from graspwise.sim.label import label_object
from graspwise.sim.render import render
from graspwise.sim.scene import settled_scene
from graspwise.transform import Transform, workspace_picture

HERE = Path(__file__).resolve().parent / "pictures"
THING, SEED, SIDE = "train/hammer-01", 3, 300
ASKED = (
    Request("part", part="handle"),
    Request("direction", "left", little=True, keep_angle=True),
    Request("turn"),
    Request("previous"),
)


def main() -> None:
    thing, robot = thing_of(THING), Gantry()
    settled = settled_scene(lambda: ([thing.name], [thing]), seed=SEED, robot=robot)[1]
    view = render(settled)
    labels = label_object(settled, view, index=1, robot=robot, count=30, trials=2, seed=0)
    ys, xs = np.nonzero(view.objects)
    half = int(max(np.ptp(xs), np.ptp(ys)) / 2) + 30
    x, y = (int(v.min() / 2 + v.max() / 2) for v in (xs, ys))
    box = (x - half, y - half, x + half, y + half)
    size = (view.rgb.shape[1], view.rgb.shape[0])
    cut = Transform.crop(box=box, source_size=size).then(
        Transform.letterbox(source_size=(2 * half,) * 2, size=(SIDE,) * 2)
    )
    picture = workspace_picture(Picture(view.rgb), workspace=box, transform=cut)
    holds = [
        Hold(cut.grasp(label.grasp), label.parts[0])
        for label in labels
        if label.rate == 1 and label.allowed and len(label.parts) == 1
    ]
    rng = np.random.default_rng(5)
    before = [next(hold.grasp for hold in holds if hold.part != "handle")]
    tiles = [
        draw_answer(picture, grasp=before[0], title="Pick up the hammer.", caption="(its first answer)", side=SIDE)
    ]
    for request in ASKED:
        grasp, met = choose(
            request, before=before, options=[h.grasp for h in holds], image_size=(SIDE,) * 2, holds=holds
        )
        one = answered(
            worded(request, rng), grasp, met, before=before[-1], image_size=(SIDE,) * 2, name="hammer", rng=rng
        )
        tiles.append(
            draw_answer(
                picture, grasp=grasp, before=before[-1], title=one.request.text, caption=one.reasoning, side=SIDE
            )
        )
        before.append(grasp)
    contact_sheet(tiles, columns=len(tiles)).quantize(256).save(HERE / "conversation.png", optimize=True)


if __name__ == "__main__":
    main()
