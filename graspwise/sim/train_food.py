"""Training families: what stands on a dining table - food, bottles and cans, crockery.

Every call draws a new instance: sizes within what shops sell, variants, colours, patterns. Long things lie along x.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from graspwise.sim.colours import pick, shade, solid, tint, wooden
from graspwise.sim.forms import ALONG_X_FACET, ON_SIDE, UPRIGHT, bar, stretched
from graspwise.sim.paint import varied
from graspwise.sim.shapes import (
    Colour,
    Paint,
    Part,
    Piece,
    SimObject,
    Vector,
    box,
    cylinder,
    ellipsoid,
    hull,
    moved,
    part,
    ring,
    rod,
    tube,
    turned,
    vessel,
)  # fmt: skip

Profile = list[tuple[float, float]]
Range = tuple[float, float]
GREEN: Colour = (0.20, 0.45, 0.14)
EITHER = (UPRIGHT, ON_SIDE)


def _skin(rng: Generator, *colours: tuple[str, Colour], by: float = 0.85) -> tuple[str, Paint]:
    """One of the colours, speckled with a shade of it that much brighter."""
    word, near = pick(rng, colours)
    colour = varied(near, rng, by=0.035)
    return word, Paint(colour, "speckle", shade(colour, by), rng.uniform(0.15, 0.5))


def _food(name: str, word: str, parts: list[Part], mass: float, poses: Sequence[Vector] = (UPRIGHT,)) -> SimObject:
    words = name.replace("_", " ")
    return SimObject(name, words, f"{word} {words}", tuple(parts), mass, 0.65, tuple(poses), "food", "eat")


def _lump(
    rng: Generator, paint: Paint, *, length: float, width: float, taper: float = 0.0, uneven: float = 0.0,
    flat: float = 1.0,
) -> Piece:  # fmt: skip
    """An egg along x, thicker towards x by `taper`, with shallow bumps, its height `flat` times its width."""
    along, around = np.meshgrid(np.linspace(-0.97, 0.97, 10), (np.arange(20) + 0.5) * math.pi / 10)
    bumps = 1 + uneven * np.sin(2 * around + rng.uniform(0, 6)) * np.sin(3 * along + rng.uniform(0, 6))
    radius = width / 2 * np.sqrt(1 - along**2) * (1 + taper * along) * bumps
    points = np.stack([along * length / 2, radius * np.cos(around), flat * radius * np.sin(around)], axis=-1)
    return hull(points.reshape(-1, 3).tolist(), paint)


def _round(rng: Generator, paint: Paint, *, r: float, h: float) -> tuple[Part, float]:
    """Body of a fruit 2 r wide and about 2 h tall, with a dimple on top; and where the dimple's bottom is."""
    rows = [(r * math.cos(a) ** 0.9, h * math.sin(a)) for a in np.linspace(-1.15, 0.85, 9).tolist()]
    sides = [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 19).tolist()]
    edge = rows[-1]
    rim = (edge, (r * 0.42, h * 0.96), (r * 0.3, h * 0.96), (1e-4, edge[1]))
    crown = [hull([(q * c, q * s, z) for c, s in sides[k : k + 2] for q, z in rim], paint) for k in range(18)]
    return part("body", hull([(q * c, q * s, z) for q, z in rows for c, s in sides], paint), crown), edge[1]


def _leaf(rng: Generator, *, length: float, width: float, at: Vector, turn: Vector) -> Piece:
    outline = ((0, 0.1), (0.35, 0.5), (0.7, 0.35), (1, 0), (0.7, -0.35), (0.35, -0.5), (0, -0.1))
    points = [(x * length, y * width, z) for x, y in outline for z in (0, 0.003)]
    return hull(points, Paint(varied(GREEN, rng, by=0.03))).moved(by=at, turn=turn)


