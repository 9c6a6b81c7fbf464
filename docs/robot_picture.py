"""Draw `pictures/robot-frames.png`, the frames of robot.md: `python docs/robot_picture.py`.

Every arrow is computed: the block is seen through `Camera`, the grasp is drawn on that picture, and `gripper_pose` says
where the gripper goes.
"""

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, FancyArrowPatch, Polygon
from scipy.spatial.transform import Rotation

from graspwise.draw import INK, JAW, MUTED, OPENING
from graspwise.grasp import Grasp
from graspwise.robot.camera import Camera
from graspwise.robot.pose import Gripper, GripperPose, gripper_pose
from graspwise.robot.rigid import move_points

HERE = Path(__file__).resolve().parent / "pictures"
BLUE, AMBER, DARK, GREY = (tuple(value / 255 for value in colour) for colour in (OPENING, JAW, INK, MUTED))
AXES = {"x": "#d1242f", "y": "#1a7f37", "z": "#0969da"}
BLOCK, TABLE, SHADE = "#b9c4d0", "#f3efe6", "#8d99a6"
CAMERA = Camera(320, 240, 300.0, 300.0, 159.5, 119.5)
TURN, SIZE, TOP, CENTER = 0.5, (0.045, 0.13), 0.05, (0.30, 0.02)
# Where the scene is seen from: turned about the base's z, and raised.
AZIMUTH, ELEVATION = math.radians(-112), math.radians(27)
RIGHT = np.array([-math.sin(AZIMUTH), math.cos(AZIMUTH), 0.0])
TOWARDS = np.array(
    [math.cos(ELEVATION) * math.cos(AZIMUTH), math.cos(ELEVATION) * math.sin(AZIMUTH), math.sin(ELEVATION)]
)
UP = np.cross(TOWARDS, RIGHT)


def main() -> None:
    T_base_camera = np.eye(4)
    T_base_camera[:3, :3] = (Rotation.from_euler("y", 0.3) * Rotation.from_euler("x", math.pi)).as_matrix()
    aim = np.array([CENTER[0] + 0.03, CENTER[1] + 0.01, TOP])
    T_base_camera[:3, 3] = aim - 0.30 * T_base_camera[:3, 2]
    grasp = drawn_grasp(T_base_camera)
    # Only the block's top matters for the pose, so all of the depth is that plane.
    columns, rows = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
    rays = CAMERA.deproject(np.column_stack([columns.ravel(), rows.ravel()]), 1.0) @ T_base_camera[:3, :3].T
    depth = ((TOP - T_base_camera[2, 3]) / rays[:, 2]).reshape(CAMERA.height, CAMERA.width)
    pose = gripper_pose(grasp, picture_size=CAMERA.size, depth=depth, camera=CAMERA, T_base_camera=T_base_camera)
    figure = Figure(figsize=(12.5, 7.4))
    scene(figure.add_axes((0.0, 0.0, 0.63, 0.93)), T_base_camera=T_base_camera, pose=pose)
    picture(figure.add_axes((0.64, 0.53, 0.35, 0.39)), grasp=grasp, T_base_camera=T_base_camera)
    side(figure.add_axes((0.64, 0.01, 0.35, 0.42)), pose=pose)
    HERE.mkdir(exist_ok=True)
    figure.savefig(HERE / "robot-frames.png", dpi=110, metadata={"Software": None})


def block_corners() -> np.ndarray:
    """Array (2, 4, 3): the four corners of the block's foot and of its top, base frame."""
    turn = Rotation.from_euler("z", TURN).as_matrix()
    flat = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array(SIZE) / 2
    foot = np.column_stack([flat, np.zeros(4)]) @ turn.T + [*CENTER, 0]
    return np.stack([foot, foot + np.array([0, 0, TOP])])


def drawn_grasp(T_base_camera: np.ndarray) -> Grasp:
    """The grasp across the block's short side, as a person draws it on the picture."""
    along = np.array([math.cos(TURN), math.sin(TURN), 0]) * 0.035
    middle = np.array([*CENTER, TOP])
    points = move_points(np.linalg.inv(T_base_camera), np.stack([middle, middle - along, middle + along]))
    center, start, end = CAMERA.project(points)
    dx, dy = end - start
    return Grasp(
        x=(center[0] + 0.5) / CAMERA.width, y=(center[1] + 0.5) / CAMERA.height,
        theta=math.atan2(-dy, dx), opening=math.hypot(dx, dy) / CAMERA.width,
    )  # fmt: skip


