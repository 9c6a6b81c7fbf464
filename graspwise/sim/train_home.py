"""Training families: what lies about at home - in pockets, drawers and toy boxes.

Every call draws a new instance: sizes within what shops sell, variants, colours, patterns.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from graspwise.sim.colours import ALL_COLOURS, ALLOY, BRIGHT, COAL, GILT, SNOW, coat, pick
from graspwise.sim.forms import ALONG_X, ALONG_Y, ON_BACK, UPRIGHT, UPSIDE_DOWN, plan, slab
from graspwise.sim.paint import varied
from graspwise.sim.shapes import Paint, Piece, SimObject, box, cylinder, ellipsoid, hull, moved, part, tube, turned


def _sunglasses(rng: Generator) -> SimObject:
    u, opened = rng.uniform, rng.random() < 0.4
    name, frame = coat(rng, (*BRIGHT, "black", "black", "brown", "white", "gold"), ("plain", "plain", "speckle"))
    shades = ((0.07, 0.08, 0.09), (0.25, 0.14, 0.08), (0.10, 0.20, 0.13), (0.15, 0.2, 0.45), (0.6, 0.3, 0.1))
    glass = Paint(varied(pick(rng, shades), rng, by=0.04), shine=0.95, opacity=u(0.8, 1))
    gap, wide, high, thick = u(0.009, 0.012), u(0.047, 0.057), u(0.036, 0.050), u(0.0018, 0.0032)
    outline, droop = plan(wide, high, pick(rng, (2.0, 2.7, 3.8)), count=14), u(0, 0.007)
    half, hinge = gap + wide + 0.002, high * u(0.15, 0.3)
    lenses, rims, temples = list[Piece](), list[Piece](), list[Piece]()
    for side in (-1, 1):
        # Drooping outer corners, as aviators have.
        middle = side * (gap + wide / 2)
        loop = [(middle + x, y - droop * side * x / wide, 0.0) for x, y in outline]
        pane = [(0.05 * middle + 0.95 * x, 0.95 * y, z) for x, y, _ in loop for z in (-0.0015, 0.0015)]
        lenses.append(hull(pane, glass))
        rims += tube([*loop, loop[0]], thick, frame)
        rims.append(box((0.008, 0.01, 0.012), frame, at=(side * half, hinge, -0.004)))
        back = -0.009 - 2 * thick * (side > 0)
        bends = [(1, 0, back), (-0.35, 0, back), (-0.85, -0.024, back)]
        if opened:
            bends[1:] = [(0.97, 0, -0.095), (0.92, -0.02, -u(0.128, 0.14))]
        temples += tube([(side * half * x, hinge + y, z) for x, y, z in bends], max(thick, 0.0025), frame)
    bridge = box((2 * gap + 0.003, u(0.008, 0.012), 0.0095), frame, at=(0, hinge, -0.0015))
    return SimObject(
        "sunglasses", "sunglasses", f"{name} sunglasses",
        (part("lenses", lenses, avoid=True), part("frame", rims), part("bridge", bridge), part("temples", temples)),
        mass=u(0.022, 0.045), poses=(ON_BACK, ALONG_Y) if opened else (UPRIGHT,), use="shade the eyes from the sun",
    )  # fmt: skip


def _glasses_case(rng: Generator) -> SimObject:
    u, high = rng.uniform, rng.uniform(0.034, 0.052)
    name, skin = coat(rng, (*BRIGHT, "black", "black", "brown", "beige", "grey"), ("plain", "weave", "speckle"))
    trim, power = coat(rng, ("silver", "gold", "copper", "black"), but=name)[1], u(2.3, 4.5)
    length, width, seam, edge = u(0.15, 0.172), u(0.054, 0.068), high * u(0.45, 0.6), u(0.008, 0.014)
    base = slab(length, width, [(0, edge), (seam * 0.5, 0.002), (seam, 0)], skin, power=power)
    lid = slab(length, width, [(seam, 0), (high * 0.85, edge * 0.5), (high, edge * 1.6)], skin, power=power)
    seal = slab(length, width, [(seam - 0.002, -0.0015), (seam + 0.0015, -0.0015)], trim, power=power)
    clasp = box((0.018, 0.006, 0.012), trim, at=(0, -width / 2, seam))
    crest = slab(0.036, 0.014, [(high - 0.006, 0), (high + 0.0005, 0)], trim, power=pick(rng, (2.0, 6.0)))
    return SimObject(
        "glasses_case", "case", f"{name} glasses case",
        (part("base", base), part("lid", lid, [crest] * (rng.random() < 0.6)), part("clasp", seal, clasp)),
        mass=u(0.05, 0.12), poses=(UPRIGHT, ON_BACK), material="leather", use="keep glasses safe",
    )  # fmt: skip


def _remote_control(rng: Generator) -> SimObject:
    u = rng.uniform
    length, width, high = u(0.13, 0.2), u(0.038, 0.052), u(0.016, 0.025)
    name, main = coat(rng, ("black", "black", "grey", "white", "silver", "navy"))
    body = slab(length, width, [(0, 0.006), (high * 0.4, 0), (high * 0.8, 0), (high, 0.003)], main, power=u(4, 10))
    key = Paint(varied((0.75,) * 3 if name in ("black", "navy", "grey") else (0.2,) * 3, rng), shine=0.1)
    rows, across, size, wheel = int(rng.integers(3, 7)), int(rng.integers(3, 5)), u(0.0055, 0.0075), u(0.3, 0.4) * width
    colours = [Paint(varied(ALL_COLOURS[n], rng)) for n in ("red", "green", "yellow", "blue")]
    keys = [
        box((size, size * 0.9, 0.006), colours[k] if i == 0 and across == 4 else key, at=(x, y, high - 0.0015))
        for i, x in enumerate((np.linspace(-0.42, 0.05, rows) * length).tolist())
        for k, y in enumerate((np.linspace(-0.32, 0.32, across) * width).tolist())
    ]
    pad = [cylinder(wheel, 0.006, key, at=(length * 0.23, 0, high - 0.002)),
           cylinder(wheel * 0.45, 0.006, main, at=(length * 0.23, 0, high - 0.001))]  # fmt: skip
    power = cylinder(0.0045, 0.006, colours[0], at=(length * 0.42, width * 0.28 * pick(rng, (-1, 0, 1)), high - 0.001))
    return SimObject(
        "remote_control", "remote control", f"{name} remote control",
        (part("body", body), part("buttons", keys, pad, power)), mass=u(0.08, 0.16), use="switch television channels",
    )  # fmt: skip


def _mobile_phone(rng: Generator) -> SimObject:
    u = rng.uniform
    length, width, thick = u(0.135, 0.165), u(0.062, 0.0705), u(0.009, 0.0125)
    name, shell = coat(rng, (*BRIGHT, "black", "black", "white", "grey", "gold"))
    rounding = [(0, 0.0012), (0.0015, 0), (thick - 0.0015, 0), (thick, 0.0012)]
    lit = pick(rng, ((0.04, 0.04, 0.05), (0.2, 0.35, 0.6), (0.55, 0.3, 0.5), (0.25, 0.5, 0.45)))
    screen = [box((length * 0.93, width * 0.9, 0.004), Paint(lit, shine=0.9), at=(0, 0, thick - 0.0017))]
    for x in np.linspace(-0.05, 0.38, int(rng.integers(3, 6)) if lit[2] > 0.1 else 0).tolist():
        for y in (-0.3, -0.1, 0.1, 0.3):
            screen.append(
                box((0.0095, 0.0095, 0.004), coat(rng, BRIGHT)[1], at=(x * length, y * width, thick - 0.0014))
            )
    eyes = [(0.38 * length, 0.25 * width), (0.27 * length, 0.25 * width), (0.325 * length, 0.08 * width)]
    lenses = [cylinder(0.0055, 0.004, COAL, at=(x, y, 0.0005)) for x, y in eyes[: rng.integers(1, 4)]]
    bump = slab(0.04, 0.036, [(-0.001, 0), (0.004, 0)], coat(rng, ("grey", "silver", "black"), but=name)[1], power=6,
                at=(0.325 * length, 0.17 * width, 0))  # fmt: skip
    return SimObject(
        "mobile_phone", "mobile phone", f"{name} mobile phone",
        (part("body", slab(length, width, rounding, shell, power=u(7, 14))), part("screen", screen),
         part("camera", lenses, bump, avoid=True)),
        mass=u(0.14, 0.22), poses=(UPRIGHT, UPSIDE_DOWN), friction=0.6, material="glass", use="call people",
    )  # fmt: skip


def _computer_mouse(rng: Generator) -> SimObject:
    u = rng.uniform
    length, width, high = u(0.095, 0.122), u(0.054, 0.067), u(0.032, 0.042)
    name, shell = coat(rng, ("black", "black", "white", "grey", "red", "blue", "pink", "mint", "silver"))
    accent, back = coat(rng, ("black", "grey", "silver", "red", "blue"), but=name)[1], -0.06 * length
    rows = [(0, 0, 0), (0.35 * high, 0, 0), (0.72 * high, 0.09, 0.02), (0.92 * high, 0.22, 0.08), (high, 0.4, 0.18)]
    dome = [(x * (1 - s) + back * s, y * (1 - n), z) for z, s, n in rows for x, y in plan(length, width, 2.8)]
    crest = [(length / 2 * (1 - s) + back * s + 0.0007, z + 0.0007) for z, s, _ in rows[1:]]
    wheel = cylinder(0.012, 0.008, accent, at=(0.33 * length, 0, 0.79 * high), turn=ON_BACK)
    split = [hull([(x - d, y, z - d) for x, z in ends for y in (-0.0015, 0.0015) for d in (0, 0.004)], accent)
             for ends in pairwise(crest)]  # fmt: skip
    across = box((0.003, width * 0.7, 0.004), accent, at=(0.06 * length, 0, high - 0.0018))
    skirt = slab(length, width, [(0.001, -0.0005), (0.28 * high, -0.0005)], accent, power=2.8)
    logo = slab(0.014, 0.01, [(high - 0.006, 0), (high + 0.0004, 0)], accent, at=(back * 2.2, 0, 0))
    wire = [(length / 2 - 0.003, 0, 0.006), (length / 2 + 0.018, 0, 0.003), (length / 2 + 0.045, u(-0.02, 0.02), 0.002)]
    cable = [part("cable", tube(wire, 0.0019, COAL), avoid=True)] if rng.random() < 0.35 else []
    return SimObject(
        "computer_mouse", "computer mouse", f"{name} computer mouse",
        (part("body", hull(dome, shell), [skirt] * (rng.random() < 0.5), [logo] * (rng.random() < 0.6)),
         part("buttons", split, across), part("wheel", wheel), *cable),
        mass=u(0.07, 0.13), use="move the pointer on a screen",
    )  # fmt: skip


def _camera(rng: Generator) -> SimObject:
    u = rng.uniform
    length, deep, high = u(0.098, 0.132), u(0.03, 0.046), u(0.06, 0.071)
    name, main = coat(rng, ("black", "black", "silver", "red", "white", "brown", "mint"))
    trim = coat(rng, ("black", "grey", "silver"), but=name)[1]
    size, reach, off, front = u(0.021, 0.027), u(0.016, 0.034), pick(rng, (0.0, 0.012)), -deep / 2
    body = [box((length, deep, high), main, at=(0, 0, high / 2)),
            box((length + 0.001, deep + 0.001, high * 0.42), trim, at=(0, 0, high * 0.42)),
            box((0.022, 0.004, 0.011), SNOW, at=(length / 3, front, high * 0.85))]  # fmt: skip
    grip = slab(0.022, 0.018, [(0, 0), (high - 0.003, 0)], trim, at=(0.011 - length / 2, front, 0), power=3)
    barrel = [cylinder(size * s, d, p, at=(off, front - d / 2 + 0.002, high * 0.47), turn=ON_BACK)
              for s, d, p in ((1, reach * 0.6, trim), (0.9, reach, COAL))]  # fmt: skip
    glass = [cylinder(size * s, 0.004, Paint(c, shine=0.95), at=(off, front - reach + d, high * 0.47), turn=ON_BACK)
             for s, c, d in ((0.68, (0.12, 0.16, 0.3), 0.0015), (0.36, (0.35, 0.4, 0.65), 0.0011))]  # fmt: skip
    top = [cylinder(0.008, 0.008, ALLOY, at=(0.02 - length / 2, front * 0.3, high + 0.003)),
           cylinder(0.010, 0.010, trim, at=(length / 2 - 0.016, 0, high + 0.002)),
           box((0.022, 0.02, 0.006), ALLOY, at=(off, 0, high))]  # fmt: skip
    return SimObject(
        "camera", "camera", f"{name} camera",
        (part("body", body), part("grip", grip), part("lens", glass, avoid=True), part("barrel", barrel),
         part("buttons", top)), mass=u(0.2, 0.5), poses=(ON_BACK, UPRIGHT), material="metal", use="take photographs",
    )  # fmt: skip


def _power_adapter(rng: Generator) -> SimObject:
    u, brick = rng.uniform, rng.random() < 0.4
    name, main = coat(rng, ("black", "black", "grey") if brick else ("white", "white", "black", "grey", "blue", "pink"))
    length, width, high = u(0.09, 0.12) if brick else u(0.045, 0.066), u(0.036, 0.052), u(0.026, 0.035)
    block = slab(length, width, [(0, 0.002), (0.003, 0), (high - 0.003, 0), (high, 0.002)], main, power=u(6, 14))
    note = Paint((0.6, 0.6, 0.62) if name == "white" else (0.85, 0.85, 0.86), "label", main.colour)
    sign = box((length * u(0.45, 0.7), width * u(0.4, 0.7), 0.004), note, at=(0, 0, high - 0.0016))
    port = box((0.004, 0.013, 0.006), note, at=(0.0015 - length / 2, 0, high / 2))
    bends = ((-0.004, 0, high / 2), (0.016, 0, high * 0.4), (0.03, u(-0.02, 0.02), 0.0025))
    tails = [p for s in (-1, 1) for p in tube([(s * (length / 2 + x), s * y, z) for x, y, z in bends], 0.0024, COAL)]
    if not brick:
        prong = pick(rng, (box((0.026, 0.0032, 0.0068), ALLOY), cylinder(0.0025, 0.026, ALLOY, turn=ALONG_X)))
        tails = [prong.moved(by=(length / 2 + 0.008, y, high / 2)) for y in (-0.0085, 0.0085)]
    return SimObject(
        "power_adapter", "power adapter", f"{name} power adapter",
        (part("body", block, sign, port), part("cables" if brick else "prongs", tails, avoid=True)),
        mass=u(0.15, 0.35) if brick else u(0.04, 0.1), use="charge devices",
    )  # fmt: skip


def _light_bulb(rng: Generator) -> SimObject:
    u, kind = rng.uniform, pick(rng, ("round", "pear", "candle"))
    name, glass = coat(rng, ("white", "white", "white", "cream", "yellow"))
    foot, low = u(0.0115, 0.0135) if kind != "candle" else u(0.007, 0.0095), u(0.02, 0.026)
    radius = {"round": u(0.03, 0.035), "pear": u(0.026, 0.032), "candle": u(0.0165, 0.02)}[kind]
    neck, stretch = {"round": (0.01, 1.0), "pear": (u(0.018, 0.028), 1.0), "candle": (0.004, u(1.6, 1.9))}[kind]
    start = math.acos(foot * 1.15 / radius)
    middle = low + neck + radius * stretch * math.sin(start)
    dome = [(radius * math.cos(a), middle + radius * stretch * math.sin(a)) for a in np.linspace(-start, 1.5, 8)]
    bulb = slab(2 * radius, 2 * radius, [(z, radius - r) for r, z in dome], glass)
    throat = turned([(foot * 1.05, low), dome[0]], glass, segments=18)
    threads = turned([(foot * (0.9 + 0.1 * (k % 2)), low * k / 6) for k in range(7)], ALLOY, segments=18)
    return SimObject(
        "light_bulb", "light bulb", f"{name} light bulb",
        (part("bulb", bulb, throat), part("base", threads), part("contact", cylinder(foot * 0.45, 0.006, COAL))),
        mass=u(0.025, 0.08), poses=(ON_BACK,), friction=0.6, material="glass", use="light a room",
    )  # fmt: skip


def _umbrella(rng: Generator) -> SimObject:
    u, crook = rng.uniform, rng.random() < 0.4
    name, cloth = coat(rng, (*BRIGHT, "black", "black", "grey"), ("plain", "plain", "dots", "stripes", "checker"))
    fold = Paint(varied(cloth.second, rng, by=0.03), shine=0.1)
    radius, long, grip, gores = u(0.02, 0.029), u(0.125, 0.15), u(0.038, 0.048), list[Piece]()
    for k, around in enumerate(np.linspace(0, 2 * math.pi, 10, endpoint=False).tolist()):
        rows = [(radius * r, long * z, around + a) for r, z in ((0.9, 0), (1, 0.3), (0.36, 1)) for a in (-0.27, 0.27)]
        gores.append(hull([(0, 0, 0), (0, 0, long), *((r * math.cos(a), r * math.sin(a), z) for r, z, a in rows)],
                          fold if k % 2 else cloth))  # fmt: skip
    strap = slab(2.04 * radius, 2.04 * radius, [(long * 0.24, 0), (long * 0.24 + 0.014, 0)], pick(rng, (fold, COAL)))
    wood = coat(rng, ("black", "black", "wooden", "brown", "silver"))[1]
    handle = turned([(0.011, -grip), (0.0125, -grip * 0.8), (0.009, -grip * 0.3), (0.009, 0.004)], wood, segments=14)
    loop = [(0.004, -grip), (0.009, -grip - 0.014), (0, -grip - 0.022), (-0.009, -grip - 0.014), (-0.004, -grip)]
    if crook:
        bend = [(0.016 - 0.016 * math.cos(a), -0.03 - 0.02 * math.sin(a)) for a in np.linspace(0, math.pi, 6).tolist()]
        handle, loop = tube([(x, 0, z) for x, z in [(0, 0.004), *bend, (0.032, -0.022)]], 0.0065, wood), []
    cord = tube([(x, 0, z) for x, z in loop], 0.0016, fold)
    return SimObject(
        "umbrella", "umbrella", f"{name} umbrella",
        (part("canopy", gores), part("strap", strap), part("handle", handle, cord),
         part("tip", cylinder(0.004, 0.022, ALLOY, at=(0, 0, long + 0.004)))),
        mass=u(0.2, 0.4), poses=(ON_BACK,), material="fabric", use="keep off the rain",
    )  # fmt: skip


def _spool(rng: Generator) -> SimObject:
    u, radius, long = rng.uniform, rng.uniform(0.013, 0.028), rng.uniform(0.032, 0.07)
    name, thread = coat(rng, (*BRIGHT, "black", "white", "grey", "brown"), ("weave",))
    disc = coat(rng, ("wooden", "wooden", "white", "black", "beige"), but=name)[1]
    lip, full = u(0.0035, 0.006), radius * u(0.78, 0.95)
    ends = [slab(2 * radius, 2 * radius, [(z, 0), (z + lip, 0)], disc) for z in (0, long - lip)]
    hole = [cylinder(radius * 0.25, 0.006, COAL, at=(0, 0, z)) for z in (0.0026, long - 0.0026)]
    wound = [(lip + (long - 2 * lip) * z, full * drawn) for z, drawn in ((0, 0.05), (0.1, 0), (0.9, 0), (1, 0.05))]
    return SimObject(
        "spool", "spool", f"spool of {name} thread",
        (part("flanges", ends, hole), part("thread", slab(2 * full, 2 * full, wound, thread))),
        mass=u(0.02, 0.08), poses=(ON_BACK, UPRIGHT), use="sew", material="thread",
    )  # fmt: skip


def _ball(rng: Generator) -> SimObject:
    kind, low, high, names, mass = pick(rng, (
        ("tennis", 0.0322, 0.0334, ("yellow", "yellow", "pink"), 0.057),
        ("golf", 0.021, 0.022, ("white", "white", "orange"), 0.046), ("rubber", 0.017, 0.033, BRIGHT, 0.05),
    ))  # fmt: skip
    name, main = coat(rng, names, ("dots",) if kind == "golf" else ("plain", "speckle", "stripes", "dots", "checker"))
    radius, main = rng.uniform(low, high), replace(main, pattern="plain" if kind == "tennis" else main.pattern)
    # Flat at two ends by a hair: a perfect ball never comes to rest.
    pieces = [ellipsoid((radius, radius, radius), main), cylinder(0.2 * radius, 2.003 * radius, main)]
    t = np.linspace(0, 2 * math.pi, 33 if kind == "tennis" else 0)
    seam = [3 * np.cos(t) + np.cos(3 * t), 3 * np.sin(t) - np.sin(3 * t), 2 * 3**0.5 * np.sin(2 * t)]
    seams = tube((np.stack(seam, axis=1) * (radius - 0.0006) / 4).tolist(), 0.0015, SNOW)
    marks = [part("seams", moved(seams, turn=(rng.uniform(-1, 1), rng.uniform(-1, 1), 0)))] if seams else []
    return SimObject(
        "ball", "ball", f"{name} {kind} ball", (part("ball", pieces), *marks),
        mass=max(mass * (radius / high) ** 3, 0.02), friction=0.8, material="rubber", use="play",
    )  # fmt: skip


def _toy_train(rng: Generator) -> SimObject:
    u = rng.uniform
    length, width, wheel = u(0.085, 0.13), u(0.034, 0.046), u(0.009, 0.013)
    name, main = coat(rng, ("red", "blue", "green", "black", "yellow", "purple"))
    (_, second), (_, third), dark = coat(rng, BRIGHT, but=name), coat(rng, BRIGHT, but=name), pick(rng, (COAL, ALLOY))
    deck, bore, cab, front = wheel + 0.004, width * u(0.32, 0.38), length * u(0.26, 0.34), length / 2
    low, roof = deck + 0.004 + bore, deck + 2 * bore + u(0.012, 0.02)
    boiler = [cylinder(bore, length - cab, main, at=(cab / 2 - 0.002, 0, low), turn=ALONG_X),
              *(cylinder(bore + 0.0008, 0.004, second, at=(front - s * length, 0, low), turn=ALONG_X)
                for s in (0.1, 0.32))]  # fmt: skip
    house = [box((cab, width * 0.86, roof - deck), main, at=(cab / 2 - front, 0, (roof + deck) / 2)),
             box((cab + 0.008, width, 0.005), third, at=(cab / 2 - front, 0, roof))]  # fmt: skip
    rows = [(bore * 0.35, low), (bore * 0.4, roof - 0.004), (bore * 0.62, roof + u(0.004, 0.01))]
    funnel = moved(turned(rows, dark, segments=14), by=(front - 0.14 * length, 0, 0))
    dome = ellipsoid((bore * 0.5, bore * 0.5, bore * 0.5), GILT, at=(front - 0.45 * length, 0, low + bore))
    axles = np.linspace(wheel - front + 0.002, front - wheel - 0.002, int(rng.integers(2, 4))).tolist()
    wheels = [cylinder(wheel * r, 0.006 * w, p, at=(x, s * width * 0.44, wheel), turn=ON_BACK)
              for x in axles for s in (-1, 1) for r, w, p in ((1, 1, second), (0.4, 1.3, dark))]  # fmt: skip
    return SimObject(
        "toy_train", "toy", f"{name} toy train",
        (part("boiler", boiler), part("chassis", box((length, width * 0.8, 0.008), dark, at=(0, 0, deck))),
         part("cab", house), part("funnel", funnel, dome), part("wheels", wheels)),
        mass=u(0.06, 0.18), poses=(UPRIGHT, ON_BACK), material="wood", use="play",
    )  # fmt: skip


def _toy_boat(rng: Generator) -> SimObject:
    u = rng.uniform
    length, width, high = u(0.095, 0.15), u(0.042, 0.062), u(0.02, 0.03)
    name, main = coat(rng, (*BRIGHT, "white", "wooden"))
    (_, band), (_, house), (_, top) = (coat(rng, (*BRIGHT, "white", "wooden"), but=name) for _ in range(3))
    side = [(-0.5, 0.36), (-0.46, 0.42), (0, 0.5), (0.2, 0.44), (0.38, 0.2), (0.5, 0.02)]
    deck = [(x * length, s * y * width) for x, y in side for s in (-1, 1)]
    shell = hull([(x * g, y * g, z) for g, z in ((0.8, 0), (0.95, 0.6 * high), (1, high)) for x, y in deck], main)
    back, tall, timber = -0.14 * length, u(0.014, 0.022), coat(rng, ("wooden",))[1]
    planks = hull([(x * 0.9, y * 0.86, z) for z in (high - 0.004, high + 0.0008) for x, y in deck], timber)
    cabin = [box((0.36 * length, 0.52 * width, tall), house, at=(back, 0, high + tall / 2)),
             box((0.4 * length, 0.58 * width, 0.004), top, at=(back, 0, high + tall))]  # fmt: skip
    funnel = [cylinder(0.0075 * s, h, p, at=(back - 0.1 * length, 0, high + tall + z))
              for s, h, z, p in ((1, 0.02, 0.008, band), (0.85, 0.006, 0.0155, COAL))]  # fmt: skip
    return SimObject(
        "toy_boat", "toy", f"{name} toy boat",
        (part("hull", shell), part("deck", planks), part("cabin", cabin), part("funnel", funnel)),
        mass=u(0.04, 0.15), material="wood", use="play in the water",
    )  # fmt: skip


def _clothes_peg(rng: Generator) -> SimObject:
    u = rng.uniform
    long, thick, flare, slim = u(0.07, 0.11), u(0.010, 0.015), u(0.0085, 0.012), u(0.0055, 0.0075)
    name, main = coat(rng, ("wooden", "wooden", *BRIGHT, "white"))
    jaw, jaws, grip = long * u(0.45, 0.52), list[Piece](), list[Piece]()
    for s in (-1, 1):
        fore = [(-0.002, 0.0003), (jaw, 0.0003), (jaw, slim * 0.45), (jaw - 0.012, slim), (-0.002, slim + 0.001)]
        aft = [(0.002, 0.0003), (0.002, slim + 0.001), (jaw - long, flare + slim * 0.6), (jaw - long, flare)]
        jaws.append(hull([(x, s * y, z) for x, y in fore for z in (0, thick)], main))
        grip.append(hull([(x, s * y, z) for x, y in aft for z in (0, thick)], main))
    coil = [cylinder(u(0.0038, 0.0048), thick + 0.0012, ALLOY, at=(0, 0, thick / 2)),
            cylinder(0.002, thick + 0.0018, COAL, at=(0, 0, thick / 2))]  # fmt: skip
    return SimObject(
        "clothes_peg", "clothes peg", f"{name} clothes peg",
        (part("jaws", jaws), part("grips", grip), part("spring", coil)), mass=u(0.02, 0.035),
        material="wood" if name == "wooden" else "plastic", use="hang up washing",
    )  # fmt: skip


MAKERS = (
    _sunglasses, _glasses_case, _remote_control, _mobile_phone, _computer_mouse, _camera, _power_adapter, _light_bulb,
    _umbrella, _spool, _ball, _toy_train, _toy_boat, _clothes_peg,
)  # fmt: skip
FAMILIES: dict[str, Callable[[Generator], SimObject]] = {make.__name__[1:]: make for make in MAKERS}
