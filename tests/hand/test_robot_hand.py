"""Robot hands from YAML: lengths that can be reckoned by hand, and files that are refused."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from graspwise.errors import InputError
from graspwise.hand.robot_hand import ALLEGRO, read_robot_hand


def described() -> dict:
    return yaml.safe_load(ALLEGRO.read_text())


def test_the_straight_middle_finger_is_as_long_as_its_segments():
    robot = read_robot_hand()
    tips = dict(zip(robot.tips, robot.fingertips(np.zeros(16)), strict=True))
    assert tips["middle"] == pytest.approx([0, 0, 0.0007 + 0.0164 + 0.054 + 0.0384 + 0.0267])
    # Index and ring stand to either side and lean outwards by 5 degrees.
    assert tips["index"][1] == pytest.approx(-tips["ring"][1]) and tips["index"][1] > 0.0435


def test_a_bent_joint_turns_all_that_is_beyond_it():
    robot = read_robot_hand()
    angles = np.zeros(16)
    angles[robot.joints.index("mfj1")] = np.pi / 2
    reach = 0.054 + 0.0384 + 0.0267
    assert robot.fingertips(angles)[list(robot.tips).index("middle")] == pytest.approx([reach, 0, 0.0171])


def test_its_axes_are_a_rotation_that_looks_along_its_fingers():
    robot = read_robot_hand()
    assert robot.axes @ robot.axes.T == pytest.approx(np.eye(3))
    assert np.linalg.det(robot.axes) == pytest.approx(1)
    assert robot.axes @ [1, 0, 0] == pytest.approx([0, 0, 1])
    # The palm looks along -z of all hand models, and along x of this one's palm.
    assert robot.axes @ [0, 0, -1] == pytest.approx([1, 0, 0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("tips"), "found along, back, joints, name at the top"),
        (lambda d: d.update(along=[0, 0, 0]), "along: found no direction"),
        (lambda d: d.update(back=[0, 0, 1]), "right angles"),
        (lambda d: d.update(joints=[]), "list of one or more joints"),
        (lambda d: d["joints"][0].update(parent="elbow"), "found parent elbow"),
        (lambda d: d["joints"][1].update(name="ffj0"), "ffj0: found parent"),
        (lambda d: d["joints"][0].update(at=[0, 1]), "valid are 3 finite numbers"),
        (lambda d: d["joints"][0].update(limits=[1, -1]), "a lower, then a higher angle"),
        (lambda d: d["joints"][0].pop("axis"), "valid are exactly"),
        (lambda d: d["joints"].__setitem__(0, "ffj0"), "valid is a mapping"),
        (lambda d: d["tips"].pop("thumb"), "valid are the thumb"),
        (lambda d: d["tips"].update(toe=d["tips"]["thumb"]), "found toe"),
        (lambda d: d["tips"]["thumb"].update(joint="nose"), "found joint nose"),
        (lambda d: d["tips"]["thumb"].update(radius="thick"), "valid are 1 finite numbers"),
    ],
)
def test_a_file_that_is_no_hand_is_refused(tmp_path: Path, change, said: str):
    value = described()
    change(value)
    path = tmp_path / "hand.yaml"
    path.write_text(yaml.safe_dump(value))
    with pytest.raises(InputError, match=said):
        read_robot_hand(path)