# ---- the scene


def flat(points: np.ndarray) -> np.ndarray:
    """Points (..., 3) of the base on the paper (..., 2)."""
    return np.asarray(points, dtype=float) @ np.column_stack([RIGHT, UP])


def frame(axes: Axes, T: np.ndarray, *, name: str, length: float, at: tuple[float, float], order: int = 10) -> None:
    """The three axes of a frame in red, green and blue, and its name."""
    for index, (axis, colour) in enumerate(AXES.items()):
        start, end = flat(np.stack([T[:3, 3], T[:3, 3] + length * T[:3, index]]))
        arrow(axes, start, end, colour=colour, order=order)
        tip = end + (end - start) / np.linalg.norm(end - start) * 0.014
        axes.text(*tip, axis, color=colour, fontsize=12, weight="bold", ha="center", va="center", zorder=order + 1)
    axes.text(*(flat(T[:3, 3]) + at), name, fontsize=11, color=DARK, ha="center", va="center", zorder=order + 1)


def arrow(
    axes: Axes, start: np.ndarray, end: np.ndarray, *, colour: object, order: int = 10, style: str = "-|>"
) -> None:
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle=style, mutation_scale=13, lw=2, color=colour, zorder=order,
                        shrinkA=0, shrinkB=0)
    )  # fmt: skip


def solid(axes: Axes, foot: np.ndarray, top: np.ndarray, *, order: int) -> None:
    """The faces of a prism that are seen from here."""
    for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
        outward = np.cross(foot[b] - foot[a], top[a] - foot[a])
        if outward @ TOWARDS > 0:
            axes.add_patch(face([foot[a], foot[b], top[b], top[a]], colour=SHADE, order=order))
    axes.add_patch(face(top, colour=BLOCK, order=order))


def face(points: object, *, colour: object, order: float, alpha: float = 1.0) -> Polygon:
    return Polygon(flat(np.asarray(points)), facecolor=colour, edgecolor=DARK, lw=0.8, zorder=order, alpha=alpha)


def scene(axes: Axes, *, T_base_camera: np.ndarray, pose: GripperPose) -> None:
    table = np.array([[-0.06, -0.14, 0], [0.46, -0.14, 0], [0.46, 0.2, 0], [-0.06, 0.2, 0]])
    axes.add_patch(Polygon(flat(table), facecolor=TABLE, edgecolor=GREY, lw=1, zorder=0))
    axes.text(*flat(np.array([0.03, -0.075, 0])), "table: z = table_height", fontsize=10, color=GREY)
    foot, top = block_corners()
    solid(axes, foot, top, order=3)
    # The corners of the picture, shown a little in front of the lens.
    corners = np.array([[0, 0], [319, 0], [319, 239], [0, 239]])
    window = move_points(T_base_camera, CAMERA.deproject(corners, 0.11))
    for corner in window:
        axes.plot(*flat(np.stack([T_base_camera[:3, 3], corner])).T, color=GREY, lw=0.8, zorder=6)
    axes.add_patch(face(window, colour="white", order=6, alpha=0.55))
    lens = flat(np.stack([T_base_camera[:3, 3], pose.T_base_gripper[:3, 3] * (1, 1, 0) + (0, 0, TOP)]))
    axes.plot(*lens.T, color=GREY, lw=1, ls=(0, (4, 3)), zorder=5)
    axes.text(
        *(lens[1] + 0.42 * (lens[0] - lens[1]) + np.array([0.012, 0.0])),
        "ray of the grasp's\ncentre pixel",
        fontsize=9.5,
        color=GREY,
    )
    fingers(axes, pose)
    arrow(axes, *flat(np.stack([pose.approach[:3, 3], pose.T_base_gripper[:3, 3]])), colour=GREY, order=4, style="-")
    axes.text(*(flat(pose.approach[:3, 3]) + np.array([-0.008, 0.004])), "approach:\n0.10 m back along z", fontsize=9.5,
              color=GREY, ha="right", va="center")  # fmt: skip
    frame(axes, np.eye(4), name="base", length=0.11, at=(-0.02, -0.022))
    frame(axes, T_base_camera, name="camera (OpenCV)", length=0.09, at=(0.075, 0.035))
    frame(axes, pose.T_base_gripper, name="", length=0.085, at=(0, 0), order=14)
    spot = flat(pose.T_base_gripper[:3, 3])
    axes.annotate("gripper", spot, spot + np.array([0.15, 0.01]), fontsize=11, color=DARK, ha="center", va="center",
                  arrowprops={"arrowstyle": "-", "color": DARK, "lw": 0.7}, zorder=15)  # fmt: skip
    link(axes, T_base_camera)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.autoscale_view()
    axes.figure.text(0.31, 0.95, "Frames: x red, y green, z blue", fontsize=13, color=DARK, ha="center")


