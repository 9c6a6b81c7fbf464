"""Eight tools and desk things of the household set: for testing only, so no training family is built from them.

Long things lie along x with the end that people hold at +x; each rests on the table as its first pose has it.
"""

import math
from itertools import pairwise

from graspwise.sim.colours import BLACK, CHROME, IRON, STEEL
from graspwise.sim.forms import ALONG_X, ALONG_Y, ON_SIDE, OTHER_SIDE, UPSIDE_DOWN, sticker, stretched, swept
from graspwise.sim.shapes import (
    Paint,
    Piece,
    SimObject,
    box,
    cylinder,
    ellipsoid,
    hull,
    moved,
    part,
    prism,
    ring,
    rod,
    turned,
)


def hammer() -> SimObject:
    hickory, rubber = Paint((0.8, 0.6, 0.36), "wood", (0.7, 0.48, 0.26), 0.2), Paint((0.12, 0.12, 0.13), shine=0.2)
    shaft = swept([(-0.115, 0, 0, 0.009, 0.0085), (-0.07, 0, 0, 0.01, 0.009), (0.03, 0, 0, 0.0115, 0.0105)], hickory)
    grip = swept([(0.025, 0, 0, 0.014, 0.0125), (0.05, 0, 0, 0.0145, 0.013), (0.09, 0, 0, 0.0135, 0.0125),
                  (0.114, 0, 0, 0.0165, 0.013), (0.12, 0, 0, 0.0135, 0.011)], rubber)  # fmt: skip
    bands = [box((0.004, 0.0298, 0.0262), Paint((0.85, 0.4, 0.08)), at=(x, 0, 0)) for x in (0.036, 0.046)]
    poll = [cylinder(0.0105, 0.022, STEEL, at=(-0.097, 0.02, 0), turn=ALONG_Y),
            cylinder(0.0145, 0.016, CHROME, at=(-0.097, 0.037, 0), turn=ALONG_Y)]  # fmt: skip
    cheek = box((0.03, 0.028, 0.026), STEEL, at=(-0.097, 0, 0))
    tine = [(-0.111, -0.012), (-0.11, -0.032), (-0.103, -0.05), (-0.089, -0.066), (-0.087, -0.062), (-0.094, -0.046),
            (-0.094, -0.03), (-0.084, -0.012)]  # fmt: skip
    claw = [prism(tine, 0.008, STEEL, z=z) for z in (-0.0065, 0.0065)]
    return SimObject(
        "hammer", "hammer", "wooden-handled hammer",
        (part("handle", shaft, grip, bands), part("head", cheek, *claw, poll)),
        mass=0.5, friction=0.7, poses=((0, 0, 0), UPSIDE_DOWN), material="steel and wood", use="drive nails",
    )  # fmt: skip


def screwdriver() -> SimObject:
    red = Paint((0.8, 0.08, 0.07), shine=0.7)
    profile = [(0.010, 0.0), (0.0135, 0.004), (0.0135, 0.016), (0.0105, 0.024), (0.0155, 0.04), (0.016, 0.08),
               (0.0145, 0.097)]  # fmt: skip
    core = moved(turned(profile, red, segments=6), turn=ALONG_X)
    end = moved(turned([(0.0145, 0.097), (0.009, 0.105)], BLACK, segments=6), turn=ALONG_X)
    # On the flats, which lie half a side away from the corners.
    inlays = [box((0.05, 0.007, 0.004), BLACK, at=(0.062, 0, 0.0124)).moved(turn=(math.pi / 3 * (n + 0.5), 0, 0))
              for n in range(6)]  # fmt: skip
    shaft = [
        cylinder(0.0036, 0.088, STEEL, at=(-0.042, 0, 0), turn=ALONG_X),
        cylinder(0.006, 0.008, CHROME, at=(-0.002, 0, 0), turn=ALONG_X),
    ]
    tip = swept([(-0.084, 0, 0, 0.0036, 0.0036), (-0.096, 0, 0, 0.0052, 0.0024), (-0.106, 0, 0, 0.004, 0.0015)], IRON)
    return SimObject(
        "screwdriver", "screwdriver", "red and black screwdriver",
        (part("handle", core, end, inlays), part("shaft", shaft), part("tip", tip, avoid=True)),
        mass=0.12, friction=0.75, poses=((math.pi / 6, 0, 0), (-math.pi / 6, 0, 0)), material="steel and plastic",
        use="drive screws",
    )  # fmt: skip


