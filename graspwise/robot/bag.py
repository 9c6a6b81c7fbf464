"""A gripper pose as a ROS 2 bag: `geometry_msgs/msg/PoseStamped` on two topics, written without ROS."""

from pathlib import Path
from typing import Literal

import numpy as np

from graspwise.errors import InputError
from graspwise.files import replacing_folder
from graspwise.robot.pose import GripperPose
from graspwise.robot.rigid import quaternion_of

GRASP_TOPIC = "/graspwise/grasp_pose"
APPROACH_TOPIC = "/graspwise/approach_pose"
POSE_TYPE = "geometry_msgs/msg/PoseStamped"
# Format 9 writes QoS in a form that ROS 2 Iron and older cannot read (rosbag2, pull request 1476).
BAG_VERSION: Literal[8] = 8


def check_bag_path(path: Path | str) -> Path:
    """The path, where nothing is yet.

    Raises:
        InputError: there is a file or a folder already.
    """
    target = Path(path)
    if target.exists():
        raise InputError(f"{target}: already exists; valid is a new name, a bag is a folder")
    return target


def write_bag(path: Path | str, *, pose: GripperPose, stamp: int) -> None:
    """Write the grasp pose and the approach pose, in `pose.frame`, into a new bag.

    Args:
        path: The new bag's folder.
        pose: The gripper pose.
        stamp: Time of the picture, nanoseconds since 1970.

    Raises:
        InputError: the path exists already, or rosbags is not installed.
    """
    try:
        from rosbags.rosbag2 import Writer
        from rosbags.typesys import Stores, get_typestore
    except ImportError as error:
        raise InputError(f"a ROS 2 bag needs rosbags ({error}); pip install 'graspwise[ros]'") from error

    target = check_bag_path(path)
    store = get_typestore(Stores.ROS2_HUMBLE)
    with replacing_folder(target) as folder:
        # The writer makes its folder itself.
        folder.rmdir()
        with Writer(folder, version=BAG_VERSION) as writer:
            for topic, transform in ((GRASP_TOPIC, pose.T_base_gripper), (APPROACH_TOPIC, pose.approach)):
                connection = writer.add_connection(topic, POSE_TYPE, typestore=store)
                message = _pose_stamped(store.types, transform, frame=pose.frame, stamp=stamp)
                writer.write(connection, stamp, store.serialize_cdr(message, POSE_TYPE))


def _pose_stamped(types: dict[str, type], transform: np.ndarray, *, frame: str, stamp: int) -> object:
    x, y, z = transform[:3, 3].tolist()
    qx, qy, qz, qw = quaternion_of(transform)
    return types[POSE_TYPE](
        header=types["std_msgs/msg/Header"](
            stamp=types["builtin_interfaces/msg/Time"](sec=stamp // 10**9, nanosec=stamp % 10**9), frame_id=frame
        ),
        pose=types["geometry_msgs/msg/Pose"](
            position=types["geometry_msgs/msg/Point"](x=x, y=y, z=z),
            orientation=types["geometry_msgs/msg/Quaternion"](x=qx, y=qy, z=qz, w=qw),
        ),
    )
