"""Training families: cutlery and kitchen tools.

Every call draws a new instance: sizes within what shops sell, variants, colours, patterns. Long things lie along x.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from graspwise.sim.colours import DARK, grip, pick, solid, steel, tint, wooden
from graspwise.sim.forms import ALONG_X_FACET, FLAT, ON_SIDE, UPRIGHT, bar, stretched
from graspwise.sim.paint import varied
from graspwise.sim.shapes import (
    Paint,
    Piece,
    SimObject,
    box,
    cylinder,
    hull,
    moved,
    part,
    prism,
    ring,
    rod,
    tube,
    turned,
    vessel,
)  # fmt: skip


def _bulged(length: float, thick: float, paint: Paint, *, waist: float) -> list[Piece]:
    """A handle for the whole hand, along x about the origin."""
    rows = ((-0.5, 0.7), (-0.38, 1), (0, waist), (0.38, 1), (0.5, 0.75))
    return bar([(x * length, 0, w * thick, w * thick) for x, w in rows], paint, square=0.8)


def _flatware(rng: Generator, wood: float) -> tuple[str, Paint, Paint, str]:
    """How to say what the handle is of, paints of handle and metal, and the handle's material."""
    metal = steel(rng)
    if rng.random() < 0.4:
        return "steel {}", metal, metal, "steel"
    word, paint, material = grip(rng, wood)
    return f"{{}} with a {word} handle", paint, metal, material


def _spoon(rng: Generator) -> SimObject:
    u = rng.uniform
    word, paint, material = ("steel", steel(rng), "steel") if rng.random() < 0.4 else grip(rng, 0.45)
    big = material == "wood" or rng.random() < 0.3
    length, a, depth = (u(0.2, 0.236), u(0.028, 0.036), 0.013) if big else (u(0.14, 0.2), u(0.02, 0.03), u(0.01, 0.013))
    rest, thick = length - 2 * a, u(0.009, 0.014) if big else u(0.0055, 0.008)
    wide = thick if big else u(0.012, 0.019)
    cup = vessel([(a * 0.45, 0), (a * 0.85, depth * 0.55), (a, depth)], paint, wall=0.0059, base=0.0035, segments=14)
    handle = bar([(a - 0.006, depth - 0.003, 0.01, 0.005), (a + rest * 0.15, depth + 0.003, 0.0085, 0.0055),
                  (a + rest * 0.5, depth + 0.003, wide * 0.75, thick), (a + rest * 0.88, thick * 0.7, wide, thick),
                  (a + rest, thick / 2, wide * 0.6, thick)], paint, square=0.8)  # fmt: skip
    parts = (part("handle", handle), part("bowl", stretched(cup, by=(1, u(0.62, 0.75), 1))))
    use = "stir a pot" if big else "eat soup with"
    return SimObject("spoon", "spoon", f"{word} spoon", parts, u(0.03, 0.09), 0.5, FLAT, material, use)


def _fork(rng: Generator) -> SimObject:
    u, (words, paint, metal, _) = rng.uniform, _flatware(rng, 0.3)
    wide, tip, hold, thick = u(0.021, 0.028), -u(0.04, 0.052), u(0.013, 0.019), u(0.008, 0.011)
    end = u(0.145, 0.205) + tip
    start = 0.03 + (end - 0.03) * u(0.2, 0.4)
    prong = bar([(0.002, 0.003, 0.0036, 0.004), (tip * 0.7, 0.004, 0.0034, 0.004), (tip, 0.008, 0.003, 0.003)], metal)
    out = wide / 2 - 0.0018
    tines = [moved(prong, by=(0, y, 0)) for y in np.linspace(-out, out, pick(rng, (3, 4, 4))).tolist()]
    head = bar([(0, 0.003, wide, 0.004), (0.018, 0.004, wide * 0.9, 0.004), (0.03, 0.007, 0.0085, 0.005),
                (start + 0.001, 0.014, 0.009, 0.006)], metal)  # fmt: skip
    handle = bar([(start, 0.014, hold * 0.7, 0.007), ((start + end) / 2, 0.012, hold, thick),
                  (end - 0.008, thick / 2, hold, thick), (end, thick / 2, hold * 0.5, thick)], paint)  # fmt: skip
    parts = (part("handle", handle), part("head", head), part("tines", *tines, avoid=True))
    return SimObject("fork", "fork", words.format("fork"), parts, u(0.03, 0.07), 0.5, material="steel", use="eat with")


