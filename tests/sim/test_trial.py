"""Trials whose end is known beforehand: what is held well is lifted, what is not is not, and why."""

import math
from collections.abc import Callable
from dataclasses import replace

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from graspwise.grasp import Grasp
from graspwise.robot.pose import GripperPose
from graspwise.sim import scene as scene_module
from graspwise.sim import trial as trial_module
from graspwise.sim.gripper import REACH, Gantry, Unreachable
from graspwise.sim.render import View
from graspwise.sim.scene import Scene, compose
from graspwise.sim.trial import LIFT, WAYPOINTS, Conditions, Outcome, Stage, carry_out, pose_of, try_grasp, waypoints

Made = Callable[..., tuple[Scene, View]]
Across = Callable[..., GripperPose]


def test_a_good_grasp_lifts(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("bar")
    assert carry_out(scene, across(scene), target=1, robot=robot) == Outcome(True, None, ("bar",), True)


def test_a_half_turn_is_the_same_grasp(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("bar")
    assert carry_out(scene, across(scene, half_turn=True), target=1, robot=robot).lifted


def test_a_grasp_beside_the_object_misses(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("bar")
    beside = carry_out(scene, across(scene, aside=0.07), target=1, robot=robot)
    assert beside == Outcome(False, "missed", (), False)


def test_an_oiled_object_slips(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("oiled")
    # So far from the middle that the bar's own weight turns it out of the fingers.
    slipped = carry_out(scene, across(scene, along=0.05), target=1, robot=robot)
    assert slipped == Outcome(False, "slipped", ("bar",), False)


def test_what_is_wider_than_the_gripper_is_not_lifted(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("crate")
    pose = across(scene, height=0.08, opening=0.08, asked=0.1)
    outcome = carry_out(scene, pose, target=1, robot=robot)
    assert not outcome.lifted and not outcome.allowed
    assert outcome.cause in ("collided", "too wide")


def test_fingers_that_land_on_something_collide(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("bar")
    # Along the bar instead of across it.
    pose = across(scene)
    turned = pose.T_base_gripper.copy()
    turned[:3, :3] = turned[:3, :3] @ np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    approach = turned.copy()
    approach[2, 3] += 0.1
    outcome = carry_out(scene, replace(pose, T_base_gripper=turned, approach=approach), target=1, robot=robot)
    assert (outcome.lifted, outcome.cause) == (False, "collided")


def test_outside_its_reach_it_does_not_go(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("bar")
    far = across(scene, along=2 * REACH)
    assert carry_out(scene, far, target=1, robot=robot) == Outcome(False, "unreachable")


def test_another_object_lifted_is_not_success(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("bar", "knife", seed=1)
    pose = across(scene, index=1)
    assert carry_out(scene, pose, target=1, robot=robot).lifted
    assert carry_out(scene, pose, target=2, robot=robot) == Outcome(False, "missed", (), False)


def test_two_things_in_one_grip_are_no_success(things, across: Across, robot: Gantry, monkeypatch) -> None:
    def beside(chosen: list, rng: np.random.Generator) -> list:
        return [
            (bar, np.array([0.0, y, 0.016]), Rotation.identity())
            for bar, y in zip(chosen, (0.017, -0.017), strict=True)
        ]

    monkeypatch.setattr(scene_module, "place", beside)
    scene = compose([things["bar"]] * 2, seed=0, robot=robot)
    # Each is touched by one finger only.
    for index, aside in ((1, -0.017), (2, 0.017)):
        pose = across(scene, index=index, aside=aside, opening=0.08)
        assert carry_out(scene, pose, target=index, robot=robot) == Outcome(False, "missed", (), False)


def test_a_part_that_should_be_left_alone_is_lifted_but_not_allowed(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("knife")
    # The knife's centre of mass lies near the joint of both parts, at its frame's x = -0.003.
    handle = carry_out(scene, across(scene, along=-0.03), target=1, robot=robot)
    blade = carry_out(scene, across(scene, along=0.03), target=1, robot=robot)
    both = carry_out(scene, across(scene, along=-0.007), target=1, robot=robot)
    assert handle == Outcome(True, None, ("handle",), True)
    assert blade == Outcome(True, None, ("blade",), False)
    assert both == Outcome(True, None, ("blade", "handle"), False)


def test_the_scene_itself_does_not_change(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("bar")
    before = [scene.state.copy(), scene.model.geom_friction.copy(), scene.model.opt.gravity.copy()]
    carry_out(scene, across(scene), target=1, robot=robot, conditions=Conditions(friction=0.5))
    for value, kept in zip((scene.state, scene.model.geom_friction, scene.model.opt.gravity), before, strict=True):
        np.testing.assert_array_equal(value, kept)


def test_a_trial_starts_where_the_scene_has_come_to_rest(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("bar")
    state, body = scene.state.copy(), scene.objects[0].body
    at = scene.model.jnt_qposadr[scene.model.body_jntadr[body]]
    state[at : at + 2] = 0.1 * np.sign(-state[at : at + 2])
    elsewhere = replace(scene, state=state)
    assert carry_out(elsewhere, across(elsewhere), target=1, robot=robot).lifted
    assert carry_out(elsewhere, across(scene), target=1, robot=robot).cause == "missed"


def test_the_same_conditions_give_the_same_outcome(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("oiled")
    # At the edge of holding, where a hair's breadth would decide otherwise.
    for friction in (4.0, 7.0, 10.0):
        conditions = Conditions(friction=friction, shift=(0.001, -0.001, 0.0), turn=0.02)
        one, two = (carry_out(scene, across(scene), target=1, robot=robot, conditions=conditions) for _ in range(2))
        assert one == two


def test_trials_on_one_stage_know_nothing_of_each_other(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("oiled")
    stage = Stage(scene, robot)
    greased, rough = Conditions(friction=0.1), Conditions(friction=35.0)
    turned = Conditions(turn=math.pi / 2)
    ends = []
    # Lost, lifted, run into, lifted and lost again: friction, gravity, places and speeds are left as they were.
    for conditions in (greased, rough, turned, rough, greased):
        outcome = stage.carry_out(across(scene), target=1, conditions=conditions)
        assert outcome == carry_out(scene, across(scene), target=1, robot=robot, conditions=conditions)
        ends.append((outcome, stage.data.qpos.tobytes()))
    assert ends[1] == ends[3] and ends[0] == ends[4]
    assert [outcome.lifted for outcome, _ in ends] == [False, True, False, True, False]


def test_friction_decides(made: Made, across: Across, robot: Gantry) -> None:
    bar, oiled = made("bar")[0], made("oiled")[0]
    greased = Conditions(friction=0.02 / 0.7)
    assert carry_out(bar, across(bar, along=0.05), target=1, robot=robot, conditions=greased).cause == "slipped"
    assert carry_out(oiled, across(oiled), target=1, robot=robot, conditions=Conditions(friction=35.0)).lifted


def test_errors_of_the_hand_decide(made: Made, across: Across, robot: Gantry) -> None:
    scene, _ = made("bar")
    side = across(scene).T_base_gripper[:3, 1]
    shift = tuple((0.07 * side).tolist())
    assert carry_out(scene, across(scene), target=1, robot=robot, conditions=Conditions(shift=shift)).cause == "missed"
    crossed = Conditions(turn=math.pi / 2)
    assert carry_out(scene, across(scene), target=1, robot=robot, conditions=crossed).cause == "collided"


def test_drawn_conditions_are_as_said() -> None:
    rng = np.random.default_rng(0)
    drawn = [Conditions.drawn(rng) for _ in range(2000)]
    friction = np.array([c.friction for c in drawn])
    assert friction.min() >= 0.8 and friction.max() <= 1.2 and np.ptp(friction) > 0.39
    shifts, turns = np.array([c.shift for c in drawn]), np.array([c.turn for c in drawn])
    np.testing.assert_allclose(shifts.std(axis=0), (0.0015, 0.0015, 0), atol=1e-4)
    assert turns.std() == pytest.approx(math.radians(1.5), rel=0.1)
    assert Conditions.drawn(np.random.default_rng(5)) == Conditions.drawn(np.random.default_rng(5))


@given(
    x=st.floats(-0.2, 0.2),
    y=st.floats(-0.2, 0.2),
    yaw=st.floats(-3, 3),
    dx=st.floats(-0.01, 0.01),
    turn=st.floats(-1, 1),
)
def test_waypoints_come_down_go_up_and_shake(x: float, y: float, yaw: float, dx: float, turn: float) -> None:
    grasp = np.eye(4)
    cosine, sine = math.cos(yaw), math.sin(yaw)
    grasp[:3, :3] = np.array([[cosine, sine, 0], [sine, -cosine, 0], [0, 0, -1]])
    grasp[:3, 3] = x, y, 0.02
    above = grasp.copy()
    above[2, 3] += 0.1
    pose = GripperPose(
        T_base_gripper=grasp, opening=0.05, asked_opening=0.05, clamped=False, approach=above, surface_height=0.04
    )
    way = waypoints(pose, Conditions(shift=(dx, 0.0, 0.0), turn=turn))
    places = way[:, :3, 3] - (x + dx, y, 0.02)
    np.testing.assert_allclose(places[0], (0, 0, 0.1), atol=1e-12)
    np.testing.assert_allclose(places[WAYPOINTS - 1], 0, atol=1e-12)
    assert (np.diff(places[:WAYPOINTS, 2]) < 0).all()
    np.testing.assert_allclose(places[2 * WAYPOINTS - 2], (0, 0, LIFT), atol=1e-12)
    np.testing.assert_allclose(places[2 * WAYPOINTS - 1 :].mean(axis=0), (0, 0, LIFT), atol=1e-12)
    for T in way:
        assert math.atan2(T[1, 0], T[0, 0]) == pytest.approx(math.remainder(yaw + turn, math.tau), abs=1e-9)
        np.testing.assert_allclose(T[:3, 2], (0, 0, -1), atol=1e-12)


def test_a_grasp_in_the_picture_is_carried_out(made: Made, robot: Gantry) -> None:
    scene, view = made("bar")
    ys, xs = np.nonzero(view.objects == 1)
    side = scene.camera.width
    data = scene.data()
    own = data.xmat[scene.objects[0].body].reshape(3, 3)
    grasp = Grasp(
        x=(xs.mean() + 0.5) / side, y=(ys.mean() + 0.5) / side, theta=math.atan2(own[1, 0], own[0, 0]) + math.pi / 2,
        opening=0.05 / 0.42,
    )  # fmt: skip
    pose = pose_of(grasp, scene, view, robot)
    np.testing.assert_allclose(pose.T_base_gripper[:2, 3], data.xipos[scene.objects[0].body][:2], atol=0.003)
    assert pose.opening == pytest.approx(0.05, abs=0.004)
    arguments = {"target": 1, "robot": robot, "conditions": Conditions()}
    assert try_grasp(scene, view, grasp, **arguments).lifted
    # A gripper that opens less than the bar is wide comes down on it.
    narrow = try_grasp(scene, view, grasp, **arguments, max_opening=0.02)
    assert not narrow.lifted and narrow.cause in ("collided", "too wide")
    assert pose_of(grasp, scene, view, robot, max_opening=0.02).opening == 0.02


def test_no_grasp_is_said_and_one_that_leads_nowhere_is_unreachable(made: Made, robot: Gantry) -> None:
    scene, view = made("bar")
    arguments = {"target": 1, "robot": robot, "conditions": Conditions()}
    assert try_grasp(scene, view, None, **arguments) == Outcome(False, "no grasp")
    blind = View(view.rgb, np.full_like(view.depth, np.nan), view.objects, view.parts)
    grasp = Grasp(x=0.5, y=0.5, theta=0.0, opening=0.1)
    assert try_grasp(scene, blind, grasp, **arguments) == Outcome(False, "unreachable")


@settings(max_examples=20, deadline=None)
@given(x=st.floats(-0.5, 0.5), y=st.floats(-0.5, 0.5), z=st.floats(-0.1, 0.4), yaw=st.floats(-3.1, 3.1))
def test_the_gantry_goes_where_it_says(robot: Gantry, x: float, y: float, z: float, yaw: float) -> None:
    pose = np.eye(4)
    cosine, sine = math.cos(yaw), math.sin(yaw)
    pose[:3, :3] = np.array([[cosine, sine, 0], [sine, -cosine, 0], [0, 0, -1]])
    pose[:3, 3] = x, y, z
    if max(abs(x), abs(y)) > REACH or z < 0:
        with pytest.raises(Unreachable, match=r"0\.28 m"):
            robot.solve(None, pose[None])  # type: ignore[arg-type]
        return
    spec = mujoco.MjSpec()
    robot.attach(spec)
    model = spec.compile()
    data = mujoco.MjData(model)
    data.qpos[[model.joint(name).qposadr[0] for name in robot.joints]] = robot.solve(model, pose[None])[0]
    robot.open_to(data, 0.06)
    mujoco.mj_kinematics(model, data)
    hand = data.body("robot/hand")
    np.testing.assert_allclose(hand.xpos, (x, y, z), atol=1e-9)
    np.testing.assert_allclose(hand.xmat.reshape(3, 3), pose[:3, :3], atol=1e-9)
    pads = [data.geom(f"robot/{side}/pad").xpos for side in ("left", "right")]
    # Inner faces 6 cm apart along the frame's y, ends at the frame's origin.
    apart = pose[:3, :3].T @ (pads[0] - pads[1])
    np.testing.assert_allclose(np.abs(apart), (0, 0.06 + 2 * 0.004, 0), atol=1e-9)
    np.testing.assert_allclose((pads[0] + pads[1]) / 2, (x, y, z + 0.009), atol=1e-9)


def test_causes_are_the_ones_that_are_reported() -> None:
    assert set(trial_module.CAUSES) == {"missed", "slipped", "collided", "too wide", "unreachable", "no grasp"}
