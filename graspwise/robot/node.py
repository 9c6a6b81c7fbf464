"""A thin ROS 2 node: pictures and a sentence in, gripper poses out.

    python -m graspwise.robot.node --ros-args -p hand_eye:=hand_eye.yaml -r image:=/camera/color/image_raw \\
        -r depth:=/camera/aligned_depth_to_color/image_raw -r camera_info:=/camera/color/camera_info

Subscribes `image`, `depth` (aligned with it), `camera_info` and `~/ask` (std_msgs/String). Each sentence is answered on
the newest picture: `~/grasp_pose` and `~/approach_pose` (geometry_msgs/PoseStamped). ROS is imported when it runs.
"""

import sys
from functools import partial
from typing import Any

from graspwise.errors import InputError
from graspwise.robot.hand_eye import read_hand_eye
from graspwise.robot.messages import camera_of, depth_of, fill_pose, rgb_of
from graspwise.robot.pose import Gripper, GripperPose, gripper_pose

TOPICS = ("grasp_pose", "approach_pose")
PARAMETERS = {"hand_eye": "", "model": "small", "frame": "base", "max_opening": 0.08, "table_height": 0.0}


class Asker:
    """The newest messages, and the pose that a sentence asks for.

    Args:
        model: What `graspwise.load` gives.
        parameters: A value for each of PARAMETERS.

    Raises:
        InputError: no valid hand-eye calibration or opening.
    """

    def __init__(self, model: Any, *, parameters: dict[str, Any]) -> None:
        if not parameters["hand_eye"]:
            raise InputError("parameter hand_eye: missing; give a calibration file, -p hand_eye:=FILE")
        self._model = model
        self._T_base_camera = read_hand_eye(parameters["hand_eye"])
        self._gripper = Gripper(max_opening=parameters["max_opening"])
        self._frame, self._table_height = parameters["frame"], parameters["table_height"]
        self.newest: dict[str, Any] = {}

    def keep(self, name: str, message: Any) -> None:
        """Take a message of the topic `image`, `depth` or `camera_info`."""
        self.newest[name] = message

    def pose(self, sentence: str) -> GripperPose:
        """Gripper pose for a sentence on the newest picture.

        Raises:
            InputError: a message has not come yet or cannot be used, or the model refuses.
        """
        missing = [name for name in ("image", "depth", "camera_info") if name not in self.newest]
        if missing:
            raise InputError(f"nothing came yet on {', '.join(missing)}; remap the topics, -r image:=TOPIC")
        rgb = rgb_of(self.newest["image"])
        answer = self._model.look(rgb).ask(sentence)
        if answer.grasp is None:
            raise InputError(f"no grasp for {sentence!r}: {answer.text}")
        return gripper_pose(
            answer.grasp, picture_size=(rgb.shape[1], rgb.shape[0]), depth=depth_of(self.newest["depth"]),
            camera=camera_of(self.newest["camera_info"]), T_base_camera=self._T_base_camera,
            gripper=self._gripper, table_height=self._table_height, frame=self._frame,
        )  # fmt: skip


def main() -> int:
    """Run the node until it is interrupted; 2 where ROS 2 or a parameter is missing."""
    try:
        import rclpy
        from geometry_msgs.msg import PoseStamped
        from rclpy.qos import qos_profile_sensor_data
        from sensor_msgs.msg import CameraInfo, Image
        from std_msgs.msg import String
    except ImportError as error:
        print(f"graspwise: {error}; the node needs ROS 2, source its setup file first", file=sys.stderr)
        return 2
    import graspwise

    rclpy.init()
    node = rclpy.create_node("graspwise")
    log = node.get_logger()
    try:
        parameters = {name: node.declare_parameter(name, value).value for name, value in PARAMETERS.items()}
        asker = Asker(graspwise.load(parameters["model"], say=log.info), parameters=parameters)
        publishers = {name: node.create_publisher(PoseStamped, f"~/{name}", 1) for name in TOPICS}

        def ask(message: Any) -> None:
            try:
                pose = asker.pose(message.data)
            except InputError as error:
                log.error(str(error))
                return
            stamp = asker.newest["image"].header.stamp
            for name, transform in zip(TOPICS, (pose.T_base_gripper, pose.approach), strict=True):
                filled = fill_pose(PoseStamped(), transform=transform, frame=pose.frame, stamp=stamp)
                publishers[name].publish(filled)
            log.info(f"opening {pose.opening:.3f} m{' (clamped)' if pose.clamped else ''}")

        for name, kind in (("image", Image), ("depth", Image), ("camera_info", CameraInfo)):
            # ROS counts a callback's parameters: with a second one, the message's info would come there.
            node.create_subscription(kind, name, partial(asker.keep, name), qos_profile_sensor_data)
        node.create_subscription(String, "~/ask", ask, 1)
        rclpy.spin(node)
    except InputError as error:
        log.error(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
