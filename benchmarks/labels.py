"""Whether the labels of `graspwise dataset build sim` hold: 200 that lifted every time, and 200 random grasps on the
same objects, carried out once more under other friction and errors.

    graspwise dataset build sim --objects train --scenes 120 --clutter 1-4 --out DATA
    python benchmarks/labels.py DATA/scenes
"""

import argparse
import json
import time
import zlib
from functools import partial
from pathlib import Path

import numpy as np

from graspwise.files import read_json
from graspwise.grasp import Grasp
from graspwise.parallel import in_order
from graspwise.sim.catalogue import thing_of
from graspwise.sim.gripper import Gantry
from graspwise.sim.label import random_grasp_on
from graspwise.sim.render import render
from graspwise.sim.scene import compose
from graspwise.sim.trial import Conditions, try_grasp


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", type=Path, help="folder scenes/ of a data set")
    parser.add_argument("--count", type=int, default=200, help="labels, and random grasps")
    parser.add_argument("--seed", type=int, default=1, help="of the conditions and of the choice")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    options = parser.parse_args()
    folders = sorted(path.parent for path in options.scenes.glob("*/labels.json"))
    each = -(-options.count // len(folders))
    rows = list(in_order(partial(once_more, each=each, seed=options.seed), folders))
    rng = np.random.default_rng(options.seed)
    figures = {"date": time.strftime("%Y-%m-%d"), "scenes": len(folders), "seed": options.seed}
    for kind in ("labels", "random"):
        lifted = [one for row in rows for one in row[kind]]
        chosen = [lifted[i] for i in rng.permutation(len(lifted))[: options.count]]
        figures[kind] = {"lifted": sum(chosen), "trials": len(chosen), "rate": round(sum(chosen) / len(chosen), 4)}
        print(f"{kind}: {sum(chosen)} of {len(chosen)} lifted, {100 * sum(chosen) / len(chosen):.1f}%")
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def once_more(folder: Path, *, each: int, seed: int) -> dict[str, list[bool]]:
    """Outcomes of up to `each` sure labels and as many random grasps in one scene."""
    scene_file, labels = read_json(folder / "scene.json"), read_json(folder / "labels.json")
    robot = Gantry()
    scene = compose([thing_of(name) for name in labels["object_ids"]], seed=scene_file["seed"], robot=robot)
    view = render(scene)
    rng = np.random.default_rng([zlib.crc32(folder.name.encode()), seed])
    sure = [label for label in labels["labels"] if label["rate"] == 1]
    tried = [(Grasp(**sure[i]["grasp"]), sure[i]["index"]) for i in rng.permutation(len(sure))[:each]]
    guesses = []
    for _ in range(each):
        index = int(rng.integers(len(scene.objects))) + 1
        if (view.objects == index).any():
            shared = {"max_opening": robot.gripper.max_opening, "focal": scene.camera.fx}
            guesses.append((random_grasp_on(view, index=index, **shared, rng=rng), index))
    return {
        kind: [
            try_grasp(scene, view, grasp, target=index, robot=robot, conditions=Conditions.drawn(rng)).lifted
            for grasp, index in grasps
        ]
        for kind, grasps in (("labels", tried), ("random", guesses))
    }


if __name__ == "__main__":
    main()
