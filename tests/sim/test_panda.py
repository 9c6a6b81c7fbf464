"""The arm: reaches what it says, refuses the rest, and lifts things, on a mesh-free model of the same dimensions."""

import math
import pickle
import re
from pathlib import Path

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.errors import InputError
from graspwise.robot.pose import GripperPose
from graspwise.sim.bodies import GROUP_ROBOT
from graspwise.sim.gripper import Unreachable
from graspwise.sim.panda import PARKED, Panda, panda_model
from graspwise.sim.scene import Scene, compose
from graspwise.sim.shapes import Paint, SimObject, box, part
from graspwise.sim.trial import Conditions, carry_out, waypoints

MODEL = Path(__file__).parent / "data" / "panda.xml"
ARM = mujoco.MjModel.from_xml_path(str(MODEL))
# From the hand's frame to the ends of the pads, as drawn in the file.
TIP = 0.0584 + 0.0445 + 0.0085
BLOCK = SimObject("block", "block", "block", (part("body", box((0.03, 0.05, 0.06), Paint((0.7, 0.2, 0.1)))),), 0.15)


@pytest.fixture(scope="module")
def panda() -> Panda:
    return Panda(MODEL)


@pytest.fixture(scope="module")
def scene(panda: Panda) -> Scene:
    return compose([BLOCK], seed=2, robot=panda)


def downward(x: float, y: float, z: float, yaw: float = 0.0) -> np.ndarray:
    pose = np.eye(4)
    cosine, sine = math.cos(yaw), math.sin(yaw)
    pose[:3, :3] = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ np.diag([1.0, -1.0, -1.0])
    pose[:3, 3] = x, y, z
    return pose


def grasp(pose: np.ndarray) -> GripperPose:
    above = pose.copy()
    above[2, 3] += 0.1
    return GripperPose(
        T_base_gripper=pose, opening=0.06, asked_opening=0.06, clamped=False, approach=above, surface_height=0.06
    )


def on_the_block(scene: Scene) -> GripperPose:
    """Across the narrow side of the block as it lies, tips 3 cm below its top."""
    data, body = scene.data(), scene.objects[0].body
    x, y = data.xmat[body].reshape(3, 3)[:2, 0]
    pose = downward(*data.xipos[body][:2], 0.03, math.atan2(y, x) + math.pi / 2)
    return grasp(pose)


def tips(angles: np.ndarray) -> np.ndarray:
    """Where the file's own model has the gripper frame, base where the scene has it."""
    data = mujoco.MjData(ARM)
    data.qpos[:7] = angles
    mujoco.mj_kinematics(ARM, data)
    pose = np.eye(4)
    pose[:3, :3] = data.body("hand").xmat.reshape(3, 3)
    pose[:3, 3] = data.body("hand").xpos + TIP * pose[:3, 2] + [-0.5, 0, 0]
    return pose