def _table_knife(rng: Generator) -> SimObject:
    u, (words, paint, metal, material) = rng.uniform, _flatware(rng, 0.4)
    hold, long, deep, thick = u(0.08, 0.11), u(0.09, 0.125), u(0.017, 0.024), u(0.011, 0.015)
    z, shine = thick / 2, Paint((0.9, 0.91, 0.92), shine=0.9)
    tip = pick(rng, ([(0.7, -0.5), (1.0, 0.45)], [(0.9, -0.5), (1.0, 0.0), (0.97, 0.45)], [(0.95, -0.7), (1, 0.3)]))
    outline = [(0.0, 0.5), (0.0, -0.4), (0.12, -0.5), *tip, (0.75, 0.5)]
    blade = prism([(x * long, y * deep) for x, y in outline], 0.003, metal, z=z)
    blade.append(box((long * 0.55, 0.003, 0.0034), shine, at=(long * 0.4, -deep * 0.45, z)))
    rows = ((-1, 0.5, 0.9), (-0.93, 0.9, 1), (-0.4, 0.72, 1), (-0.06, 0.8, 0.9), (0.04, 0.7, 0.4))
    handle = bar([(x * hold, z, deep * w, thick * h) for x, w, h in rows], paint)
    if material == "wood":
        handle += [cylinder(0.0025, thick + 0.0008, metal, at=(-hold * f, 0, z)) for f in (0.25, 0.5, 0.75)]
    parts = (part("handle", handle), part("blade", blade, avoid=True))
    words = words.format("table knife")
    return SimObject("table_knife", "knife", words, parts, u(0.04, 0.09), 0.55, FLAT, "steel", "cut food on a plate")


def _spatula(rng: Generator) -> SimObject:
    u, (word, paint, material) = rng.uniform, grip(rng)
    a, w, end, wide, thick = u(0.07, 0.092), u(0.055, 0.08), u(0.115, 0.14), u(0.015, 0.021), u(0.011, 0.015)
    metal = pick(rng, (steel(rng), DARK, paint))
    if rng.random() < 0.3:
        head = bar([(0.01, 0.006, 0.015, 0.012), (-a * 0.2, 0.006, w * 0.7, 0.012), (-a * 0.75, 0.006, w * 0.72, 0.012),
                    (-a * 0.85, 0.005, w * 0.5, 0.006)], solid(rng, tint(rng)[1]), square=0.3)  # fmt: skip
    else:
        slots = pick(rng, (0, 2, 3, 4))
        strip, back = w / (2 * slots + 1), [(0.004, 0.01), (-a * 0.25, w / 2), (-a * 0.25, -w / 2), (0.004, -0.01)]
        places = np.linspace((strip - w) / 2, (w - strip) / 2, slots + 1).tolist() if slots else [0.0]
        head = [*prism(back, 0.0035, metal, z=0.002), box((a * 0.2, w, 0.0035), metal, at=(-a * 0.9, 0, 0.002))]
        head += [box((a * 0.6, strip, 0.0035), metal, at=(-a * 0.52, y, 0.002)) for y in places]
    neck = bar([(-0.01, 0.003, 0.02, 0.004), (0.02, 0.014, 0.009, 0.007), (0.042, 0.017, 0.009, 0.008)], metal)
    rows = ((0.035, 0.017, 0.7), (end * 0.6, 0.017, 1), (end - 0.008, thick * 0.6, 1), (end, thick / 2, 0.6))
    handle = bar([(x, z, wide * w, thick) for x, z, w in rows], paint)
    parts, words = (part("handle", handle), part("neck", neck), part("head", head)), f"spatula with a {word} handle"
    return SimObject("spatula", "spatula", words, parts, u(0.06, 0.14), 0.6, FLAT, material, "turn pancakes")


