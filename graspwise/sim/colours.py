"""Colours by name and the paints that several modules of objects use: fixed ones, and draws of them at random.

Colours are red, green, blue, 0 to 1. Every draw takes from its generator in a fixed order, so a seed decides it.
"""

from collections.abc import Sequence
from typing import TypeVar

from numpy.random import Generator

from graspwise.sim.paint import varied
from graspwise.sim.shapes import Colour, Paint, Pattern

T = TypeVar("T")

# ---- paints of household objects, which no training family has

STEEL = Paint((0.58, 0.6, 0.63), "brushed", (0.78, 0.79, 0.82), shine=0.8)
CHROME = Paint((0.76, 0.77, 0.79), "brushed", (0.9, 0.9, 0.92), shine=0.9)
IRON = Paint((0.42, 0.44, 0.47), "brushed", (0.55, 0.57, 0.6), shine=0.6)
BLACK = Paint((0.1, 0.1, 0.11), shine=0.3)
WHITE = Paint((0.95, 0.95, 0.93), shine=0.5)

# ---- colours and paints of training families

COLOURS: dict[str, Colour] = {
    "red": (0.76, 0.12, 0.12), "orange": (0.93, 0.45, 0.10), "yellow": (0.94, 0.79, 0.14), "green": (0.16, 0.55, 0.25),
    "blue": (0.12, 0.30, 0.68), "light blue": (0.45, 0.70, 0.88), "turquoise": (0.14, 0.63, 0.63),
    "purple": (0.45, 0.20, 0.60), "pink": (0.93, 0.50, 0.65), "black": (0.10, 0.10, 0.11), "white": (0.92, 0.92, 0.91),
    "grey": (0.52, 0.53, 0.55), "brown": (0.42, 0.26, 0.15),
}  # fmt: skip
# Those that `tint` draws from, and more for `coat`.
ALL_COLOURS: dict[str, Colour] = {
    **COLOURS, "mint": (0.62, 0.87, 0.76), "navy": (0.10, 0.14, 0.33), "beige": (0.83, 0.74, 0.60),
    "cream": (0.94, 0.90, 0.79), "silver": (0.76, 0.77, 0.79), "gold": (0.84, 0.67, 0.30), "copper": (0.74, 0.44, 0.29),
    "amber": (0.60, 0.29, 0.07), "wooden": (0.79, 0.60, 0.39),
}  # fmt: skip
BRIGHT = ("red", "orange", "yellow", "green", "mint", "turquoise", "blue", "navy", "light blue", "purple", "pink")
WOODS: tuple[Colour, ...] = ((0.78, 0.60, 0.40), (0.62, 0.42, 0.25), (0.86, 0.72, 0.52), (0.46, 0.29, 0.18))
DARK = Paint((0.09, 0.09, 0.10), shine=0.3)
COAL, SNOW = Paint((0.08, 0.08, 0.09), shine=0.4), Paint((0.93, 0.93, 0.92), shine=0.4)
GILT = Paint(ALL_COLOURS["gold"], shine=0.8)
ALLOY = Paint((0.66, 0.67, 0.70), "brushed", (0.85, 0.86, 0.87), shine=0.8)


def pick(rng: Generator, values: Sequence[T]) -> T:
    """One of the values, each as likely as the next."""
    return values[int(rng.integers(len(values)))]


def shade(colour: Colour, by: float) -> Colour:
    """The same hue, darker (`by` below 1) or lighter."""
    red, green, blue = (min(c * by + 0.03, 1.0) for c in colour)
    return red, green, blue


def tint(rng: Generator, *names: str) -> tuple[str, Colour]:
    """A colour's name, of those or of all `COLOURS`, and a colour that anybody would call so."""
    name = pick(rng, names or tuple(COLOURS))
    return name, varied(COLOURS[name], rng, by=0.015 if name in ("black", "white", "grey") else 0.04)


def solid(rng: Generator, colour: Colour) -> Paint:
    """That colour, matt to glossy."""
    return Paint(colour, shine=rng.uniform(0.1, 0.6))


def figured(rng: Generator, colour: Colour) -> Paint:
    """That colour, mostly plain, else with a pattern in a darker shade of it."""
    patterns: tuple[Pattern, ...] = ("plain", "plain", "stripes", "speckle", "weave")
    return Paint(colour, pick(rng, patterns), shade(colour, 0.6), shine=rng.uniform(0.1, 0.5))


def wooden(rng: Generator) -> Paint:
    """Bare or varnished wood."""
    light = varied(pick(rng, WOODS), rng, by=0.03)
    return Paint(light, "wood", shade(light, 0.7), shine=rng.uniform(0.05, 0.4))


def steel(rng: Generator) -> Paint:
    """Light grey metal."""
    light = rng.uniform(0.62, 0.8)
    return Paint((light, light, light + 0.02), "brushed", (0.45, 0.45, 0.47), shine=rng.uniform(0.4, 0.8))


def grip(rng: Generator, wood: float = 0.4) -> tuple[str, Paint, str]:
    """A handle's word, paint and material: wooden with that probability, else coloured."""
    if rng.random() < wood:
        return "wooden", wooden(rng), "wood"
    word, colour = tint(rng)
    return word, figured(rng, colour), "plastic"


def coat(
    rng: Generator, names: Sequence[str], patterns: Sequence[Pattern] = ("plain",), *, but: str = ""
) -> tuple[str, Paint]:
    """A colour's name, and a paint of it whose second colour is a shade of the first.

    Args:
        rng: Drawn from.
        names: Of `ALL_COLOURS`; one that comes twice is drawn twice as often.
        patterns: The paint has one of them; where the name is wooden, it has the pattern of wood.
        but: A name not to draw.
    """
    name = pick(rng, [name for name in names if name != but])
    colour = varied(ALL_COLOURS[name], rng, by=0.02 if name in ("white", "black", "grey", "silver") else 0.045)
    pattern: Pattern = "wood" if name == "wooden" else pick(rng, patterns)
    return name, Paint(colour, pattern, shade(colour, pick(rng, (0.6, 0.75, 1.3))), shine=rng.uniform(0.1, 0.7))
