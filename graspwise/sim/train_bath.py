"""Training families: what stands on a bathroom shelf.

Every call draws a new instance: sizes within what shops sell, variants, colours, patterns.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from graspwise.sim.colours import ALL_COLOURS, ALLOY, BRIGHT, COAL, GILT, SNOW, coat, pick, shade
from graspwise.sim.forms import ON_BACK, UPRIGHT, UPSIDE_DOWN, plan, slab
from graspwise.sim.shapes import Paint, Piece, SimObject, box, cylinder, hull, part, tube, turned


def _loft(rows: Sequence[tuple[float, float, float, float]], paint: Paint) -> list[Piece]:
    """A bar along x from rows (x, width, low, high), its corners cut; one piece between two rows."""
    ends = [
        [(x, y, z)
         for half, cut in ((width / 2, 0.25 * (high - low)), (width * 0.3, 0.0))
         for y in (-half, half) for z in (low + cut, high - cut)]
        for x, width, low, high in rows
    ]  # fmt: skip
    return [hull([*a, *b], paint) for a, b in pairwise(ends)]


def _toothbrush(rng: Generator) -> SimObject:
    u = rng.uniform
    size, thick, wide, flat = u(0.165, 0.195), u(0.0095, 0.0125), u(0.011, 0.015), u(0.0045, 0.0055)
    name, main = coat(rng, (*BRIGHT, "white", "wooden"))
    accent, end = coat(rng, (*BRIGHT, "white", "grey"), but=name)[1], size * u(0.82, 0.86)
    neck, band = end - 0.028, size * u(0.2, 0.35)
    body = [(0, wide * 0.6, 0, thick), (0.012, wide, 0, thick), (band, wide * u(0.8, 1), 0, thick),
            (size * 0.45, wide, 0, thick), (neck, 0.008, 0, 0.008), (end, 0.007, 0, flat)]  # fmt: skip
    head = [(end, 0.007, 0, flat), (end + 0.005, 0.0115, 0, flat), (size, u(0.006, 0.0115), 0, flat)]
    tufts = [box((0.0042, 0.0085, u(0.0095, 0.011)), accent if k in (0, 3) else SNOW, at=(x, 0, flat + 0.0045))
             for k, x in enumerate(np.linspace(end + 0.006, size - 0.0035, 5).tolist())]  # fmt: skip
    handle = [*_loft(body[:2], main), *_loft(body[1:3], accent), *_loft(body[2:5], main)]
    return SimObject(
        "toothbrush", "toothbrush", f"{name} toothbrush",
        (part("handle", handle), part("neck", _loft(body[4:], main)), part("head", _loft(head, main)),
         part("bristles", tufts, avoid=True)),
        mass=u(0.02, 0.03), poses=(UPRIGHT, ON_BACK), use="brush the teeth",
        material="wood" if name == "wooden" else "plastic",
    )  # fmt: skip


def _squeezed(radius: float, length: float, cuts: Sequence[float], paints: Sequence[Paint]) -> list[Piece]:
    """A tube standing on its round end, flat at its top, a paint between every two cuts (shares of its height)."""
    rows = [
        [(x, y, share * length)
         for x, y in plan(2 * radius * (1 + 0.5 * share), 2 * (radius * (1 - share) + 0.0018 * share), 2.0 + 2 * share)]
        for share in cuts
    ]  # fmt: skip
    return [hull([*a, *b], p) for (a, b), p in zip(pairwise(rows), paints, strict=True)]


def _toothpaste(rng: Generator) -> SimObject:
    u, radius = rng.uniform, rng.uniform(0.015, 0.021)
    name, main = coat(rng, ("white", "white", "white", "light blue", "blue", "red", "green", "mint"))
    band, trim = coat(rng, BRIGHT, but=name)[1], coat(rng, BRIGHT, but=name)[1]
    order = pick(rng, ((main, main, band, trim, main, main), (main, band, main, main, trim, main)))
    body = _squeezed(radius, u(0.11, 0.16), [0, 0.08, u(0.2, 0.3), u(0.55, 0.65), u(0.7, 0.8), 0.94, 1], order)
    cap = turned([(u(0.011, 0.014), -0.024), (radius * 0.92, -0.004)], pick(rng, (SNOW, band)), segments=14)
    neck = cylinder(radius * 0.8, 0.008, SNOW, at=(0, 0, -0.001))
    return SimObject(
        "toothpaste", "toothpaste", f"{name} tube of toothpaste", (part("cap", cap), part("tube", body, neck)),
        mass=u(0.06, 0.15), poses=(ON_BACK,), use="clean the teeth",
    )  # fmt: skip


def _soap_bar(rng: Generator) -> SimObject:
    u = rng.uniform
    name, main = coat(rng, ("white", "white", "cream", "beige", "pink", "mint", "green", "yellow", "light blue"))
    length, width, high, power = u(0.072, 0.098), u(0.048, 0.064), u(0.022, 0.034), pick(rng, (2.2, 2.8, 4.0, 7.0))
    edge, stamp = u(0.004, 0.009), Paint(shade(main.colour, 0.8), shine=0.3)
    levels = [(0, edge), (0.3 * high, 0.001), (0.7 * high, 0.001), (0.93 * high, 0.6 * edge), (high, 1.4 * edge)]
    mark = [slab(length * x, width * y, [(high - 0.004, 0), (high + up, 0)], paint)
            for x, y, up, paint in ((0.5, 0.42, 0.0004, stamp), (0.44, 0.34, 0.0007, main))]  # fmt: skip
    mark += [box((0.003, width * 0.2, 0.004), stamp, at=(x, 0, high - 0.001)) for x in (-0.011, -0.004, 0.003, 0.01)]
    return SimObject(
        "soap_bar", "soap", f"{name} bar of soap",
        (part("bar", slab(length, width, levels, main, power=power)), part("stamp", mark)), mass=u(0.07, 0.13),
        friction=0.5, material="soap", use="wash the hands",
    )  # fmt: skip


def _razor(rng: Generator) -> SimObject:
    u = rng.uniform
    name, main = coat(rng, (*BRIGHT, "black", "white", "grey", "silver"))
    accent, rise = coat(rng, (*BRIGHT, "black", "grey"), but=name)[1], u(0.0, 0.006)
    length, thick, wide, across, deep = u(0.09, 0.12), u(0.01, 0.014), u(0.011, 0.016), u(0.038, 0.044), u(0.016, 0.024)
    rows = [(0, wide * 0.7, 0, thick * 0.8), (length * 0.15, wide, 0, thick),
            (length * 0.5, wide * 0.8, rise, rise + thick), (length * 0.8, wide * 0.75, rise / 2, thick * 0.8 + rise),
            (length, wide * 1.2, 0, 0.009)]  # fmt: skip
    grips = [box((0.0035, wide * 0.7, 0.004), accent, at=(x * length, 0, thick + rise * x * 1.6 - 0.0012))
             for x in np.linspace(0.2, 0.48, 5).tolist()]  # fmt: skip
    middle, soothing = length + deep / 2 - 0.004, coat(rng, ("mint", "light blue", "green"))[1]
    head = [box((deep, across, 0.008), accent, at=(middle, 0, 0.004)),
            box((0.004, across * 0.94, 0.004), soothing, at=(middle + deep * 0.32, 0, 0.0068))]  # fmt: skip
    blades = [box((0.003, across * 0.88, 0.004), ALLOY, at=(middle - deep * 0.32 + k * 0.0042, 0, 0.0068))
              for k in range(int(rng.integers(2, 4)))]  # fmt: skip
    return SimObject(
        "razor", "razor", f"{name} razor",
        (part("handle", _loft(rows, main), grips), part("head", head), part("blades", blades, avoid=True)),
        mass=u(0.02, 0.05), use="shave",
    )  # fmt: skip


def _flask(wide: float, deep: float, tall: float, paint: Paint, *, neck: float, power: float = 2.0,
           label: Paint | None = None) -> list[Piece]:  # fmt: skip
    """A bottle's body up to its shoulder, and a label around it."""
    drawn = (min(wide, deep) - neck) / 2
    levels = [(0, 0.003), (0.004, 0), (0.8 * tall, 0), (0.92 * tall, 0.4 * drawn), (tall, drawn)]
    body = [slab(wide, deep, levels, paint, power=power)]
    if label:
        body.append(slab(wide, deep, [(0.17 * tall, -0.0004), (0.7 * tall, -0.0004)], label, power=power))
    return body


