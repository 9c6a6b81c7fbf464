"""`graspwise export`: a model as one merged folder for other engines, checked against what it was made from."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from graspwise.errors import InputError

if TYPE_CHECKING:
    from graspwise.model.grasp_model import GraspModel
    from graspwise.picture import Picture

GGUF = "language-model-f16.gguf"
# Of the photographs that came with the package.
PICTURES = 3


def export(
    model: Annotated[str, typer.Argument(help="A published name, a run folder, a model folder or a checkpoint.")],
    out: Annotated[Path, typer.Option(help="Folder to write; new.")],
    form: Annotated[
        Literal["transformers", "gguf"],
        typer.Option(
            "--format", help="transformers: one checkpoint, vLLM's too; gguf: the language model, for llama.cpp."
        ),
    ] = "transformers",
    picture: Annotated[
        list[Path] | None, typer.Option(help="Picture to compare source and export on; by default three examples.")
    ] = None,
) -> None:
    """Write a model as one merged folder for transformers, vLLM or llama.cpp; a copy that differs is not kept."""
    from graspwise.files import empty_directory, replacing_folder, write_text
    from graspwise.model.export import merge, write_export
    from graspwise.model.load import load_model

    # Whatever fails, no folder is left behind.
    empty_directory(out).rmdir()
    source = load_model(model, merged=False, say=say)
    name = Path(model).resolve().name if Path(model).exists() else model.rpartition("/")[2]
    if form == "gguf":
        from graspwise.model.export import gguf_readme
        from graspwise.model.gguf_file import write_gguf
        from graspwise.model.parity import check_gguf

        merge(source)
        with replacing_folder(out) as folder:
            write_gguf(folder / GGUF, source, name=name)
            write_text(folder / "README.md", gguf_readme(GGUF, name=name))
            check_gguf(folder / GGUF, source)
        print(f"{out / GGUF}: the language model of {model}, F16; read again, its logits are the source's")
        return
    from graspwise.model.parity import check_export, check_logits, logits, said

    pictures = squares(picture or examples(), source)
    apart = logits(source, pictures)
    merge(source)
    check_logits(apart, logits(source, pictures), what=f"{model}: merged")
    before = said(source, pictures)
    with replacing_folder(out) as folder:
        write_export(folder, source, name=name)
        # Two models at once are more than some machines hold.
        del source
        check_export(folder, before, pictures)
    print(f"{out}: {model} in one checkpoint; tokens and grasps of {len(pictures)} pictures are the source's")


def examples() -> list[Path]:
    """Photographs to compare on.

    Raises:
        InputError: none came with the package.
    """
    from graspwise.server.examples import example_folder, example_pictures

    found = list(example_pictures(example_folder()).values())[:PICTURES]
    if not found:
        raise InputError("--picture: none given, and no examples came with the package; give one")
    return found


def squares(paths: list[Path], model: "GraspModel") -> "list[Picture]":
    """Pictures as the model sees them."""
    from graspwise.picture import open_picture
    from graspwise.transform import workspace_picture, workspace_transform

    side, found = model.image_size, []
    for path in paths:
        opened = open_picture(path)
        transform = workspace_transform(image_size=opened.size, workspace=None, size=(side, side))
        found.append(workspace_picture(opened, workspace=(0, 0, *opened.size), transform=transform))
    return found


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