def stubby_screwdriver() -> SimObject:
    yellow = Paint((0.95, 0.75, 0.08), shine=0.4)
    profile = [(0.0125, 0.0), (0.0165, 0.004), (0.013, 0.013), (0.0185, 0.026), (0.0195, 0.042), (0.0165, 0.056),
               (0.009, 0.061)]  # fmt: skip
    paints = (BLACK, BLACK, yellow, yellow, yellow, BLACK)
    grip = [piece for rows, paint in zip(pairwise(profile), paints, strict=True)
            for piece in turned(rows, paint, segments=8)]  # fmt: skip
    shaft = [cylinder(0.0042, 0.034, STEEL, at=(-0.016, 0, 0), turn=ALONG_X),
             cylinder(0.0075, 0.006, CHROME, at=(-0.002, 0, 0), turn=ALONG_X)]  # fmt: skip
    fin = hull([(x, y, z) for x, r in ((-0.03, 0.0042), (-0.043, 0.0016)) for y in (-r, r) for z in (-0.0015, 0.0015)],
               IRON)  # fmt: skip
    fins = [fin, fin.moved(turn=(math.pi / 2, 0, 0))]
    return SimObject(
        "stubby_screwdriver", "screwdriver", "short yellow screwdriver",
        (part("handle", moved(grip, turn=ALONG_X)), part("shaft", shaft), part("tip", fins, avoid=True)),
        mass=0.08, friction=0.8, poses=((math.pi / 8, 0, 0), (-math.pi / 8, 0, 0)), material="steel and rubber",
        use="turn cross-head screws",
    )  # fmt: skip


def pliers() -> SimObject:
    blue = Paint((0.08, 0.25, 0.65), shine=0.3)
    handles: list[Piece] = []
    jaws: list[Piece] = []
    for side in (1, -1):
        jaw = [(-0.062, 0.001), (-0.061, 0.006), (-0.035, 0.0105), (-0.008, 0.014), (0.012, 0.011), (0.012, -0.002),
               (-0.01, 0.0)]  # fmt: skip
        steel = prism([(x, side * y) for x, y in jaw], 0.011, STEEL)
        steel += [box((0.003, 0.0032, 0.0118), IRON, at=(-0.056 + 0.006 * n, side * 0.0024, 0)) for n in range(6)]
        steel += swept([(0.0, side * 0.005, 0, 0.007, 0.0055), (0.032, side * 0.0165, 0, 0.005, 0.005)], STEEL)
        grip = swept([(0.024, side * 0.014, 0, 0.0072, 0.007), (0.05, side * 0.0225, 0, 0.007, 0.007),
                      (0.078, side * 0.0255, 0, 0.0068, 0.007), (0.105, side * 0.0225, 0, 0.0072, 0.007),
                      (0.12, side * 0.0175, 0, 0.0055, 0.006)], blue)  # fmt: skip
        swing = (0, 0, -side * 0.035)
        handles += moved(grip, turn=swing)
        jaws += moved(steel, turn=swing)
    joint = [
        cylinder(0.0135, 0.0125, STEEL),
        cylinder(0.0068, 0.0145, IRON),
        box((0.0032, 0.013, 0.0152), CHROME, turn=(0, 0, 0.6)),
    ]
    return SimObject(
        "pliers", "pliers", "blue pliers",
        (part("handles", handles), part("jaws", jaws), part("joint", joint)),
        mass=0.22, friction=0.65, poses=((0, 0, 0), UPSIDE_DOWN), material="steel", use="grip and bend wire",
    )  # fmt: skip