def _lotion_bottle(rng: Generator) -> SimObject:
    u, tall, wide = rng.uniform, rng.uniform(0.10, 0.14), rng.uniform(0.05, 0.066)
    name, main = coat(rng, (*BRIGHT, "white", "white", "cream", "amber"))
    label, power = coat(rng, ("white", "cream", *BRIGHT), ("plain", "label"), but=name)[1], pick(rng, (2.0, 2.4, 4.0))
    body = _flask(wide, wide * pick(rng, (1, u(0.6, 0.8))), tall, main, neck=0.026, power=power, label=label)
    top, stem, reach = pick(rng, (SNOW, COAL, GILT)), tall + u(0.024, 0.034), u(0.028, 0.04)
    pump = [cylinder(0.004, stem - tall, top, at=(0, 0, (stem + tall) / 2)),
            cylinder(0.0095, 0.009, top, at=(0, 0, stem)),
            *tube([(0, 0, stem), (reach * 0.8, 0, stem), (reach, 0, stem - 0.006)], 0.0043, top)]  # fmt: skip
    return SimObject(
        "lotion_bottle", "lotion bottle", f"{name} lotion bottle",
        (part("body", body), part("collar", cylinder(0.0125, 0.016, top, at=(0, 0, tall + 0.005))), part("pump", pump)),
        mass=u(0.12, 0.4), poses=(UPRIGHT, ON_BACK), use="moisturise the skin",
    )  # fmt: skip


