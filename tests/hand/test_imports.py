"""Other data sets, read from files that the tests write in their layouts."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hand_cases import mano_arrays, write_mano
from plain_solids import ball, box
from scipy.spatial.transform import Rotation

from graspwise.errors import InputError
from graspwise.hand.grasps import HandDataset
from graspwise.hand.import_dexgraspnet import SHADOW, fingertips, fitted, read_dexgraspnet, scaled
from graspwise.hand.imports import Imported, arrays_in, import_hands, read_imported
from graspwise.hand.mano import Mano, load_mano
from graspwise.hand.mano_file import FILE
from graspwise.hand.mesh import Solid
from graspwise.hand.model import FINGERS
from graspwise.hand.open_hand import load_open_hand
from graspwise.hand.optimise import Hold
from graspwise.hand.robot_hand import read_robot_hand


@pytest.fixture
def mano(tmp_path: Path) -> Mano:
    pytest.importorskip("smplx")
    write_mano(tmp_path / FILE, mano_arrays())
    return load_mano(tmp_path)


def oakink(root: Path, pose: dict[str, np.ndarray]) -> Path:
    """A real mug whose box is not around the origin, a virtual one, and a grasp on each."""
    shape = root / "OakInk" / "shape"
    grasp = shape / "oakink_shape_v2" / "mug" / "C10001" / "0123456789"
    for folder in (grasp, grasp / "s12345"):
        folder.mkdir(parents=True)
        (folder / "hand_param.pkl").write_bytes(pickle.dumps(pose))
    (grasp / "source.txt").write_text("pass1/C10001_0001_0003/2021-10-09-13-52-44/dom.pkl")
    (shape / "metaV2").mkdir()
    (shape / "metaV2" / "object_id.json").write_text(json.dumps({"C10001": {"name": "red_mug"}}))
    (shape / "metaV2" / "virtual_object_id.json").write_text(json.dumps({"s12345": {"name": "thin_mug"}}))
    for place, name, side in (("OakInkObjectsV2", "red_mug", 0.1), ("OakInkVirtualObjectsV2", "thin_mug", 0.06)):
        folder = shape / place / name / "align"
        folder.mkdir(parents=True)
        box((0.2, 0.2, 0.2), (0.2 + side, 0.3, 0.3)).export(folder / "mug_align.obj")
        box((0, 0, 0), (1, 1, 1)).export(folder / "mug_raw.ply")
    return root / "OakInk"


def test_oakink_puts_the_wrist_where_it_says(mano: Mano, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pose = {"pose": rng.normal(size=48) * 0.3, "shape": rng.normal(size=10), "tsl": np.array([0.01, -0.02, 0.03])}
    found = list(read_imported("oakink", oakink(tmp_path, pose), hand=mano))
    assert [thing.object_id for thing in found] == ["oakink/C10001", "oakink/s12345"]
    for thing, side in zip(found, (0.1, 0.06), strict=True):
        assert thing.name == "mug" and thing.parameters.shape == (1, mano.layout.size)
        assert np.allclose(thing.solid.vertices.max(axis=0), (side / 2, 0.05, 0.05), atol=1e-4)
        posed = mano.pose(*mano.layout.split(torch.from_numpy(thing.parameters)))
        assert np.allclose(posed.joints[0, 0], pose["tsl"], atol=1e-5)
        _, articulation, shape = mano.layout.split(torch.from_numpy(thing.parameters))
        assert np.allclose(articulation[0], pose["pose"][3:], atol=1e-6) and np.allclose(shape[0], pose["shape"])


def test_oakink_is_of_mano_only(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="valid is mano"):
        list(read_imported("oakink", tmp_path, hand=load_open_hand()))


def test_oakinks_damage_is_one_line(mano: Mano, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give OakInk's folder"):
        list(read_imported("oakink", tmp_path, hand=mano))
    folder = oakink(tmp_path, {"pose": np.zeros(45), "shape": np.zeros(10), "tsl": np.zeros(3)})
    with pytest.raises(InputError, match="pose: found 45 numbers; valid are 48"):
        list(read_imported("oakink", folder, hand=mano))


def grab(root: Path, mano: Mano, *, touched: int) -> tuple[Path, dict[str, np.ndarray]]:
    """A motion of three frames in which the hand is on the cube in the second."""
    rng = np.random.default_rng(1)
    betas = rng.normal(size=10)
    template = mano.body.v_template.numpy() + mano.body.shapedirs.numpy() @ betas
    (root / "tools" / "subject_meshes").mkdir(parents=True)
    (root / "tools" / "object_meshes").mkdir(parents=True)
    faces = mano.body.faces.astype(np.int64)
    hand_mesh = ball(0.01, fine=0)
    hand_mesh = type(hand_mesh)(template + 0.002, faces, process=False)
    hand_mesh.export(root / "tools" / "subject_meshes" / "s1_rhand.ply")
    box((-0.03, -0.03, -0.03), (0.03, 0.03, 0.03)).export(root / "tools" / "object_meshes" / "cubemedium.ply")
    contact = np.zeros((3, 100), np.int8)
    contact[1, :touched] = 44
    contact[2, :90] = 30
    rows = {
        name: rng.normal(size=(3, count)) * 0.4
        for name, count in (
            ("global_orient", 3),
            ("transl", 3),
            ("fullpose", 45),
            ("object_orient", 3),
            ("object_transl", 3),
        )
    }
    sequence: dict[str, Any] = {
        "obj_name": "cubemedium", "sbj_id": "s1", "n_comps": 24, "gender": "male",
        "object": {"object_mesh": "tools/object_meshes/cubemedium.ply",
                   "params": {"global_orient": rows["object_orient"], "transl": rows["object_transl"]}},
        "rhand": {"vtemp": "tools/subject_meshes/s1_rhand.ply",
                  "params": {name: rows[name] for name in ("global_orient", "transl", "fullpose")}},
        "contact": {"object": contact},
    }  # fmt: skip
    (root / "grab" / "s1").mkdir(parents=True)
    np.savez(root / "grab" / "s1" / "cubemedium_lift.npz", **sequence)
    return root, {**rows, "betas": betas}


def test_grab_gives_the_hand_in_the_objects_frame(mano: Mano, tmp_path: Path) -> None:
    folder, rows = grab(tmp_path / "GRAB", mano, touched=40)
    [thing] = read_imported("grab", folder, hand=mano)
    assert thing.object_id == "grab/cubemedium" and thing.parameters.shape == (1, mano.layout.size)
    transform, articulation, shape = mano.layout.split(torch.from_numpy(thing.parameters))
    assert np.allclose(shape[0], rows["betas"], atol=2e-2)
    ours = mano.pose(transform, articulation, shape).vertices[0].numpy()
    row = {name: torch.from_numpy(rows[name][1:2]).float() for name in ("global_orient", "transl", "fullpose")}
    theirs = mano.body(
        betas=torch.from_numpy(rows["betas"]).float()[None], global_orient=row["global_orient"],
        hand_pose=row["fullpose"], transl=row["transl"],
    ).vertices[0].numpy()  # fmt: skip
    # As GRAB's own code places an object: v R + t, so that a point of the world is (x - t) R^T in its frame.
    rotation = Rotation.from_rotvec(rows["object_orient"][1]).as_matrix()
    in_object = (theirs - rows["object_transl"][1]) @ rotation.T
    assert np.abs(ours - in_object).max() < 3e-3


def test_a_motion_that_holds_nothing_gives_nothing(mano: Mano, tmp_path: Path) -> None:
    folder, _ = grab(tmp_path / "GRAB", mano, touched=5)
    assert list(read_imported("grab", folder, hand=mano)) == []
    with pytest.raises(InputError, match="that GRAB was unpacked in"):
        list(read_imported("grab", tmp_path / "nowhere", hand=mano))


def shadow_pose(**joints: float) -> dict[str, float]:
    robot = read_robot_hand(SHADOW)
    pose = {f"robot0:{name}": joints.get(name, 0.0) for name in robot.joints}
    place = {"WRJTx": 0.1, "WRJTy": 0.0, "WRJTz": 0.05, "WRJRx": 0.3, "WRJRy": -0.2, "WRJRz": 1.0}
    return pose | place


def test_the_shadow_hand_is_a_right_hand_that_bends_to_its_palm() -> None:
    robot = read_robot_hand(SHADOW)
    flat = dict(zip(robot.tips, robot.fingertips(np.zeros(22)), strict=True))
    # 95 + 45 + 25 + 24 mm from the wrist.
    assert flat["index"] == pytest.approx((0.033, 0, 0.189), abs=1e-6)
    in_hand = {finger: robot.axes.T @ tip for finger, tip in flat.items()}
    sides = [in_hand[finger][1] for finger in FINGERS]
    assert sides == sorted(sides, reverse=True)
    bent = np.array([1.0 if name.endswith(("FJ2", "FJ1")) else 0.0 for name in robot.joints])
    curled = dict(zip(robot.tips, robot.fingertips(bent), strict=True))
    assert all((robot.axes.T @ curled[finger])[2] < -0.03 for finger in FINGERS[1:])


def test_a_human_hand_takes_over_the_robots_fingertips() -> None:
    hold = Hold.of(load_open_hand())
    bends = dict.fromkeys((f"{f}FJ{j}" for f in "FMRL" for j in (1, 2)), 0.6)
    palm, tips = fingertips(shadow_pose(**bends, THJ4=0.8, THJ3=0.6), read_robot_hand(SHADOW))
    rows = fitted(hold, palm[None], torch.from_numpy(tips)[None].float())
    vertices = hold.hand.pose(*hold.hand.layout.split(rows)).vertices
    ends = torch.cat([hold.pads[hold.tips], hold.backs[hold.tips]], dim=1)
    far = (vertices[0, ends].mean(1) - torch.from_numpy(tips).float()).norm(dim=-1)
    assert far.max() < 0.015
    assert torch.rad2deg(torch.arccos((rows[0, :3] @ palm[:3, 0]).clamp(-1, 1))) < 40


def test_dexgraspnet_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give DexGraspNet's data folder"):
        read_dexgraspnet(tmp_path, hand=load_open_hand())
    (tmp_path / "dataset").mkdir()
    grasps = np.array([{"qpos": shadow_pose(), "scale": 0.1}, {"qpos": {}, "scale": 0.1}], dtype=object)
    np.save(tmp_path / "dataset" / "core-mug-1.npy", grasps)
    with pytest.raises(InputError, match="grasp 1 is none of the Shadow Hand's"):
        list(read_dexgraspnet(tmp_path, hand=load_open_hand()))


def test_an_object_of_radius_one_gets_its_size(tmp_path: Path) -> None:
    ball(1.0, fine=2).export(tmp_path / "decomposed.obj")
    assert scaled(tmp_path / "decomposed.obj", 0.06).size == pytest.approx((0.12,) * 3, rel=0.02)
    with pytest.raises(InputError, match="unpack meshdata"):
        scaled(tmp_path / "other.obj", 0.06)


def test_an_import_is_a_data_set(tmp_path: Path) -> None:
    hand = load_open_hand()
    sphere = ball(0.03, fine=2)
    thing = Solid("ball", np.asarray(sphere.vertices), np.asarray(sphere.faces), (), np.full(len(sphere.faces), -1))
    near = hand.layout.join(torch.eye(4)[None], hand.rest[None], torch.zeros(1, 6))
    # The ball touches the palm of the first hand, and is far from the second.
    near[0, 6:9] = torch.tensor([-0.08, 0.0, 0.0515])
    far = near.clone()
    far[0, 8] += 1.0
    things = [Imported("grab/ball", "ball", thing, torch.cat([near, far]).numpy())]
    counts = import_hands("grab", things, tmp_path / "hands", hand=hand)
    assert (counts.objects, counts.grasps, counts.apart) == (1, 1, 1)
    data = HandDataset(tmp_path / "hands")
    assert data.objects["grab/ball"].set == "grab" and "palm" in data.grasps[0].fingers
    assert data.solid("grab/ball").size == pytest.approx((0.06,) * 3, abs=1e-3)
    assert {caption.level for caption in data.grasps[0].captions} == {"low", "high", "talk"}
    with pytest.raises(InputError, match="not an empty folder"):
        import_hands("grab", things, tmp_path / "hands", hand=hand)


class Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return (eval, ("1 + 1",))


@pytest.mark.parametrize("name", ["a.pkl", "a.npy", "a.npz"])
def test_a_pickle_runs_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.pkl":
        path.write_bytes(pickle.dumps({"pose": Harm()}))
    elif name == "a.npy":
        np.save(path, np.array([Harm()], dtype=object))
    else:
        np.savez(path, pose=np.array(Harm(), dtype=object))
    with pytest.raises(InputError, match="cannot be read"):
        arrays_in(path)
    with pytest.raises(InputError, match="no such file"):
        arrays_in(tmp_path / f"other-{name}")


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    wanted = {"a": np.arange(6.0).reshape(2, 3), "b": {"c": [1, "x", np.float32(2)]}, "d": "text"}
    np.savez(tmp_path / "a.npz", **wanted)
    np.savez_compressed(tmp_path / "b.npz", a=np.asfortranarray(wanted["a"]), d="text")
    np.save(tmp_path / "c.npy", np.array([wanted], dtype=object))
    found, plain, listed = (arrays_in(tmp_path / name) for name in ("a.npz", "b.npz", "c.npy"))
    assert np.array_equal(found["a"], wanted["a"]) and found["b"] == wanted["b"] and found["d"] == "text"
    assert np.array_equal(plain["a"], wanted["a"]) and plain["d"] == "text"
    assert listed[0]["b"] == wanted["b"]
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as broken:
        broken.writestr("a.npy", io.BytesIO(b"half").getvalue())
    with pytest.raises(InputError, match="cannot be read"):
        arrays_in(tmp_path / "d.npz")
