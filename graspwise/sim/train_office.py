"""Training families: what lies on a desk.

Every call draws a new instance: sizes within what shops sell, variants, colours, patterns. Long things lie along x.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator

from graspwise.sim.colours import COLOURS, DARK, figured, grip, pick, shade, solid, steel, tint
from graspwise.sim.forms import ALONG_X, ALONG_Y, EITHER_FACE, FLAT, loft, strip
from graspwise.sim.paint import varied
from graspwise.sim.shapes import Colour, Paint, Piece, SimObject, box, cylinder, hull, moved, part, ring, tube

INKS = ("black", "red", "blue", "green", "orange", "purple", "pink", "turquoise", "brown", "light blue")
PASTELS: dict[str, Colour] = {
    "white": (0.94, 0.94, 0.92), "yellow": (0.95, 0.88, 0.50), "pink": (0.95, 0.65, 0.72), "blue": (0.50, 0.70, 0.88),
    "green": (0.58, 0.82, 0.58), "orange": (0.96, 0.70, 0.45),
}  # fmt: skip
NEON: dict[str, Colour] = {
    "yellow": (0.93, 0.95, 0.15), "pink": (0.98, 0.35, 0.62), "green": (0.35, 0.92, 0.30), "orange": (1.0, 0.55, 0.12),
    "blue": (0.25, 0.70, 0.95),
}  # fmt: skip


def arc(middle: tuple[float, float], radii: tuple[float, float], width: float) -> list[tuple[float, float, float]]:
    """Rows for `strip` all around an ellipse."""
    angles = np.linspace(0, 2 * math.pi, 15).tolist()
    return [(middle[0] + radii[0] * math.cos(t), middle[1] + radii[1] * math.sin(t), width) for t in angles]


def stick(rows: Sequence[tuple[float, float]], paint: Paint) -> list[Piece]:
    """An eight-sided bar along x through (x, width) rows."""
    return loft([(x, width, width) for x, width in rows], paint)


def printed(rng: Generator, colour: Colour) -> Paint:
    """A label with writing of that colour, on white or the other way round."""
    white = varied((0.93, 0.93, 0.91), rng, by=0.02)
    return Paint(white, "label", colour) if rng.random() < 0.5 else Paint(colour, "label", white)


def _scissors(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    paint, metal = figured(rng, colour), steel(rng)
    blade, wide, thick, opened = u(0.06, 0.105), u(0.009, 0.015), u(0.0085, 0.012), pick(rng, (0.03, 0.03, u(0.1, 0.3)))
    shank, long, across, wall = u(0.022, 0.032), u(0.015, 0.022), u(0.011, 0.015), u(0.0065, 0.009)
    handles, blades, bigger = [], [], pick(rng, (1.0, 1.0, 1.35))
    side = ((-0.1, 0.5), (0.1, 0.55), (0.75, 0.4), (1, 0.05), (1, -0.05), (-0.1, -0.35))
    for s, size in ((-1, 1.0), (1, bigger)):
        eye = (-shank - size * long, s * (across * size + 0.5 * wall))
        grip_ = strip(arc(eye, (size * long, size * across), wall), paint, height=thick)
        grip_ += strip([(-shank, eye[1] * 0.8, wall * 1.2), (0.004, 0, 0.9 * wide)], paint, height=thick)
        edge = [(x * blade, -s * y * wide, s * z) for x, y in side for z in (0.0003, 0.0035)]
        handles += moved(grip_, turn=(0, 0, -s * opened / 2))
        blades += moved([hull(edge, metal)], turn=(0, 0, s * opened / 2))
    screw = cylinder(0.0035, 0.01, Paint((0.4, 0.4, 0.42), shine=0.8))
    parts = (part("handles", handles), part("blades", blades, avoid=True), part("screw", screw))
    return SimObject("scissors", "scissors", f"{word} scissors", parts, u(0.04, 0.13), 0.65, EITHER_FACE, "steel",
                     "cut paper")  # fmt: skip


def _tape(rng: Generator) -> SimObject:
    u, r, height = rng.uniform, rng.uniform(0.021, 0.035), rng.uniform(0.011, 0.046)
    inner = r * u(0.45, 0.75)
    kinds: dict[str, Colour] = {"brown": (0.66, 0.47, 0.27), "beige": (0.88, 0.80, 0.60), "silver": (0.66, 0.67, 0.69)}
    word, colour = pick(rng, [*kinds.items(), tint(rng), tint(rng), tint(rng)])
    paint = Paint(colour, pick(rng, ("plain", "plain", "stripes", "dots")), shade(colour, 0.75), shine=u(0.2, 0.7))
    core = Paint(pick(rng, ((0.70, 0.57, 0.42), (0.9, 0.9, 0.88), (0.12, 0.12, 0.13))))
    loose = box((0.014, 0.003, height), paint, at=(0.006, r - 0.0008, 0))
    parts = (part("roll", ring(r, r - inner, height, paint, segments=16), loose),
             part("core", ring(inner + 0.001, 0.0035, height * 1.01, core, segments=14)))  # fmt: skip
    return SimObject("tape", "tape", f"roll of {word} tape", parts, u(0.03, 0.18), 0.75, (*FLAT, ALONG_Y), "plastic",
                     "close parcels")  # fmt: skip


def _marker(rng: Generator) -> SimObject:
    u, (word, ink) = rng.uniform, tint(rng, *INKS)
    width, long, cap = u(0.014, 0.021), u(0.11, 0.145), u(0.035, 0.055)
    colour, end = solid(rng, ink), long - cap
    shell = Paint(pick(rng, ((0.92, 0.92, 0.9), (0.55, 0.56, 0.58), ink)), shine=u(0.1, 0.5))
    body = stick([(0.006, 0.95 * width), (end, 0.95 * width)], shell)
    body.append(box((0.75 * end, 0.42 * width, 0.97 * width), printed(rng, shade(ink, 0.7)), at=(0.52 * end, 0, 0)))
    plug = stick([(0, 0.75 * width), (0.002, 0.85 * width), (0.006, 0.95 * width)], colour)
    lid = stick([(end, width), (long - 0.007, 0.97 * width), (long, 0.7 * width)], colour)
    clip = [box((cap * 0.8, 0.004, 0.004), colour, at=(end + 0.3 * cap, 0, width / 2 + 0.0015))]
    parts = (part("body", body, plug), part("cap", lid, clip if rng.random() < 0.6 else []))
    if rng.random() < 0.25:
        neck = stick([(end, 0.8 * width), (end + 0.012, 0.7 * width), (end + 0.022, 0.4 * width)], colour)
        nib = stick([(end + 0.02, 0.0045), (end + 0.03, 0.003)], Paint(shade(ink, 0.6)))
        parts = (parts[0], part("tip", neck, nib, avoid=True))
    return SimObject("marker", "marker", f"{word} marker", parts, u(0.02, 0.035), 0.7, (*FLAT, ALONG_Y), "plastic",
                     "write on a board")  # fmt: skip


def _pen(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    width, long, soft = u(0.0095, 0.0125), u(0.125, 0.148), u(0.03, 0.045)
    paint, metal = solid(rng, colour), pick(rng, (steel(rng), Paint((0.8, 0.65, 0.3), shine=0.8), DARK))
    barrel = stick([(soft, width), (0.6 * long, width), (long - 0.012, 0.85 * width)], paint)
    rubber = solid(rng, tint(rng, "black", "grey", word)[1])
    front = stick([(0.012, 0.8 * width), (0.02, 0.95 * width), (soft, 0.97 * width)], rubber)
    band = cylinder(0.51 * width, 0.005, metal, at=(0.55 * long, 0, 0), turn=ALONG_X)
    clip = [box((0.042, 0.0032, 0.003), metal, at=(long - 0.034, 0, 0.5 * width + 0.002)),
            box((0.006, 0.0035, 0.006), metal, at=(long - 0.016, 0, 0.4 * width))]  # fmt: skip
    button = stick([(long - 0.012, 0.6 * width), (long, 0.5 * width)], metal)
    nib = part("tip", stick([(0, 0.0015), (0.012, 0.75 * width)], metal), avoid=True)
    parts = (part("barrel", barrel, band), part("grip", front), part("clip", clip), part("button", button), nib)
    return SimObject("pen", "pen", f"{word} pen", parts, u(0.02, 0.035), 0.65, (*FLAT, ALONG_Y), "plastic",
                     "write notes")  # fmt: skip


def _pencil(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    width, long, cone = u(0.0095, 0.0125), pick(rng, (u(0.06, 0.1), u(0.13, 0.18))), u(0.016, 0.024)
    flat = 1.35 if rng.random() < 0.25 else 1.0  # carpenters' pencils
    bare, lead = Paint((0.84, 0.68, 0.47), "wood", (0.75, 0.58, 0.38)), Paint(pick(rng, ((0.2, 0.2, 0.21), colour)))
    brass = Paint((0.78, 0.66, 0.35), "stripes", (0.5, 0.42, 0.2), shine=0.8)
    rows = [(0, flat * width, width), (-0.7 * cone, 0.36 * flat * width, 0.36 * width), (-cone, 0.001, 0.001)]
    parts = [part("barrel", loft([rows[0], (long, flat * width, width)], figured(rng, colour))),
             part("point", loft(rows[:2], bare), loft(rows[1:], lead), avoid=True)]  # fmt: skip
    if flat == 1 and rng.random() < 0.7:
        rubber = cylinder(0.46 * width, 0.012, Paint((0.9, 0.5, 0.55)), at=(long + 0.013, 0, 0), turn=ALONG_X)
        parts.append(part("eraser", cylinder(0.5 * width, 0.012, brass, at=(long + 0.004, 0, 0), turn=ALONG_X), rubber))
    return SimObject("pencil", "pencil", f"{word} pencil", tuple(parts), u(0.02, 0.03), 0.65, FLAT, "wood",
                     "draw pictures")  # fmt: skip


def _eraser(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng, "white", "pink", "white", "light blue", "green", "grey", "yellow")
    long, wide, tall, lean = u(0.036, 0.062), u(0.016, 0.027), u(0.0105, 0.016), u(0.3, 0.7)

    def block(start: float, end: float, slant: float, paint: Paint) -> Piece:
        ends = [(x * long, y * wide / 2, z * tall / 2) for x in (start, end) for y in (-1, 1) for z in (-1, 1)]
        return hull([(x - slant * z, y, z) for x, y, z in ends], paint)

    if rng.random() < 0.55:
        share, sleeve = u(0.5, 0.7), tint(rng, "blue", "black", "red", "green", "orange")[1]
        cover = box((share * long, wide * 1.04, tall * 1.04), printed(rng, sleeve), at=((1 - share) * 0.4 * long, 0, 0))
        parts = (part("rubber", block(-0.5, 0.47, 0.0, Paint(colour, shine=0.05))), part("sleeve", cover))
    else:
        end = block(0.2, 0.5, lean, Paint(tint(rng, "blue", "red", "black")[1], shine=0.05))
        parts = (part("rubber", block(-0.5, 0.2, lean, Paint(colour, shine=0.05))), part("ink end", end))
    return SimObject("eraser", "eraser", f"{word} eraser", parts, u(0.02, 0.04), 0.9, FLAT, "rubber",
                     "rub out pencil lines")  # fmt: skip


def _glue_stick(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng, "yellow", "red", "white", "blue", "purple", "green", "orange")
    width, long, cap = u(0.021, 0.031), u(0.075, 0.105), u(0.24, 0.36)
    end, lid = (1 - cap) * long, solid(rng, tint(rng, *(name for name in COLOURS if name != word))[1])
    body = stick([(0.011, 0.95 * width), (end, 0.95 * width)], solid(rng, colour))
    label = box((0.7 * end, 0.42 * width, 0.97 * width), printed(rng, shade(colour, 0.5)), at=(0.55 * end, 0, 0))
    ribbed = Paint(lid.colour, "stripes", shade(lid.colour, 0.4))
    knob = stick([(0, 0.9 * width), (0.008, 0.9 * width), (0.011, 0.8 * width)], ribbed)
    top = stick([(end, width), (long - 0.004, width), (long, 0.85 * width)], lid)
    parts = (part("body", body, label), part("knob", knob), part("cap", top))
    return SimObject("glue_stick", "glue stick", f"{word} glue stick", parts, u(0.02, 0.06), 0.7, (*FLAT, ALONG_Y),
                     "plastic", "glue paper")  # fmt: skip


def _calculator(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    wide, long, thick, rows = u(0.054, 0.071), u(0.1, 0.14), u(0.011, 0.018), int(rng.integers(4, 6))
    plain = solid(rng, tint(rng, *(name for name in ("white", "grey", "black", "light blue") if name != word))[1])
    accent, face, glass = (
        solid(rng, tint(rng, "red", "orange", "green")[1]),
        thick / 2,
        Paint((0.68, 0.75, 0.62), shine=0.5),
    )
    case = loft([(-wide / 2, long * 0.98, thick), (wide / 2, long * 0.98, thick)], solid(rng, colour))
    shown = [box((wide * 0.82, long * 0.17, 0.004), glass, at=(0, long * 0.31, face - 0.0014))]
    shown += [
        box((0.0035, long * 0.09, 0.004), DARK, at=(x * wide, long * 0.31, face - 0.001)) for x in (0.1, 0.2, 0.3)
    ]
    solar = Paint((0.2, 0.1, 0.12), shine=0.6)
    shown.append(box((wide * 0.4, long * 0.055, 0.004), solar, at=(wide * 0.2, long * 0.435, face - 0.0014)))
    pitch, keys = 0.62 * long / rows, []
    for i, j in np.ndindex(4, rows):
        paint = accent if (i == 3 and j > 0) or (i, j) == (0, rows - 1) else plain
        spot = ((i - 1.5) * wide * 0.215, (j + 0.45) * pitch - 0.43 * long, face - 0.001)
        keys.append(box((wide * 0.16, pitch * 0.62, 0.006), paint, at=spot))
    parts = (part("case", case), part("screen", shown, avoid=True), part("buttons", keys))
    return SimObject("calculator", "calculator", f"{word} calculator", parts, u(0.06, 0.16), 0.7, FLAT, "plastic",
                     "add numbers up")  # fmt: skip


def _ruler(rng: Generator) -> SimObject:
    u, (word, paint, material) = rng.uniform, grip(rng, 0.55)
    long, wide, thick = u(0.14, 0.225), u(0.024, 0.038), u(0.0095, 0.0125)
    ink = Paint((0.9, 0.9, 0.9)) if word in ("black", "blue", "purple", "brown", "green") else DARK
    count, marks = int((long - 0.012) / 0.01), []
    for k in range(count):
        share = 0.4 if k % 5 == 0 else 0.22
        spot = (0.01 * (k - (count - 1) / 2), wide * (0.5 - share / 2) - 0.0015, thick / 2 - 0.0018)
        marks.append(box((0.0014, wide * share, 0.004), ink, at=spot))
    hole = cylinder(0.0035, thick * 1.03, DARK, at=(long / 2 - 0.009, -0.2 * wide, 0))
    parts = (part("body", box((long, wide, thick), paint), hole), part("marks", marks))
    return SimObject("ruler", "ruler", f"{word} ruler", parts, u(0.02, 0.07), 0.6, FLAT, material,
                     "draw straight lines")  # fmt: skip


def _binder_clip(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng, "black", "black", *COLOURS)
    wide, deep, tall = u(0.026, 0.05), u(0.018, 0.026), u(0.013, 0.021)
    paint = Paint(colour, pick(rng, ("plain", "plain", "dots", "stripes")), shade(colour, 0.5), shine=0.5)
    body = [hull([(x, y * wide / 2, z) for x, h in ((0, 0.35), (0.004, 0.5), (deep, 0.1)) for z in (-h * tall, h * tall)
                  for y in (-1, 1)], paint)]  # fmt: skip
    body += [cylinder(0.0022, wide, Paint(shade(colour, 0.7)), at=(deep, 0, s * 0.0023), turn=ALONG_Y) for s in (-1, 1)]
    metal, loops, back = steel(rng), [], rng.random() < 0.4
    reach, a, b = u(0.024, 0.036), wide * u(0.28, 0.38), wide * u(0.12, 0.2)
    for s in (-1, 1):
        bend = [(deep, a, s * 0.003), (deep + reach * 0.8, b, s * 0.003), (deep + reach, b * 0.6, s * 0.003)]
        if back:
            rise = tall / 2 + 0.003
            bend = [(deep, a, s * 0.004), (0, b * 1.2, s * rise), (-reach * 0.5, b, s * rise * 1.3),
                    (-reach * 0.7, b * 0.6, s * rise * 1.4)]  # fmt: skip
        loops += tube([*bend, *[(x, -y, z) for x, y, z in bend[::-1]]], 0.0016, metal)
    return SimObject("binder_clip", "clip", f"{word} binder clip", (part("body", body), part("handles", loops)),
                     u(0.02, 0.05), 0.6, FLAT, "steel", "hold sheets together")  # fmt: skip


def _notebook(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    long, wide, thick = u(0.085, 0.13), u(0.05, 0.063), u(0.0095, 0.017)
    cover, extra = figured(rng, colour), solid(rng, tint(rng, *(name for name in COLOURS if name != word))[1])
    boards = [box((long, wide, 0.003), cover, at=(0, 0, s * (thick - 0.003) / 2)) for s in (-1, 1)]
    pages = box((0.97 * long, 0.96 * wide, thick - 0.005), Paint((0.95, 0.94, 0.89), "stripes", (0.85, 0.84, 0.8)))
    if rng.random() < 0.4:
        ends, metal = np.linspace(-0.43 * long, 0.43 * long, 9).tolist(), steel(rng)
        coils = [cylinder(thick * 0.62, 0.003, metal, at=(x, wide / 2 - 0.001, 0), turn=ALONG_X) for x in ends]
        binding = part("spiral", coils)
    else:
        band = [box((0.004, 1.01 * wide, thick * 1.04), extra, at=(-0.36 * long, 0, 0))]
        binding = part(
            "spine", box((long, 0.004, thick), extra, at=(0, wide / 2, 0)), band if rng.random() < 0.7 else []
        )
    if rng.random() < 0.5:
        boards.append(
            box((0.4 * long, 0.45 * wide, 0.003), printed(rng, (0.2, 0.2, 0.2)), at=(0, 0, thick / 2 - 0.0012))
        )
    return SimObject("notebook", "book", f"{word} notebook", (part("cover", boards), part("pages", pages), binding),
                     u(0.05, 0.15), 0.65, EITHER_FACE, "paper", "take notes")  # fmt: skip


def _pencil_sharpener(rng: Generator) -> SimObject:
    u, (word, colour) = rng.uniform, tint(rng)
    paint = figured(rng, colour)
    if rng.random() < 0.35:
        word, paint = "silver", steel(rng)
    long, wide, tall, narrow = u(0.024, 0.036), u(0.016, 0.026), u(0.011, 0.017), u(0.6, 0.8)
    plan = [
        (x * long / 2, s * w * wide / 2) for x, w in ((-1, narrow), (-0.4, narrow), (0.3, 1), (1, 1)) for s in (-1, 1)
    ]
    hole = cylinder(tall * 0.32, long * 0.2, DARK, at=(0.41 * long, 0, -0.05 * tall), turn=ALONG_X)
    slot = box((0.75 * long, 0.2 * wide, 0.004), DARK, at=(-0.02 * long, -0.2 * wide, tall / 2 - 0.0017))
    body = part("body", hull([(x, y, z) for x, y in plan for z in (-tall / 2, tall / 2)], paint), hole, slot)
    edge = Paint((0.85, 0.86, 0.88), shine=0.9)
    blade = box((0.66 * long, 0.36 * wide, 0.003), edge, at=(0.06 * long, 0, tall / 2), turn=(0, 0, 0.08))
    screw = cylinder(0.0027, 0.005, Paint((0.4, 0.4, 0.42), shine=0.7), at=(0.06 * long, 0, tall / 2))
    parts = (body, part("blade", blade, screw, avoid=True))
    return SimObject("pencil_sharpener", "pencil sharpener", f"{word} pencil sharpener", parts, u(0.02, 0.035), 0.6,
                     FLAT, "plastic", "sharpen pencils")  # fmt: skip


def _highlighter(rng: Generator) -> SimObject:
    u, word = rng.uniform, pick(rng, tuple(NEON))
    colour = varied(NEON[word], rng, by=0.03)
    wide, thick, long, cap = u(0.017, 0.026), u(0.0105, 0.015), u(0.1, 0.13), u(0.034, 0.046)
    shell = Paint(pick(rng, (colour, colour, (0.93, 0.93, 0.92), (0.12, 0.12, 0.13))), shine=0.4)
    end, neon = long - cap, Paint(colour, shine=u(0.3, 0.7))
    rows = [(0.002, 0.7, 0.8), (0.012, 0.9, 0.95), (end, 0.95, 0.95)]
    body = loft([(x, w * wide, h * thick) for x, w, h in rows], shell)
    body.append(box((0.7 * end, 0.5 * wide, 0.97 * thick), printed(rng, shade(colour, 0.5)), at=(0.55 * end, 0, 0)))
    butt = loft([(-0.004, 0.5 * wide, 0.6 * thick), (0.003, 0.75 * wide, 0.8 * thick)], neon)
    ring_ = box((0.005, 0.97 * wide, 0.97 * thick), DARK, at=(end, 0, 0))
    lid = loft([(end, wide, thick), (long - 0.01, 0.9 * wide, thick), (long, 0.55 * wide, 0.7 * thick)], neon)
    clip = box((cap * 0.85, 0.005, 0.004), neon, at=(end + 0.35 * cap, 0, thick / 2 + 0.0015))
    parts = (part("body", body, butt, ring_), part("cap", lid, clip))
    return SimObject("highlighter", "highlighter", f"{word} highlighter", parts, u(0.02, 0.035), 0.7, FLAT, "plastic",
                     "mark words")  # fmt: skip


def _chalk(rng: Generator) -> SimObject:
    u, word = rng.uniform, pick(rng, ("white", *PASTELS))
    colour = varied(PASTELS[word], rng, by=0.025)
    width, long = (u(0.019, 0.028), u(0.075, 0.115)) if rng.random() < 0.4 else (u(0.0092, 0.0125), u(0.05, 0.085))
    taper, worn = u(0.75, 0.95) * width, u(0.4, 0.95)
    paint = Paint(colour, pick(rng, ("plain", "speckle")), shade(colour, 0.9), shine=0.0)
    body = stick([(0, 0.85 * width), (0.08 * width, width), (0.9 * long, taper)], paint)
    end = stick([(0.9 * long, taper), (long, worn * taper)], Paint(shade(colour, 0.93), shine=0.0))
    return SimObject("chalk", "chalk", f"{word} chalk", (part("stick", body), part("worn end", end)), u(0.02, 0.05),
                     0.8, FLAT, "chalk", "draw on a board")  # fmt: skip


FAMILIES: dict[str, Callable[[Generator], SimObject]] = {
    make.__name__.removeprefix("_"): make
    for make in (_scissors, _tape, _marker, _pen, _pencil, _eraser, _glue_stick, _calculator, _ruler, _binder_clip,
                 _notebook, _pencil_sharpener, _highlighter, _chalk)
}  # fmt: skip