def _lotion_tube(rng: Generator) -> SimObject:
    u, radius = rng.uniform, rng.uniform(0.017, 0.023)
    name, main = coat(rng, (*BRIGHT, "white", "cream"), ("plain", "plain", "speckle"))
    (_, trim), (_, band) = coat(rng, (*BRIGHT, "white", "black", "gold"), but=name), coat(rng, BRIGHT, but=name)
    paints = (main, band, Paint(main.colour, "label", band.colour), pick(rng, (main, band)), main)
    body = _squeezed(radius, u(0.09, 0.14), [0, 0.15, 0.2, u(0.5, 0.7), 0.75, 1], paints)
    cap = [slab(2 * radius, 2 * radius, [(-u(0.02, 0.03), 0.001), (0.001, 0)], trim),
           box((0.012, 0.006, 0.004), trim, at=(0, -radius, -0.008))]  # fmt: skip
    return SimObject(
        "lotion_tube", "lotion tube", f"{name} lotion tube", (part("cap", cap), part("tube", body)),
        mass=u(0.05, 0.2), poses=(ON_BACK, UPRIGHT), use="moisturise the skin",
    )  # fmt: skip


def _spray_bottle(rng: Generator) -> SimObject:
    u, tall, wide = rng.uniform, rng.uniform(0.105, 0.135), rng.uniform(0.054, 0.068)
    name, main = coat(rng, (*BRIGHT, "white", "amber"))
    head, pull = coat(rng, ("white", "black", "grey", "blue", "red"), but=name)[1], coat(rng, BRIGHT, but=name)[1]
    label, power, top = coat(rng, ("white", *BRIGHT), ("plain", "label"))[1], pick(rng, (2.0, 3.5)), tall + 0.019
    body = _flask(wide, wide * u(0.7, 1), tall, main, neck=0.028, power=power, label=label)
    # Seen from its side: head, and the two halves of the trigger.
    sides = (([(-0.026, 0.026), (-0.022, 0.008), (0.012, 0), (-0.012, 0), (0.026, 0.014), (0.026, 0.028),
               (-0.012, 0.032)], 0.011, head),
             ([(0.010, 0.008), (0.020, 0.010), (0.029, -0.010), (0.034, -0.008)], 0.006, pull),
             ([(0.029, -0.010), (0.034, -0.008), (0.030, -0.030), (0.034, -0.031)], 0.006, pull))  # fmt: skip
    head_, *trigger = (hull([(x, y, top + z) for y in (-w, w) for x, z in points], p) for points, w, p in sides)
    nozzle = cylinder(0.008, 0.014, pull, at=(0.031, 0, top + 0.021), turn=(0, math.pi / 2, 0))
    collar = cylinder(0.0155, 0.02, pull, at=(0, 0, (tall + top) / 2))
    return SimObject(
        "spray_bottle", "spray bottle", f"{name} spray bottle",
        (part("body", body), part("neck", collar), part("head", head_), part("trigger", trigger),
         part("nozzle", nozzle)),
        mass=u(0.08, 0.45), poses=(ON_BACK, UPRIGHT), use="spray cleaner",
    )  # fmt: skip


