"""The node without ROS: its logic on message-like objects, and `main` on a stand-in for rclpy."""

import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from traced_scene import Box, looking, seen, trace

from graspwise.errors import InputError
from graspwise.robot import node
from graspwise.robot.camera import Camera

CAMERA = Camera(160, 120, 150.0, 150.0, 79.5, 59.5)
BOX = Box(center=(0.5, 0.1), size=(0.05, 0.1), top=0.05)
T = looking((0.5, 0.1), distance=0.6)
ENDS = np.array([[0.47, 0.1, 0.05], [0.53, 0.1, 0.05]])


class Model:
    """Answers with the box's grasp, or refuses."""

    def look(self, rgb: np.ndarray) -> "Model":
        assert rgb.shape == (120, 160, 3)
        return self

    def ask(self, sentence: str) -> SimpleNamespace:
        grasp = None if "unicorn" in sentence else seen(CAMERA, T, ENDS)
        return SimpleNamespace(grasp=grasp, text="There is none.")


@pytest.fixture
def parameters(tmp_path: Path) -> dict:
    path = tmp_path / "camera.yaml"
    path.write_text(CAMERA.to_yaml(T_base_camera=T))
    return node.PARAMETERS | {"hand_eye": str(path), "frame": "panda_link0"}


@pytest.fixture
def messages() -> dict:
    stamp = SimpleNamespace(sec=7, nanosec=8)
    image = {"height": 120, "width": 160, "is_bigendian": 0, "header": SimpleNamespace(stamp=stamp)}
    millimetres = np.rint(trace(CAMERA, T, [BOX]) * 1000).astype("<u2")
    return {
        "image": SimpleNamespace(**image, encoding="rgb8", step=480, data=bytes(480 * 120)),
        "depth": SimpleNamespace(**image, encoding="16UC1", step=320, data=millimetres.tobytes()),
        "camera_info": SimpleNamespace(
            width=160, height=120, distortion_model="plumb_bob", k=CAMERA.matrix.ravel(), d=[0.0] * 5
        ),
    }


def test_a_sentence_gives_the_pose_of_the_box(parameters, messages):
    asker = node.Asker(Model(), parameters=parameters)
    for name, message in messages.items():
        asker.keep(name, message)
    pose = asker.pose("Pick up the box")
    assert pose.T_base_gripper[:3, 3] == pytest.approx([0.5, 0.1, 0.015], abs=0.001)
    assert pose.opening == pytest.approx(0.06, abs=0.001)
    assert pose.frame == "panda_link0"


def test_what_is_missing_or_refused_is_one_line(parameters, messages):
    asker = node.Asker(Model(), parameters=parameters)
    asker.keep("image", messages["image"])
    with pytest.raises(InputError, match="nothing came yet on depth, camera_info"):
        asker.pose("Pick up the box")
    for name, message in messages.items():
        asker.keep(name, message)
    with pytest.raises(InputError, match=r"no grasp for 'Pick up the unicorn': There is none\."):
        asker.pose("Pick up the unicorn")
    with pytest.raises(InputError, match="hand_eye: missing"):
        node.Asker(Model(), parameters=dict(node.PARAMETERS))


def test_without_ros_it_says_so_and_stops():
    done = subprocess.run(
        [sys.executable, "-m", "graspwise.robot.node"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "rclpy" in done.stderr and "ROS 2" in done.stderr
    assert done.stdout == ""


class Ros:
    """What `main` uses of rclpy: parameters, topics, and a spin that delivers messages once."""

    def __init__(self, parameters: dict, messages: dict, sentences: list[str]) -> None:
        self.parameters, self.messages, self.sentences = parameters, messages, sentences
        self.callbacks, self.published, self.lines, self.closed = {}, [], [], []

    def create_node(self, name: str) -> "Ros":
        return self

    def get_logger(self) -> SimpleNamespace:
        return SimpleNamespace(info=self.lines.append, error=lambda line: self.lines.append("ERROR " + line))

    def declare_parameter(self, name: str, default: object) -> SimpleNamespace:
        return SimpleNamespace(value=self.parameters.get(name, default))

    def create_publisher(self, kind: type, topic: str, depth: int) -> SimpleNamespace:
        return SimpleNamespace(publish=lambda message: self.published.append((topic, message)))

    def create_subscription(self, kind: type, topic: str, callback, qos: object) -> None:
        # rclpy passes a second argument to a callback that could take one.
        assert len(inspect.signature(callback).parameters) == 1
        self.callbacks[topic] = callback

    def spin(self, _: object) -> None:
        for name, message in self.messages.items():
            self.callbacks[name](message)
        for sentence in self.sentences:
            self.callbacks["~/ask"](SimpleNamespace(data=sentence))

    def destroy_node(self) -> None:
        self.closed.append("node")


def pose_stamped() -> SimpleNamespace:
    return SimpleNamespace(
        header=SimpleNamespace(), pose=SimpleNamespace(position=SimpleNamespace(), orientation=SimpleNamespace())
    )


def run_main(ros: Ros, monkeypatch: pytest.MonkeyPatch) -> int:
    contents = {
        "rclpy": {"init": lambda: None, "create_node": ros.create_node, "spin": ros.spin,
                  "try_shutdown": lambda: ros.closed.append("ros")},
        "rclpy.qos": {"qos_profile_sensor_data": 5},
        "geometry_msgs": {},
        "geometry_msgs.msg": {"PoseStamped": pose_stamped},
        "sensor_msgs": {},
        "sensor_msgs.msg": {"CameraInfo": object, "Image": object},
        "std_msgs": {},
        "std_msgs.msg": {"String": object},
    }  # fmt: skip
    for name, fields in contents.items():
        module = ModuleType(name)
        vars(module).update(fields)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("graspwise.predict.load", lambda name, say: Model())
    return node.main()


def test_main_publishes_both_poses_and_goes_on_after_a_refusal(parameters, messages, monkeypatch):
    ros = Ros(parameters, messages, ["the unicorn", "the box"])
    assert run_main(ros, monkeypatch) == 0
    assert [topic for topic, _ in ros.published] == ["~/grasp_pose", "~/approach_pose"]
    grasp, approach = (message for _, message in ros.published)
    assert grasp.header.frame_id == "panda_link0"
    assert grasp.header.stamp.sec == 7
    assert approach.pose.position.z - grasp.pose.position.z == pytest.approx(0.1)
    assert ros.lines[0].startswith("ERROR no grasp")
    assert ros.lines[-1].startswith("opening 0.06")
    assert ros.closed == ["node", "ros"]


def test_main_stops_on_a_bad_parameter(parameters, messages, monkeypatch):
    ros = Ros(parameters | {"hand_eye": "gone.yaml"}, messages, [])
    assert run_main(ros, monkeypatch) == 2
    assert ros.lines == ["ERROR gone.yaml: no such file"]
    assert ros.closed == ["node", "ros"]