def _apple(rng: Generator) -> SimObject:
    u, colours = rng.uniform, (("red", (0.7, 0.1, 0.1)), ("green", (0.5, 0.7, 0.2)), ("yellow", (0.9, 0.8, 0.3)))
    word, paint = _skin(rng, *colours, by=1.2)
    r, lean = u(0.03, 0.036), u(-0.005, 0.005)
    h = r * u(0.86, 1.0)
    body, z = _round(rng, paint, r=r, h=h)
    stem = [rod((0, 0, z), (lean, lean, h + u(0.006, 0.014)), 0.0018, Paint(varied((0.36, 0.27, 0.14), rng)))]
    if rng.random() < 0.5:
        stem.append(_leaf(rng, length=u(0.022, 0.036), width=0.016, at=(0, 0, h + 0.002), turn=(0, -0.1, u(0, 6))))
    return _food("apple", word, [body, part("stem", stem, avoid=True)], 3300 * r * r * h, EITHER)


def _orange(rng: Generator) -> SimObject:
    word, paint = _skin(rng, ("ripe", (0.95, 0.5, 0.06)), ("dark", (0.9, 0.38, 0.05)), by=0.9)
    r = rng.uniform(0.027, 0.036)
    body, z = _round(rng, paint, r=r, h=r * rng.uniform(0.9, 1.0))
    button = cylinder(0.004, r * 0.98 - z, Paint(varied((0.45, 0.5, 0.2), rng)), at=(0, 0, (z + r * 0.9) / 2))
    return _food("orange", word, [body, part("stem end", button)], 3400 * r**3, EITHER)


def _tomato(rng: Generator) -> SimObject:
    u = rng.uniform
    word, colour = _skin(rng, ("red", (0.8, 0.1, 0.06)), ("orange", (0.92, 0.45, 0.08)), ("yellow", (0.93, 0.78, 0.15)))
    r, long = u(0.023, 0.036), u(0.5, 0.8)
    h = r * u(0.7, 0.9)
    body, _ = _round(rng, Paint(colour.colour, shine=0.7), r=r, h=h)
    star = [_leaf(rng, length=r * long, width=0.009, at=(0, 0, h * 0.93), turn=(0, 0.05, k * 1.257)) for k in range(5)]
    return _food("tomato", word, [body, part("leaves", star, avoid=True)], 3700 * r * r * h)


def _lemon(rng: Generator) -> SimObject:
    u = rng.uniform
    word, paint = _skin(rng, ("yellow", (0.96, 0.84, 0.14)), ("pale yellow", (0.95, 0.89, 0.35)), by=0.92)
    width = u(0.05, 0.066)
    length = width * u(1.2, 1.42)
    tip = [(width * 0.2, length * 0.42), (width * u(0.1, 0.14), length * 0.5), (width * 0.07, length * u(0.54, 0.57))]
    ends = [moved(turned(tip, paint, segments=14), turn=(0, side * math.pi / 2, 0)) for side in (1, -1)]
    body = _lump(rng, paint, length=length, width=width, taper=u(-0.05, 0.05))
    return _food("lemon", word, [part("body", body), part("tips", *ends)], 500 * width * width * length)


def _potato(rng: Generator) -> SimObject:
    u = rng.uniform
    word, paint = _skin(rng, ("brown", (0.66, 0.5, 0.31)), ("yellow", (0.82, 0.68, 0.42)), ("red", (0.62, 0.3, 0.28)))
    width, flat = u(0.045, 0.066), u(0.75, 0.95)
    length = width * u(1.2, 1.75)
    body = _lump(rng, paint, length=length, width=width, taper=u(-0.15, 0.15), uneven=u(0.05, 0.12), flat=flat)
    eye, spots = ellipsoid((0.0035, 0.002, 0.0035), Paint(shade(paint.colour, 0.45))), u(-0.22, 0.22, (5, 2)).tolist()
    eyes = [eye.moved(by=(x * length, y * width, (0.25 - x * x - y * y) ** 0.5 * width * flat)) for x, y in spots]
    return _food("potato", word, [part("body", body), part("eyes", eyes)], 550 * width * width * length)


