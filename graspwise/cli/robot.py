"""`graspwise robot`: from a grasp on a picture to a pose a robot can go to."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graspwise.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from graspwise.grasp import Grasp

robot_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="From a grasp on a picture to a pose in the robot's base frame."
)


@robot_app.callback()
def robot() -> None:
    """From a grasp on a picture to a pose in the robot's base frame."""


@robot_app.command()
def pose(
    grasp: Annotated[Path, typer.Option(metavar="GRASP.json", help="One line of `graspwise predict --json`.")],
    camera: Annotated[Path, typer.Option(help="Calibration file of ROS or of a RealSense, YAML or JSON.")],
    depth: Annotated[Path, typer.Option(help="Depth picture aligned with the picture: 16-bit PNG, or TIFF.")],
    out: Annotated[Path, typer.Option(metavar="POSE.json", help="Where the pose goes.")],
    hand_eye: Annotated[
        Path | None, typer.Option(help="Hand-eye calibration file; by default T_base_camera of the camera's file.")
    ] = None,
    ros2: Annotated[Path | None, typer.Option(metavar="BAG", help="Also write a ROS 2 bag, a new folder.")] = None,
    depth_unit: Annotated[str, typer.Option(metavar="auto|mm|m", help="Unit of the depth picture.")] = "auto",
    max_opening: Annotated[float, typer.Option(help="The gripper's widest opening, metres.")] = 0.08,
    table_height: Annotated[float, typer.Option(help="z of the table in the base frame, metres.")] = 0.0,
    frame: Annotated[str, typer.Option(help="Name of the base frame.")] = "base",
) -> None:
    """Turn a planar grasp and a depth picture into a gripper pose in the robot's base frame."""
    from graspwise.files import write_json
    from graspwise.picture import open_depth
    from graspwise.robot.bag import check_bag_path, write_bag
    from graspwise.robot.camera_file import read_camera, read_depth_unit
    from graspwise.robot.pose import Gripper, gripper_pose

    if ros2 is not None:
        check_bag_path(ros2)
    if out.is_dir():
        raise InputError(f"--out is the folder {out}; valid is a file, POSE.json")
    planar, picture_size = read_grasp(grasp)
    calibration, gripper = read_camera(camera), Gripper(max_opening=max_opening)
    T_base_camera = find_hand_eye(hand_eye, camera=camera)
    unit = depth_unit if depth_unit != "auto" else read_depth_unit(camera) or "auto"
    found = gripper_pose(
        planar, picture_size=picture_size, depth=open_depth(depth, unit=unit), camera=calibration,
        T_base_camera=T_base_camera, gripper=gripper, table_height=table_height, frame=frame,
    )  # fmt: skip
    if found.clamped and found.asked_opening is not None:
        wide, limit = 1000 * found.asked_opening, 1000 * found.opening
        print(f"graspwise: grasp opens {wide:.0f} mm, the gripper {limit:.0f} mm: clamped", file=sys.stderr)
    if ros2 is not None:
        write_bag(ros2, pose=found, stamp=time.time_ns())
    write_json(out, found.to_json())
    x, y, z = found.T_base_gripper[:3, 3].tolist()
    print(f"{out}: x {x:+.3f}, y {y:+.3f}, z {z:+.3f} m in {frame}, opening {1000 * found.opening:.0f} mm")


def read_grasp(path: Path) -> tuple["Grasp", tuple[int, int]]:
    """Grasp and (width, height) of its picture, of a file with one line of `graspwise predict --json`.

    Raises:
        InputError: another file, an answer without a grasp, or a number outside its range.
    """
    from graspwise.grasp import Grasp
    from graspwise.robot.calibration_file import number, numbers

    answer = _one_answer(path)
    try:
        if "error" in answer:
            raise InputError(f"the picture failed ({answer['error']})")
        if answer.get("grasp") is None:
            why = "the model refused" if answer.get("refused") else "grasp is missing or null"
            raise InputError(f"no grasp, {why}; valid is an answer of `graspwise predict --json` with a grasp")
        if not isinstance(answer["grasp"], dict):
            raise InputError(f"grasp: found {str(answer['grasp'])[:40]!r}; valid is x, y, theta, opening, ...")
        width, height = numbers(answer.get("image_size"), name="image_size", count=2)
        if min(width, height) < 1 or width != int(width) or height != int(height):
            raise InputError(f"image_size: found {answer['image_size']}; valid is [width, height] in pixels")
        given = answer["grasp"]
        fields = {name: number(given.get(name), name=f"grasp.{name}") for name in ("x", "y", "theta")}
        for name in ("opening", "jaw"):
            if given.get(name) is not None:
                fields[name] = number(given[name], name=f"grasp.{name}")
        return Grasp(**fields), (int(width), int(height))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def find_hand_eye(path: Path | None, *, camera: Path) -> "np.ndarray":
    """`T_base_camera`, array (4, 4), of its own file, else of the camera's.

    Raises:
        InputError: neither file has it.
    """
    from graspwise.robot.hand_eye import has_hand_eye, read_hand_eye

    if path is None and not has_hand_eye(camera):
        raise InputError(
            f"{camera}: no T_base_camera, and no other file says where the camera is; give --hand-eye FILE"
        )
    return read_hand_eye(path or camera)


def _one_answer(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        text = path.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line.strip()]
        # A file that somebody indented is one answer on many lines.
        several = len(lines) > 1 and all(line.startswith("{") and line.rstrip().endswith("}") for line in lines)
        answer = None if several else json.loads(text)
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not an answer of `graspwise predict --json` ({error})") from error
    if several:
        raise InputError(f"{path}: holds {len(lines)} answers; valid is one line of `graspwise predict --json`")
    if not isinstance(answer, dict):
        raise InputError(f"{path}: holds {type(answer).__name__}; valid is one line of `graspwise predict --json`")
    return answer