def link(axes: Axes, T_base_camera: np.ndarray) -> None:
    start, end = flat(np.stack([np.zeros(3), T_base_camera[:3, 3]]))
    axes.add_patch(
        FancyArrowPatch(start, end, connectionstyle="arc3,rad=-0.28", arrowstyle="-|>", mutation_scale=12, lw=1.2,
                        color=DARK, ls=(0, (2, 2)), zorder=2, shrinkA=8, shrinkB=8)
    )  # fmt: skip
    axes.text(*(start + 0.55 * (end - start) + (-0.085, 0.07)), "T_base_camera\n(hand-eye)", fontsize=10.5, color=DARK,
              ha="center")  # fmt: skip


def fingers(axes: Axes, pose: GripperPose) -> None:
    """Two plates and the palm above them, in the gripper frame."""
    gripper, middle = Gripper(), pose.T_base_gripper[:3, 3]
    for sign in (-1, 1):
        y, pad = sign * pose.opening / 2, gripper.pad_width / 2
        plate = np.array(
            [[-pad, y, 0], [pad, y, 0], [pad, y, -gripper.finger_length], [-pad, y, -gripper.finger_length]]
        )
        points = move_points(pose.T_base_gripper, plate)
        axes.add_patch(face(points, colour=AMBER, order=7 if points[0] @ TOWARDS > middle @ TOWARDS else 2))
    ends = np.array([[0, -0.05, -gripper.finger_length], [0, 0.05, -gripper.finger_length]])
    axes.plot(*flat(move_points(pose.T_base_gripper, ends)).T, color=DARK, lw=6, solid_capstyle="round", zorder=8)


# ---- the picture


def picture(axes: Axes, *, grasp: Grasp, T_base_camera: np.ndarray) -> None:
    foot, top = (CAMERA.project(move_points(np.linalg.inv(T_base_camera), part)) for part in block_corners())
    axes.add_patch(
        Polygon([[-0.5, -0.5], [319.5, -0.5], [319.5, 239.5], [-0.5, 239.5]], facecolor=TABLE, edgecolor=GREY)
    )
    for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
        axes.add_patch(Polygon([foot[a], foot[b], top[b], top[a]], facecolor=SHADE, edgecolor=DARK, lw=0.6))
    axes.add_patch(Polygon(top, facecolor=BLOCK, edgecolor=DARK, lw=0.8))
    rectangle = grasp.rectangle(image_size=CAMERA.size, opening=(grasp.opening or 0) * CAMERA.width)
    corners = rectangle.corners
    for a, b, colour in ((0, 1, BLUE), (1, 2, AMBER), (2, 3, BLUE), (3, 0, AMBER)):
        axes.plot(*corners[[a, b]].T, color=colour, lw=2.6, solid_capstyle="round", zorder=5)
    x, y = grasp.pixel(image_size=CAMERA.size)
    axes.plot([x, x + 62], [y, y], color=DARK, lw=1, ls=(0, (4, 3)), zorder=6)
    reach = 60 * np.array([math.cos(grasp.theta), -math.sin(grasp.theta)])
    axes.plot([x, x + reach[0]], [y, y + reach[1]], color=BLUE, lw=1.6, zorder=6)
    low, high = sorted((0.0, -math.degrees(grasp.theta)))
    axes.add_patch(Arc((x, y), 92, 92, theta1=low, theta2=high, color=DARK, lw=1.4, zorder=6))
    half = grasp.theta / 2
    axes.text(x + 54 * math.cos(half), y - 54 * math.sin(half), f"theta = {grasp.theta:+.2f}", fontsize=11,
              color=DARK, va="center", zorder=7)  # fmt: skip
    axes.plot(x, y, "o", color=DARK, ms=4, zorder=7)
    for end, name in (((44, 0), "x"), ((0, 44), "y")):
        arrow(axes, np.array([6, 6]), np.array([6, 6]) + end, colour=AXES[name])
        axes.text(6 + end[0] * 1.22, 6 + end[1] * 1.22, name, color=AXES[name], fontsize=12, weight="bold", ha="center",
                  va="center")  # fmt: skip
    axes.set_xlim(-4, 323)
    axes.set_ylim(243, -4)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(
        "Picture: pixels x right, y down;\ntheta counter-clockwise, along the opening", fontsize=11.5, color=DARK
    )


