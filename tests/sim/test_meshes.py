"""Meshes from other packages: a tiny package made here stands for them, so that none of them need be installed."""

import itertools
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial import ConvexHull

from graspwise.errors import InputError
from graspwise.sim import catalogue, meshes
from graspwise.sim.bodies import GROUP_UNSEEN
from graspwise.sim.catalogue import entries, thing_of
from graspwise.sim.convex import MOST_HULLS, MOST_POINTS
from graspwise.sim.mesh_files import INSTALL, Recipe, read_solid
from graspwise.sim.meshes import MESHES, PACKAGES, Mesh, installed, mesh_object, mesh_objects
from graspwise.sim.render import render
from graspwise.sim.scene import compose

HALF = np.pi / 2
# Corners of the picture on the cube's top as seen from above with its own x to the right: left before right, far first.
COLOURS = {(-1, 1): (230, 30, 30), (1, 1): (30, 200, 30), (-1, -1): (30, 30, 230), (1, -1): (230, 220, 30)}


def obj(corners: list[tuple[float, float, float]], faces: list[list[int]], *, top: int | None = None) -> str:
    """An OBJ file; face `top` (four corners) carries the whole picture, the others its lower left corner."""
    lines = [f"v {x} {y} {z}" for x, y, z in corners]
    lines += [f"vt {u} {v}" for u, v in ((0, 0), (1, 0), (1, 1), (0, 1))]
    for number, face in enumerate(faces):
        lines.append("f " + " ".join(f"{c + 1}/{k + 1 if number == top else 1}" for k, c in enumerate(face)))
    return "\n".join(lines) + "\n"


def prism(outline: list[tuple[float, float]], height: float) -> str:
    """An upright prism over an outline whose first four corners lie counter-clockwise; the top is face 0."""
    n = len(outline)
    corners = [(x, y, z) for z in (0.0, height) for x, y in outline]
    sides = [[i, (i + 1) % n, n + (i + 1) % n, n + i] for i in range(n)]
    return obj(corners, [list(range(n, 2 * n)), list(range(n))[::-1], *sides], top=0 if n == 4 else None)


