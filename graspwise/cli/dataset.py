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


class FormatChoice(StrEnum):
    lerobot = "lerobot"


class HandChoice(StrEnum):
    open = "open"
    mano = "mano"


class ImportChoice(StrEnum):
    oakink = "oakink"
    grab = "grab"
    dexgraspnet = "dexgraspnet"


Source = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the download, nested in any way.")]
Out = Annotated[Path, typer.Option(help="New folder for the data set.")]
Samples = Annotated[int, typer.Option(help="How many samples; the first pass over the pictures is unaugmented.")]
Seed = Annotated[int, typer.Option(help="Decides everything random.")]
Format = Annotated[AnswerChoice, typer.Option(help="Format of the answers.")]
Size = Annotated[int, typer.Option(help="Side of the square pictures, pixels.")]
Depth = Annotated[bool, typer.Option("--depth", help="Also write depth pictures, where the source has them.")]
Share = Annotated[
    float, typer.Option(metavar="SHARE", help="Share of the samples in which the user goes on to ask for changes.")
]


@build_app.command()
def cornell(
    source: Source, out: Out, answer: Format = AnswerChoice.reasoned, samples: Samples = 6000, seed: Seed = 0,
    size: Size = 352, depth: Depth = False, conversations: Share = 0.0,
) -> None:  # fmt: skip
    """From the Cornell grasping data set: pcdNNNNr.png or .jpg with pcdNNNNcpos.txt."""
    from graspwise.data.cornell import read_cornell

    build(read_cornell(source), "cornell", out, answer, samples, seed, size, depth, conversations)


@build_app.command()
def jacquard(
    source: Source, out: Out, answer: Format = AnswerChoice.reasoned, samples: Samples = 6000, seed: Seed = 0,
    size: Size = 352, depth: Depth = False, conversations: Share = 0.0,
) -> None:  # fmt: skip
    """From the Jacquard data set: *_RGB.png with *_grasps.txt."""
    from graspwise.data.jacquard import read_jacquard

    build(read_jacquard(source), "jacquard", out, answer, samples, seed, size, depth, conversations)


@build_app.command()
def sim(
    out: Out, scenes: Annotated[int, typer.Option(help="How many scenes.")],
    objects: Annotated[str, typer.Option(help="train, or names of its families with commas between.")] = "train",
    clutter: Annotated[str, typer.Option(metavar="N|N-M", help="Things in a scene.")] = "1",
    candidates: Annotated[int, typer.Option(help="Grasps tried on each thing.")] = 12,
    trials: Annotated[int, typer.Option(help="Trials of each grasp, under other friction and errors.")] = 4,
    answer: Format = AnswerChoice.reasoned,
    samples: Annotated[int | None, typer.Option(help="How many samples; by default one a labelled thing.")] = None,
    seed: Seed = 0, size: Size = 352, depth: Depth = False, conversations: Share = 0.0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default all cores.")] = None,
    ray: Annotated[str, typer.Option(metavar="local|ADDRESS", help="Make the scenes on Ray.")] = "",
) -> None:  # fmt: skip
    """From simulation: scenes of training objects, every grasp tried by physics; the same command goes on."""
    from graspwise.cli.sim import parse_range
    from graspwise.data.sim import SimConfig, make_scenes, read_sim, start

    fewest, most = parse_range(clutter, option="--clutter")
    check_size(size)
    if samples is not None and samples < 1:
        raise InputError(f"--samples is {samples}; valid is 1 or more")
    config = SimConfig(
        objects=tuple(objects.split(",")), scenes=scenes, fewest=fewest, most=most, candidates=candidates,
        trials=trials, seed=seed,
    )  # fmt: skip
    folder = start(config, out)
    made = make_scenes(
        config, folder, workers=workers, ray=ray, progress=lambda stream, total: bar(stream, total, "scenes")
    )  # fmt: skip
    tried, right = sum(scene.labels for scene in made), sum(scene.right for scene in made)
    thrown = sum(scene.thrown_away for scene in made)
    print(f"{scenes} scenes, {thrown} more did not settle; {tried} grasps tried, {right} are labels")
    pictures = read_sim(folder)
    build(
        pictures, "sim", out, answer, samples or len(pictures), seed, size, depth, conversations,
        besides=("scenes", "scenes.json"),
    )  # fmt: skip


@build_app.command()
def wishes(
    out: Out,
    scenes: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Scenes that `dataset build sim` made; several things in each.")
    ] = None,
    graspnet: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of GraspNet-1Billion.")] = None,
    samples: Annotated[int, typer.Option(help="How many samples.")] = 6000,
    seed: Seed = 0, size: Size = 352, depth: Depth = False,
    test: Annotated[
        bool, typer.Option("--test", help="Word the wishes as no training data is; of GraspNet, its test scenes.")
    ] = False,
    refusals: Annotated[float, typer.Option(help="Share of the wishes that nothing in view serves.")] = 0.12,
    conversations: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the samples in which the user goes on: the other one, ...")
    ] = 0.0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default all cores.")] = None,
    ray: Annotated[str, typer.Option(metavar="local|ADDRESS", help="Draw the samples on Ray.")] = "",
) -> None:  # fmt: skip
    """From scenes of several things: what somebody wants, said outright or not, and the right grasps."""
    from graspwise.data.graspnet import read_graspnet
    from graspwise.data.store import Dataset
    from graspwise.data.wish_build import WishConfig, build_wishes
    from graspwise.data.wish_scenes import read_wish_scenes

    check_size(size)
    if scenes is not None and graspnet is None:
        found = read_wish_scenes(scenes)
    elif graspnet is not None and scenes is None:
        found = read_graspnet(graspnet, test=test)
    else:
        raise InputError("--scenes or --graspnet: found both or neither; valid is one of them")
    config = WishConfig(
        samples=samples, seed=seed, size=size, depth=depth, test=test, refusals=refusals, conversations=conversations
    )
    folder = build_wishes(
        found, out=out, config=config, workers=workers, ray=ray,
        progress=lambda stream, total: bar(stream, total, "samples"),
    )  # fmt: skip
    info = Dataset(folder).info
    kinds = ", ".join(f"{count} {kind}" for kind, count in info["kinds"].items() if count)
    print(
        f"{samples} samples in {folder}: {kinds}, {info['unnamed']} without a target, {info['refused']} to refuse; "
        f"objects of {', '.join(info['sets'])}"
    )