def scissors() -> SimObject:
    orange = Paint((0.95, 0.42, 0.05), shine=0.4)
    handles: list[Piece] = []
    blades: list[Piece] = []
    for side, length in ((1, 1.0), (-1, 1.25)):
        outline = [(-0.118, 0.0015), (-0.1, -0.0055), (-0.03, -0.0095), (0.014, -0.008), (0.014, 0.006), (0.0, 0.006),
                   (-0.118, 0.0035)]  # fmt: skip
        blade = prism([(x, side * y) for x, y in outline], 0.0035, STEEL, z=side * 0.00175)
        edge = [(-0.117, side * 0.0034), (0.0, side * 0.006), (0.0, side * 0.003), (-0.11, side * 0.0009)]
        bevel = prism(edge, 0.004, CHROME, z=side * 0.00175)
        shank = swept([(0.008, 0, 0, 0.0075, 0.0048), (0.022, side * 0.006, 0, 0.007, 0.005),
                       (0.04, side * 0.0115, 0, 0.0065, 0.005)], orange)  # fmt: skip
        eye = stretched(ring(0.0185, 0.0062, 0.01, orange, segments=16), by=(1.35 * length, 1, 1))
        eye = moved(eye, by=(0.036 + 0.023 * length, side * 0.0215, 0), turn=(0, 0, side * 0.12))
        swing = (0, 0, side * 0.11)
        blades += moved([*blade, *bevel], turn=swing)
        handles += moved([*shank, *eye], turn=swing)
    screw = [cylinder(0.0055, 0.0098, IRON), box((0.008, 0.003, 0.0104), CHROME, turn=(0, 0, 0.7))]
    return SimObject(
        "scissors", "scissors", "orange scissors",
        (part("handles", handles), part("screw", screw), part("blades", blades, avoid=True)),
        mass=0.11, friction=0.7, poses=((0, 0, 0), UPSIDE_DOWN), material="steel and plastic", use="cut paper",
    )  # fmt: skip


def tape() -> SimObject:
    tan, board = Paint((0.72, 0.5, 0.26), shine=0.8), Paint((0.62, 0.52, 0.4), "speckle", (0.52, 0.43, 0.32), 0.1)
    film = Paint((0.82, 0.63, 0.38), shine=0.8)
    winding = ring(0.05, 0.0085, 0.048, tan, segments=22)
    core = ring(0.042, 0.0045, 0.0482, board, segments=22)
    flap = hull(
        [
            (x, y, z)
            for x, y in ((0.0, 0.0495), (0.0, 0.0525), (-0.024, 0.0515), (-0.024, 0.0545))
            for z in (-0.024, 0.024)
        ],
        film,
    )
    print_ = [sticker(0.05, angle, 0.25, -0.01, 0.01, Paint((0.75, 0.12, 0.1))) for angle in (-2.6, -1.6, -0.6, 0.4)]
    return SimObject(
        "tape", "tape", "brown packing tape",
        (part("roll", winding, print_), part("core", core), part("end", flap)),
        mass=0.2, friction=0.75, poses=((0, 0, 0), ON_SIDE), material="plastic film", use="close parcels",
    )  # fmt: skip