def _onion(rng: Generator) -> SimObject:
    word, paint = _skin(rng, ("brown", (0.74, 0.48, 0.2)), ("red", (0.5, 0.14, 0.26)), ("white", (0.92, 0.9, 0.82)))
    r, tall, peel = rng.uniform(0.025, 0.036), rng.uniform(0.85, 1.05), replace(paint, pattern="stripes")
    rows = [(0.3, -0.92), (0.75, -0.65), (1, -0.1), (0.95, 0.25), (0.7, 0.62), (0.35, 0.85), (0.14, 1.1), (0.1, 1.4)]
    bulb, root = (
        turned([(r * w, r * tall * z) for w, z in rows], peel, segments=18),
        Paint((0.8, 0.72, 0.55), "speckle"),
    )
    parts = [part("bulb", bulb), part("root", cylinder(r * 0.22, 0.006, root, at=(0, 0, -r * tall * 0.94)))]
    return _food("onion", word, parts, 3700 * r**3, (ON_SIDE,))


def _carrot(rng: Generator) -> SimObject:
    u = rng.uniform
    colours = ("orange", (0.94, 0.46, 0.08)), ("purple", (0.4, 0.16, 0.32)), ("yellow", (0.93, 0.75, 0.25))
    word, paint = _skin(rng, *colours, by=0.88)
    r, length, green, leafy = u(0.012, 0.019), u(0.11, 0.165), Paint(varied(GREEN, rng)), u(0.02, 0.06)
    rows = [(0.7, 0), (1, 0.03), (u(0.8, 0.95), 0.3), (u(0.45, 0.6), 0.75), (0.2, 0.97), (0.1, 1)]
    root = moved(turned([(r * w, length * t) for w, t in rows], paint, segments=14), turn=ALONG_X_FACET)
    tops = [rod((0.003, 0, 0), (-leafy * u(0.7, 1), leafy * y, -0.2 * r), 0.0025, green) for y in (-0.3, 0, 0.3)]
    return _food("carrot", word, [part("root", root), part("greens", tops, avoid=True)], 1900 * length * r * r)


def _cucumber(rng: Generator) -> SimObject:
    u, (word, paint) = rng.uniform, _skin(rng, ("green", (0.16, 0.4, 0.13)), ("dark green", (0.1, 0.28, 0.1)), by=1.4)
    r, half, bend = u(0.016, 0.023), u(0.065, 0.085), u(0.004, 0.014)
    body = tube([(half * t, -bend * t * t, 0.0) for t in np.linspace(-1, 1, 6).tolist()], r, paint)
    stub = ellipsoid((0.006, 0.006, 0.005), Paint((0.5, 0.6, 0.3)))
    ends = [stub.moved(by=(side * (half + r * 0.9), -bend * 1.2, 0)) for side in (-1, 1)]
    return _food("cucumber", word, [part("body", body), part("ends", ends)], 5800 * half * r * r)


