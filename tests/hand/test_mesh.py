"""Objects from files and from the simulator: what is repaired, what is refused, how far points are from them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from plain_solids import ball, box, mesh_of, solid

from graspwise.errors import InputError
from graspwise.hand.mesh import Distance, Solid, read_solid, solid_of
from graspwise.sim.catalogue import HOUSEHOLD
from graspwise.sim.shapes import Look, Paint, Piece, SimObject, cylinder, ellipsoid, part, rod
from graspwise.sim.shapes import box as box_piece

RED = Paint((0.7, 0.1, 0.1))
BALL = 4 / 3 * np.pi * 0.04**3


def thing(*pieces: Piece) -> SimObject:
    return SimObject("thing", "thing", "red thing", (part("body", *pieces),), 0.1)


def obj(*named: tuple[str, trimesh.Trimesh]) -> str:
    """An OBJ file of named objects."""
    lines, count = [], 1
    for name, mesh in named:
        lines.append(f"o {name}")
        lines += [f"v {x} {y} {z}" for x, y, z in mesh.vertices]
        lines += ["f " + " ".join(str(number + count) for number in face) for face in mesh.faces]
        count += len(mesh.vertices)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", ["obj", "stl", "ply", "glb"])
def test_each_format_gives_the_file_s_own_frame(tmp_path: Path, kind: str) -> None:
    ball(0.04, at=(0.3, 0, -0.1)).export(tmp_path / f"toy.{kind}")
    found = read_solid(tmp_path / f"toy.{kind}")
    assert (found.name, found.parts, found.notes) == ("toy", (), ())
    np.testing.assert_allclose(found.size, 0.08, rtol=0.01)
    np.testing.assert_allclose(found.vertices.mean(axis=0), (0.3, 0, -0.1), atol=1e-4)
    assert (found.face_parts == -1).all()
    assert mesh_of(found).is_watertight


def test_millimetres_are_seen_and_said(tmp_path: Path) -> None:
    path = tmp_path / "toy.stl"
    box((0, 0, 0), (80, 40, 40)).export(path)
    found = read_solid(path)
    np.testing.assert_allclose(found.size, (0.08, 0.04, 0.04))
    assert found.notes == ("80 long: read as millimetres",)
    given = read_solid(path, unit="mm")
    np.testing.assert_allclose(given.size, (0.08, 0.04, 0.04))
    assert given.notes == ()
    with pytest.raises(InputError, match="is 80 long, unit m; valid is"):
        read_solid(path, unit="m")


def test_overlapping_bodies_become_one_surface(tmp_path: Path) -> None:
    path = tmp_path / "two.stl"
    trimesh.util.concatenate([box((0, 0, 0), (0.06, 0.04, 0.04)), box((0.04, 0, 0), (0.1, 0.04, 0.04))]).export(path)
    found = read_solid(path)
    assert mesh_of(found).is_watertight and mesh_of(found).volume == pytest.approx(0.1 * 0.04 * 0.04, rel=0.003)
    assert any("2 bodies: joined" in note for note in found.notes)
    # The end faces at 40 and 60 mm are inside, so the middle is 20 mm deep and not 10.
    assert Distance(found).signed(np.array([[0.05, 0.02, 0.02]]))[0] == pytest.approx(-0.02, abs=1e-4)


@pytest.mark.parametrize("kind", ["obj", "glb"])
def test_named_bodies_are_parts(tmp_path: Path, kind: str) -> None:
    body, handle = box((-0.02, -0.02, 0), (0.02, 0.02, 0.1)), box((0, -0.01, 0.04), (0.08, 0.01, 0.06))
    if kind == "obj":
        (tmp_path / "mug.obj").write_text(obj(("handle", handle), ("body", body)))
    else:
        scene = trimesh.Scene()
        scene.add_geometry(body, node_name="body", geom_name="body")
        # The same place by the node's transform: the frame is the file's, not the geometry's.
        handle.apply_translation((-1, 0, 0))
        moved = trimesh.transformations.translation_matrix((1, 0, 0))
        scene.add_geometry(handle, node_name="handle", geom_name="handle", transform=moved)
        scene.export(tmp_path / "mug.glb")
    found = read_solid(tmp_path / f"mug.{kind}")
    assert found.parts == ("body", "handle")
    distance = Distance(found)
    nearest = distance.nearest(np.array([[0.09, 0, 0.05], [0, 0, 0.11], [-0.03, 0, 0.05]]))
    assert [found.parts[k] for k in distance.parts(nearest.faces)] == ["handle", "body", "body"]
    # What is left of the handle begins at the body's wall.
    assert found.vertices[found.faces[found.face_parts == 1]][..., 0].min() > 0.0199


def test_bodies_that_touch_leave_no_wall_between(tmp_path: Path) -> None:
    path = tmp_path / "stack.obj"
    path.write_text(obj(*((f"b{k}", box((k * 0.04, 0, 0), (k * 0.04 + 0.04, 0.04, 0.04))) for k in range(3))))
    found = read_solid(path)
    assert mesh_of(found).body_count == 1
    assert Distance(found).signed(np.array([[0.04, 0.02, 0.02], [0.06, 0.02, 0.02]])) == pytest.approx(-0.02, abs=1e-4)


REPAIRED = {
    "inside out": (lambda mesh: mesh.invert(), "inside out"),
    "a hole": (lambda mesh: mesh.update_faces(np.arange(len(mesh.faces)) > 30), "not watertight: 1 body"),
    "half of it": (lambda mesh: mesh.update_faces(mesh.triangles_center[:, 2] < 0), "not watertight: 1 body"),
    "faces missing all over": (lambda mesh: mesh.update_faces(np.arange(len(mesh.faces)) % 29 > 0), "not watertight"),
    "no corners shared": (lambda mesh: _torn(mesh), "cannot be closed"),
}


def _torn(mesh: trimesh.Trimesh) -> None:
    mesh.unmerge_vertices()
    mesh.vertices += np.random.default_rng(0).normal(0, 1e-4, mesh.vertices.shape)


@pytest.mark.parametrize("name", REPAIRED)
def test_bad_meshes_are_repaired_with_a_notice(tmp_path: Path, name: str) -> None:
    spoil, note = REPAIRED[name]
    mesh = ball(0.04, fine=3)
    spoil(mesh)
    mesh.export(tmp_path / "toy.ply")
    found = read_solid(tmp_path / "toy.ply")
    assert any(note in line for line in found.notes) and all("\n" not in line for line in found.notes)
    distance = Distance(found)
    probes = np.array([[0, 0, -0.02], [0.02, 0, -0.01], [0, 0, -0.06], [0.06, 0, 0], [0, 0, 0.06]])
    assert distance.inside(probes).tolist() == [True, True, False, False, False]
    assert distance.signed(probes)[[0, 2, 3]] == pytest.approx([-0.02, 0.02, 0.02], abs=0.0015)


def test_many_faces_are_thinned_out(tmp_path: Path) -> None:
    ball(0.04, fine=5).export(tmp_path / "fine.stl")
    found = read_solid(tmp_path / "fine.stl", most_faces=2000)
    assert len(found.faces) <= 2000
    assert found.notes == ("20480 faces: thinned out to 2000",)
    assert mesh_of(found).volume == pytest.approx(BALL, rel=0.01)


def test_thinned_parts_keep_their_names(tmp_path: Path) -> None:
    lower, upper = ball(0.03, fine=4), ball(0.03, at=(0, 0, 0.05), fine=4)
    (tmp_path / "two.obj").write_text(obj(("lower", lower), ("upper", upper)))
    found = read_solid(tmp_path / "two.obj", most_faces=3000)
    distance = Distance(found)
    nearest = distance.nearest(np.array([[0, 0, -0.05], [0, 0, 0.1]]))
    assert [found.parts[k] for k in distance.parts(nearest.faces)] == ["lower", "upper"]


FLAT = trimesh.Trimesh([[0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0], [0, 0.1, 0]], [[0, 1, 2], [0, 2, 3]])
MALFORMED = {
    "empty": ("toy.obj", b"", "holds no faces"),
    "no mesh": ("toy.glb", b"hello", "not a mesh that can be read"),
    "cut off": ("toy.stl", b"solid x\nfacet normal 0 0 1\nouter", "not a mesh that can be read|holds no faces"),
    "points only": ("toy.obj", b"v 0 0 0\nv 1 0 0\n", "holds no faces"),
    "other kind": ("toy.txt", b"", "found a .txt file; valid are obj, stl, ply, glb"),
    "not finite": ("toy.obj", b"v 0 0 nan\nv 0.1 0 0\nv 0 0.1 0\nf 1 2 3\n", "1 of its 3 vertices are not finite"),
    "infinite": ("toy.obj", b"v 0 0 0\nv 0.1 0 0\nv 0 0.1 inf\nf 1 2 3\n", "not finite"),
    "flat": ("toy.obj", obj(("a", FLAT)).encode(), "is no solid"),
    "one line": ("toy.obj", b"v 0 0 0\nv 0.1 0 0\nv 0.05 0 0\nf 1 2 3\n", "is no solid"),
    "too small": ("toy.obj", obj(("a", ball(0.001, fine=1))).encode(), "is 0.002 long"),
    "between units": ("toy.obj", obj(("a", ball(2, fine=1))).encode(), "is 4 long, unit auto; valid is 0.01 to 1.5 m"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_cannot_be_held_gets_one_line(tmp_path: Path, name: str) -> None:
    file, content, message = MALFORMED[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError, match=message) as refused:
        read_solid(tmp_path / file)
    assert str(refused.value).startswith(str(tmp_path / file)) and "\n" not in str(refused.value)


def test_a_missing_file_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.obj: no such file"):
        read_solid(tmp_path / "none.obj")


def test_a_missing_library_says_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toy.obj").write_text(obj(("a", ball(0.04, fine=1))))
    monkeypatch.setitem(sys.modules, "trimesh", None)
    with pytest.raises(InputError, match=r"pip install 'graspwise\[hands\]'"):
        read_solid(tmp_path / "toy.obj")


points = st.tuples(*[st.floats(-0.1, 0.1)] * 3)


@given(st.lists(points, min_size=1, max_size=20))
def test_distance_to_a_box_is_exact(places: list[tuple[float, float, float]]) -> None:
    half, found = np.array([0.05, 0.03, 0.02]), np.array(places)
    beyond = np.abs(found) - half
    expected = np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0)
    nearest = CRATE.nearest(found)
    np.testing.assert_allclose(nearest.distance, expected, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(nearest.points - found, axis=1), np.abs(expected), atol=1e-9)
    assert (CRATE.inside(found) == (expected < 0))[np.abs(expected) > 1e-9].all()


CRATE = Distance(solid(box((-0.05, -0.03, -0.02), (0.05, 0.03, 0.02))))


def test_no_points_have_no_distance() -> None:
    assert CRATE.signed(np.zeros((0, 3))).shape == (0,)


def test_samples_lie_on_the_surface_and_look_outwards() -> None:
    found = solid_of(thing(box_piece((0.1, 0.04, 0.02), RED)))
    samples = found.samples(4000, rng=np.random.default_rng(1))
    distance = Distance(found)
    assert np.abs(distance.signed(samples.points)).max() < 1e-9
    np.testing.assert_allclose(distance.signed(samples.points + 0.002 * samples.normals), 0.002, atol=1e-6)
    assert (samples.parts == 0).all()
    # Evenly by area: the two largest sides have 8,000 of 13,600 square millimetres.
    assert (np.abs(samples.normals[:, 2]) > 0.9).mean() == pytest.approx(8 / 13.6, abs=0.03)


@pytest.mark.parametrize(
    ("piece", "volume"),
    [
        (box_piece((0.06, 0.04, 0.02), RED, turn=(0, 0, 0.5)), 0.06 * 0.04 * 0.02),
        (cylinder(0.03, 0.1, RED), np.pi * 0.03**2 * 0.1),
        (ellipsoid((0.04, 0.03, 0.02), RED), 4 / 3 * np.pi * 0.04 * 0.03 * 0.02),
        (rod((0, 0, 0), (0.06, 0, 0.08), 0.02, RED), np.pi * 0.02**2 * 0.1 + 4 / 3 * np.pi * 0.02**3),
    ],
    ids=["box", "cylinder", "ellipsoid", "capsule"],
)
def test_pieces_have_their_size(piece: Piece, volume: float) -> None:
    found = solid_of(thing(piece))
    # Each side stands 0.16 mm out, round ones are 0.1 mm within.
    assert mesh_of(found).is_watertight and mesh_of(found).volume == pytest.approx(volume, rel=0.04)
    cloud = piece.cloud()
    np.testing.assert_allclose(found.vertices.max(axis=0), cloud.max(axis=0), atol=0.001)
    np.testing.assert_allclose(found.vertices.min(axis=0), cloud.min(axis=0), atol=0.001)


def test_a_household_mug_is_hollow_and_has_its_parts() -> None:
    mug = solid_of(HOUSEHOLD["mug"])
    assert (mug.name, mug.parts, mug.notes) == ("mug", ("body", "rim", "handle"), ())
    assert mesh_of(mug).is_watertight and mesh_of(mug).body_count == 1
    distance = Distance(mug)
    # In the cup, in the loop of the handle, in the wall, in the handle.
    probes = np.array([[0, 0, 0.05], [0.05, 0, 0.05], [0.0332, 0, 0.05], [0.065, 0, 0.05]])
    assert distance.inside(probes).tolist() == [False, False, True, True]
    outside = distance.nearest(np.array([[0.08, 0, 0.05], [-0.05, 0, 0.03], [0, 0.034, 0.11]]))
    assert [mug.parts[k] for k in distance.parts(outside.faces)] == ["handle", "body", "rim"]


@pytest.mark.parametrize("name", HOUSEHOLD)
def test_every_household_thing_is_one_closed_surface_with_all_its_parts(name: str) -> None:
    found = solid_of(HOUSEHOLD[name])
    assert mesh_of(found).is_watertight and mesh_of(found).body_count == 1
    assert set(found.face_parts) == set(range(len(found.parts)))
    np.testing.assert_allclose(found.size, np.ptp(HOUSEHOLD[name].cloud(), axis=0), atol=0.002)


def test_a_scanned_thing_is_what_is_seen_of_it() -> None:
    seen = ball(0.04, fine=3)
    look = Look(seen.vertices, seen.faces, np.zeros((len(seen.vertices), 2)), np.zeros((2, 2, 3), np.uint8))
    found = solid_of(
        SimObject("scan", "ball", "ball", (part("body", box_piece((0.2, 0.2, 0.2), RED), look=look),), 0.1)
    )
    assert mesh_of(found).volume == pytest.approx(BALL, rel=0.02)


def test_neither_libraries_nor_the_simulator_are_imported_before_they_are_needed() -> None:
    code = (
        "import sys, graspwise.hand.metrics\nprint(*{'igl','trimesh','manifold3d','mujoco','torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout.strip()) == (0, "")


def test_solids_compare_by_what_they_are() -> None:
    first, second = (solid(box((0, 0, 0), (0.1, 0.1, 0.1))) for _ in range(2))
    assert isinstance(first, Solid) and first != second and first == first
