"""Training families: more tools, and the bigger things on a desk.

Every call draws a new instance: sizes within what shops sell, variants, colours, patterns. Tools lie along x.
"""

import math
from collections.abc import Callable

from numpy.random import Generator

from graspwise.sim.colours import DARK, figured, grip, pick, shade, solid, steel, tint, wooden
from graspwise.sim.forms import ALONG_X, ALONG_Y, EITHER_FACE, FLAT, loft, strip
from graspwise.sim.paint import varied
from graspwise.sim.shapes import Paint, SimObject, box, cylinder, ellipsoid, hull, moved, part, prism, rod, tube, turned


def _adjustable_wrench(rng: Generator) -> SimObject:
    u = rng.uniform
    word, paint, metal = "silver", steel(rng), steel(rng)
    long, wide, thick, big = u(0.11, 0.16), u(0.017, 0.023), u(0.010, 0.013), u(0.9, 1.2)
    if rng.random() < 0.6:
        word, colour = tint(rng)
        paint, word = figured(rng, colour), f"{word}-handled"
    reach = 0.028 * big
    top = [(0, -0.012), (0.004, 0.016), (0.018, 0.026), (reach + 0.012, 0.025), (reach + 0.014, 0.013), (0.016, 0.007)]
    fixed = prism([(big * x, big * y) for x, y in [*top, (0.014, -0.012)]], thick, metal)
    gap = u(0.0, 0.008)
    lower = [(0.014, 0.001 - gap), (reach + 0.012, 0.008 - gap), (reach + 0.008, -0.009 - gap), (0.014, -0.017 - gap)]
    moving = prism([(big * x, big * y) for x, y in lower], thick * 0.9, Paint(shade(metal.colour, 0.8), "brushed"))
    worm = Paint((0.25, 0.25, 0.25), "stripes", (0.6, 0.6, 0.6))
    screw = cylinder(thick * 0.53, 0.012, worm, at=(0.009 * big, -0.007, 0), turn=ALONG_X)
    rows = [(-long, 0, 1.1 * wide), (-0.8 * long, 0, wide), (-0.25 * long, 0, 0.8 * wide), (0.004, 0, wide)]
    handle = strip(rows, paint, height=thick * 1.1)
    hole = cylinder(wide * 0.24, thick * 1.12, Paint((0.08, 0.08, 0.08)), at=(-long, 0, 0))
    parts = (part("handle", handle, hole), part("head", fixed, screw), part("jaw", moving))
    return SimObject("adjustable_wrench", "wrench", f"{word} adjustable wrench", parts, u(0.15, 0.4), 0.6, EITHER_FACE,
                     "steel", "turn nuts of any size")  # fmt: skip


def _file(rng: Generator) -> SimObject:
    u, (word, paint, material) = rng.uniform, grip(rng, 0.4)
    width, long, blade, wide, thick = u(0.02, 0.029), u(0.085, 0.11), u(0.09, 0.125), u(0.013, 0.025), u(0.004, 0.008)
    cut = Paint((0.42, 0.42, 0.44), "weave", (0.22, 0.22, 0.24), shine=0.4)
    body = [(0, 0.6), (0.1, 0.8), (0.35, 0.85), (0.7, 1.0), (0.92, 0.9), (1.0, 0.5)]
    handle = loft([(x * long, w * width, w * width * 0.9) for x, w in body], paint)
    tang = loft([(-0.012, wide * 0.9, thick), (0.004, 0.009, thick)], steel(rng))
    ends = pick(rng, ((0.95, 1.0), (0.35, 0.6), (0.2, 0.7)))
    rows = [(-blade, ends[0]), (-0.75 * blade, (ends[1] + 1) / 2), (-0.4 * blade, 1.0), (-0.012, 0.95)]
    teeth = part("teeth", loft([(x, wide * w, thick) for x, w in rows], cut), avoid=True)
    return SimObject("file", "file", f"{word}-handled file", (part("handle", handle), part("tang", tang), teeth),
                     u(0.06, 0.2), 0.7, EITHER_FACE, material, "smooth metal edges")  # fmt: skip


