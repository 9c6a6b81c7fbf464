"""Scenes made to be looked at: named objects all together, or a draw from a set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from graspwise.errors import InputError
from graspwise.files import replacing_folder
from graspwise.parallel import in_order
from graspwise.sim.catalogue import SETS, Entry, entries
from graspwise.sim.render import render, write_scene
from graspwise.sim.scene import settled_scene
from graspwise.sim.shapes import SimObject

MOST = 12
SET_DRAW = 5


@dataclass(frozen=True)
class RenderConfig:
    """What `sim render` makes.

    Attributes:
        objects: Names of objects or sets.
        scenes: How many scenes.
        seed: Of the first; the others count up.
        fewest: Things in a scene that are drawn from the names; 0 takes all names, of whole sets five.
        most: At most; 0 as above.
    """

    objects: tuple[str, ...]
    scenes: int = 1
    seed: int = 0
    fewest: int = 0
    most: int = 0


def render_scenes(
    config: RenderConfig,
    folder: Path,
    *,
    progress: Callable[[Iterator[int], int], Iterator[int]] = lambda stream, total: stream,
) -> Iterator[int]:
    """Write the scenes into `folder`; yields for each how many were thrown away before it settled.

    Raises:
        InputError: a name or number is not valid, or nothing settles.
    """
    if config.scenes < 1:
        raise InputError(f"--scenes is {config.scenes}; valid is 1 or more")
    if config.seed < 0:
        raise InputError(f"--seed is {config.seed}; valid is 0 or more")
    pool = entries(config.objects)
    fewest, most = config.fewest, config.most
    if not most:
        whole_sets = any(name.strip() in SETS for name in config.objects)
        fewest = most = SET_DRAW if whole_sets else len(pool)
    if not 1 <= fewest <= most <= min(MOST, len(pool)):
        raise InputError(
            f"{fewest}-{most} things from {len(pool)} names; valid is 1 to {min(MOST, len(pool))} in a scene"
        )
    make = partial(write_one, pool=pool, fewest=fewest, most=most, folder=folder, seed=config.seed)
    # One scene is not worth the start of other processes.
    stream = in_order(make, range(config.scenes), workers=1 if config.scenes < 4 else None)
    return progress(stream, config.scenes)


def write_one(number: int, *, pool: list[Entry], fewest: int, most: int, folder: Path, seed: int) -> int:
    """Scene `number`; how many did not settle before it."""
    rng = np.random.default_rng([seed + number, 5])

    def draw() -> tuple[list[str], list[SimObject]]:
        wanted = int(rng.integers(fewest, most + 1))
        chosen = pool if wanted == len(pool) else [pool[i] for i in rng.permutation(len(pool))[:wanted]]
        ids, things = zip(*(entry.draw(rng) for entry in chosen), strict=True)
        return list(ids), list(things)

    _, scene, thrown_away = settled_scene(draw, seed=(seed + number) * 1000)
    with replacing_folder(folder / f"{number:06d}") as temporary:
        write_scene(temporary, scene, render(scene))
    return thrown_away