def _ladle(rng: Generator) -> SimObject:
    u, (words, paint, metal, _) = rng.uniform, _flatware(rng, 0.3)
    metal = pick(rng, (metal, paint))
    r, depth, end, wide, thick = u(0.032, 0.043), u(0.027, 0.04), u(0.16, 0.193), u(0.012, 0.019), u(0.009, 0.012)
    cup = vessel([(r * 0.5, 0), (r * 0.88, depth * 0.45), (r, depth)], metal, wall=0.0045, base=0.004, segments=14)
    neck = bar([(r - 0.005, depth - 0.004, 0.014, 0.006), (r + 0.014, depth + 0.006, 0.01, 0.008),
                (end * 0.52, depth * 0.75, 0.011, 0.008)], metal)  # fmt: skip
    handle = bar([(end * 0.5, depth * 0.77, wide * 0.7, thick), (end * 0.7, depth * 0.5, wide, thick),
                  (end - 0.015, thick * 0.7, wide, thick), (end, thick / 2, wide * 0.6, thick)], paint)  # fmt: skip
    parts = (part("handle", handle), part("neck", neck), part("bowl", cup))
    return SimObject("ladle", "ladle", words.format("ladle"), parts, u(0.08, 0.2), 0.5, FLAT, "steel", "serve soup")


def _tongs(rng: Generator) -> SimObject:
    u, metal, (word, colour) = rng.uniform, steel(rng), tint(rng)
    paint, long, h, angle = solid(rng, colour), u(0.16, 0.215), u(0.013, 0.02), u(0.05, 0.12)

    def rows(*stations: tuple[float, float, float], skin: Paint) -> list[Piece]:
        return bar([(x * long, h / 2, w, h * t) for x, w, t in stations], skin)

    arm = rows((0, 0.009, 0.8), (0.4, 0.008, 1), (0.8, 0.007, 0.8), skin=metal)
    tip = rows((0.76, 0.007, 0.6), (0.88, 0.014, 1), (1, 0.008, 0.7), skin=paint)
    if rng.random() < 0.6:
        arm += rows((0.2, 0.009, 1), (0.3, 0.013, 1), (0.55, 0.011, 1), skin=paint)
    arms, tips = ([moved(p, by=(0, s * 0.006, 0), turn=(0, 0, s * angle)) for s in (-1, 1)] for p in (arm, tip))
    hinge = [cylinder(0.011, h, metal, at=(0, 0, h / 2)),
             *ring(0.009, 0.004, 0.004, metal, at=(-0.017, 0, h / 2), segments=10)]  # fmt: skip
    parts = (part("arms", *arms), part("tips", *tips), part("hinge", hinge))
    words = f"tongs with {word} tips"
    return SimObject("tongs", "tongs", words, parts, u(0.08, 0.16), 0.55, FLAT, "steel", "turn hot food")


def _rolling_pin(rng: Generator) -> SimObject:
    u, wood = rng.uniform, wooden(rng)
    r, half, hold, kind = u(0.018, 0.026), u(0.062, 0.08), u(0.03, 0.038), rng.random()
    paint, words = wood, "wooden rolling pin"
    if kind < 0.3:
        paint, words = Paint(varied((0.85, 0.85, 0.84), rng), "speckle", (0.55, 0.56, 0.58), 0.6), "marble rolling pin"
    elif kind < 0.6:
        word, colour = tint(rng)
        wood, words = solid(rng, colour), f"rolling pin with {word} handles"
    barrel = [(r * 0.93, -half), (r, 0.004 - half), (r, half - 0.004), (r * 0.93, half)]
    knob = [(0.3, half - 0.002), (0.3, half + 0.006), (u(0.4, 0.55), half + hold / 2), (0.35, half + hold)]
    knob = [(r * w, x) for w, x in knob]
    if kind > 0.8:
        barrel, knob = [(r * 0.9, -half), (r, 0), (r * 0.9, half)], [(r * 0.9, half), (r * 0.5, half + hold)]
    body, end = (
        moved(turned(rows, skin, segments=18), turn=ALONG_X_FACET) for rows, skin in ((barrel, paint), (knob, wood))
    )
    parts = (part("barrel", body), part("handles", end, moved(end, turn=(0, 0, math.pi))))
    return SimObject("rolling_pin", "rolling pin", words, parts, u(0.2, 0.45), 0.6, FLAT, "wood", "roll out dough")