# ---- from the side


def side(axes: Axes, *, pose: GripperPose) -> None:
    """The cut along y of the gripper frame; heights in millimetres."""
    gripper, top, tip = Gripper(), 1000 * TOP, 1000 * pose.T_base_gripper[2, 3]
    half, width = 500 * pose.opening, 500 * SIZE[0]
    palm = tip + 1000 * gripper.finger_length
    axes.add_patch(Polygon([[-95, -9], [120, -9], [120, 0], [-95, 0]], facecolor=TABLE, edgecolor=GREY))
    axes.add_patch(Polygon([[-width, 0], [width, 0], [width, top], [-width, top]], facecolor=BLOCK, edgecolor=DARK))
    for sign in (-1, 1):
        inner, outer = sign * half, sign * (half + 6)
        axes.add_patch(
            Polygon([[inner, tip], [outer, tip], [outer, palm], [inner, palm]], facecolor=AMBER, edgecolor=DARK)
        )
    axes.add_patch(
        Polygon([[-52, palm], [52, palm], [52, palm + 16], [-52, palm + 16]], facecolor=GREY, edgecolor=DARK)
    )
    start = np.array([0, tip])
    for end, name, off in ((start - (0, 26), "z", (7, 4)), (start + np.array([14, 0]), "y", (5, 0))):
        arrow(axes, start, end, colour=AXES[name], order=12)
        axes.text(*(end + off), name, color=AXES[name], fontsize=12, weight="bold", ha="center", va="center", zorder=12)
    axes.plot(*start, "o", color=DARK, ms=5, zorder=13)
    measure(axes, x=62, low=tip, high=top, text="finger_depth", reach=width)
    measure(axes, x=-62, low=tip, high=palm, text="finger_length", reach=-half)
    measure(axes, x=62, low=0, high=tip, text="at least\nclearance", reach=half)
    axes.annotate(
        "", (-half, palm + 30), (half, palm + 30), arrowprops={"arrowstyle": "<|-|>", "color": BLUE, "lw": 1.6}
    )
    axes.text(0, palm + 35, "opening", color=BLUE, fontsize=10.5, ha="center")
    axes.text(-90, -4.5, "table", color=GREY, fontsize=10, va="center")
    axes.text(-width + 3, top - 8, "top", color=DARK, fontsize=10)
    axes.set_xlim(-118, 125)
    axes.set_ylim(-12, palm + 48)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title("Depth: below the top, above the table", fontsize=11.5, color=DARK)


def measure(axes: Axes, *, x: float, low: float, high: float, text: str, reach: float) -> None:
    for height in (low, high):
        axes.plot([reach, x], [height, height], color=GREY, lw=0.7, zorder=1)
    axes.annotate("", (x, low), (x, high), arrowprops={"arrowstyle": "<|-|>", "color": DARK, "lw": 1, "shrinkA": 0,
                                                       "shrinkB": 0})  # fmt: skip
    axes.text(x + math.copysign(4, x), (low + high) / 2, text, fontsize=10, color=DARK, va="center",
              ha="left" if x > 0 else "right")  # fmt: skip


if __name__ == "__main__":
    main()
