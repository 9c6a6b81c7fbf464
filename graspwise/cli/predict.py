"""`graspwise predict`: pictures and a sentence in, reasoned grasps out."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graspwise.errors import InputError

if TYPE_CHECKING:
    from graspwise.predict import Answer


def predict(
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="Photographs of any size.")],
    ask: Annotated[str, typer.Option(help="What to pick up, in words.")] = "Pick up the object.",
    model: Annotated[
        str,
        typer.Option(
            help="A published name, a baseline, a run folder, a checkpoint, a hub id or http://HOST:PORT/v1#MODEL."
        ),
    ] = "small",
    workspace: Annotated[str, typer.Option(metavar="X0,Y0,X1,Y1", help="Half-open box in pixels to look at.")] = "",
    depth: Annotated[
        list[Path] | None,
        typer.Option(help="Depth picture, for a model that takes depth; of several pictures one for each, in order."),
    ] = None,
    depth_unit: Annotated[str, typer.Option(metavar="auto|mm|m", help="Unit of the depth pictures.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Where to draw the answer: a PNG, or a folder for several pictures.")
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="One line of JSON a picture on stdout, nothing else.")
    ] = False,
) -> int:
    """Find a grasp on each picture and say why."""
    import graspwise
    from graspwise.conversation import check_instruction
    from graspwise.draw import draw_answer
    from graspwise.files import replacing

    instruction = check_instruction(ask)
    box = parse_workspace(workspace)
    depths = depth_paths(pictures, depth or [])
    targets = drawing_paths(pictures, out)
    loaded = graspwise.load(model, say=lambda line: print(line, file=sys.stderr))
    failures = 0
    for picture, beside in zip(pictures, depths, strict=True):
        try:
            view = loaded.look(picture, workspace=box, depth=beside, depth_unit=depth_unit)
            answer = view.ask(instruction)
        except InputError as error:
            failures += 1
            if json_lines:
                print(json.dumps({"image": str(picture), "error": str(error)}, ensure_ascii=False), flush=True)
            else:
                print(f"graspwise: {error}", file=sys.stderr)
            continue
        if picture in targets:
            drawn = draw_answer(view.picture, grasp=answer.grasp, others=answer.grasps[1:], caption=in_words(answer))
            with replacing(targets[picture]) as temporary:
                drawn.save(temporary)
        if json_lines:
            print(json.dumps(answer.to_json(), ensure_ascii=False), flush=True)
        else:
            if len(pictures) > 1:
                print(f"{picture}:")
            print(in_words(answer))
            if answer.grasp is None and not answer.refused:
                print(f"graspwise: {picture}: the answer holds no valid grasp", file=sys.stderr)
            if picture in targets:
                print(f"drawn in {targets[picture]}")
    return 2 if failures else 0


def in_words(answer: "Answer") -> str:
    """What is printed of an answer and stands below its picture: its text, then what it means, or that it refuses."""
    lines = [answer.text]
    if answer.target is not None:
        lines.append(f"Target: {answer.target}")
    if answer.refused:
        lines.append("No grasp: nothing in view serves this.")
    return "\n".join(line for line in lines if line)


def parse_workspace(text: str) -> tuple[int, int, int, int] | None:
    """Four integers, or None for the whole picture."""
    if not text:
        return None
    try:
        x0, y0, x1, y1 = (int(word) for word in text.split(","))
    except ValueError:
        raise InputError(f"--workspace is {text!r}; valid is x0,y0,x1,y1, four integers in pixels") from None
    return x0, y0, x1, y1


def depth_paths(pictures: list[Path], depths: list[Path]) -> list[Path] | list[None]:
    """The depth picture of each picture, or None for each."""
    if not depths:
        return [None] * len(pictures)
    if len(depths) != len(pictures):
        raise InputError(
            f"--depth: found {len(depths)} for {len(pictures)} pictures; give it once for each, in their order"
        )
    return depths


def drawing_paths(pictures: list[Path], out: Path | None) -> dict[Path, Path]:
    """Where each picture's drawing goes: the file itself for one picture, a folder for several."""
    if out is None:
        return {}
    if len(pictures) == 1 and out.suffix:
        if out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
            raise InputError(f"--out is {out}; valid is a .png, .jpg or .webp file, or a folder")
        return {pictures[0]: out}
    if out.suffix:
        raise InputError(f"--out is the file {out} for {len(pictures)} pictures; give a folder")
    names = [picture.stem for picture in pictures]
    # Pictures of one name from several folders are told apart by their place in the list.
    return {
        picture: out / f"{name if names.count(name) == 1 else f'{index}-{name}'}-grasp.png"
        for index, (picture, name) in enumerate(zip(pictures, names, strict=True))
    }