def apart(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Distance in metres and angle in degrees of two gripper poses; a half-turn about the approach is none."""
    turns = [one[:3, :3].T @ other[:3, :3] @ np.diag(half) for half in ([1.0, 1, 1], [-1.0, -1, 1])]
    cosine = max((float(np.trace(turn)) - 1) / 2 for turn in turns)
    return float(np.linalg.norm(one[:3, 3] - other[:3, 3])), math.degrees(math.acos(min(cosine, 1.0)))


@settings(max_examples=15, deadline=None)
@given(
    x=st.floats(-0.2, 0.2), y=st.floats(-0.2, 0.2), z=st.floats(0.003, 0.12), yaw=st.floats(-math.pi, math.pi)
)  # fmt: skip
def test_reaches_every_grasp_over_the_table_by_a_continuous_path(
    panda: Panda, x: float, y: float, z: float, yaw: float
) -> None:
    poses = waypoints(grasp(downward(x, y, z, yaw)), Conditions())
    rows = panda.solve(ARM, poses)
    for angles, pose in zip(rows, poses, strict=True):
        distance, angle = apart(tips(angles), pose)
        assert distance < 0.001
        assert angle < 0.5
    assert np.abs(np.diff(rows, axis=0)).max() < 0.3
    limits = ARM.jnt_range[:7]
    assert ((rows > limits[:, 0]) & (rows < limits[:, 1])).all()


def test_a_half_turn_is_the_same_grasp(panda: Panda) -> None:
    rows = panda.solve(ARM, downward(0.1, 0.05, 0.02, 0.4)[None])
    turned = panda.solve(ARM, downward(0.1, 0.05, 0.02, 0.4 + math.pi)[None])
    np.testing.assert_allclose(turned, rows, atol=1e-6)


@pytest.mark.parametrize(
    ("pose", "why"),
    [
        (downward(0.6, 0.0, 0.1), "out of reach"),
        (downward(-0.47, 0.0, 0.02), "out of reach|would run into"),
        (downward(0.0, 0.0, -0.01), "finger would run into table"),
        (downward(0.1, 0.0, -0.30), "would run into table|out of reach"),
    ],
    ids=["far", "at its foot", "under the table", "deep"],
)
def test_refuses_what_it_cannot_do(panda: Panda, pose: np.ndarray, why: str) -> None:
    with pytest.raises(Unreachable, match=why):
        panda.solve(ARM, pose[None])


def test_refuses_a_hand_that_would_scrape_the_table(panda: Panda) -> None:
    level = np.eye(4)
    # Approaches along x, fingers level, lower than half the hand is thick.
    level[:3, :3] = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    level[:3, 3] = 0.1, 0.0, 0.02
    with pytest.raises(Unreachable, match=r"(hand|link\d) would run into table"):
        panda.solve(ARM, level[None])
    level[2, 3] = 0.2
    assert apart(tips(panda.solve(ARM, level[None])[0]), level)[0] < 0.001


def test_refuses_poses_between_which_the_arm_would_flip(panda: Panda) -> None:
    with pytest.raises(Unreachable, match="out of reach"):
        panda.solve(ARM, np.array([downward(0, -0.2, 0.2), downward(0, 0.2, 0.2)]))


def test_waits_aside_and_follows_to_a_millimetre(panda: Panda, scene: Scene) -> None:
    columns = [scene.model.joint(name).qposadr[0] for name in panda.joints]
    np.testing.assert_allclose(scene.state[columns], PARKED, atol=2e-3)
    poses = waypoints(grasp(downward(0.15, -0.15, 0.08, 0.5)), Conditions())[:8]
    data, rows = scene.data(), panda.solve(scene.model, poses)
    arm = [scene.model.actuator(name).id for name in panda.actuators]
    data.qpos[columns] = rows[0]
    for share in np.linspace(0, 1, 300):
        data.ctrl[arm] = [np.interp(7 * share, np.arange(8), column) for column in rows.T]
        mujoco.mj_step(scene.model, data)
    mujoco.mj_step(scene.model, data, 50)
    distance, _ = apart(tips(data.qpos[columns]), poses[-1])
    assert distance < 0.0015
    assert abs(panda.lag(data)) < 0.001


def test_lag_is_how_far_the_hand_stands_too_high(panda: Panda, scene: Scene) -> None:
    data = scene.data()
    high, low = panda.solve(scene.model, np.array([downward(0.1, 0, 0.11), downward(0.1, 0, 0.10)]))
    data.qpos[[scene.model.joint(name).qposadr[0] for name in panda.joints]] = high
    data.ctrl[[scene.model.actuator(name).id for name in panda.actuators]] = low
    mujoco.mj_forward(scene.model, data)
    assert panda.lag(data) == pytest.approx(0.01, abs=5e-4)


def test_the_scene_keeps_its_physics_its_lamps_and_its_view(scene: Scene) -> None:
    plain = compose([BLOCK], seed=2).model
    model = scene.model
    assert (model.opt.timestep, model.opt.cone, model.opt.integrator) == (
        plain.opt.timestep, plain.opt.cone, plain.opt.integrator
    )  # fmt: skip
    assert (model.nlight, model.ncam) == (plain.nlight, plain.ncam)
    own = [geom for geom in range(model.ngeom) if model.body(model.geom_bodyid[geom]).name.startswith("robot/")]
    assert len(own) == ARM.ngeom
    assert set(model.geom_group[own]) == {GROUP_ROBOT, 5}
    # Where the hand has a shape to be seen, the one it touches with is hidden.
    hand = [geom for geom in own if model.geom_bodyid[geom] == model.body("robot/hand").id]
    assert {(int(model.geom_contype[geom]), int(model.geom_group[geom])) for geom in hand} == {(0, GROUP_ROBOT), (1, 5)}


def test_lifts_a_block(panda: Panda, scene: Scene) -> None:
    outcome = carry_out(scene, on_the_block(scene), target=1, robot=panda)
    assert outcome.lifted
    assert outcome.parts == ("body",)


def test_fingers_on_top_of_a_box_are_a_collision(panda: Panda) -> None:
    crate = SimObject("crate", "crate", "crate", (part("body", box((0.12, 0.12, 0.06), Paint((0.5, 0.4, 0.3)))),), 0.5)
    scene = compose([crate], seed=2, robot=panda)
    assert carry_out(scene, on_the_block(scene), target=1, robot=panda).cause == "collided"


def test_a_grasp_out_of_reach_is_an_outcome(panda: Panda, scene: Scene) -> None:
    assert carry_out(scene, grasp(downward(0.7, 0, 0.05)), target=1, robot=panda).cause == "unreachable"


@pytest.mark.filterwarnings("error::UserWarning")
def test_a_model_with_an_actuator_for_each_finger_is_the_same(panda: Panda, tmp_path: Path) -> None:
    text = MODEL.read_text()
    single = re.compile(r'<general class="panda" name="actuator8".*?/>', re.DOTALL)
    assert single.search(text)
    pair = "".join(f'<position name="f{n}" joint="finger_joint{n}" kp="100"/>' for n in (1, 2))
    other = tmp_path / "no_tendon.xml"
    other.write_text(single.sub(pair, text))
    models = [compose([BLOCK], seed=2, robot=robot).model for robot in (panda, Panda(other))]
    assert models[0].nu == models[1].nu == 9
    np.testing.assert_array_equal(models[0].actuator_gainprm, models[1].actuator_gainprm)


def test_goes_to_other_processes(panda: Panda) -> None:
    poses = downward(0.1, 0.1, 0.05)[None]
    panda.solve(ARM, poses)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(panda)).solve(ARM, poses), panda.solve(ARM, poses))


def test_finds_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRASPWISE_PANDA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    # Another name, because the real packages may be installed.
    monkeypatch.setattr("graspwise.sim.panda.PACKAGES", ("carries_a_panda",))
    assert panda_model(MODEL) == MODEL
    assert panda_model(MODEL.parent) == MODEL
    with pytest.raises(InputError, match=r"no model of the arm is installed; .*genesis-world"):
        panda_model()
    inside = tmp_path / "packages" / "carries_a_panda" / "assets" / "xml" / "franka_emika_panda" / "panda.xml"
    inside.parent.mkdir(parents=True)
    inside.write_bytes(MODEL.read_bytes())
    package = tmp_path / "packages" / "carries_a_panda" / "__init__.py"
    package.write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(package.parents[1])
    assert panda_model() == inside
    monkeypatch.setenv("GRASPWISE_PANDA", str(MODEL))
    assert panda_model() == MODEL
    monkeypatch.setenv("GRASPWISE_PANDA", str(tmp_path / "home"))
    with pytest.raises(InputError, match="home: no model of the Panda there"):
        panda_model()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("joint4", "elbow"), "has no joint4"),
        (lambda text: text[:500], "not an MJCF file"),
        (lambda text: text.replace("<worldbody>", '<worldbody><geom type="plane" size="1 1 1"/>'), "is a scene"),
        (
            lambda text: text.replace("<tendon>", '<asset><mesh file="link0.stl"/></asset><tendon>'),
            "MuJoCo cannot build it .*link0.stl",
        ),
    ],
    ids=["joint", "cut off", "scene", "mesh missing"],
)  # fmt: skip
def test_a_model_that_does_not_fit_is_one_line(change: object, message: str, tmp_path: Path) -> None:
    broken = tmp_path / "panda.xml"
    broken.write_text(change(MODEL.read_text()))  # type: ignore[operator]
    with pytest.raises(InputError, match=message) as caught:
        Panda(broken)
    assert str(caught.value).startswith(str(broken))