def _peeler(rng: Generator) -> SimObject:
    u, metal, (word, paint, material) = rng.uniform, steel(rng), grip(rng, 0.2)
    hold, wide, thick, neck = u(0.075, 0.105), u(0.016, 0.022), u(0.012, 0.016), u(0.6, 0.9)
    z = thick / 2
    rows = ((-1, 0.7, 0.8), (-0.85, 1, 1), (-0.4, 0.85, 1), (0, neck, 0.9))
    handle = bar([(x * hold, z, wide * w, thick * h) for x, w, h in rows], paint)
    if rng.random() < 0.5:
        out, side = u(0.035, 0.045), u(0.02, 0.026)
        prong = [(-0.004, 0.0), (0.015, side), (out, side)]
        head = [p for s in (-1, 1) for p in tube([(x, s * y, z) for x, y in prong], 0.0042, paint)]
        blade = [box((0.003, 2 * side, 0.006), metal, at=(out - x, 0, z)) for x in (-0.003, 0.007)]
    else:
        out = u(0.055, 0.07)
        head = bar([(-0.004, z, wide * 0.6, thick * 0.7), (0.012, z, 0.014, 0.006)], metal)
        blade = [box((out, 0.0035, 0.005), metal, at=(0.01 + out / 2, y, z)) for y in (-0.006, 0.006)]
        blade += prism([(out + 0.008, -0.0075), (out + 0.008, 0.0075), (out + 0.024, 0)], 0.005, metal, z=z)
    parts = (part("handle", handle), part("head", head), part("blade", blade, avoid=True))
    words = f"peeler with a {word} handle"
    return SimObject("peeler", "peeler", words, parts, u(0.04, 0.09), 0.7, FLAT, material, "peel vegetables")


def _can_opener(rng: Generator) -> SimObject:
    u, metal, (word, paint, _) = rng.uniform, steel(rng), grip(rng, 0.1)
    end, wide, h, gap, reach = u(0.12, 0.155), u(0.012, 0.017), u(0.013, 0.018), u(0.001, 0.05), u(0.019, 0.026)
    z, top = h / 2, h / 2 + 0.014
    arm = [*bar([(0, z, 0.009, 0.006), (-end * 0.35, z, 0.009, 0.006)], metal),
           *bar([(-end * x, z, wide * w, h) for x, w in ((0.33, 0.8), (0.6, 1), (1, 0.8))], paint)]  # fmt: skip
    arms = [moved(arm, by=(0, s * 0.009, 0), turn=(0, 0, -s * gap)) for s in (-1, 1)]
    plate = bar([(-0.016, z, 0.026, 0.007), (0.018, z, 0.024, 0.007), (0.032, z, 0.01, 0.006)], metal)
    at = (0.01, 0.005, z + 0.005)
    teeth = [box((0.021, 0.004, 0.004), DARK, at=at, turn=(0, 0, k * math.pi / 6)) for k in range(6)]
    ends = ((0.002, 0.003), (0.002, -0.003), (reach, 0.009), (reach, -0.009))
    corners = [(x, y, side) for x, y in ends for side in (-0.003, 0.003)]
    wing, turn, key = hull(corners, pick(rng, (paint, metal))), u(0.8, 2.4), (-0.008, 0, top)
    wings = [wing.moved(by=key, turn=(0, 0, turn + a)) for a in (0, math.pi)]
    axle, wheel = cylinder(0.005, top, metal, at=(-0.008, 0, top / 2 + 0.002)), cylinder(0.009, 0.005, metal, at=at)
    parts = [part("handles", *arms), part("key", wings, axle), part("head", plate)]
    parts.append(part("wheel", wheel, teeth, avoid=True))
    words = f"can opener with {word} handles"
    return SimObject("can_opener", "can opener", words, tuple(parts), u(0.1, 0.22), 0.6, FLAT, "steel", "open cans")