def _deodorant(rng: Generator) -> SimObject:
    u, kind = rng.uniform, pick(rng, ("stick", "spray", "roll-on"))
    name, main = coat(rng, (*BRIGHT, "white", "black", "silver"))
    label, top = coat(rng, ("white", *BRIGHT), ("plain", "label"), but=name)[1], pick(rng, (main, SNOW, COAL))
    wide, tall, cap, drawn = {
        "stick": (u(0.054, 0.064), u(0.06, 0.08), u(0.024, 0.04), 0.001),
        "spray": (u(0.042, 0.052), u(0.1, 0.125), u(0.028, 0.04), 0.001),
        "roll-on": (u(0.036, 0.046), u(0.05, 0.062), u(0.032, 0.042), -0.002),
    }[kind]
    deep = 0.54 * wide if kind == "stick" else wide
    levels = [(tall, drawn), (tall + 0.8 * cap, drawn + 0.002), (tall + cap, drawn + 0.008)]
    foot = slab(wide, deep, [(-0.008, 0.003), (0, 0.001)], pick(rng, (top, COAL)), power=2.3)
    body = _flask(wide, deep, tall, main, neck=deep - 0.006, power=2.3, label=label)
    return SimObject(
        "deodorant", "deodorant", f"{name} {kind} deodorant",
        (part("body", body, foot), part("cap", slab(wide, deep, levels, top, power=2.3))),
        mass=u(0.07, 0.2), poses=(ON_BACK, UPRIGHT) if top is main else (ON_BACK,),
        material="metal" if kind == "spray" else "plastic", use="smell fresh",
    )  # fmt: skip


def _nail_polish(rng: Generator) -> SimObject:
    u, wide, tall = rng.uniform, rng.uniform(0.026, 0.036), rng.uniform(0.03, 0.042)
    name, main = coat(rng, (*BRIGHT, "black", "gold", "silver", "beige"))
    glass = Paint(main.colour, shine=0.95)
    body = _flask(wide, wide * u(0.75, 1), tall, glass, neck=0.014, power=pick(rng, (2.0, 3.0, 6.0)))
    rows = [(0.0085, tall), (u(0.0075, 0.0085), tall + 0.006), (u(0.005, 0.0075), tall + u(0.03, 0.042))]
    cap = turned(rows, pick(rng, (COAL, COAL, SNOW, GILT, ALLOY)), segments=18)
    return SimObject(
        "nail_polish", "nail polish", f"bottle of {name} nail polish", (part("bottle", body), part("cap", cap)),
        mass=u(0.03, 0.06), poses=(ON_BACK, UPRIGHT), material="glass", use="paint the nails",
    )  # fmt: skip


def _lipstick(rng: Generator) -> SimObject:
    u, wide, low = rng.uniform, rng.uniform(0.019, 0.023), rng.uniform(0.028, 0.036)
    name, colour = coat(rng, ("red", "red", "pink", "purple", "orange", "brown"))
    case, sleeve, power = pick(rng, (COAL, COAL, GILT, ALLOY, SNOW)), pick(rng, (GILT, ALLOY)), pick(rng, (2.0, 8.0))
    base, tip = low + u(0.01, 0.016), u(0.012, 0.018)
    ends = [(x, y, z + slope * x) for z, slope in ((-0.003, 0), (tip, 0.9)) for x, y in plan(0.0135, 0.0135, 2)]
    return SimObject(
        "lipstick", "lipstick", f"{name} lipstick",
        (part("case", slab(wide, wide, [(0, 0.0005), (low, 0)], case, power=power)),
         part("sleeve", slab(wide - 0.003, wide - 0.003, [(low, 0), (base, 0)], sleeve, power=power)),
         part("bullet", hull(ends, colour).moved(by=(0, 0, base)), avoid=True)),
        mass=u(0.02, 0.03), poses=(ON_BACK,), friction=0.6, use="colour the lips",
    )  # fmt: skip


