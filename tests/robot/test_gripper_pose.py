import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from traced_scene import Box, looking, seen, trace

from graspwise.errors import InputError
from graspwise.grasp import Grasp, angle_difference
from graspwise.robot.camera import Camera
from graspwise.robot.pose import APPROACH_DISTANCE, Gripper, GripperPose, gripper_pose

laws = settings(max_examples=25, deadline=None)
CAMERA = Camera(320, 240, 300.0, 301.0, 158.0, 121.0)
# Smaller pictures for the laws, which trace many.
SMALL = Camera(160, 120, 150.0, 150.0, 79.5, 59.5)
LENS = Camera(160, 120, 150.0, 151.0, 78.0, 61.0, (-0.1, 0.03, 0.001, -0.002), "plumb_bob")
BOX = Box(center=(0.5, 0.1), size=(0.06, 0.12), top=0.05)
angles = st.floats(-math.pi, math.pi)


def grasp_of(box: Box, *, margin: float = 0.008) -> np.ndarray:
    """Two points (2, 3) of the base beside the box's short side, at the height of its top."""
    half = (box.size[0] / 2 + margin) * np.array([math.cos(box.turn), math.sin(box.turn)])
    return np.array([[*(box.center + sign * half), box.top] for sign in (-1, 1)])


def pose_of(grasp: Grasp, *, T: np.ndarray, boxes: list[Box], camera: Camera = CAMERA, **options) -> GripperPose:
    depth = trace(camera, T, boxes, table=options.get("table_height", 0.0))
    return gripper_pose(grasp, picture_size=camera.size, depth=depth, camera=camera, T_base_camera=T, **options)


def direction(pose: GripperPose) -> float:
    """Angle of the opening about the base's z."""
    return math.atan2(pose.T_base_gripper[1, 1], pose.T_base_gripper[0, 1])


def check_frame(T: np.ndarray) -> None:
    assert T[:3, :3] @ T[:3, :3].T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1)
    assert T[:3, 2].tolist() == [0, 0, -1]
    assert T[0, 0] > -1e-9
    assert T[3].tolist() == [0, 0, 0, 1]


# ---- what the result is


@laws
@given(
    turn=angles,
    tilt=st.floats(-0.5, 0.5),
    azimuth=angles,
    roll=angles,
    x=st.floats(-0.05, 0.05),
    y=st.floats(-0.04, 0.04),
    top=st.floats(0.03, 0.08),
    camera=st.sampled_from([SMALL, LENS]),
)
def test_a_box_is_where_it_is_wherever_the_camera_stands(turn, tilt, azimuth, roll, x, y, top, camera):
    """The place, the direction and the opening in the base do not depend on the camera."""
    box = Box(center=(0.5 + x, 0.1 + y), size=(0.05, 0.10), top=top, turn=turn)
    T = looking((0.5, 0.1), distance=0.7, tilt=tilt, azimuth=azimuth, roll=roll)
    pose = pose_of(seen(camera, T, grasp_of(box)), T=T, boxes=[box], camera=camera)
    check_frame(pose.T_base_gripper)
    assert pose.T_base_gripper[:3, 3] == pytest.approx([*box.center, max(top - 0.035, 0.005)], abs=0.001)
    assert angle_difference(direction(pose), turn) < math.radians(0.5)
    assert pose.asked_opening == pytest.approx(0.066, abs=0.001)
    assert pose.opening == pose.asked_opening and not pose.clamped
    assert pose.surface_height == pytest.approx(top, abs=1e-3)


@laws
@given(phi=angles, theta=st.floats(-1.5, 1.5), x=st.floats(0.3, 0.7), y=st.floats(0.3, 0.7))
def test_a_camera_turned_about_its_axis_turns_the_grasp(phi, theta, x, y):
    grasp = Grasp(x=x, y=y, theta=theta, opening=0.1)
    T = looking((0.5, 0.1), distance=0.6)
    turned = T.copy()
    turned[:3, :3] = Rotation.from_euler("z", phi).as_matrix() @ T[:3, :3]
    before, after = (pose_of(grasp, T=view, boxes=[], camera=SMALL) for view in (T, turned))
    assert angle_difference(direction(after), direction(before) + phi) < 1e-6
    arm = before.T_base_gripper[:2, 3] - T[:2, 3]
    rotated = Rotation.from_euler("z", phi).as_matrix()[:2, :2] @ arm + T[:2, 3]
    assert after.T_base_gripper[:2, 3] == pytest.approx(rotated, abs=1e-9)
    assert after.opening == pytest.approx(before.opening)