@build_app.command()
def hands(
    out: Out,
    objects: Annotated[
        str, typer.Option(help="household, train, meshes, or names of objects, with commas between.")
    ] = "household,train",
    each: Annotated[int, typer.Option(metavar="N", help="Grasps to keep on each object.")] = 64,
    instances: Annotated[int, typer.Option(metavar="K", help="Objects of each family of train.")] = 1,
    seed: Seed = 0,
    hand: Annotated[HandChoice, typer.Option(help="Which hand; mano for those who have its files.")] = HandChoice.open,
    mano: Annotated[Path | None, typer.Option(metavar="DIR", help="MANO's files; or GRASPWISE_MANO.")] = None,
    source: Annotated[
        tuple[ImportChoice, Path] | None,
        typer.Option("--import", metavar="NAME DIR", help="Read another data set: oakink, grab or dexgraspnet."),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default all cores.")] = None,
    ray: Annotated[str, typer.Option(metavar="local|ADDRESS", help="Make the grasps on Ray.")] = "",
) -> None:  # fmt: skip
    """Hands on objects: grasps by optimisation, kept where they hold in simulation; the same command goes on."""
    from graspwise.hand.build import HandsConfig, build_hands, load_hand

    if source is not None:
        from graspwise.hand.imports import import_hands, read_imported

        kind, folder = source
        model = load_hand(hand.value, mano=mano)
        counts = import_hands(kind.value, read_imported(kind.value, folder, hand=model), out, hand=model, seed=seed)
        print(f"{counts.grasps} grasps on {counts.objects} objects in {out}; {counts.apart} touch nothing")
        return
    config = HandsConfig(
        objects=tuple(objects.split(",")), each=each, instances=instances, seed=seed, hand=hand.value
    )  # fmt: skip
    done = build_hands(
        config, out, mano=mano, workers=workers, ray=ray,
        progress=lambda stream, total: bar(stream, total, "objects"),
    )  # fmt: skip
    lost: dict[str, int] = {}
    for thing in done:
        for reason, count in thing.lost.items():
            lost[reason] = lost.get(reason, 0) + count
    kept, held = sum(thing.kept for thing in done), sum(thing.kept > 0 for thing in done)
    why = ", ".join(f"{count} {reason}" for reason, count in sorted(lost.items(), key=lambda entry: -entry[1]))
    print(f"{kept} grasps on {held} of {len(done)} objects in {out}; {sum(thing.tried for thing in done)} tried")
    if why:
        print(f"not kept: {why}")


def build(
    pictures: "list[LabelledPicture]",
    source: str,
    out: Path,
    answer: AnswerChoice,
    samples: int,
    seed: int,
    size: int,
    depth: bool,
    conversations: float,
    *,
    besides: tuple[str, ...] = (),
) -> None:
    from graspwise.data.build import BuildConfig, build_dataset

    check_size(size)
    config = BuildConfig(
        answer=answer.value, samples=samples, seed=seed, size=size, depth=depth, conversations=conversations
    )
    folder = build_dataset(
        pictures, source=source, out=out, config=config, besides=besides,
        progress=lambda stream, total: bar(stream, total, "samples"),
    )  # fmt: skip
    print(f"{samples} samples in {folder}")


def check_size(size: int) -> None:
    if not 32 <= size <= 2048:
        raise InputError(f"--size is {size}; valid is 32 to 2048 pixels")


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


@dataset_app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set folder.")],
    out: Annotated[Path, typer.Option(help="New folder.")],
    kind: Annotated[
        FormatChoice, typer.Option("--format", help="lerobot: an episode a sample, its grasp as the action.")
    ] = FormatChoice.lerobot,
) -> None:
    """Write a data set in another library's format."""
    from graspwise.data.lerobot import export_lerobot
    from graspwise.data.store import Dataset

    write = {FormatChoice.lerobot: export_lerobot}[kind]
    written, left_out = write(Dataset(folder), out, progress=lambda stream, total: bar(stream, total, "samples"))
    print(f"{written} episodes in {out}; {left_out} samples have no grasp of their own and are left out")


@dataset_app.command()
def push(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set folder, with a card README.md.")],
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Where to, made if need be.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new one for its owner alone.")] = False,
) -> None:
    """Put a data set on the Hugging Face hub; see first that you may."""
    from graspwise.model.hub import push_folder

    if not (folder / "README.md").is_file():
        raise InputError(f"{folder}: no README.md there; valid is a folder by `graspwise dataset build` or `export`")
    print(push_folder(folder, repo, kind="dataset", private=private))