def _potato_masher(rng: Generator) -> SimObject:
    u, (word, paint, material) = rng.uniform, grip(rng)
    metal, across = pick(rng, (steel(rng), DARK)), rng.random() < 0.35
    r, h, thick = u(0.034, 0.045), u(0.15, 0.195), u(0.02, 0.027)
    if rng.random() < 0.5:
        bends = zip(np.linspace(-r, r, 6).repeat(2).tolist(), (-1, 1, 1, -1) * 3, strict=True)
        plate = tube([(x, side * r * 0.75, 0.004) for x, side in bends], 0.0035, metal)
    else:
        rows = (np.linspace(-0.66, 0.66, 5) * r).tolist()
        grid = [box((2 * math.sqrt(r**2 - y**2), 0.004, 0.004), metal, at=(0, y, 0.003)) for y in rows]
        plate = [*ring(r, 0.005, 0.007, metal, at=(0, 0, 0.0035), segments=16), *grid]
        plate += moved(grid, turn=(0, 0, math.pi / 2))
    joint = (0.6 * r, h - thick / 2) if across else (0.008, h * 0.45)
    posts = [rod((s * r * 0.9, 0, 0.006), (s * joint[0], 0, joint[1]), 0.0035, metal) for s in (-1, 1)]
    size = 2 * r * u(0.9, 1.1) if across else h * 0.55 + 0.01
    handle = moved(_bulged(size, thick, paint, waist=u(0.75, 1)), by=(0, 0, h - (thick if across else size) / 2),
                   turn=(0, 0 if across else math.pi / 2, 0))  # fmt: skip
    parts = (part("handle", handle), part("posts", posts), part("plate", plate))
    return SimObject("potato_masher", "potato masher", f"potato masher with a {word} handle", parts, u(0.1, 0.25), 0.6,
                     (UPRIGHT, ON_SIDE), material, "mash potatoes")  # fmt: skip