def _clamp(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    paint, metal, thick, bar = figured(rng, colour), steel(rng), u(0.011, 0.016), u(0.011, 0.015)
    open_, deep, wide = u(0.045, 0.085), u(0.03, 0.05), u(0.008, 0.012)
    corner = 0.25 * deep
    path = [(0.0, deep, 0.9), (0.0, corner, 1.0), (corner, 0.0, 1.1), (open_ - corner, 0.0, 1.1), (open_, corner, 1.0)]
    frame = strip([(x, y, w * bar) for x, y, w in [*path, (open_, deep, 1.3)]], paint, height=thick)
    reach = u(0.03, 0.06)
    screw = cylinder(0.0042, open_ * 0.5 + reach, metal, at=(open_ * 0.75 + reach / 2, deep, 0), turn=ALONG_X)
    pads = [cylinder(wide, 0.006, metal, at=(x, deep, 0), turn=ALONG_X) for x in (0.5 * open_, 0.5 * bar)]
    end = (open_ + reach, deep, 0.0)
    if rng.random() < 0.5:
        knob = [rod((end[0], deep - 0.024, 0), (end[0], deep + 0.024, 0), 0.0033, metal)]
        knob += [ellipsoid((0.005,) * 3, metal, at=(end[0], deep + s * 0.025, 0)) for s in (-1, 1)]
    else:
        knob = moved(loft([(-0.012, 0.016, 0.016), (0.012, 0.02, 0.02), (0.05, 0.016, 0.016)], wooden(rng)), by=end)
    parts = (part("frame", frame), part("screw", screw, pads), part("handle", knob))
    return SimObject("clamp", "clamp", f"{word} clamp", parts, u(0.15, 0.45), 0.65, EITHER_FACE, "iron",
                     "hold glued wood together")  # fmt: skip


def _hex_key(rng: Generator) -> SimObject:
    u, kind = rng.uniform, pick(rng, ("plain", "coloured", "handled", "handled"))
    long, short, across = u(0.11, 0.18), u(0.03, 0.055), u(0.0085, 0.012)
    word, metal = pick(rng, (("black", Paint((0.13, 0.13, 0.14), shine=0.4)), ("silver", steel(rng))))
    name, colour = tint(rng)
    if kind == "coloured":
        word, metal = name, Paint(colour, shine=0.7)
    r = across / 3**0.5
    outline = [(r * math.cos(k * math.pi / 3), r * math.sin(k * math.pi / 3)) for k in range(6)]
    arm = moved(prism(outline, long, metal), turn=ALONG_X)
    arm = moved(arm, turn=(math.pi / 6, 0, 0), by=(long / 2, 0, 0))
    leg = moved(prism(outline, short, metal), turn=(math.pi / 2, 0, 0), by=(0, -short / 2, 0))
    parts = [part("long arm", arm), part("short arm", leg, ellipsoid((r,) * 3, metal))]
    if kind == "handled":
        word, rows = f"{name}-handled", [(-0.045, 0.014, 0.014), (-0.01, 0.017, 0.016), (0.012, 0.024, 0.018)]
        bar = moved(loft([*rows, (0.045, 0.012, 0.014)], figured(rng, colour)), turn=(0, 0, math.pi / 2))
        parts = [part("handle", bar), part("shaft", arm)]
    return SimObject("hex_key", "hex key", f"{word} hex key", tuple(parts), u(0.04, 0.15), 0.55, FLAT, "steel",
                     "turn hex screws")  # fmt: skip


def _trowel(rng: Generator) -> SimObject:
    u, (word, paint, material) = rng.uniform, grip(rng, 0.5)
    metal, long, blade, wide, width = steel(rng), u(0.085, 0.11), u(0.08, 0.105), u(0.045, 0.085), u(0.022, 0.029)
    rise = u(0.008, 0.014)
    shape = pick(rng, (((0, 0.2), (0.25, 1), (1, 0.06)), ((0, 0.35), (0.3, 0.95), (0.65, 1), (0.9, 0.6), (1, 0.15))))
    left = [(-0.015 - x * blade, w * wide / 2) for x, w in shape]
    face = prism([*left, *[(x, -y) for x, y in left[::-1]]], 0.0035, metal)
    neck = tube([(-0.035, 0, 0.003), (-0.008, 0, rise), (0.012, 0, rise)], 0.0042, metal)
    body = [(0, 0.75), (0.15, 0.9), (0.45, 0.85), (0.8, 1.0), (1.0, 0.7)]
    handle = moved(loft([(x * long, w * width, w * width) for x, w in body], paint), by=(0, 0, rise))
    parts = (part("handle", handle), part("neck", neck), part("blade", face, avoid=True))
    return SimObject("trowel", "trowel", f"{word}-handled trowel", parts, u(0.12, 0.3), 0.7, FLAT, material,
                     "dig or spread")  # fmt: skip


def _paint_roller(rng: Generator) -> SimObject:
    u, (word, paint, material) = rng.uniform, grip(rng, 0.3)
    fleece = varied(pick(rng, ((0.93, 0.92, 0.88), (0.9, 0.78, 0.35), (0.75, 0.78, 0.8))), rng, by=0.04)
    radius, span, long, width = u(0.014, 0.026), u(0.07, 0.13), u(0.085, 0.11), u(0.022, 0.03)
    metal, away = steel(rng), u(0.03, 0.05)
    side = span / 2 + 0.012
    wire = [(0.01, 0, 0), (-0.012, 0, 0), (-0.4 * away, side, 0), (-away - radius, side, 0), (-away - radius, 0, 0)]
    frame = part("frame", tube(wire, 0.0032, metal))
    roller = cylinder(radius, span, Paint(fleece, "speckle", shade(fleece, 0.85), shine=0.0), turn=ALONG_Y,
                      at=(-away - radius, 0, 0))  # fmt: skip
    cores = [cylinder(radius * 0.6, 0.004, Paint((0.2, 0.2, 0.2)), at=(-away - radius, s * (span / 2 + 0.001), 0),
                      turn=ALONG_Y) for s in (-1, 1)]  # fmt: skip
    body = [(0, 0.6), (0.15, 0.85), (0.4, 0.8), (0.75, 1.0), (1.0, 0.75)]
    handle = part("handle", loft([(x * long, w * width, w * width) for x, w in body], paint))
    return SimObject("paint_roller", "paint roller", f"{word}-handled paint roller",
                     (handle, frame, part("roller", roller, cores)), u(0.1, 0.25), 0.7, FLAT, material,
                     "paint walls")  # fmt: skip


def _tape_dispenser(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    paint, r, wide, long = solid(rng, colour), u(0.02, 0.028), u(0.042, 0.062), u(0.11, 0.15)
    hub, tall = (-long / 2 + r + 0.008, r + 0.012), u(0.03, 0.042)
    foot = [hull([(x, y * wide / 2, z) for x, z in ((-long / 2, 0), (long / 2, 0), (long / 2 - 0.008, 0.016),
                  (-long / 2, 0.022)) for y in (-1, 1)], paint)]  # fmt: skip
    side = ((long / 2 - 0.004, 0), (long / 2 - 0.014, tall), (0.18 * long, 0.01), (long / 2 - 0.022, tall))
    nose = hull([(x, y * wide * 0.36, z) for x, z in side for y in (-1, 1)], paint)
    cheeks = [hull([(hub[0] + dx, s * wide * y, z) for dx, z in ((-r * 0.8, 0.005), (r * 1.6, 0.005), (r * 0.5, hub[1]),
                    (0.2 * r, hub[1] + r * 0.4), (-0.5 * r, hub[1] + r * 0.3)) for y in (0.34, 0.5)], paint)
              for s in (-1, 1)]  # fmt: skip
    clear = Paint(varied((0.88, 0.84, 0.66), rng, by=0.03), shine=0.7)
    roll = [cylinder(r, wide * 0.55, clear, at=(hub[0], 0, hub[1]), turn=ALONG_Y),
            cylinder(r * 0.55, wide * 0.57, DARK, at=(hub[0], 0, hub[1]), turn=ALONG_Y)]  # fmt: skip
    top, end = hub[1] + r, long / 2 - 0.018
    band = hull([(x, y * wide * 0.26, z - d) for x, z in ((hub[0], top), (end, tall + 0.001)) for y in (-1, 1)
                 for d in (0, 0.003)], clear)  # fmt: skip
    cutter = box((0.004, wide * 0.7, 0.008), steel(rng), at=(long / 2 - 0.012, 0, tall))
    parts = (part("body", foot, nose, cheeks), part("roll", roll, band), part("cutter", cutter, avoid=True))
    return SimObject("tape_dispenser", "tape dispenser", f"{word} tape dispenser", parts, u(0.2, 0.6), 0.75, FLAT,
                     "plastic", "tear off tape")  # fmt: skip


def _stamp(rng: Generator) -> SimObject:
    u, (word, paint, material) = rng.uniform, grip(rng, 0.6)
    long, wide, thick, r, tall = u(0.035, 0.065), u(0.022, 0.034), u(0.012, 0.02), u(0.011, 0.015), u(0.035, 0.05)
    foot = [box((long, wide, thick), paint, at=(0, 0, thick / 2 + 0.004)),
            box((0.7 * long, 0.6 * wide, 0.003), Paint((0.93, 0.92, 0.88), "label", (0.4, 0.1, 0.1)),
                at=(0, 0, thick + 0.003))]  # fmt: skip
    pad = box((long * 0.94, wide * 0.9, 0.005), Paint(tint(rng, "red", "blue", "black")[1]), at=(0, 0, 0.0025))
    profile = [(0.6 * r, 0), (0.5 * r, 0.3 * tall), (0.85 * r, 0.5 * tall), (r, 0.75 * tall), (0.9 * r, 0.9 * tall),
               (0.5 * r, tall)]  # fmt: skip
    knob = moved(turned(profile, grip(rng, 0.5)[1], segments=14), by=(0, 0, thick + 0.002))
    parts = (part("handle", knob), part("base", foot), part("rubber", pad, avoid=True))
    return SimObject("stamp", "stamp", f"{word} stamp", parts, u(0.03, 0.12), 0.65, (*FLAT, ALONG_Y), material,
                     "print an address")  # fmt: skip


def _staple_remover(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    paint, metal = figured(rng, colour), steel(rng)
    long, spread, tall, thick = u(0.042, 0.055), u(0.013, 0.019), u(0.018, 0.027), u(0.005, 0.008)
    grips, teeth = [], []
    for s in (-1, 1):
        grips += strip([(0.3 * long, s * 0.95 * spread, thick), (0.6 * long, s * 1.25 * spread, thick * 1.1),
                        (0.95 * long, s * 1.2 * spread, thick * 0.8)], paint, height=tall)  # fmt: skip
        grips += strip([(0, s * 0.004, thick), (0.3 * long, s * 0.95 * spread, thick)], paint, height=tall)
        claw = [(0.25 * long, s * 0.6 * spread, 0.006), (0.7 * long, s * 0.85 * spread, 0.009),
                (1.0 * long, s * 0.55 * spread, 0.006), (1.1 * long, s * 0.14 * spread, 0.0015)]  # fmt: skip
        teeth += strip([(0.004, s * 0.003, 0.004), *claw], metal, height=tall * 0.75)
    pin = cylinder(0.0055, tall * 1.02, metal)
    spring = cylinder(0.0045, tall * 0.5, DARK, at=(0.22 * long, 0, 0))
    parts = (part("grips", grips), part("hinge", pin, spring), part("teeth", teeth, avoid=True))
    return SimObject("staple_remover", "staple remover", f"{word} staple remover", parts, u(0.03, 0.07), 0.7, FLAT,
                     "steel", "pull staples out")  # fmt: skip


def _paper_punch(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    paint, metal = solid(rng, colour), steel(rng)
    long, deep, tall = u(0.095, 0.13), u(0.052, 0.068), u(0.042, 0.058)
    base = [
        box((long, deep, 0.006), DARK, at=(0, 0, 0.003)),
        box((long * 0.94, deep * 0.45, 0.014), metal, at=(0, 0, 0.012)),
    ]
    guide = box((0.05, 0.012, 0.004), Paint((0.85, 0.85, 0.85), "stripes", (0.2, 0.2, 0.2)), at=(long * 0.52, 0, 0.008))
    posts = [
        box((0.014, deep * 0.42, tall * 0.55), metal, at=(s * 0.32 * long, 0.04 * deep, 0.3 * tall)) for s in (-1, 1)
    ]
    pins = [cylinder(0.004, 0.02, metal, at=(s * 0.32 * long, -0.3 * deep, 0.016)) for s in (-1, 1)]
    rows = [
        (y * deep, z * tall)
        for y, z in ((-0.5, 0.78), (-0.46, 0.98), (-0.2, 1.0), (0.3, 0.72), (0.34, 0.5), (0.1, 0.5))
    ]
    lever = hull([(x * long * 0.49, y, z) for x in (-1, 1) for y, z in rows], paint)
    patch = box(
        (0.3 * long, 0.012, 0.003),
        Paint(shade(colour, 0.5), "label", (0.9, 0.9, 0.9)),
        at=(0, -0.32 * deep, tall - 0.001),
    )
    parts = (part("base", base, guide, posts), part("punches", pins, avoid=True), part("lever", lever, patch))
    return SimObject("paper_punch", "paper punch", f"{word} paper punch", parts, u(0.15, 0.45), 0.65, FLAT, "steel",
                     "punch holes in paper")  # fmt: skip


FAMILIES: dict[str, Callable[[Generator], SimObject]] = {
    make.__name__.removeprefix("_"): make
    for make in (_adjustable_wrench, _file, _clamp, _hex_key, _trowel, _paint_roller, _tape_dispenser, _stamp,
                 _staple_remover, _paper_punch)
}  # fmt: skip