def stapler() -> SimObject:
    red, rubber = Paint((0.72, 0.07, 0.1), shine=0.6), Paint((0.15, 0.15, 0.16), shine=0.1)
    base = swept([(-0.078, 0, 0.0045, 0.014, 0.0045), (-0.07, 0, 0.005, 0.02, 0.005), (0.06, 0, 0.005, 0.02, 0.005),
                  (0.07, 0, 0.005, 0.015, 0.005)], rubber)  # fmt: skip
    anvil = [
        box((0.016, 0.022, 0.004), CHROME, at=(-0.066, 0, 0.009)),
        box((0.003, 0.012, 0.0042), IRON, at=(-0.068, 0, 0.0092)),
    ]
    magazine = swept([(-0.062, 0, 0.0275, 0.0085, 0.006), (0.05, 0, 0.018, 0.0085, 0.007)], STEEL)
    nose = box((0.008, 0.019, 0.022), CHROME, at=(-0.06, 0, 0.034))
    arm = swept([(-0.058, 0, 0.042, 0.0165, 0.008), (-0.045, 0, 0.0435, 0.019, 0.0105),
                 (0.0, 0, 0.0395, 0.019, 0.0135), (0.045, 0, 0.031, 0.018, 0.016), (0.064, 0, 0.025, 0.016, 0.0155),
                 (0.07, 0, 0.02, 0.012, 0.011)], red)  # fmt: skip
    ribs = [box((0.003, 0.024, 0.003), rubber, at=(-0.048 + 0.006 * n, 0, 0.0532 - 0.0006 * n)) for n in range(4)]
    plate = swept([(-0.018, 0, 0.0525, 0.007, 0.0015), (0.02, 0, 0.0487, 0.007, 0.0015)], CHROME)
    pivot = cylinder(0.006, 0.042, CHROME, at=(0.05, 0, 0.019), turn=ALONG_Y)
    return SimObject(
        "stapler", "stapler", "red stapler",
        (part("arm", arm, ribs, plate), part("magazine", magazine, nose, pivot), part("base", base, anvil)),
        mass=0.28, friction=0.65, poses=((0, 0, 0), ON_SIDE, OTHER_SIDE), material="steel and plastic",
        use="staple papers",
    )  # fmt: skip


def flashlight() -> SimObject:
    coat, knurl = Paint((0.13, 0.13, 0.15), shine=0.5), Paint((0.2, 0.2, 0.22), "checker", (0.1, 0.1, 0.11), 0.4)
    orange = Paint((0.95, 0.45, 0.05), shine=0.3)
    tail = turned([(0.0115, 0.0), (0.0145, 0.004), (0.0145, 0.02)], coat, segments=16)
    rings = turned([(0.0136, 0.02), (0.0136, 0.024)], orange, segments=16)
    barrel = turned([(0.0138, 0.024), (0.0138, 0.075)], knurl, segments=16)
    neck = turned([(0.013, 0.075), (0.014, 0.1)], coat, segments=16)
    head = turned([(0.014, 0.1), (0.0215, 0.118), (0.0225, 0.138)], coat, segments=8)
    fins = [piece for z in (0.12, 0.127) for piece in turned([(0.0232, z), (0.0232, z + 0.003)], IRON, segments=8)]
    bezel = turned([(0.0235, 0.137), (0.0235, 0.147)], STEEL, segments=8)
    lens = [ellipsoid((0.0185, 0.0185, 0.009), Paint((0.97, 0.95, 0.72), shine=1.0), at=(0, 0, 0.147)),
            ellipsoid((0.007, 0.007, 0.004), Paint((1.0, 0.85, 0.2)), at=(0, 0, 0.1535))]  # fmt: skip
    button = [
        cylinder(0.0068, 0.006, orange, at=(0.0135, 0, 0.088), turn=ALONG_X),
        box((0.004, 0.02, 0.024), coat, at=(0.0135, 0, 0.088)),
    ]
    eye = rod((0, -0.006, -0.002), (0, 0.006, -0.002), 0.0025, STEEL)
    place = {"by": (0.07, 0.0, 0.0), "turn": (0.0, -math.pi / 2, 0.0)}
    return SimObject(
        "flashlight", "flashlight", "black flashlight",
        (part("body", moved([*barrel, *neck, *rings, *tail, eye], **place)),
         part("head", moved([*head, *fins, *bezel], **place)), part("button", moved(button, **place)),
         part("lens", moved(lens, **place), avoid=True)),
        mass=0.2, friction=0.65, poses=((math.pi / 8, 0, 0), (-math.pi / 8, 0, 0)), material="aluminium",
        use="light a dark place",
    )  # fmt: skip


OBJECTS: dict[str, SimObject] = {
    thing.name: thing
    for thing in (
        hammer(), screwdriver(), stubby_screwdriver(), pliers(), scissors(), tape(), stapler(), flashlight(),
    )
}  # fmt: skip