def _sponge(rng: Generator) -> SimObject:
    u, waist, scours = rng.uniform, rng.random() < 0.3, rng.random() < 0.75
    length, width, high = u(0.09, 0.12), u(0.055, 0.07), u(0.025, 0.04)
    name, foam = coat(rng, ("yellow", "yellow", "blue", "pink", "green", "orange", "purple"), ("speckle",))
    rough, pad = coat(rng, ("green", "green", "blue", "black", "red"), ("speckle",), but=name)
    split = 0.72 * high if scours and not waist else high
    body = [box((length, width, split), foam, at=(0, 0, split / 2))]
    if waist:
        body = [cylinder(width / 2, high, foam, at=(s * (length - width) / 2, 0, high / 2)) for s in (-1, 1)]
        body.append(box((length - width, 0.74 * width, high), foam, at=(0, 0, high / 2)))
    top = box((length - 0.004, width - 0.004, high - split), pad, at=(0, 0, (split + high) / 2))
    return SimObject(
        "sponge", "sponge", f"{name} and {rough} sponge" if split < high else f"{name} sponge",
        (part("foam", body), *([part("scouring pad", top)] if split < high else [])),
        mass=u(0.02, 0.045), friction=0.85, poses=(UPRIGHT, UPSIDE_DOWN, ON_BACK), material="foam",
        use="wipe things clean",
    )  # fmt: skip


def _dental_floss(rng: Generator) -> SimObject:
    u, length, width, high = rng.uniform, rng.uniform(0.05, 0.064), rng.uniform(0.036, 0.046), rng.uniform(0.016, 0.022)
    name, main = coat(rng, ("white", "white", "white", "light blue", "mint", "green", "blue"))
    (_, top), (_, badge), split = coat(rng, BRIGHT, but=name), coat(rng, BRIGHT, but=name), length * u(0.18, 0.25)
    levels = [(0, 0.002), (0.003, 0), (high - 0.003, 0), (high, 0.002)]
    body = slab(length, width, levels, main, power=pick(rng, (3.0, 5.0, 10.0)))
    lid = box((length / 2 - split + 0.001, width * 0.86, high + 0.0012), top, at=(length / 4 + split / 2, 0, high / 2))
    badges = [slab(x, y, [(high - 0.004, 0), (high + up, 0)], paint, at=(-0.14 * length, 0, 0))
              for x, y, up, paint in ((0.03, width * 0.66, 0.0005, badge), (0.012, 0.013, 0.0009, SNOW))]  # fmt: skip
    strand = [(x + length / 2, y, z) for x, y, z in ((-0.002, 0, high / 2), (0.012, 0.003, 0.007), (0.022, 0, 0.0016))]
    return SimObject(
        "dental_floss", "dental floss", f"{name} box of dental floss",
        (part("box", body, badges), part("lid", lid), part("floss", tube(strand, 0.0016, SNOW), avoid=True)),
        mass=u(0.02, 0.04), use="clean between the teeth",
    )  # fmt: skip


def _medicine_bottle(rng: Generator) -> SimObject:
    u, wide, tall = rng.uniform, rng.uniform(0.034, 0.056), rng.uniform(0.055, 0.085)
    name, main = coat(rng, ("amber", "amber", "orange", "white", "green", "brown"))
    label = Paint(ALL_COLOURS["white"], "label", coat(rng, ("light blue", "red", "yellow", "white", "blue"))[1].colour)
    rim, high, top = wide * u(0.75, 0.95), u(0.014, 0.02), pick(rng, (SNOW, SNOW, COAL))
    lid = slab(rim, rim, [(tall, 0), (tall + high, 0.001)], Paint(top.colour, "stripes", (0.6, 0.6, 0.6)))
    return SimObject(
        "medicine_bottle", "medicine bottle", f"{name} medicine bottle",
        (part("body", _flask(wide, wide, tall, main, neck=rim * 0.85, label=label)), part("cap", lid)),
        mass=u(0.03, 0.15), poses=(ON_BACK, UPRIGHT), use="keep pills",
    )  # fmt: skip


MAKERS = (
    _toothbrush, _toothpaste, _soap_bar, _razor, _lotion_bottle, _lotion_tube, _spray_bottle, _deodorant,
    _nail_polish, _lipstick, _sponge, _dental_floss, _medicine_bottle,
)  # fmt: skip
FAMILIES: dict[str, Callable[[Generator], SimObject]] = {make.__name__[1:]: make for make in MAKERS}