@pytest.mark.parametrize("theta", [0.0, 0.5, -0.5, 1.2, math.pi / 2])
def test_theta_counts_counter_clockwise_seen_from_above(theta):
    """Straight down, the picture's right along the base's x: the picture is a map of the base, y up, theta equal."""
    grasp = Grasp(x=0.5, y=0.4, theta=theta, opening=0.1)
    pose = pose_of(grasp, T=looking((0.5, 0.1), distance=0.6), boxes=[], camera=SMALL)
    assert angle_difference(direction(pose), theta) < 1e-9
    assert pose.T_base_gripper[1, 3] > 0.1


def test_a_mirrored_angle_is_another_grasp():
    T = looking((0.5, 0.1), distance=0.6)
    grasps = [Grasp(x=0.5, y=0.5, theta=theta, opening=0.1) for theta in (0.6, -0.6)]
    poses = [pose_of(grasp, T=T, boxes=[], camera=SMALL) for grasp in grasps]
    assert angle_difference(direction(poses[0]), direction(poses[1])) == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("theta", "x_axis", "y_axis"),
    [(math.pi / 2, [1, 0, 0], [0, -1, 0]), (0.0, [0, 1, 0], [1, 0, 0]), (-0.3, None, None), (0.3, None, None)],
)
def test_of_the_two_half_turns_x_points_to_the_positive_x_of_the_base(theta, x_axis, y_axis):
    pose = pose_of(Grasp(x=0.5, y=0.5, theta=theta, opening=0.1), T=looking((0.5, 0.1), distance=0.6), boxes=[])
    check_frame(pose.T_base_gripper)
    if x_axis is not None:
        assert pose.T_base_gripper[:3, 0] == pytest.approx(x_axis, abs=1e-9)
        assert pose.T_base_gripper[:3, 1] == pytest.approx(y_axis, abs=1e-9)


def test_a_half_turn_of_the_grasp_is_the_same_pose():
    T = looking((0.5, 0.1), distance=0.6, tilt=0.3)
    a, b = (pose_of(Grasp(x=0.4, y=0.5, theta=t, opening=0.1), T=T, boxes=[]) for t in (0.4, 0.4 - math.pi))
    assert a.T_base_gripper == pytest.approx(b.T_base_gripper, abs=1e-12)


def test_the_approach_is_the_pose_ten_centimetres_higher():
    T = looking((0.5, 0.1), distance=0.6)
    pose = pose_of(seen(CAMERA, T, grasp_of(BOX)), T=T, boxes=[BOX])
    assert pose.approach - pose.T_base_gripper == pytest.approx(
        np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, APPROACH_DISTANCE], [0, 0, 0, 0]])
    )


# ---- how deep


@pytest.mark.parametrize(
    ("top", "gripper", "table", "z"),
    [
        (0.05, Gripper(), 0.0, 0.015),
        (0.02, Gripper(), 0.0, 0.005),
        (0.012, Gripper(), 0.0, 0.005),
        (0.25, Gripper(), 0.2, 0.215),
        (0.21, Gripper(), 0.2, 0.205),
        (0.05, Gripper(finger_depth=0.02), 0.0, 0.03),
        (0.09, Gripper(finger_depth=0.06), 0.0, 0.045),
        (0.09, Gripper(finger_depth=0.04), 0.0, 0.05),
    ],
    ids=["depth", "table", "low", "raised", "raised table", "shallow", "palm", "deep"],
)
def test_depth_table_and_palm_stop_the_tips(top, gripper, table, z):
    box = Box(center=(0.5, 0.1), size=(0.05, 0.1), top=top, bottom=table)
    T = looking((0.5, 0.1), distance=0.8)
    pose = pose_of(seen(CAMERA, T, grasp_of(box)), T=T, boxes=[box], gripper=gripper, table_height=table)
    assert pose.T_base_gripper[2, 3] == pytest.approx(z, abs=1e-6)
    assert pose.surface_height == pytest.approx(top)


@pytest.mark.parametrize(
    ("floor", "z"), [(0.02, 0.045), (0.058, 0.060), (0.075, 0.07)], ids=["deep enough", "step", "no room"]
)
def test_what_lies_below_the_fingers_stops_them(floor, z):
    box = Box(center=(0.5, 0.1), size=(0.05, 0.1), top=0.08)
    step = Box(center=(0.5, 0.1), size=(0.2, 0.15), top=floor)
    T = looking((0.5, 0.1), distance=0.8)
    pose = pose_of(seen(CAMERA, T, grasp_of(box)), T=T, boxes=[box, step])
    assert pose.T_base_gripper[2, 3] == pytest.approx(z, abs=1e-6)


def test_clearance_is_kept():
    T = looking((0.5, 0.1), distance=0.6)
    grasp = Grasp(x=0.5, y=0.5, theta=0, opening=0.1)
    assert pose_of(grasp, T=T, boxes=[], clearance=0.012).T_base_gripper[2, 3] == pytest.approx(0.012)