def _corn(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, pick(rng, (("yellow", (0.95, 0.78, 0.18)), ("pale", (0.95, 0.88, 0.52))))
    kernels = Paint(varied(colour, rng), "dots", shade(colour, 0.75), 0.4)
    r, length = u(0.019, 0.026), u(0.12, 0.165)
    husk = Paint(varied((0.5, 0.68, 0.28), rng), "stripes", (0.62, 0.76, 0.4))
    rows = [(0.75, 0), (0.98, 0.15), (1, 0.4), (0.85, 0.75), (0.55, 0.94), (0.25, 1)]
    cob = moved(turned([(r * w, length * t) for w, t in rows], kernels, segments=14), turn=ALONG_X_FACET)
    parts = [part("cob", cob), part("stalk", rod((0.01, 0, 0), (-u(0.015, 0.03), 0, 0), 0.008, husk))]
    if rng.random() < 0.6:
        reach = length * u(0.4, 0.7)
        ribs = [(-0.005, 0, 0.014, 0.005), (reach / 2, -r * 0.3, r * 1.2, 0.004), (reach, -r / 2, 0.006, 0.003)]
        leaf, spread = bar(ribs, husk), u(0.2, 0.4)
        parts.append(part("husk", *(moved(leaf, by=(0, s * r * 0.7, 0), turn=(0, 0, s * spread)) for s in (-1, 1))))
    return _food("corn", word, parts, 2200 * length * r * r)


def _bell_pepper(rng: Generator) -> SimObject:
    u, skins = rng.uniform, (("red", (0.78, 0.08, 0.07)), ("yellow", (0.95, 0.76, 0.1)), ("green", (0.2, 0.5, 0.13)))
    word, near = pick(rng, skins)
    r, tall, count = u(0.029, 0.035), u(0.032, 0.045), pick(rng, (3, 4, 4))
    paint, green = Paint(varied(near, rng, by=0.04), shine=0.8), Paint(varied((0.25, 0.5, 0.16), rng))
    lobe = ellipsoid((r * 0.68, r * 0.66, tall * u(0.92, 1)), paint, at=(r * 0.32, 0, 0))
    lobes = [lobe.moved(turn=(0, 0, k * 2 * math.pi / count)) for k in range(count)]
    end = (u(-0.01, 0.01), 0.004, tall + u(0.01, 0.02))
    stem = tube([(0, 0, tall * 0.8), (0, 0, tall + 0.004), end], 0.0045, green)
    stem.append(cylinder(0.011, 0.005, green, at=(0, 0, tall * 0.9)))
    return _food("bell_pepper", word, [part("body", lobes), part("stem", stem)], u(0.12, 0.22), EITHER)


def _bread_roll(rng: Generator) -> SimObject:
    u = rng.uniform
    colours = ("brown", (0.66, 0.42, 0.2)), ("golden", (0.82, 0.58, 0.28)), ("pale", (0.88, 0.74, 0.5))
    word, paint = _skin(rng, *colours, by=0.9)
    width, tall, cuts = u(0.05, 0.07), u(0.034, 0.048), pick(rng, (1, 3, 4))
    length = width * pick(rng, (1.0, u(1.3, 1.8)))
    loaf = turned([(0.4, 0), (0.48, 0.15), (0.5, 0.35), (0.43, 0.7), (0.28, 0.92), (0.1, 1)], paint, segments=24)
    slash = ellipsoid((width * 0.3, 0.0035, 0.005), Paint(shade(paint.colour, 1.25)), turn=(0, 0, 1.0))
    places = [0.17 * (k - (cuts - 1) / 2) for k in range(cuts)]
    slashes = [slash.moved(by=(x * length, 0, tall * (0.97 - 2.2 * x * x))) for x in places]
    parts = [part("crust", stretched(loaf, by=(length, width, tall))), part("slashes", slashes)]
    return _food("bread_roll", word, parts, u(0.04, 0.09))


def _candy_bar(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    ink, second = tint(rng, *(("red", "blue") if word in ("white", "yellow") else ("white", "yellow")))
    wrap, foil = Paint(second, "label", colour, 0.6), Paint(colour, "stripes", shade(colour, 0.8), 0.7)
    length, width, tall = u(0.085, 0.15), u(0.026, 0.042), u(0.013, 0.02)
    rows = [(x * length / 2, tall / 2, width * w, tall * h) for x, w, h in ((-1, 0.95, 0.6), (-0.92, 1, 1))]
    rows += [(-x, z, w, h) for x, z, w, h in reversed(rows)]
    ends = [box((0.012, width, 0.003), foil, at=(s * (length / 2 + 0.005), 0, tall / 2)) for s in (-1, 1)]
    parts = [part("wrapper", bar(rows, wrap, square=0.4)), part("ends", ends)]
    return _food("candy_bar", f"{word} and {ink}", parts, u(0.03, 0.1))


def _bottle(rng: Generator) -> SimObject:
    u, glass = rng.uniform, rng.random() < 0.5
    word, colour = tint(rng, *("green", "brown", "blue") if glass else ())
    paint, top = Paint(colour, shine=0.8, opacity=u(0.75, 0.95) if glass else 1.0), solid(rng, tint(rng)[1])
    slip = Paint(tint(rng, "white", "yellow", "red", "light blue")[1], "label", (0.93, 0.92, 0.88))
    r, h, flat = u(0.023, 0.035), u(0.13, 0.195), pick(rng, (1.0, 1.0, u(0.62, 0.8)))
    neck, bend = r * u(0.36, 0.55), h * u(0.5, 0.66)
    rows = [(r * 0.9, 0), (r, 0.008), (r * u(0.9, 1), bend), (neck * 1.1, bend * 0.45 + h * 0.55), (neck, h - 0.02)]
    label = [(r + 0.001, h * 0.14), (r + 0.001, bend * 0.86)] if rng.random() < 0.75 else []
    body, wrap, cap = (stretched(turned(profile, skin, segments=18), by=(1, flat, 1)) for profile, skin in (
        (rows, paint), (label, slip), ([(neck * 1.15, h - 0.021), (neck * u(0.6, 1.15), h)], top)))  # fmt: skip
    parts = (part("body", body[:2], wrap), part("neck", body[2:]), part("cap", cap))
    return SimObject("bottle", "bottle", f"{word} bottle", parts, u(0.1, 0.45), 0.6, EITHER,
                     "glass" if glass else "plastic", "pour juice or sauce")  # fmt: skip


def _can(rng: Generator) -> SimObject:
    u, kind, (word, colour) = rng.uniform, pick(rng, ("drink", "soup", "fish")), tint(rng)
    steel, dark = Paint(varied((0.78, 0.79, 0.8), rng, by=0.03), shine=0.8), Paint((0.5, 0.51, 0.53), shine=0.7)
    plain = solid(rng, colour)
    skin = pick(rng, (plain, Paint(steel.colour, "label", colour, 0.6), Paint(colour, "stripes", steel.colour, 0.6)))
    word = word if skin is plain else f"{word} and silver"
    r, h, flat = {"drink": (u(0.026, 0.033), u(0.1, 0.165), 1.0), "soup": (u(0.029, 0.036), u(0.055, 0.115), 1.0),
                  "fish": (u(0.04, 0.054), u(0.022, 0.034), u(0.58, 0.66))}[kind]  # fmt: skip
    lid = r * (0.78 if kind == "drink" else 0.96)
    body = turned([(lid, 0), (r, 0.006), (r, h - 0.011), (lid, h - 0.004)], skin, segments=18)
    rim = ring(lid, 0.005, 0.006, steel, at=(0, 0, h - 0.003), segments=18)
    cover = turned([(lid * 0.95, h - 0.005), (lid * 0.95, h - 0.002)], plain if kind == "fish" else steel, segments=18)
    tab = [*ring(0.0085, 0.0035, 0.003, dark, at=(r * 0.3, 0, h - 0.0006), segments=8),
           box((r * 0.3, 0.006, 0.003), dark, at=(0, 0, h - 0.0008))]  # fmt: skip
    by = (1.0, flat, 1.0)
    parts = (part("body", stretched(body, by=by)), part("lid", stretched([*cover, *rim], by=by)), part("tab", tab))
    return SimObject("can", "can", f"{word} {kind} can", parts, u(0.05, 0.4), 0.55,
                     (UPRIGHT,) if kind == "fish" else EITHER, "metal", "keep food or drink in")  # fmt: skip


def _glaze(rng: Generator) -> tuple[str, Paint]:
    word, colour = tint(rng)
    if rng.random() < 0.65:
        return word, solid(rng, colour)
    spots = shade(colour, 0.5 if sum(colour) > 1 else 3)
    return f"speckled {word}", Paint(colour, "speckle", spots, rng.uniform(0.3, 0.8))


def _ear(rng: Generator, profile: Profile, paint: Paint, *, thick: float) -> Part:
    """A cup's handle towards x, round or square, on the outside of the profile."""
    height = profile[-1][1]
    low, high, reach = height * rng.uniform(0.2, 0.3), height * rng.uniform(0.74, 0.86), rng.uniform(0.027, 0.038)
    path = [(0.0, low), (reach, low), (reach, high), (0.0, high)]
    if rng.random() < 0.65:
        middle, half = (low + high) / 2, (high - low) / 2
        path = [(reach * math.cos(a), middle + half * math.sin(a)) for a in (-1.57, -1, -0.5, 0, 0.5, 1, 1.57)]
    wall = [float(np.interp(z, [p[1] for p in profile], [p[0] for p in profile])) for _, z in path]
    points = [(wall[0] - 0.002, low), *((max(wall) + x, z) for x, z in path[1:-1]), (wall[-1] - 0.002, high)]
    return part("handle", tube([(x, 0.0, z) for x, z in points], thick, paint))


def _walls(rng: Generator, profile: Profile, paint: Paint, *, wall: float, flat: float = 1.0) -> list[Part]:
    """Body and rim, squeezed across to `flat`."""
    bottom, edge = (pick(rng, (paint, solid(rng, shade(paint.colour, 0.75)))) for _ in range(2))
    body = vessel(profile[:-1], paint, wall=wall, base=0.006, inside=bottom, segments=16)
    rim = vessel(profile[-2:], edge, wall=wall, base=0.006, segments=16)[:-1]
    return [part(name, stretched(pieces, by=(1.0, flat, 1.0))) for name, pieces in (("body", body), ("rim", rim))]


def _cup(rng: Generator, name: str, *, radius: Range, tall: Range, foot: Range, thick: Range) -> SimObject:
    u, (words, paint) = rng.uniform, _glaze(rng)
    r, h, base = u(*radius), u(*tall), u(*foot)
    profile = [(r * base, 0.0), (r * (0.45 + base * u(0.5, 0.6)), h * u(0.35, 0.5)), (r, h - 0.013), (r, h)]
    parts = [*_walls(rng, profile, paint, wall=thick[0]), _ear(rng, profile, paint, thick=u(*thick))]
    if full := rng.random() < 0.25:
        drink = Paint(pick(rng, ((0.22, 0.12, 0.06), (0.62, 0.3, 0.08), (0.75, 0.58, 0.42))), shine=0.6)
        parts.append(part("drink", cylinder(r - thick[0] / 2, 0.004, drink, at=(0, 0, h - 0.019)), avoid=True))
    return SimObject(name, name.split("_")[-1], f"{words} {name.replace('_', ' ')}", tuple(parts), u(0.1, 0.4), 0.6,
                     (UPRIGHT,) if full or r > 0.036 else EITHER, "ceramic", "drink coffee from")  # fmt: skip


def _mug(rng: Generator) -> SimObject:
    return _cup(rng, "mug", radius=(0.033, 0.046), tall=(0.075, 0.115), foot=(0.8, 1.0), thick=(0.0042, 0.0065))


def _tea_cup(rng: Generator) -> SimObject:
    return _cup(rng, "tea_cup", radius=(0.037, 0.048), tall=(0.05, 0.068), foot=(0.5, 0.65), thick=(0.004, 0.005))


def _bowl(rng: Generator) -> SimObject:
    u = rng.uniform
    words, paint, material = (*_glaze(rng), "ceramic") if rng.random() < 0.75 else ("wooden", wooden(rng), "wood")
    r, h = u(0.048, 0.076), u(0.038, 0.065)
    profile = [(r * u(0.48, 0.65), 0.0), (r * u(0.82, 0.92), h * 0.45), (r * 0.98, h - 0.01), (r, h)]
    parts = tuple(_walls(rng, profile, paint, wall=u(0.008, 0.0105)))
    return SimObject("bowl", "bowl", f"{words} bowl", parts, u(0.15, 0.45), 0.65, (UPRIGHT,), material, "eat soup from")


def _dish(rng: Generator) -> SimObject:
    u, (words, paint) = rng.uniform, _glaze(rng)
    r, h, flat = u(0.05, 0.078), u(0.017, 0.028), pick(rng, (1.0, u(0.68, 0.85)))
    profile = [(r * u(0.66, 0.8), 0.0), (r * 0.97, h - 0.008), (r, h)]
    parts = tuple(_walls(rng, profile, paint, wall=u(0.01, 0.0125), flat=flat))
    return SimObject("dish", "dish", f"{words} dish", parts, u(0.12, 0.35), 0.6, (UPRIGHT,), "ceramic", "serve nuts in")


FAMILIES: dict[str, Callable[[Generator], SimObject]] = {
    family.__name__[1:]: family
    for family in (
        _apple, _orange, _tomato, _lemon, _potato, _onion, _carrot, _cucumber, _corn, _bell_pepper, _bread_roll,
        _candy_bar, _bottle, _can, _mug, _tea_cup, _bowl, _dish,
    )
}  # fmt: skip
