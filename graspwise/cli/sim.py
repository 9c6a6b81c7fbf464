"""`graspwise sim`: look at simulated scenes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from graspwise.cli.progress import bar

sim_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Simulated scenes.")


@sim_app.callback()
def sim() -> None:
    """Simulated scenes."""


@sim_app.command()
def render(
    objects: Annotated[
        str,
        typer.Option(help="Object names with commas between, all in one scene; or a set: household, train, meshes."),
    ],
    out: Annotated[Path, typer.Option(help="New folder for the scenes.")],
    seed: Annotated[int, typer.Option(help="Decides places, poses, table and light.")] = 0,
    scenes: Annotated[int, typer.Option(help="How many scenes; each has a seed of its own, counted up.")] = 1,
    clutter: Annotated[
        str, typer.Option(metavar="N|N-M", help="Things in a scene drawn from a set; by default all names given.")
    ] = "",
) -> None:
    """Drop objects on a table and photograph them: colour, depth, masks, camera and facts of each scene."""
    from graspwise.errors import InputError
    from graspwise.files import empty_directory
    from graspwise.sim.show import RenderConfig, render_scenes

    fewest, most = parse_range(clutter, option="--clutter") if clutter else (0, 0)
    if clutter and fewest < 1:
        raise InputError(f"--clutter is {clutter}; valid is 1 or more things, e.g. 3 or 1-8")
    config = RenderConfig(
        objects=tuple(objects.split(",")), scenes=scenes, seed=seed, fewest=fewest, most=most,
    )  # fmt: skip
    folder = empty_directory(out)
    thrown_away = 0

    def shown(stream: Iterator[int], total: int) -> Iterator[int]:
        return bar(stream, total, "scenes")

    for count in render_scenes(config, folder, progress=shown):
        thrown_away += count
    print(
        f"{scenes} scenes in {folder}" + (f"; {thrown_away} did not settle and were drawn again" if thrown_away else "")
    )


def parse_range(text: str, *, option: str) -> tuple[int, int]:
    """`N` or `N-M` as two whole numbers."""
    from graspwise.errors import InputError

    low, dash, high = text.partition("-")
    try:
        return int(low), int(high if dash else low)
    except ValueError:
        raise InputError(f"{option} is {text!r}; valid is a number such as 3, or a range such as 1-8") from None