SQUARE = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]
ANGLE = [(0.0, 0.0), (6.0, 0.0), (6.0, 1.0), (1.0, 1.0), (1.0, 6.0), (0.0, 6.0)]
CUBE = Mesh(
    "toy_meshes", "parts/cube.obj", "parts/four.png", Recipe(0.025), "cube", "bright cube", 0.1, "wood", "play", 0.8
)
GHOST = replace(CUBE, package="no_such_meshes")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of an installed package that must not be imported; the set `meshes` is its cube, and a ghost of none."""
    folder = tmp_path / "site" / "toy_meshes"
    (folder / "parts").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "parts" / "cube.obj").write_text(prism(SQUARE, 2.0))
    (folder / "parts" / "angle.obj").write_text(prism(ANGLE, 2.0))
    picture = np.zeros((64, 64, 3), np.uint8)
    for (x, y), colour in COLOURS.items():
        picture[slice(32) if y > 0 else slice(32, 64), slice(32) if x < 0 else slice(32, 64)] = colour
    Image.fromarray(picture).save(folder / "parts" / "four.png")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("GRASPWISE_CACHE", str(tmp_path / "cache"))
    for module in (meshes, catalogue):
        monkeypatch.setattr(module, "MESHES", {"cube": CUBE, "ghost": GHOST})
    monkeypatch.setitem(PACKAGES, "no_such_meshes", "pip install no-such-meshes")
    return folder


@pytest.fixture
def reader() -> None:
    pytest.importorskip("trimesh", reason="reads meshes")


@pytest.mark.usefixtures("package", "reader")
def test_a_mesh_has_its_size_and_stands_on_the_table() -> None:
    cube = mesh_object("cube")
    (body,) = cube.parts
    assert body.look is not None
    for points in (cube.cloud(), body.look.vertices):
        np.testing.assert_allclose(points.min(axis=0), (-0.025, -0.025, 0), atol=1e-9)
        np.testing.assert_allclose(points.max(axis=0), (0.025, 0.025, 0.05), atol=1e-9)
    assert len(body.pieces) == 1
    assert (cube.name, cube.mass, cube.friction, cube.description) == ("cube", 0.1, 0.8, "bright cube")
    assert "toy_meshes" not in sys.modules


@pytest.mark.usefixtures("reader")
def test_each_axis_is_scaled_before_it_is_turned(package: Path) -> None:
    look, _ = read_solid(package / "parts/cube.obj", Recipe((0.01, 0.02, 0.03), (HALF, 0, 0)))
    np.testing.assert_allclose(np.ptp(look.vertices, axis=0), (0.02, 0.06, 0.04), atol=1e-9)


@pytest.mark.usefixtures("package", "reader")
def test_the_picture_lies_on_it_the_right_way_round() -> None:
    scene = compose([mesh_object("cube")], seed=2)
    view, data = render(scene), scene.data()
    own = data.xmat[scene.placed(1).body].reshape(3, 3)
    inverse = np.linalg.inv(scene.T_base_camera)
    for (x, y), colour in COLOURS.items():
        world = data.xpos[scene.placed(1).body] + own @ (0.0125 * x, 0.0125 * y, 0.05)
        px, py = scene.camera.project((inverse[:3, :3] @ world + inverse[:3, 3])[None])[0]
        seen = view.rgb[round(py), round(px)].astype(float)
        nearest = min(COLOURS.values(), key=lambda c: np.linalg.norm(seen / seen.max() - np.array(c) / max(c)))
        assert nearest == colour


@pytest.mark.usefixtures("package", "reader")
def test_only_the_look_is_seen_and_only_the_pieces_collide() -> None:
    scene = compose([mesh_object("cube")], seed=2)
    look, piece = scene.model.geom("1/0/look").id, scene.model.geom("1/0/0").id
    assert scene.model.geom_group[piece] == GROUP_UNSEEN
    assert scene.model.geom_contype[look] == scene.model.geom_conaffinity[look] == 0
    assert scene.model.body_mass[scene.placed(1).body] == pytest.approx(0.1)
    assert scene.object_of[look] == scene.part_of[look] == scene.object_of[piece] == 1
    touched = {int(geom) for contact in scene.data().contact for geom in contact.geom}
    assert piece in touched and look not in touched
    view = render(scene)
    assert set(np.unique(view.objects)) == set(np.unique(view.parts)) == {0, 1}
    # 50 mm at 1.1 mm a pixel, a little larger as its top is nearer.
    assert 45**2 < (view.objects == 1).sum() < 56**2


@pytest.mark.usefixtures("reader")
def test_an_angle_keeps_its_notch(package: Path) -> None:
    _, hulls = read_solid(package / "parts/angle.obj", Recipe(0.02))
    assert 2 <= len(hulls) <= MOST_HULLS
    assert all(4 <= len(points) <= MOST_POINTS for points in hulls)
    planes = [ConvexHull(points).equations for points in hulls]
    for point, held in (((0.01, 0.01, 0.02), False), ((0.05, -0.05, 0.02), True), ((-0.05, 0.05, 0.02), True)):
        assert any((p[:, :3] @ point + p[:, 3] <= 0).all() for p in planes) == held


@pytest.mark.usefixtures("reader")
def test_what_is_converted_is_kept_until_the_file_changes(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, picture = package / "parts/cube.obj", package / "parts/four.png"
    first = read_solid(file, CUBE.recipe, picture=picture)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "trimesh", None)
        again = read_solid(file, CUBE.recipe, picture=picture)
        file.write_text(prism(SQUARE, 3.0))
        with pytest.raises(InputError, match=re.escape(f"not installed; valid after: {INSTALL}")):
            read_solid(file, CUBE.recipe, picture=picture)
    for name in ("vertices", "faces", "uv", "picture"):
        np.testing.assert_array_equal(getattr(first[0], name), getattr(again[0], name))
    assert all(np.array_equal(a, b) for a, b in itertools.zip_longest(first[1], again[1]))
    look, _ = read_solid(file, CUBE.recipe, picture=picture)
    assert np.ptp(look.vertices[:, 2]) == pytest.approx(0.075)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    ("text", "scale", "message"),
    [
        ("v 1 2 oops\nf 1 2 3\n", 0.025, "not a mesh that can be read"),
        ("# nothing\n", 0.025, "mesh"),
        (obj([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [[0, 1, 2]]), 0.025, "no solid body"),
        (prism(SQUARE, 2.0), 1.0, "is 2 m long; valid is 0.005 to 0.5 m"),
        (prism(SQUARE, 2.0), 1e-4, "is 0.0002 m long"),
    ],
    ids=["words", "empty", "flat", "huge", "tiny"],
)
def test_a_bad_mesh_is_named(package: Path, text: str, scale: float, message: str) -> None:
    file = package / "bad.obj"
    file.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_solid(file, Recipe(scale))
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list((package.parents[1] / "cache").rglob("*.npz"))


@pytest.mark.usefixtures("reader")
def test_a_bad_picture_or_cache_is_named(package: Path) -> None:
    file, picture = package / "parts/cube.obj", package / "torn.png"
    with pytest.raises(InputError, match=r"torn\.png: no such file"):
        read_solid(file, CUBE.recipe, picture=picture)
    picture.write_bytes((package / "parts/four.png").read_bytes()[:60])
    with pytest.raises(InputError, match=r"torn\.png: not a picture"):
        read_solid(file, CUBE.recipe, picture=picture)
    read_solid(file, CUBE.recipe)
    (cached,) = (package.parents[1] / "cache" / "meshes").glob("*.npz")
    cached.write_bytes(b"torn")
    with pytest.raises(InputError, match=rf"{cached.name}: damaged"):
        read_solid(file, CUBE.recipe)


@pytest.mark.usefixtures("package")
def test_names_are_found_as_far_as_they_are_installed() -> None:
    assert installed() == ["cube"]
    assert [(e.set, e.name) for e in entries(["meshes"])] == [("meshes", "cube")]
    assert [(e.set, e.name) for e in entries(["cube", "meshes:cube"])] == [("meshes", "cube")] * 2
    for name in ("ghost", "meshes:ghost"):
        with pytest.raises(InputError, match="valid after: pip install no-such-meshes"):
            entries([name])
    with pytest.raises(InputError, match="none of that name"):
        entries(["meshes:hammer"])


def test_without_any_package_the_set_says_how_to_get_it(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meshes, "MESHES", {"ghost": GHOST})
    with pytest.raises(InputError, match=re.escape(f"valid after: {INSTALL}")):
        entries(["meshes"])


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("name", ["meshes", "meshes:cube", "cube"])
def test_training_data_are_never_made_of_meshes(name: str) -> None:
    with pytest.raises(InputError, match="--objects"):
        entries([name], sets=("train",))


@pytest.mark.usefixtures("package", "reader")
def test_a_drawn_mesh_is_found_again_by_its_id() -> None:
    (entry,) = entries(["meshes:cube"])
    object_id, cube = entry.draw(np.random.default_rng(0))
    assert object_id == "meshes/cube"
    np.testing.assert_array_equal(thing_of(object_id).cloud(), cube.cloud())
    assert list(mesh_objects()) == ["cube"]


@pytest.mark.parametrize("name", MESHES)
def test_the_table_is_complete(name: str) -> None:
    mesh = MESHES[name]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert mesh.package in PACKAGES
    assert not re.match(r"(a|an|the) ", mesh.description)
    assert mesh.category == mesh.category.lower()
    assert mesh.use and mesh.material and mesh.poses
    assert 0.01 <= mesh.mass <= 0.6
    assert 0.5 <= mesh.friction <= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, mesh in MESHES.items() if meshes.package_folder(mesh)])
def test_installed_meshes_are_of_believable_size(name: str) -> None:
    thing = mesh_object(name)
    assert 0.02 < np.ptp(thing.cloud(), axis=0).max() <= 0.2
    assert 1 <= len(thing.parts[0].pieces) <= MOST_HULLS