def _salt_shaker(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    r, h, metal = u(0.017, 0.024), u(0.062, 0.09), pick(rng, (steel(rng), solid(rng, tint(rng)[1])))
    body = turned([(r, 0), (r * u(0.8, 1), h * 0.4), (r * 0.85, h * 0.78)], solid(rng, colour), segments=18)
    cap = turned([(r * 0.9, h * 0.76), (r * 0.88, h * 0.88), (r * 0.55, h)], metal, segments=18)
    hole, around = cylinder(0.0017, 0.004, DARK, at=(r * 0.3, 0, h - 0.0015)), [k * math.pi / 2.5 for k in range(5)]
    parts = (part("body", body), part("cap", cap, [hole.moved(turn=(0, 0, a)) for a in around]))
    return SimObject("salt_shaker", "salt shaker", f"{word} salt shaker", parts, u(0.06, 0.18), 0.6, (UPRIGHT, ON_SIDE),
                     "ceramic", "salt food")  # fmt: skip


def _funnel(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    paint, material = solid(rng, colour), "plastic"
    if rng.random() < 0.25:
        word, paint, material = "steel", steel(rng), "steel"
    r, cone, spout = u(0.034, 0.054), u(0.035, 0.055), u(0.0065, 0.011)
    profile = [(r, 0), (r, 0.009), (spout * 1.25, cone), (spout, cone + u(0.028, 0.045))]
    pieces = vessel(profile, paint, wall=0.0045, base=0.003, segments=14)
    tab = [box((0.02, 0.014, 0.004), paint, at=(r + 0.008, 0, 0.002))] if rng.random() < 0.5 else []
    parts = (part("cone", pieces[14:28]), part("rim", pieces[:14], tab), part("spout", pieces[28:42]))
    return SimObject("funnel", "funnel", f"{word} funnel", parts, u(0.03, 0.12), 0.7, (UPRIGHT, ON_SIDE), material,
                     "fill bottles")  # fmt: skip


def _corkscrew(rng: Generator) -> SimObject:
    u, metal, wings = rng.uniform, steel(rng), rng.random() < 0.5
    worm = tube([(0.004 * k, 0.0045 * math.cos(1.4 * k), 0.0045 * math.sin(1.4 * k)) for k in range(14)], 0.0018, metal)
    if not wings:
        word, paint, material = grip(rng, 0.6)
        long, bulge = u(0.03, 0.045), _bulged(u(0.075, 0.105), u(0.019, 0.027), paint, waist=u(0.7, 1.0))
        shank, worm = rod((0, 0, 0), (long, 0, 0), 0.004, metal), moved(worm, by=(long, 0, 0))
        parts = [part("handle", moved(bulge, turn=(0, 0, math.pi / 2))), part("shank", shank)]
        parts.append(part("worm", worm, avoid=True))
        words = f"corkscrew with a {word} handle"
        return SimObject("corkscrew", "corkscrew", words, tuple(parts), u(0.05, 0.1), 0.6, FLAT, material, "pull corks")
    word, colour = tint(rng)
    paint, r, long, wing, angle = solid(rng, colour), u(0.012, 0.0155), u(0.035, 0.045), u(0.06, 0.075), u(0.25, 0.7)
    if rng.random() < 0.6:
        word, paint = "steel", metal
    bell = turned([(r, 0), (r * 0.85, long * 0.4), (r * 0.8, long), (r * 0.6, long + 0.008)], paint, segments=14)
    lever = bar([(x * wing, 0, w, 0.0085) for x, w in ((0, 0.012), (0.8, 0.009), (0.85, 0.018), (1, 0.012))], paint)
    levers = [moved(lever, by=(-long, s * r * 0.7, 0), turn=(0, 0, s * angle)) for s in (-1, 1)]
    key = [rod((-long, 0, 0), (-long - 0.03, 0, 0), 0.004, metal),
           *ring(0.014, 0.006, 0.009, paint, at=(-long - 0.042, 0, 0), segments=12)]  # fmt: skip
    parts = [part("body", moved(bell, turn=(0, -math.pi / 2, 0))), part("levers", *levers), part("key", key)]
    parts.append(part("worm", moved(worm[:9], by=(-0.008, 0, 0)), avoid=True))
    words = f"{word} corkscrew with levers"
    return SimObject("corkscrew", "corkscrew", words, tuple(parts), u(0.1, 0.2), 0.55, FLAT, "steel", "pull corks")


def _bottle_opener(rng: Generator) -> SimObject:
    u, (words, paint, metal, _) = rng.uniform, _flatware(rng, 0.4)
    r, hold, wide, thick, waist = u(0.016, 0.021), u(0.07, 0.105), u(0.014, 0.021), u(0.01, 0.015), u(0.75, 1.0)
    frame = stretched(ring(r, 0.006, 0.006, metal, segments=pick(rng, (8, 16))), by=(1, u(0.85, 1.15), 1))
    tooth = prism([(-r, -0.006), (-r, 0.006), (-0.001, 0.004), (-0.001, -0.004)], 0.005, metal)
    neck = bar([(-r - 0.01, 0, 0.012, 0.006), (-r + 0.004, 0, 0.016, 0.006)], metal)
    rows = ((0, 0.7), (0.3, waist), (0.85, 1), (1, 0.6))
    handle = bar([(-r - 0.005 - x * hold, 0, w * wide, thick) for x, w in rows], paint)
    parts = (part("handle", handle), part("head", frame, neck), part("tooth", tooth, avoid=True))
    words = words.format("bottle opener")
    return SimObject("bottle_opener", "bottle opener", words, parts, u(0.04, 0.1), 0.6, FLAT, "steel", "open bottles")


FAMILIES: dict[str, Callable[[Generator], SimObject]] = {
    family.__name__[1:]: family
    for family in (
        _spoon, _fork, _table_knife, _spatula, _ladle, _tongs, _rolling_pin, _peeler,
        _can_opener, _potato_masher, _salt_shaker, _funnel, _corkscrew, _bottle_opener,
    )
}  # fmt: skip
