"""`graspwise dataset`: build data sets and look at them."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graspwise.cli.progress import bar
from graspwise.errors import InputError

if TYPE_CHECKING:
    from graspwise.data.labelled import LabelledPicture

dataset_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Build data sets and look at them.")
build_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Build a data set from labelled pictures.")
dataset_app.add_typer(build_app, name="build")


class AnswerChoice(StrEnum):
    reasoned = "reasoned"
    prompted = "prompted"
    bare = "bare"


Source = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the download, nested in any way.")]
Out = Annotated[Path, typer.Option(help="New folder for the data set.")]
Samples = Annotated[int, typer.Option(help="How many samples; the first pass over the pictures is unaugmented.")]
Seed = Annotated[int, typer.Option(help="Decides everything random.")]
Format = Annotated[AnswerChoice, typer.Option(help="Format of the answers.")]
Size = Annotated[int, typer.Option(help="Side of the square pictures, pixels.")]
Depth = Annotated[bool, typer.Option("--depth", help="Also write depth pictures, where the source has them.")]


@build_app.command()
def cornell(
    source: Source, out: Out, answer: Format = AnswerChoice.reasoned, samples: Samples = 6000, seed: Seed = 0,
    size: Size = 352, depth: Depth = False,
) -> None:  # fmt: skip
    """From the Cornell grasping data set: pcdNNNNr.png or .jpg with pcdNNNNcpos.txt."""
    from graspwise.data.cornell import read_cornell

    build(read_cornell(source), "cornell", out, answer, samples, seed, size, depth)


@build_app.command()
def jacquard(
    source: Source, out: Out, answer: Format = AnswerChoice.reasoned, samples: Samples = 6000, seed: Seed = 0,
    size: Size = 352, depth: Depth = False,
) -> None:  # fmt: skip
    """From the Jacquard data set: *_RGB.png with *_grasps.txt."""
    from graspwise.data.jacquard import read_jacquard

    build(read_jacquard(source), "jacquard", out, answer, samples, seed, size, depth)


def build(
    pictures: "list[LabelledPicture]",
    source: str,
    out: Path,
    answer: AnswerChoice,
    samples: int,
    seed: int,
    size: int,
    depth: bool,
) -> None:
    from graspwise.data.build import BuildConfig, build_dataset

    if not 32 <= size <= 2048:
        raise InputError(f"--size is {size}; valid is 32 to 2048 pixels")
    config = BuildConfig(answer=answer.value, samples=samples, seed=seed, size=size, depth=depth)
    folder = build_dataset(
        pictures, source=source, out=out, config=config, progress=lambda stream, total: bar(stream, total, "samples")
    )
    print(f"{samples} samples in {folder}")


@dataset_app.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set folder.")],
    out: Annotated[Path, typer.Option(help="Picture to write.")] = Path("sheet.png"),
    count: Annotated[int, typer.Option(help="How many samples.")] = 24,
    seed: Annotated[int, typer.Option(help="Decides which.")] = 0,
) -> None:
    """Draw samples with their rectangles and texts on one sheet."""
    from graspwise.data.sheet import dataset_sheet
    from graspwise.data.store import Dataset
    from graspwise.files import replacing

    sheet = dataset_sheet(Dataset(folder), count=count, seed=seed)
    with replacing(out) as temporary:
        sheet.save(temporary)
    print(f"drawn in {out}")
