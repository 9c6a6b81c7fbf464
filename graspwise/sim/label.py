"""Physics labels: antipodal candidates of a scene, each carried out several times, each with its success rate."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.predict import grasp_json
from graspwise.sim.antipodal import Candidate, candidates
from graspwise.sim.gripper import Robot
from graspwise.sim.render import View
from graspwise.sim.scene import Scene
from graspwise.sim.trial import Cause, Conditions, Stage, pose_of


@dataclass(frozen=True)
class Label:
    """A candidate and what became of it.

    Attributes:
        grasp: In the frame of the scene's picture.
        index: Which object it is on.
        width: Of what is between the jaws, metres.
        rate: Share of the trials that lifted the object.
        trials: How many there were.
        parts: Parts held in most of the trials that lifted it.
        allowed: Whether all of them may be held.
        causes: Why the other trials failed.
    """

    grasp: Grasp
    index: int
    width: float
    rate: float
    trials: int
    parts: tuple[str, ...]
    allowed: bool
    causes: tuple[Cause, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "grasp": grasp_json(self.grasp),
            "width": round(self.width, 4),
            "rate": round(self.rate, 3),
            "trials": self.trials,
            "parts": list(self.parts),
            "allowed": self.allowed,
            "causes": list(self.causes),
        }


def label_object(
    scene: Scene,
    view: View,
    *,
    index: int,
    robot: Robot,
    count: int,
    trials: int,
    seed: int,
    max_opening: float | None = None,
    enough: bool = False,
) -> list[Label]:
    """Labels of one object, best first.

    Args:
        scene: Composed with `robot`.
        view: The scene as rendered.
        index: Which object.
        robot: Carries them out.
        count: Candidates tried at most.
        trials: Trials of each, under drawn conditions; a candidate is given up after half of them failed.
        seed: Decides candidates and conditions.
        max_opening: The widest that the gripper may open, metres; by default the robot's.
        enough: Stop at the first that lifts every time by a part that may be held.
    """
    if not (view.objects == index).any():
        return []
    rng = np.random.default_rng([scene.seed, seed, index])
    gripper = replace(robot.gripper, max_opening=max_opening) if max_opening else robot.gripper
    scale = scene.camera.fx / float(np.median(view.depth[view.objects == index]))
    found = candidates(
        heights(scene, view), view.objects, index=index, scale=scale, gripper=gripper, count=count, rng=rng
    )  # fmt: skip
    stage = Stage(scene, robot)
    labels: list[Label] = []
    for candidate in found:
        label = try_out(stage, view, candidate, trials, rng)
        labels += [label] if label else []
        if enough and label and label.rate == 1 and label.allowed:
            break
    return sorted(labels, key=lambda label: (-label.rate, not label.allowed))


def heights(scene: Scene, view: View) -> np.ndarray:
    """(height, width) float32: z in the base frame of what each pixel shows, metres."""
    rows, columns = view.depth.shape
    pixels = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=2).reshape(-1, 2).astype(float)
    points = scene.camera.deproject(pixels, view.depth.ravel())
    z = points @ scene.T_base_camera[2, :3] + scene.T_base_camera[2, 3]
    return np.asarray(z.reshape(rows, columns), dtype=np.float32)


def try_out(stage: Stage, view: View, candidate: Candidate, trials: int, rng: np.random.Generator) -> Label | None:
    """The candidate's label; None where the picture gives it no pose."""
    try:
        pose = pose_of(candidate.grasp, stage.scene, view, stage.robot)
    except InputError:
        return None
    outcomes = []
    for _ in range(trials):
        outcomes.append(stage.carry_out(pose, target=candidate.index, conditions=Conditions.drawn(rng)))
        if sum(not outcome.lifted for outcome in outcomes) > trials / 2:
            break
    lifted = [outcome for outcome in outcomes if outcome.lifted]
    parts = sorted({name for outcome in lifted for name in outcome.parts})
    often = tuple(name for name in parts if 2 * sum(name in o.parts for o in lifted) > len(lifted))
    return Label(
        grasp=candidate.grasp, index=candidate.index, width=candidate.width, rate=len(lifted) / len(outcomes),
        trials=len(outcomes), parts=often, allowed=bool(lifted) and all(o.allowed for o in lifted),
        causes=tuple(o.cause for o in outcomes if o.cause is not None),
    )  # fmt: skip


def random_grasp_on(view: View, *, index: int, max_opening: float, focal: float, rng: np.random.Generator) -> Grasp:
    """A grasp that knows only where the object is: uniform in its mask, in angle, and in opening from 5% to 100%."""
    ys, xs = np.nonzero(view.objects == index)
    pick = rng.integers(len(xs))
    rows, columns = view.objects.shape
    pixels = focal / float(np.median(view.depth[ys, xs]))
    return Grasp(
        x=float(xs[pick] + 0.5) / columns, y=float(ys[pick] + 0.5) / rows,
        theta=float(rng.uniform(-math.pi / 2, math.pi / 2)),
        opening=float(rng.uniform(0.05, 1.0)) * max_opening * pixels / columns, jaw=0.02 * pixels / columns,
    )  # fmt: skip
