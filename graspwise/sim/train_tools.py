"""Training families: hand tools.

Every call draws a new instance: sizes within what shops sell, variants, colours, patterns. Tools lie along x.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from graspwise.sim.colours import DARK, figured, grip, pick, shade, solid, steel, tint, wooden
from graspwise.sim.forms import ALONG_X, ALONG_Y, EITHER_FACE, FLAT, loft, strip
from graspwise.sim.paint import varied
from graspwise.sim.shapes import Paint, SimObject, box, cylinder, ellipsoid, hull, moved, part, prism, ring, tube


def _hammer(rng: Generator) -> SimObject:
    u, kind = rng.uniform, pick(rng, ("claw", "peen", "ball"))
    word, paint, material = grip(rng, 0.5)
    metal = Paint((0.2, 0.2, 0.21), shine=0.4) if rng.random() < 0.3 else steel(rng)
    r, half, length, width = u(0.010, 0.0145), u(0.036, 0.052), u(0.165, 0.215), u(0.019, 0.026)
    head = [cylinder(r, half * 0.45, metal, at=(0, half * 0.78, 0), turn=ALONG_Y),
            cylinder(r * 0.75, half, metal, at=(0, half * 0.35, 0), turn=ALONG_Y),
            box((2.1 * r, 0.5 * half, 1.9 * r), metal)]  # fmt: skip
    ends = [(x * r, y * half, z * r) for y, x in ((0.2, 0.9), (-1.0, 0.2)) for x in (-x, x) for z in (-0.9, 0.9)]
    peen = [hull(ends, metal)]
    if kind == "claw":
        path = [(0, 0, 1.7 * r), (0.1 * r, -0.4 * half, 1.5 * r), (0.5 * r, -0.75 * half, r), (1.4 * r, -half, 0.003)]
        peen = strip(path, metal, height=1.8 * r)
    elif kind == "ball":
        peen = [cylinder(r * 0.7, half * 0.8, metal, at=(0, -half * 0.35, 0), turn=ALONG_Y)]
        peen.append(ellipsoid((r, r, r), metal, at=(0, -half * 0.85, 0)))
    rows = [(-1.2 * r, 0.7, 0.016), (0.3 * length, 0.75, 0.016), (0.55 * length, 1.0, 0.019), (length, 1.0, 0.02)]
    handle = part("handle", loft([(x, w * width, h) for x, w, h in rows], paint))
    end = part("claw" if kind == "claw" else "peen", peen, avoid=kind == "claw")
    return SimObject("hammer", "hammer", f"{word}-handled hammer", (handle, part("head", head), end), u(0.25, 0.55),
                     0.65, FLAT, material, "drive nails")  # fmt: skip


def _mallet(rng: Generator) -> SimObject:
    u = rng.uniform
    across, long, length, width = u(0.038, 0.056), u(0.065, 0.1), u(0.15, 0.2), u(0.02, 0.027)
    word, colour = tint(rng, "black", "white", "grey", "orange", "red", "blue")
    paint, material, ends = solid(rng, colour), "rubber", 0.85
    if rng.random() < 0.4:
        word, paint, material, ends = "wooden", wooden(rng), "wood", u(0.9, 1.1)
    rows = [(-0.5 * long, ends * across), (-0.4 * long, across), (0.4 * long, across), (0.5 * long, ends * across)]
    head = moved(loft([(x, w, w) for x, w in rows], paint), turn=(0, 0, math.pi / 2))
    stick = [(-0.55 * across, 0.8 * width, 0.018), (0.6 * length, 0.85 * width, 0.02), (length, width, 0.022)]
    handle = loft(stick, grip(rng, 0.7)[1])
    return SimObject("mallet", "mallet", f"{word} mallet", (part("handle", handle), part("head", head)),
                     u(0.2, 0.45), 0.75, FLAT, material, "knock joints together")  # fmt: skip


def _screwdriver(rng: Generator) -> SimObject:
    u, (word, paint, material) = rng.uniform, grip(rng, 0.15)
    metal, r, width, length = steel(rng), u(0.003, 0.0042), u(0.021, 0.034), u(0.07, 0.11)
    shaft = u(0.035, 0.05) if rng.random() < 0.2 else u(0.065, 0.11)
    body = [(0.0, 0.5), (0.08, 0.68), (0.2, 0.62), (0.35, 0.95), (0.65, 1.0), (0.88, u(0.88, 1.0))]
    handle = loft([(x * length, width * w, width * w) for x, w in body], paint)
    second = solid(rng, tint(rng, "black", "grey", "yellow", "red")[1]) if rng.random() < 0.6 else paint
    butt = loft([(0.88 * length, 0.96 * width, 0.96 * width), (length, 0.7 * width, 0.7 * width)], second)
    stem = cylinder(r, shaft, metal, at=(0.002 - shaft / 2, 0, 0), turn=ALONG_X)
    flat = rng.random() < 0.6
    ends = [(-shaft - 0.009, 2.6 * r, 0.0012), (0.003 - shaft, 2.8 * r, 2 * r)]
    tip = loft(ends if flat else [(x, h, h) for x, _, h in ends], metal if flat else DARK)
    parts = (part("handle", handle, butt), part("shaft", stem), part("tip", tip, avoid=True))
    return SimObject("screwdriver", "screwdriver", f"{word}-handled screwdriver", parts, u(0.05, 0.18), 0.7, FLAT,
                     material, "drive screws")  # fmt: skip


def _pliers(rng: Generator) -> SimObject:
    u, needle = rng.uniform, rng.random() < 0.4
    word, colour = tint(rng)
    sleeve, metal = figured(rng, colour), steel(rng) if rng.random() < 0.6 else Paint((0.2, 0.2, 0.21), shine=0.5)
    long, spread, thick, wide = u(0.085, 0.115), u(0.019, 0.028), u(0.009, 0.012), u(0.009, 0.013)
    jaw, neck, gap = (u(0.04, 0.06) if needle else u(0.022, 0.034)), u(0.010, 0.013), u(0, 0.006)
    tip, out, back = 0.0035 if needle else wide * 0.7, u(0.9, 1.1), u(0.6, 0.9)
    handles, jaws, arms = [], [], []
    for s in (-1, 1):
        path = [(0.0, s * 0.3 * wide, wide), (0.4 * jaw, s * (0.42 * wide + gap / 2), wide * 0.9)]
        jaws += strip([*path, (jaw, s * (tip / 2 + gap), tip)], metal, height=thick)
        bend = [(0.0, 0.0, neck), (-0.14 * long, s * 0.4 * spread, neck * 0.85), (-0.4 * long, s * spread, neck)]
        arms += strip(bend[:2], metal, height=thick)
        bend += [(-0.75 * long, s * spread * out, neck), (-long, s * spread * back, neck * 0.9)]
        handles += strip(bend[1:], sleeve, height=thick * 1.2)
    pivot = [*arms, cylinder(wide * 0.95, thick * 1.05, metal), cylinder(0.0045, thick * 1.2, DARK)]
    parts = (part("handles", handles), part("pivot", pivot), part("jaws", jaws, avoid=needle))
    return SimObject("pliers", "pliers", f"{word}-handled pliers", parts, u(0.1, 0.3), 0.7, EITHER_FACE, "steel",
                     "grip and bend wire")  # fmt: skip


def _wrench(rng: Generator) -> SimObject:
    u, word, metal = rng.uniform, "silver", steel(rng)
    if rng.random() < 0.25:
        word, metal = "black", Paint((0.12, 0.12, 0.13), shine=0.5)
    sizes, long, thick, turn = (u(0.011, 0.017), u(0.011, 0.017)), u(0.06, 0.08), u(0.0082, 0.011), u(0.15, 0.35)
    wide, heads = u(0.011, 0.018), []
    for size in sizes:
        wall = size * u(0.55, 0.7)
        q = (size + wall) / 2
        bow = [(-0.004, q, 1.25 * wall), (-0.8 * q, 0.5 * q, 1.5 * wall), (-0.8 * q, -0.5 * q, 1.5 * wall)]
        head = strip([(q, q, 0.7 * wall), *bow, (-0.004, -q, 1.25 * wall), (q, -q, 0.7 * wall)], metal, height=thick)
        heads.append(moved(head, turn=(0, 0, turn), by=(long + size, 0, 0)))
    eye = ring(sizes[1] * 0.6 + 0.008, 0.008, thick, metal, at=(long + sizes[1] * 0.6 + 0.003, 0, 0), segments=14)
    other = moved(eye if rng.random() < 0.5 else heads[1], turn=(0, 0, math.pi))
    shank = [(-long, 0, 1.2 * wide), (-0.6 * long, 0, wide), (0.6 * long, 0, wide), (long, 0, 1.2 * wide)]
    stamp = box((0.7 * long, 0.45 * wide, thick * 1.02), Paint(shade(metal.colour, 0.75), "label", metal.colour))
    parts = (part("handle", strip(shank, metal, height=thick), stamp), part("jaw", heads[0]), part("end", other))
    return SimObject("wrench", "wrench", f"{word} wrench", parts, u(0.08, 0.25), 0.5, EITHER_FACE, "steel",
                     "turn nuts and bolts")  # fmt: skip


def _chisel(rng: Generator) -> SimObject:
    u, metal = rng.uniform, steel(rng)
    word, paint, material = grip(rng, 0.6)
    width, long, blade, wide = u(0.022, 0.031), u(0.09, 0.115), u(0.075, 0.11), u(0.009, 0.034)
    rows = [(0, 0.65), (0.12, 0.75), (0.3, u(0.8, 0.95)), (0.75, 1.0), (0.97, 0.9)]
    handle = loft([(x * long, w * width, w * width * 0.9) for x, w in rows], paint)
    cap = loft([(0.93 * long, 0.97 * width, 0.88 * width), (long + 0.004, 0.9 * width, 0.8 * width)], metal)
    ferrule = cylinder(width * 0.36, 0.014, Paint((0.72, 0.57, 0.25), shine=0.7), turn=ALONG_X)
    neck = loft([(-0.028, 0.012, 0.009), (0, 0.01, 0.01)], metal)
    flat = loft([(0.012 - blade, wide, 0.0045), (-0.028, min(wide, 0.022), 0.006)], metal)
    edge = loft([(-blade, wide, 0.001), (0.012 - blade, wide, 0.0045)], Paint((0.88, 0.88, 0.9), shine=0.9))
    parts = (part("handle", handle, cap if rng.random() < 0.5 else []), part("ferrule", ferrule, neck))
    return SimObject("chisel", "chisel", f"{word}-handled chisel", (*parts, part("blade", flat, edge, avoid=True)),
                     u(0.12, 0.3), 0.7, FLAT, material, "cut wood")  # fmt: skip


def _putty_knife(rng: Generator) -> SimObject:
    u, (word, paint, material) = rng.uniform, grip(rng, 0.5)
    width, thick, long, blade, wide = u(0.022, 0.032), u(0.014, 0.02), u(0.09, 0.12), u(0.07, 0.1), u(0.04, 0.1)
    rows = [(0, 0.75, 0.8), (0.15, 1.0, 1.0), (0.45, 0.8, 1.0), (0.8, 1.0, 1.0), (1.0, 0.8, 0.8)]
    handle = loft([(x * long, w * width, h * thick) for x, w, h in rows], paint)
    rivets = [cylinder(0.003, thick * 1.04, Paint((0.8, 0.7, 0.4), shine=0.8), at=(x * long, 0, 0)) for x in (0.3, 0.6)]
    left = [(0.008, 0.4 * width), (-0.5 * blade, max(wide * u(0.3, 0.45), 0.4 * width)), (-blade, wide / 2)]
    face = prism([*left, *[(x, -y) for x, y in left[::-1]]], 0.003, steel(rng))
    parts = (part("handle", handle, rivets if material == "wood" else []), part("blade", face, avoid=True))
    return SimObject("putty_knife", "putty knife", f"{word}-handled putty knife", parts, u(0.06, 0.18), 0.7,
                     EITHER_FACE, material, "spread filler")  # fmt: skip


def _paint_brush(rng: Generator) -> SimObject:
    u, (word, paint, material) = rng.uniform, grip(rng, 0.5)
    wide, thick, long, hair, width = u(0.024, 0.066), u(0.013, 0.019), u(0.095, 0.13), u(0.035, 0.06), u(0.02, 0.028)
    tuft = varied(pick(rng, ((0.15, 0.12, 0.1), (0.85, 0.78, 0.6), (0.93, 0.92, 0.88), (0.5, 0.32, 0.18))), rng)
    rows = [(0.02, 0.96 * wide, 1.0), (0.2 * long, 0.75 * wide, 1.0), (0.4 * long, 0.7 * width, 0.95),
            (0.75 * long, width, 0.9), (long, 0.6 * width, 0.8)]  # fmt: skip
    handle = loft([(x, w, h * thick) for x, w, h in rows], paint)
    hole = cylinder(0.0032, 0.95 * thick, DARK, at=(0.88 * long, 0, 0))
    brass = pick(rng, (steel(rng), Paint((0.75, 0.6, 0.3), "brushed", (0.5, 0.4, 0.2), shine=0.7)))
    ferrule = part("ferrule", box((0.026, wide, 1.08 * thick), brass, at=(0.01, 0, 0)))
    hairs = [(-hair, wide * u(0.8, 1.0), 0.004), (-0.6 * hair, wide * 1.05, 0.8 * thick), (0, 0.96 * wide, thick)]
    bristles = part("bristles", loft(hairs, Paint(tuft, "brushed", shade(tuft, 0.6), shine=0.05)), avoid=True)
    return SimObject("paint_brush", "paint brush", f"{word}-handled paint brush", (part("handle", handle, hole),
                     ferrule, bristles), u(0.04, 0.12), 0.7, EITHER_FACE, material, "paint walls")  # fmt: skip


def _utility_knife(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    wide, thick, long, out = u(0.02, 0.034), u(0.014, 0.021), u(0.12, 0.165), u(0.015, 0.034)
    second = solid(rng, tint(rng, "black", "grey", "white")[1])
    rows = [(0, 0.6, 0.7), (0.15, 0.85, 0.95), (0.4, 0.85, 1.0), (0.7, 1.0, 1.0), (0.95, 0.9, 0.95), (1.0, 0.7, 0.8)]
    body = loft([(x * long, w * wide, h * thick) for x, w, h in rows], figured(rng, colour))
    body.append(box((0.4 * long, 0.5 * wide, 1.04 * thick), second, at=(0.65 * long, 0, 0)))
    slider = part("slider", box((0.022, 0.009, 1.25 * thick), second, at=(0.25 * long, 0, 0)))
    tip = [(0.006, 0.26 * wide), (-out, 0.26 * wide), (-0.5 * out, -0.26 * wide), (0.006, -0.26 * wide)]
    blade = part("blade", prism(tip, 0.003, Paint((0.82, 0.83, 0.85), shine=0.8)), avoid=True)
    return SimObject("utility_knife", "utility knife", f"{word} utility knife", (part("body", body), slider, blade),
                     u(0.05, 0.16), 0.7, EITHER_FACE, "plastic", "cut cardboard")  # fmt: skip


def _tape_measure(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    long, tall, wide, out = u(0.055, 0.069), u(0.05, 0.062), u(0.028, 0.042), u(0.012, 0.05)
    side = [(-0.5, 0), (0.5, 0), (0.5, 0.3), (0.4, 0.75), (0.15, 1), (-0.3, 1), (-0.5, 0.7)]
    coats = [(solid(rng, colour), 1.0, 0.5), (solid(rng, tint(rng, "black", "grey")[1]), 1.02, 0.25)]
    shell = [hull([(k * x * long, y * w * wide, k * z * tall) for x, z in side for y in (-1, 1)], paint)
             for paint, k, w in coats]  # fmt: skip
    print_ = Paint((0.9, 0.9, 0.88), "label", shade(colour, 0.8))
    medal = cylinder(0.33 * tall, 1.03 * wide, print_, turn=ALONG_Y, at=(0, 0, 0.48 * tall))
    lock = box((0.012, 0.35 * wide, 0.014), DARK, at=(0.42 * long, 0, 0.75 * tall))
    marked = Paint((0.95, 0.85, 0.2), "stripes", (0.75, 0.6, 0.1), shine=0.5)
    tape = [box((out, 0.6 * wide, 0.003), marked, at=(0.5 * (long + out), 0, 0.0065)),
            box((0.003, 0.65 * wide, 0.011), steel(rng), at=(0.5 * long + out, 0, 0.0055))]  # fmt: skip
    parts = (part("case", shell, medal), part("lock", lock), part("tape", tape, avoid=True))
    return SimObject("tape_measure", "tape measure", f"{word} tape measure", parts, u(0.12, 0.4), 0.75,
                     (*FLAT, ALONG_Y), "plastic", "measure lengths")  # fmt: skip


def _spirit_level(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng, "red", "yellow", "blue", "orange", "grey", "green", "black", "pink")
    long, wide, tall, fluid = u(0.14, 0.23), u(0.018, 0.026), u(0.032, 0.052), Paint((0.75, 0.92, 0.2), shine=0.8)
    frame = box((long, wide, tall), solid(rng, colour), at=(0, 0, tall / 2))
    caps = [box((0.006, wide * 1.03, tall * 1.01), DARK, at=(s * long / 2, 0, tall / 2)) for s in (-1, 1)]
    vials = [cylinder(0.0055, 0.036, fluid, at=(0, 0, tall - 0.003), turn=ALONG_X),
             cylinder(0.005, 1.06 * wide, fluid, at=(0, 0, tall - 0.0085), turn=ALONG_Y),
             box((0.044, 1.02 * wide, 0.013), DARK, at=(0, 0, tall - 0.0085))]  # fmt: skip
    vials += [box((0.003, wide * 0.6, 0.007), DARK, at=(x, 0, tall)) for x in (-0.006, 0.006)]
    for x in (-0.36 * long, 0.36 * long):
        vials.append(cylinder(0.011, 1.04 * wide, DARK, at=(x, 0, tall / 2), turn=ALONG_Y))
        vials.append(box((0.007, 1.06 * wide, 0.016), fluid, at=(x, 0, tall / 2)))
    parts = (part("frame", frame), part("end caps", caps), part("vials", vials, avoid=True))
    return SimObject("spirit_level", "spirit level", f"{word} spirit level", parts, u(0.12, 0.35), 0.6,
                     (*FLAT, ALONG_Y), "aluminium", "check that a shelf is level")  # fmt: skip


def _padlock(rng: Generator) -> SimObject:
    u = rng.uniform
    wide, tall, thick, r = u(0.034, 0.052), u(0.03, 0.046), u(0.015, 0.022), u(0.0033, 0.0045)
    word, paint = "brass", Paint(varied((0.76, 0.6, 0.26), rng, by=0.04), "brushed", (0.5, 0.38, 0.15), shine=0.7)
    if rng.random() < 0.6:
        word, colour = tint(rng)
        paint = solid(rng, colour)
    legs, high, cut = 0.31 * wide, tall + u(0.012, 0.03), 0.006
    bow = [(high + legs * math.cos(t), legs * math.sin(t), 0.0) for t in np.linspace(-1.57, 1.57, 9).tolist()]
    shackle = tube([(tall - 0.005, -legs, 0), *bow, (tall - 0.005, legs, 0)], r, steel(rng))
    left = [(tall, wide / 2), (cut, wide / 2), (0, wide / 2 - cut)]
    shell = prism([*left, *[(x, -y) for x, y in left[::-1]]], thick, paint)
    lock = [cylinder(0.2 * tall, thick * 1.03, Paint((0.7, 0.7, 0.7), shine=0.8), at=(0.4 * tall, 0, 0)),
            box((0.012, 0.003, thick * 1.06), DARK, at=(0.38 * tall, 0, 0)),
            cylinder(0.003, thick * 1.06, DARK, at=(0.46 * tall, 0, 0))]  # fmt: skip
    parts = (part("body", shell), part("keyhole", lock), part("shackle", shackle))
    return SimObject("padlock", "padlock", f"{word} padlock", parts, u(0.08, 0.3), 0.55, EITHER_FACE, "brass",
                     "lock a gate")  # fmt: skip


FAMILIES: dict[str, Callable[[Generator], SimObject]] = {
    "hammer": _hammer, "mallet": _mallet, "screwdriver": _screwdriver, "pliers": _pliers, "wrench": _wrench,
    "chisel": _chisel, "putty_knife": _putty_knife, "paint_brush": _paint_brush, "utility_knife": _utility_knife,
    "tape_measure": _tape_measure, "spirit_level": _spirit_level, "padlock": _padlock,
}  # fmt: skip
