"""A few plain things, and scenes of them composed and rendered once."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from graspwise.robot.pose import GripperPose
from graspwise.sim.gripper import Gantry
from graspwise.sim.render import View, render
from graspwise.sim.scene import Scene, settled_scene
from graspwise.sim.shapes import Paint, SimObject, box, cylinder, ellipsoid, part, tube, vessel

RED, STEEL = Paint((0.7, 0.15, 0.12)), Paint((0.7, 0.71, 0.73), "brushed", (0.5, 0.5, 0.52), 0.9)
WOOD, WHITE = Paint((0.75, 0.55, 0.35), "wood", (0.6, 0.42, 0.25)), Paint((0.95, 0.95, 0.9))

THINGS = (
    SimObject("bar", "bar", "red bar", (part("bar", box((0.14, 0.03, 0.03), RED)),), 0.2, use="build with"),
    SimObject("oiled", "bar", "oiled bar", (part("bar", box((0.14, 0.03, 0.03), RED)),), 0.2, friction=0.02),
    SimObject("crate", "crate", "white crate", (part("side", box((0.1, 0.1, 0.1), WHITE)),), 0.4),
    SimObject("ball", "ball", "white ball", (part("ball", ellipsoid((0.025,) * 3, WHITE)),), 0.05),
    SimObject(
        "knife", "knife", "steel knife",
        (
            part("handle", box((0.1, 0.024, 0.02), WOOD, at=(-0.06, 0, 0))),
            part("blade", box((0.12, 0.024, 0.02), STEEL, at=(0.05, 0, 0)), avoid=True),
        ),
        0.15, material="steel", use="cut with",
    ),
    SimObject(
        "hammer", "hammer", "hammer",
        (
            part("handle", box((0.2, 0.024, 0.024), WOOD)),
            part("head", box((0.03, 0.08, 0.03), STEEL, at=(0.11, 0, 0)), cylinder(0.01, 0.03, STEEL, at=(0.12, 0, 0))),
        ),
        0.4, material="steel", use="drive nails with",
    ),
    SimObject(
        "mug", "mug", "red mug",
        (
            part("body", vessel([(0.036, 0), (0.041, 0.09)], RED, wall=0.004, base=0.006)),
            part("handle", tube([(0.04, 0, 0.07), (0.06, 0, 0.06), (0.06, 0, 0.04), (0.038, 0, 0.025)], 0.005, RED)),
        ),
        0.3, material="ceramic", use="drink coffee from",
    ),
)  # fmt: skip


@pytest.fixture(scope="session")
def things() -> dict[str, SimObject]:
    """By name: bar, oiled, crate, ball, knife, hammer, mug."""
    return {thing.name: thing for thing in THINGS}


@pytest.fixture(scope="session")
def robot() -> Gantry:
    return Gantry()


@pytest.fixture(scope="session")
def made(things: dict[str, SimObject], robot: Gantry) -> Callable[..., tuple[Scene, View]]:
    """A scene of things by name with the gripper in it, and its view; each is made once."""
    kept: dict[tuple[tuple[str, ...], int], tuple[Scene, View]] = {}

    def make(*names: str, seed: int = 0) -> tuple[Scene, View]:
        if (names, seed) not in kept:
            chosen = [things[name] for name in names]
            _, scene, _ = settled_scene(lambda: (list(names), chosen), seed=seed, robot=robot)
            kept[names, seed] = scene, render(scene)
        return kept[names, seed]

    return make


@pytest.fixture(scope="session")
def table(made: Callable[..., tuple[Scene, View]]) -> tuple[Scene, View]:
    """Hammer 1, mug 2 and ball 3 on one table."""
    return made("hammer", "mug", "ball", seed=5)


@pytest.fixture(scope="session")
def across() -> Callable[..., GripperPose]:
    """A pose that closes across an object's own y axis, `along` metres from its middle on its x axis."""

    def pose(
        scene: Scene, *, index: int = 1, along: float = 0.0, aside: float = 0.0, height: float = 0.012,
        opening: float = 0.05, asked: float | None = None, half_turn: bool = False,
    ) -> GripperPose:  # fmt: skip
        data, body = scene.data(), scene.placed(index).body
        own = data.xmat[body].reshape(3, 3)
        heading = math.atan2(own[1, 0], own[0, 0]) + math.pi * half_turn
        x, y = math.cos(heading), math.sin(heading)
        grasp = np.eye(4)
        grasp[:3, :3] = np.column_stack([(x, y, 0), (y, -x, 0), (0, 0, -1)])
        grasp[:2, 3] = data.xipos[body][:2] + along * np.array([x, y]) + aside * np.array([-y, x])
        grasp[2, 3] = height
        above = grasp.copy()
        above[2, 3] += 0.1
        return GripperPose(
            T_base_gripper=grasp, opening=opening, asked_opening=asked, clamped=asked is not None and asked != opening,
            approach=above, surface_height=height + 0.02,
        )  # fmt: skip

    return pose