def test_a_thin_wall_is_not_taken_for_noise_and_single_stray_pixels_are():
    wall = Box(center=(0.5, 0.1), size=(0.003, 0.1), top=0.09)
    T = looking((0.5, 0.1), distance=0.6)
    grasp = Grasp(x=0.5, y=0.5, theta=0, opening=0.078 * 300 / 0.6 / 320)
    depth = trace(CAMERA, T, [wall])
    rows, columns = 121, 158
    depth[rows + 3, columns + 12] = 0.2

    def pose() -> GripperPose:
        return gripper_pose(grasp, picture_size=CAMERA.size, depth=depth, camera=CAMERA, T_base_camera=T)

    assert pose().surface_height == pytest.approx(0.09, abs=1e-6)


def test_what_stands_between_jaws_opened_wide_counts_though_the_table_is_further_away():
    """At the height of the block 80 mm are more pixels than on the table."""
    block = Box(center=(0.5, 0.1), size=(0.09, 0.05), top=0.10)
    post = Box(center=(0.5355, 0.1), size=(0.006, 0.05), top=0.11)
    T = looking((0.5, 0.1), distance=0.5)
    pose = pose_of(seen(CAMERA, T, grasp_of(block)), T=T, boxes=[block, post])
    assert pose.clamped
    assert pose.surface_height == pytest.approx(0.11)


# ---- which plane


def test_a_cup_is_grasped_at_its_rim_and_not_at_its_floor():
    """Far from the camera's axis the floor is seen beside the middle of the rim."""
    walls = [Box(center=(0.62 + side * 0.03, 0.1), size=(0.004, 0.06), top=0.09) for side in (-1, 1)]
    T = looking((0.5, 0.1), distance=0.6)
    ends = np.array([[0.62 - 0.036, 0.1, 0.09], [0.62 + 0.036, 0.1, 0.09]])
    pose = pose_of(seen(CAMERA, T, ends), T=T, boxes=walls)
    assert pose.T_base_gripper[:2, 3] == pytest.approx([0.62, 0.1], abs=0.001)
    assert pose.opening == pytest.approx(0.072, abs=0.001)


def test_a_neighbour_that_is_higher_on_one_side_moves_nothing():
    low = Box(center=(0.58, 0.1), size=(0.03, 0.06), top=0.03)
    high = Box(center=(0.622, 0.1), size=(0.02, 0.06), top=0.08)
    T = looking((0.5, 0.1), distance=0.6)
    grasp = seen(CAMERA, T, np.array([[0.545, 0.1, 0.03], [0.615, 0.1, 0.03]]))
    pose = pose_of(grasp, T=T, boxes=[low, high])
    assert pose.T_base_gripper[:2, 3] == pytest.approx([0.58, 0.1], abs=0.001)


# ---- the opening


def test_an_opening_beyond_the_grippers_is_clamped():
    wide = Box(center=(0.5, 0.1), size=(0.096, 0.05), top=0.05)
    T = looking((0.5, 0.1), distance=0.6)
    pose = pose_of(seen(CAMERA, T, grasp_of(wide)), T=T, boxes=[wide])
    assert (pose.opening, pose.clamped) == (0.080, True)
    assert pose.asked_opening == pytest.approx(0.112, abs=1e-6)


def test_an_opening_below_the_grippers_is_clamped():
    T = looking((0.5, 0.1), distance=0.6)
    grasp = Grasp(x=0.5, y=0.5, theta=0, opening=0.01)
    pose = pose_of(grasp, T=T, boxes=[], gripper=Gripper(min_opening=0.01))
    assert (pose.opening, pose.clamped) == (0.01, True)
    assert pose.asked_opening == pytest.approx(0.0064)


def test_a_grasp_without_an_opening_opens_wide():
    T = looking((0.5, 0.1), distance=0.6, tilt=0.3)
    grasp = seen(CAMERA, T, grasp_of(BOX)).with_opening(None)
    pose = pose_of(grasp, T=T, boxes=[BOX])
    assert (pose.opening, pose.asked_opening, pose.clamped) == (0.080, None, False)
    assert pose.T_base_gripper[:3, 3] == pytest.approx([0.5, 0.1, 0.015], abs=0.001)
    assert angle_difference(direction(pose), 0.0) < math.radians(0.5)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"max_opening": 80.0}, "max_opening is 80.0"),
        ({"max_opening": 0.0}, "max_opening"),
        ({"pad_width": float("nan")}, "pad_width"),
        ({"min_opening": 0.09}, "min_opening"),
    ],
)
def test_bad_grippers(fields, name):
    with pytest.raises(InputError, match=name):
        Gripper(**fields)


# ---- what is refused


