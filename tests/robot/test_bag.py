import sys
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_typestore
from scipy.spatial.transform import Rotation
from traced_scene import looking

from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.robot.bag import write_bag
from graspwise.robot.camera import Camera
from graspwise.robot.pose import GripperPose, gripper_pose

STAMP = 1_718_033_988_749_804_932


@pytest.fixture
def pose() -> GripperPose:
    camera = Camera(160, 120, 150.0, 150.0, 79.5, 59.5)
    return gripper_pose(
        Grasp(x=0.6, y=0.5, theta=0.4, opening=0.1), picture_size=camera.size, depth=np.full((120, 160), 0.6),
        camera=camera, T_base_camera=looking((0.5, 0.1), distance=0.6), frame="panda_link0",
    )  # fmt: skip


def test_both_poses_are_read_back(pose, tmp_path):
    path = tmp_path / "new" / "pose.bag"
    write_bag(path, pose=pose, stamp=STAMP)
    expected = {"/graspwise/grasp_pose": pose.T_base_gripper, "/graspwise/approach_pose": pose.approach}
    found = {}
    store = get_typestore(Stores.ROS2_HUMBLE)
    with Reader(path) as reader:
        assert {c.msgtype for c in reader.connections} == {"geometry_msgs/msg/PoseStamped"}
        for connection, time, raw in reader.messages():
            message = store.deserialize_cdr(raw, connection.msgtype)
            assert time == STAMP
            assert (message.header.stamp.sec, message.header.stamp.nanosec) == divmod(STAMP, 10**9)
            assert message.header.frame_id == "panda_link0"
            found[connection.topic] = message.pose
    assert found.keys() == expected.keys()
    for topic, transform in expected.items():
        position, turn = found[topic].position, found[topic].orientation
        assert [position.x, position.y, position.z] == transform[:3, 3].tolist()
        matrix = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
        assert matrix == pytest.approx(transform[:3, :3], abs=1e-12)


def test_a_bag_is_never_overwritten(pose, tmp_path):
    path = tmp_path / "pose.bag"
    write_bag(path, pose=pose, stamp=STAMP)
    before = (path / "metadata.yaml").read_bytes()
    with pytest.raises(InputError, match=r"pose\.bag: already exists"):
        write_bag(path, pose=pose, stamp=STAMP + 1)
    assert (path / "metadata.yaml").read_bytes() == before


def test_without_rosbags_it_says_what_to_install(pose, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rosbags.rosbag2", None)
    with pytest.raises(InputError, match=r"needs rosbags .* pip install 'graspwise\[ros\]'"):
        write_bag(tmp_path / "pose.bag", pose=pose, stamp=STAMP)
    assert list(tmp_path.iterdir()) == []


def test_a_bag_that_fails_half_way_is_not_there(pose, tmp_path, monkeypatch):
    from rosbags.rosbag2 import Writer

    def fail(self, *_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Writer, "write", fail)
    with pytest.raises(OSError, match="no space"):
        write_bag(tmp_path / "pose.bag", pose=pose, stamp=STAMP)
    assert list(Path(tmp_path).iterdir()) == []
