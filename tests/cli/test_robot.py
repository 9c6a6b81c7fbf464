"""`graspwise robot pose` from outside: files in, a pose or one line out."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from rosbags.rosbag2 import Reader

from graspwise.cli import main
from graspwise.robot.camera import Camera

CAMERA = Camera(160, 120, 150.0, 150.0, 79.5, 59.5)
# 60 cm above the table, straight down, the picture's right along the base's x.
T = np.array([[1, 0, 0, 0.5], [0, -1, 0, 0.1], [0, 0, -1, 0.6], [0, 0, 0, 1.0]])
ANSWER = {
    "image": "photo.png",
    "image_size": [160, 120],
    "reasoning": "A box.",
    "refused": False,
    "grasp": {"x": 0.5, "y": 0.5, "theta": 0.0, "opening": 0.1, "jaw": None, "quality": None},
}
FILES = ["--grasp", "grasp.json", "--camera", "camera.yaml", "--depth", "depth.png", "--out", "pose.json"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all three files: a block of 5 cm height in the middle of a table."""
    millimetres = np.full((120, 160), 600, dtype=np.uint16)
    millimetres[40:80, 75:85] = 550
    Image.fromarray(millimetres).save(tmp_path / "depth.png")
    (tmp_path / "camera.yaml").write_text(CAMERA.to_yaml(T_base_camera=T, depth_unit="mm"))
    (tmp_path / "grasp.json").write_text(json.dumps(ANSWER) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple:
    """Exit code, stdout and stderr of the real entry point."""
    monkeypatch.setattr(sys, "argv", ["graspwise", "robot", "pose", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    captured = capsys.readouterr()
    return int(stopped.value.code or 0), captured.out, captured.err


def test_a_pose_as_json_and_as_a_bag(folder, capsys, monkeypatch):
    code, out, err = run([*FILES, "--ros2", "pose.bag", "--frame", "panda_link0"], capsys, monkeypatch)
    assert (code, err) == (0, "")
    assert out == "pose.json: x +0.500, y +0.100, z +0.015 m in panda_link0, opening 59 mm\n"
    value = json.loads((folder / "pose.json").read_text())
    assert value["position"] == pytest.approx([0.5, 0.1, 0.015])
    assert value["opening_m"] == pytest.approx(0.1 * 160 / 150 * 0.55, abs=1e-6)
    assert (value["frame"], value["clamped"]) == ("panda_link0", False)
    with Reader(folder / "pose.bag") as reader:
        assert {c.topic for c in reader.connections} == {"/graspwise/grasp_pose", "/graspwise/approach_pose"}


def test_too_wide_a_grasp_is_clamped_with_one_line(folder, capsys, monkeypatch):
    (folder / "grasp.json").write_text(json.dumps(ANSWER | {"grasp": ANSWER["grasp"] | {"opening": 0.191}}))
    code, _, err = run(FILES, capsys, monkeypatch)
    assert code == 0
    assert err == "graspwise: grasp opens 112 mm, the gripper 80 mm: clamped\n"
    assert json.loads((folder / "pose.json").read_text())["clamped"] is True
    code, _, err = run([*FILES, "--max-opening", "0.04"], capsys, monkeypatch)
    assert (code, err) == (0, "graspwise: grasp opens 112 mm, the gripper 40 mm: clamped\n")


def test_hand_eye_may_be_a_file_of_its_own(folder, capsys, monkeypatch):
    (folder / "camera.yaml").write_text(CAMERA.to_yaml())
    moved = T.copy()
    moved[0, 3] = 0.3
    (folder / "hand_eye.yaml").write_text(yaml.safe_dump({"T_base_camera": moved.tolist()}))
    code, _, err = run([*FILES, "--hand-eye", "hand_eye.yaml"], capsys, monkeypatch)
    assert (code, err) == (0, "")
    assert json.loads((folder / "pose.json").read_text())["position"][0] == pytest.approx(0.3)


def test_its_own_hand_eye_file_goes_before_the_cameras(folder, capsys, monkeypatch):
    moved = T.copy()
    moved[0, 3] = 0.3
    (folder / "hand_eye.json").write_text(json.dumps({"T_base_camera": moved.tolist()}))
    assert run([*FILES, "--hand-eye", "hand_eye.json"], capsys, monkeypatch)[0] == 0
    assert json.loads((folder / "pose.json").read_text())["position"][0] == pytest.approx(0.3)


def test_an_indented_answer_and_one_without_an_opening(folder, capsys, monkeypatch):
    answer = ANSWER | {"grasp": {"x": 0.5, "y": 0.5, "theta": 0.0}}
    (folder / "grasp.json").write_text(json.dumps(answer, indent=2))
    code, out, _ = run(FILES, capsys, monkeypatch)
    assert code == 0
    assert "opening 80 mm" in out


def grasp(**changes: object) -> dict:
    return ANSWER | {"grasp": ANSWER["grasp"] | changes}


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (grasp(x=1.2), ["grasp.json", "x is 1.2", "0 to 1"]),
        (grasp(y=-0.1), ["grasp.json", "y is -0.1", "0 to 1"]),
        (grasp(theta="up"), ["grasp.json", "grasp.theta", "up"]),
        (grasp(opening=0), ["grasp.json", "opening is 0", "above 0"]),
        (ANSWER | {"grasp": None}, ["no grasp", "null"]),
        (ANSWER | {"grasp": None, "refused": True}, ["no grasp", "refused"]),
        (ANSWER | {"grasp": [0.5, 0.5, 0.0]}, ["grasp", "x, y, theta"]),
        (ANSWER | {"grasp": {"x": 0.5, "y": 0.5}}, ["grasp.theta", "missing"]),
        ({"grasp": ANSWER["grasp"]}, ["image_size", "missing"]),
        (ANSWER | {"image_size": [160]}, ["image_size", "found 1", "2"]),
        (ANSWER | {"image_size": [160, 0]}, ["image_size", "[160, 0]"]),
        (ANSWER | {"image_size": [640, 480]}, ["camera: 160x120", "640x480"]),
        ({"image": "x.png", "error": "no such file"}, ["the picture failed", "no such file"]),
        ("[1, 2]", ["list", "predict --json"]),
        ("[0.523, 0.317], -0.78", ["not an answer", "predict --json"]),
        (json.dumps(ANSWER) + "\n" + json.dumps(ANSWER), ["2 answers", "one line"]),
        ("", ["not an answer"]),
    ],
)
def test_answers_that_are_no_grasp(answer, names, folder, capsys, monkeypatch):
    (folder / "grasp.json").write_text(answer if isinstance(answer, str) else json.dumps(answer))
    check_refused([], names, folder, capsys, monkeypatch)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--grasp", "gone.json"], ["gone.json", "no such file"]),
        (["--camera", "gone.yaml"], ["gone.yaml", "no such file"]),
        (["--depth", "gone.png"], ["gone.png", "no such file"]),
        (["--hand-eye", "gone.yaml"], ["gone.yaml", "no such file"]),
        (["--camera", "grasp.json"], ["grasp.json", "no camera"]),
        (["--depth", "small.png"], ["depth: 80x60", "160x120"]),
        (["--depth", "photo.png"], ["photo.png", "mode RGB"]),
        (["--depth", "holes.png"], ["depth: 0 of", "between the jaws at (80, 60)"]),
        (["--depth-unit", "m"], ["depth.png", "600 m", "unit?"]),
        (["--depth", "metres.tiff", "--depth-unit", "mm"], ["metres.tiff", "0.0006 m", "unit?"]),
        (["--depth-unit", "cm"], ["depth unit", "cm", "mm"]),
        (["--max-opening", "80"], ["max_opening", "80", "millimetres?"]),
        (["--table-height", "0.3"], ["below the table", "table height"]),
        (["--hand-eye", "on_hand.yaml"], ["on_hand.yaml", "on the arm"]),
        (["--ros2", "there.bag"], ["there.bag", "already exists"]),
        (["--out", "there.bag"], ["--out", "folder"]),
    ],
)
def test_files_that_do_not_fit(arguments, names, folder, capsys, monkeypatch):
    Image.fromarray(np.full((60, 80), 600, dtype=np.uint16)).save("small.png")
    Image.new("RGB", (160, 120)).save("photo.png")
    holes = np.full((120, 160), 600, dtype=np.uint16)
    holes[30:90, 40:120] = 0
    Image.fromarray(holes).save("holes.png")
    Image.fromarray(np.full((120, 160), 0.6, dtype=np.float32)).save("metres.tiff")
    Path("on_hand.yaml").write_text(
        "eye_on_hand: true\ntransformation: {x: 0, y: 0, z: 0, qx: 0, qy: 0, qz: 0, qw: 1}\n"
    )
    Path("there.bag").mkdir()
    check_refused(arguments, names, folder, capsys, monkeypatch)


def test_no_hand_eye_anywhere(folder, capsys, monkeypatch):
    (folder / "camera.yaml").write_text(CAMERA.to_yaml())
    check_refused([], ["camera.yaml", "T_base_camera", "--hand-eye"], folder, capsys, monkeypatch)


def test_missing_options(folder, capsys, monkeypatch):
    code, out, err = run(FILES[:-2], capsys, monkeypatch)
    assert (code, out) == (2, "")
    assert "--out" in err


def check_refused(arguments, names, folder, capsys, monkeypatch):
    code, out, err = run([*FILES, *arguments], capsys, monkeypatch)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert all(name in err for name in names), err
    assert not (folder / "pose.json").exists()