def test_holes_at_the_grasp_are_counted():
    T = looking((0.5, 0.1), distance=0.6)
    depth = trace(CAMERA, T, [BOX])
    depth[80:160, 100:220] = np.nan
    depth[121, 156:159] = 0.55
    with pytest.raises(InputError, match=r"depth: 3 of \d{3} pixels between the jaws at \(158, 121\) have a depth"):
        gripper_pose(
            seen(CAMERA, T, grasp_of(BOX)), picture_size=CAMERA.size, depth=depth, camera=CAMERA, T_base_camera=T
        )


def test_holes_elsewhere_and_some_between_the_jaws_do_no_harm():
    T = looking((0.5, 0.1), distance=0.6)
    grasp, depth = seen(CAMERA, T, grasp_of(BOX)), trace(CAMERA, T, [BOX])
    depth[:60] = np.nan
    depth[::2, ::3] = np.nan
    depth[119:124, 156:161] = 0.0
    pose = gripper_pose(grasp, picture_size=CAMERA.size, depth=depth, camera=CAMERA, T_base_camera=T)
    assert pose.T_base_gripper[:3, 3] == pytest.approx([0.5, 0.1, 0.015], abs=0.001)


def test_a_grasp_at_the_border_uses_what_is_in_the_picture():
    T = looking((0.5, 0.1), distance=0.6)
    pose = pose_of(Grasp(x=0.0, y=0.5, theta=0.0, opening=0.1), T=T, boxes=[])
    assert pose.T_base_gripper[2, 3] == pytest.approx(0.005)


def mirrored() -> np.ndarray:
    T = looking((0.5, 0.1), distance=0.6)
    T[:3, 0] *= -1
    return T


def in_millimetres() -> np.ndarray:
    T = looking((0.5, 0.1), distance=0.6)
    T[:3, 3] *= 1000
    return T


GOOD = looking((0.5, 0.1), distance=0.6)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"picture_size": (640, 480)}, ["camera: 320x240", "640x480", "same size"]),
        ({"depth": np.ones((120, 160))}, ["depth: 160x120", "320x240"]),
        ({"depth": np.ones((240, 320, 3))}, ["depth", "(240, 320, 3)"]),
        ({"depth": np.full((240, 320), np.nan)}, ["depth: 0 of"]),
        ({"depth": np.full((240, 320), 600.0)}, ["below the table", "unit"]),
        ({"depth": np.full((240, 320), 0.0006)}, ["0.0006 m", "unit"]),
        ({"depth": np.full((240, 320), 0.7)}, ["0.1 m or more below the table", "T_base_camera"]),
        (
            {"T_base_camera": np.linalg.inv(looking((0.5, 0.1), distance=0.6, azimuth=1.6, tilt=-0.8))},
            ["below the table", "T_base_camera"],
        ),
        ({"T_base_camera": np.eye(4)}, ["does not look down", "not the base's in the camera's"]),
        ({"T_base_camera": mirrored()}, ["T_base_camera", "mirror"]),
        ({"T_base_camera": in_millimetres()}, ["T_base_camera", "millimetres"]),
        ({"T_base_camera": looking((0.5, 0.1), distance=4.0)}, ["3.4 m or more above the table"]),
        ({"T_base_camera": np.eye(3)}, ["T_base_camera", "(3, 3)", "4x4"]),
        ({"table_height": 0.7}, ["does not look down", "0.700"]),
    ],
)
def test_what_does_not_fit_together_is_one_clear_line(changes, names):
    options = {
        "picture_size": CAMERA.size,
        "depth": np.full((240, 320), 0.6),
        "camera": CAMERA,
        "T_base_camera": GOOD,
    }
    grasp = Grasp(x=0.5, y=0.5, theta=0.3, opening=0.1)
    assert gripper_pose(grasp, **options).opening > 0
    with pytest.raises(InputError) as caught:
        gripper_pose(grasp, **(options | changes))
    assert all(name in str(caught.value) for name in names), caught.value
    assert "\n" not in str(caught.value)


# ---- JSON


def test_json_states_frames_and_units():
    T = looking((0.5, 0.1), distance=0.6, roll=0.4)
    pose = pose_of(seen(CAMERA, T, grasp_of(BOX)), T=T, boxes=[BOX], frame="panda_link0")
    value = pose.to_json()
    assert value["frame"] == "panda_link0"
    assert value["units"] == {"length": "m", "quaternion": "x, y, z, w"}
    assert value["position"] == pytest.approx([0.5, 0.1, 0.015], abs=0.001)
    matrix = np.array(value["T_base_gripper"])
    assert matrix == pytest.approx(pose.T_base_gripper, abs=1e-6)
    assert Rotation.from_quat(value["quaternion"]).as_matrix() == pytest.approx(matrix[:3, :3], abs=1e-5)
    assert value["approach"]["position"][2] - value["position"][2] == pytest.approx(0.1)
    assert value["approach"]["quaternion"] == value["quaternion"]
    assert {"opening_m", "asked_opening_m", "clamped", "surface_height_m"} <= set(value)
