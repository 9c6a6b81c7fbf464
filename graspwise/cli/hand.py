"""`graspwise hand`: a sentence and an object give a hand's grasp, a grasp gives a sentence or a robot's grasp."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graspwise.errors import InputError

if TYPE_CHECKING:
    from graspwise.hand.mesh import Solid

hand_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A person's hand on an object.")

Mesh = Annotated[Path, typer.Argument(metavar="MESH", help="OBJ, STL, PLY or GLB file of the object.")]
GraspFile = Annotated[Path, typer.Argument(metavar="GRASP.json", help="One line of `graspwise hand predict --json`.")]
ModelName = Annotated[str, typer.Option(help="A published name, or a run folder of hand-align or hand-instruct.")]
Mano = Annotated[Path | None, typer.Option(help="Where MANO's files lie, for a model of that hand.")]
PICTURES = (".png", ".jpg", ".jpeg", ".webp")


class UnitChoice(StrEnum):
    auto = "auto"
    m = "m"
    mm = "mm"


Unit = Annotated[UnitChoice, typer.Option(help="Of the mesh's numbers.")]


@hand_app.callback()
def hand() -> None:
    """A person's hand on an object."""


@hand_app.command()
def predict(
    mesh: Mesh,
    sentence: Annotated[str, typer.Argument(help='What is wanted, as in "hold it by the handle to drink".')],
    then: Annotated[
        list[str] | None, typer.Option(help="What is wanted after that answer; may be given more than once.")
    ] = None,
    model: ModelName = "hand",
    unit: Unit = UnitChoice.auto,
    adapt: Annotated[bool, typer.Option(help="Bring the hand the last millimetres to the surface.")] = True,
    out: Annotated[Path | None, typer.Option(metavar="GRASP.glb", help="Both meshes, to turn round.")] = None,
    picture: Annotated[Path | None, typer.Option(metavar="GRASP.png", help="The hand on the object, drawn.")] = None,
    json_line: Annotated[bool, typer.Option("--json", help="One line of JSON on stdout, nothing else.")] = False,
    mano: Mano = None,
) -> None:
    """Find a hand's grasp on an object for a sentence; with --then the answer is the last one's."""
    check_targets(out, picture)
    solid = read_mesh(mesh, unit)

    from graspwise.files import replacing
    from graspwise.hand.language import load_talker
    from graspwise.hand.predict import predict_hand
    from graspwise.hand.writing import Written, write

    talker = load_talker(model, mano=mano, say=lambda line: print(line, file=sys.stderr))
    wanted, turns = [sentence, *(then or [])], list[tuple[str, Written]]()
    for earlier in wanted[:-1]:
        turns.append((earlier, write(talker, solid, earlier, turns=turns)))
    answer = predict_hand(talker, solid, wanted[-1], turns=turns, adapt=adapt)
    faces = talker.tokens.rig.hand.faces
    if out is not None:
        from graspwise.hand.draw import write_glb

        write_glb(out, solid, answer.posed, faces)
    if picture is not None:
        from graspwise.hand.draw import picture as drawn

        with replacing(picture) as temporary:
            drawn(solid, answer.posed, faces).save(temporary)
    if json_line:
        print(json.dumps({**answer.to_json(), "object": str(mesh)}, ensure_ascii=False))
        return
    print(answer.written.text)
    print(talker.spelled(answer.written.tokens))
    for finger, parts in answer.fingers.items():
        print(f"{finger}: {', '.join(parts) or 'touches'}")
    print(f"penetration {1000 * answer.penetration:.1f} mm, gap {1000 * answer.gap:.1f} mm")
    for target in (out, picture):
        if target is not None:
            print(f"in {target}")


@hand_app.command()
def describe(
    mesh: Mesh, grasp: GraspFile, model: ModelName = "hand", unit: Unit = UnitChoice.auto, mano: Mano = None
) -> None:
    """Say in words what a hand's grasp is like."""
    solid = read_mesh(mesh, unit)

    from graspwise.hand.language import load_talker
    from graspwise.hand.predict import read_hand_grasp
    from graspwise.hand.writing import describe as described

    talker = load_talker(model, mano=mano, say=lambda line: print(line, file=sys.stderr))
    print(described(talker, solid, read_hand_grasp(grasp, talker.tokens.rig.hand)))


@hand_app.command()
def retarget(
    mesh: Mesh,
    grasp: GraspFile,
    out: Annotated[Path, typer.Option(metavar="ROBOT.json", help="Where the robot's grasp goes.")],
    to: Annotated[
        str, typer.Option(metavar="gripper|allegro|HAND.yaml", help="A parallel gripper, or a hand with fingers.")
    ] = "gripper",
    max_opening: Annotated[float, typer.Option(help="The gripper's widest opening, metres.")] = 0.08,
    unit: Unit = UnitChoice.auto,
    mano: Mano = None,
) -> None:
    """Turn a hand's grasp into a robot's, in the object's frame."""
    if out.is_dir():
        raise InputError(f"--out is the folder {out}; valid is a file, ROBOT.json")
    solid = read_mesh(mesh, unit)

    import torch

    from graspwise.files import read_json, write_json
    from graspwise.hand.mano import load_mano
    from graspwise.hand.mesh import Distance
    from graspwise.hand.open_hand import load_open_hand
    from graspwise.hand.predict import read_hand_grasp
    from graspwise.hand.retarget import for_gripper, for_robot_hand
    from graspwise.hand.robot_hand import ALLEGRO, read_robot_hand
    from graspwise.robot.pose import Gripper

    given = read_json(grasp)
    of_mano = isinstance(given, dict) and given.get("hand") == "mano"
    person = load_mano(mano) if of_mano else load_open_hand()
    parameters = torch.from_numpy(read_hand_grasp(grasp, person))[None]
    posed, distance = person.pose(*person.layout.split(parameters)), Distance(solid)
    if to == "gripper":
        pose = for_gripper(person, posed, distance, gripper=Gripper(max_opening=max_opening))
        if pose.clamped and pose.asked_opening is not None:
            wide, limit = 1000 * pose.asked_opening, 1000 * pose.opening
            print(f"graspwise: grasp opens {wide:.0f} mm, the gripper {limit:.0f} mm: clamped", file=sys.stderr)
        write_json(out, pose.to_json())
        print(f"{out}: opening {1000 * pose.opening:.0f} mm")
        return
    robot = read_robot_hand(ALLEGRO if to == "allegro" else to)
    found = for_robot_hand(person, posed, distance, robot)
    write_json(out, found.to_json())
    print(
        f"{out}: {robot.name}, " + ", ".join(f"{name} {1000 * e:.0f} mm" for name, e in found.errors.items()) + " off"
    )


def read_mesh(path: Path, unit: UnitChoice) -> "Solid":
    """A mesh file; what was repaired in it is said on stderr."""
    from graspwise.hand.mesh import read_solid

    solid = read_solid(path, unit=unit.value)
    for note in solid.notes:
        print(f"graspwise: {path}: {note}", file=sys.stderr)
    return solid


def check_targets(out: Path | None, picture: Path | None) -> None:
    """Before anything slow: whether both files have the right ending."""
    if out is not None and out.suffix.lower() != ".glb":
        raise InputError(f"--out is {out}; valid is a .glb file")
    if picture is not None and picture.suffix.lower() not in PICTURES:
        raise InputError(f"--picture is {picture}; valid is a .png, .jpg or .webp file")
