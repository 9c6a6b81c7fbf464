"""Pictures and glb files of a hand on a thing."""

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from graspwise.hand.draw import PARTS, View, corner_normals, picture, write_glb
from graspwise.hand.mesh import Solid
from graspwise.hand.model import Posed
from graspwise.hand.open_hand import load_open_hand

AHEAD = View(azimuth=np.pi / 2, elevation=0.3)


@pytest.fixture(scope="module")
def solid() -> Solid:
    """A block of two colours below the palm."""
    box = trimesh.creation.box(extents=(0.05, 0.12, 0.05))
    upper = (box.triangles_center[:, 1] > 0.05).astype(int)
    return Solid("block", np.array(box.vertices), np.array(box.faces), ("body", "end"), upper)


@pytest.fixture(scope="module")
def held() -> tuple[Posed, np.ndarray]:
    hand, transform = load_open_hand(), torch.eye(4)[None].clone()
    transform[0, :3, 3] = torch.tensor([-0.1, 0.0, 0.06])
    return hand.pose(transform, hand.rest[None], torch.zeros(1, 6)), hand.faces


def share(image: Image.Image, *, like: Sequence[int]) -> float:
    """Of the pixels, those of that hue."""
    hue = np.asarray(image, float) / np.maximum(np.asarray(image, float).sum(2, keepdims=True), 1)
    wanted = np.array(like) / np.sum(like, dtype=int)
    return float((np.abs(hue - wanted).max(2) < 0.03).mean())


def test_hand_and_every_part_are_seen_and_fill_the_picture(solid: Solid, held: tuple[Posed, np.ndarray]) -> None:
    image = picture(solid, *held, view=AHEAD, size=(200, 160))
    assert image.size == (200, 160)
    # Colours are light to dark by the light, hues stay.
    assert share(image, like=PARTS[0]) > 0.02 and share(image, like=(222, 168, 140)) > 0.1
    behind = picture(solid, *held, view=View(azimuth=-np.pi / 2, elevation=0.3), size=(200, 160))
    assert share(behind, like=PARTS[1]) > 0.02
    thing = np.ptp(np.asarray(image, int), axis=2) > 20
    rows, columns = np.flatnonzero(thing.any(1)), np.flatnonzero(thing.any(0))
    assert max(np.ptp(rows) / 160, np.ptp(columns) / 200) > 0.8
    assert rows[0] > 0 and rows[-1] < 159 and columns[0] > 0 and columns[-1] < 199


def test_the_view_it_chooses_shows_both(solid: Solid, held: tuple[Posed, np.ndarray]) -> None:
    image = picture(solid, *held, size=(160, 160))
    assert share(image, like=PARTS[0]) > 0.02 and share(image, like=(222, 168, 140)) > 0.1


def test_a_box_has_flat_sides_and_a_ball_a_round_one(solid: Solid) -> None:
    flat = corner_normals(solid.vertices, solid.faces)
    assert np.allclose(np.abs(flat).max(1), 1)
    ball = trimesh.creation.icosphere(subdivisions=3)
    round_one = corner_normals(np.array(ball.vertices), np.array(ball.faces))
    assert np.allclose(round_one, ball.vertices[ball.faces].reshape(-1, 3), atol=0.02)
    assert np.isfinite(corner_normals(np.zeros((3, 3)), np.array([(0, 1, 2)]))).all()


def test_the_glb_has_the_two_nodes_in_the_objects_own_frame(
    solid: Solid, held: tuple[Posed, np.ndarray], tmp_path: Path
) -> None:
    path = tmp_path / "grasp.glb"
    write_glb(path, solid, *held)
    content = path.read_bytes()
    length = struct.unpack("<I", content[12:16])[0]
    nodes = json.loads(content[20 : 20 + length])["nodes"]
    assert sorted(node["name"] for node in nodes if "mesh" in node) == ["hand", "object"]
    assert all(np.allclose(node.get("matrix", np.eye(4).ravel()), np.eye(4).ravel()) for node in nodes)
    meshes = trimesh.load(path, process=False).geometry
    assert np.allclose(meshes["object"].vertices, solid.vertices, atol=1e-6)
    assert np.array_equal(meshes["object"].faces, solid.faces)
    assert np.allclose(meshes["hand"].vertices, held[0].vertices[0], atol=1e-6)
    assert list(tmp_path.iterdir()) == [path]


def test_more_than_one_hand_is_not_drawn_as_one(solid: Solid, held: tuple[Posed, np.ndarray], tmp_path: Path) -> None:
    posed, faces = held
    with pytest.raises(ValueError):
        write_glb(tmp_path / "two.glb", solid, Posed(posed.vertices.repeat(2, 1, 1), posed.joints), faces)
