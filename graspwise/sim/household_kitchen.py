"""Thirteen kitchen things of the household set: for testing only, so no training family is built from them.

Long things lie along x with the end that people hold at +x; each rests on the table as its first pose has it.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from graspwise.sim.colours import BLACK, CHROME, IRON, STEEL, WHITE
from graspwise.sim.forms import ALONG_X, ON_SIDE, UPSIDE_DOWN, sticker, stretched, swept
from graspwise.sim.shapes import (
    Paint,
    Piece,
    SimObject,
    Vector,
    box,
    cylinder,
    ellipsoid,
    hull,
    moved,
    part,
    prism,
    ring,
    tube,
    turned,
    vessel,
)


def mug() -> SimObject:
    red = Paint((0.75, 0.1, 0.09), shine=0.6)
    wall = vessel([(0.0355, 0), (0.0355, 0.062)], red, wall=0.0045, base=0.006, segments=16)
    upper = vessel([(0.0355, 0.062), (0.0355, 0.087)], red, wall=0.0045, base=0.006, segments=16)[:-1]
    lip = vessel([(0.0355, 0.087), (0.0355, 0.095)], WHITE, wall=0.0045, base=0.006, segments=16)[:-1]
    ear = [(0.034, 0.079), (0.054, 0.078), (0.065, 0.063), (0.065, 0.037), (0.054, 0.021), (0.034, 0.02)]
    return SimObject(
        "mug", "mug", "red mug",
        (part("body", wall, cylinder(0.0305, 0.003, WHITE, at=(0, 0, 0.0055))), part("rim", upper, lip),
         part("handle", tube([(x, 0, z) for x, z in ear], 0.0055, red))),
        mass=0.3, friction=0.6, poses=((0, 0, 0), ON_SIDE, UPSIDE_DOWN), material="ceramic", use="drink tea",
    )  # fmt: skip


def coffee_mug() -> SimObject:
    cream, blue = Paint((0.93, 0.89, 0.78), shine=0.5), Paint((0.12, 0.28, 0.5), shine=0.6)
    coffee = Paint((0.2, 0.1, 0.04), shine=0.8)
    wall = vessel([(0.029, 0), (0.0385, 0.05)], blue, wall=0.005, base=0.006, segments=16)
    upper = vessel([(0.0385, 0.05), (0.0432, 0.075)], blue, wall=0.005, base=0.006, segments=16)[:-1]
    lip = vessel([(0.0432, 0.075), (0.0445, 0.082)], cream, wall=0.005, base=0.006, segments=16)[:-1]
    drink = turned([(0.025, 0.005), (0.0325, 0.042)], coffee, segments=16)
    foam = [ellipsoid((r, r, 0.002), Paint((0.62, 0.42, 0.24)), at=(x, y, 0.0415))
            for x, y, r in ((0.019, 0.016, 0.006), (0.024, 0.007, 0.004), (0.012, 0.023, 0.004))]  # fmt: skip
    ear = [(0.037, 0.066), (0.075, 0.066), (0.072, 0.024), (0.032, 0.018)]
    return SimObject(
        "coffee_mug", "mug", "blue coffee mug",
        (part("body", wall), part("rim", upper, lip), part("handle", tube([(x, 0, z) for x, z in ear], 0.006, blue)),
         part("coffee", drink, foam, avoid=True)),
        mass=0.42, friction=0.6, material="stoneware", use="drink coffee",
    )  # fmt: skip


def bottle() -> SimObject:
    water, blue = Paint((0.6, 0.8, 0.9), shine=0.9, opacity=0.85), Paint((0.05, 0.25, 0.65), shine=0.4)
    ribs = [(0.0325 - 0.002 * (n % 2), 0.005 + 0.009 * n) for n in range(7)]
    lower = turned([(0.028, 0), *ribs], water, segments=20)
    upper = turned(
        [(0.0315, 0.118), (0.032, 0.132), (0.026, 0.149), (0.0135, 0.166), (0.0125, 0.18)], water, segments=20
    )
    label = turned([(0.0328, 0.058), (0.0328, 0.12)], WHITE, segments=20)
    bands = turned([(0.0331, 0.06), (0.0331, 0.074)], blue, segments=20)
    lines = [
        sticker(0.0325, around, across, low, low + 0.009, paint)
        for around in (0.4, 2.5, 4.6)
        for across, low, paint in ((1.0, 0.106, blue), (1.3, 0.092, Paint((0.1, 0.55, 0.8))), (0.7, 0.079, blue))
    ]
    cap = turned([(0.0155, 0.18), (0.0155, 0.194), (0.0145, 0.197)], blue, segments=12)
    collar = turned([(0.017, 0.174), (0.017, 0.178)], water, segments=20)
    return SimObject(
        "bottle", "bottle", "blue water bottle",
        (part("body", lower, upper), part("label", label, bands, lines), part("neck", collar), part("cap", cap)),
        mass=0.35, friction=0.6, poses=((0, 0, 0), ON_SIDE), material="plastic", use="drink water",
    )  # fmt: skip


def soda_bottle() -> SimObject:
    cola, clear = Paint((0.16, 0.06, 0.03), shine=0.9), Paint((0.75, 0.78, 0.76), shine=0.9, opacity=0.6)
    red = Paint((0.82, 0.06, 0.08), shine=0.4)
    lower = turned([(0.023, 0), (0.03, 0.008), (0.0315, 0.035), (0.0275, 0.062)], cola, segments=20)
    upper = turned([(0.0285, 0.108), (0.031, 0.122), (0.027, 0.143), (0.0175, 0.163)], cola, segments=20)
    label = turned([(0.028, 0.062), (0.029, 0.066), (0.029, 0.106), (0.0285, 0.11)], red, segments=20)
    wave = [sticker(0.029, around + 0.4 * n, 0.42, 0.08 + lift, 0.089 + lift, WHITE, rise=rise)
            for around in (0.2, 2.3, 4.4)
            for n, (lift, rise) in enumerate(((0.0, 0.012), (0.006, 0), (0.0, -0.012)))]  # fmt: skip
    neck = turned([(0.0175, 0.163), (0.0125, 0.178), (0.0125, 0.184)], clear, segments=20)
    collar = turned([(0.0165, 0.18), (0.0165, 0.183)], clear, segments=20)
    cap = turned([(0.0148, 0.184), (0.0148, 0.196), (0.0138, 0.199)], red, segments=12)
    return SimObject(
        "soda_bottle", "bottle", "brown soda bottle",
        (part("body", lower, upper), part("label", label, wave), part("neck", neck, collar), part("cap", cap)),
        mass=0.5, friction=0.6, poses=((0, 0, 0), ON_SIDE), material="plastic", use="drink cola",
    )  # fmt: skip


def can() -> SimObject:
    red, gold = Paint((0.78, 0.08, 0.07), shine=0.3), Paint((0.86, 0.67, 0.25), shine=0.7)
    body = turned([(0.0322, 0.001), (0.0322, 0.098)], STEEL, segments=20)
    label = [*turned([(0.0326, 0.008), (0.0326, 0.05)], WHITE, segments=20),
             *turned([(0.0328, 0.05), (0.0328, 0.091)], red, segments=20)]  # fmt: skip
    print_ = [
        sticker(0.0326, turn, across, low, high, paint)
        for turn in (0.5, 2.6, 4.7)
        for across, low, high, paint in (
            (1.1, 0.066, 0.077, WHITE),
            (0.5, 0.042, 0.057, gold),
            (0.8, 0.027, 0.035, red),
            (1.0, 0.016, 0.021, red),
        )
    ]
    rims = [*ring(0.0335, 0.004, 0.004, CHROME, at=(0, 0, 0.1), segments=16),
            *ring(0.0335, 0.004, 0.004, CHROME, at=(0, 0, 0.002), segments=16)]  # fmt: skip
    lid = [cylinder(0.025, 0.003, IRON, at=(0, 0, 0.0975)), cylinder(0.0225, 0.003, CHROME, at=(0, 0, 0.0979)),
           cylinder(0.019, 0.003, STEEL, at=(0, 0, 0.0983)), box((0.016, 0.009, 0.003), CHROME, at=(-0.012, 0, 0.1005)),
           cylinder(0.0075, 0.003, CHROME, at=(-0.003, 0, 0.1008)),
           cylinder(0.004, 0.003, IRON, at=(-0.003, 0, 0.1013))]  # fmt: skip
    return SimObject(
        "can", "can", "red and white soup can",
        (part("body", body, label, print_), part("rim", rims), part("lid", lid)),
        mass=0.35, friction=0.55, poses=((0, 0, 0), ON_SIDE), material="tin", use="keep soup",
    )  # fmt: skip


def bowl() -> SimObject:
    glaze, inside = Paint((0.13, 0.42, 0.62), shine=0.6), Paint((0.2, 0.52, 0.7), shine=0.6)
    wall = vessel([(0.036, 0.004), (0.063, 0.016)], glaze, wall=0.01, base=0.006, inside=inside, segments=18)
    upper = vessel([(0.063, 0.016), (0.0712, 0.049)], glaze, wall=0.006, base=0.005, segments=18)[:-1]
    lip = vessel([(0.0712, 0.049), (0.0722, 0.057)], WHITE, wall=0.006, base=0.005, segments=18)[:-1]
    foot = turned([(0.034, 0), (0.035, 0.006)], WHITE, segments=18)
    return SimObject(
        "bowl", "bowl", "blue bowl", (part("rim", upper, lip), part("body", wall), part("foot", foot)),
        mass=0.34, friction=0.6, material="porcelain", use="eat cereal",
    )  # fmt: skip


def spoon() -> SimObject:
    scoop = turned([(0.007, 0), (0.0165, 0.003)], STEEL, segments=14)
    scoop += vessel([(0.016, 0.003), (0.023, 0.008)], STEEL, wall=0.0055, base=0.003, segments=14)[:-1]
    scoop += vessel([(0.023, 0.008), (0.026, 0.0155)], STEEL, wall=0.004, base=0.003, segments=14)[:-1]
    handle = swept(
        [(-0.046, 0, 0.014, 0.008, 0.003), (-0.02, 0, 0.021, 0.0055, 0.003), (0.03, 0, 0.021, 0.006, 0.003),
         (0.085, 0, 0.013, 0.009, 0.003), (0.11, 0, 0.009, 0.0115, 0.003), (0.122, 0, 0.0075, 0.007, 0.003)],
        CHROME,
    )  # fmt: skip
    groove = swept([(0.05, 0, 0.0192, 0.002, 0.0025), (0.108, 0, 0.0105, 0.004, 0.0025)], IRON)
    return SimObject(
        "spoon", "spoon", "steel serving spoon",
        (part("bowl", moved(stretched(scoop, by=(1.45, 1, 1)), by=(-0.076, 0, 0))), part("handle", handle, groove)),
        mass=0.09, friction=0.5, material="steel", use="serve food",
    )  # fmt: skip


def wooden_spoon() -> SimObject:
    beech = Paint((0.76, 0.55, 0.34), "wood", (0.64, 0.43, 0.24), shine=0.1)
    hollow = Paint((0.6, 0.4, 0.22), "wood", (0.5, 0.32, 0.16), shine=0.1)
    scoop = vessel([(0.014, 0), (0.025, 0.013)], beech, wall=0.007, base=0.006, inside=hollow, segments=14)
    handle = swept(
        [(-0.058, 0, 0.0095, 0.012, 0.0035), (-0.045, 0, 0.01, 0.0065, 0.0055), (0.04, 0, 0.0085, 0.0055, 0.0055),
         (0.118, 0, 0.0075, 0.0075, 0.0065), (0.125, 0, 0.0075, 0.005, 0.0045)],
        beech,
    )  # fmt: skip
    return SimObject(
        "wooden_spoon", "spoon", "wooden spoon",
        (part("bowl", moved(stretched(scoop, by=(1.25, 1, 1)), by=(-0.08, 0, 0))), part("handle", handle)),
        mass=0.05, friction=0.7, material="wood", use="stir a pot",
    )  # fmt: skip


def kitchen_knife() -> SimObject:
    outline = [(0.004, 0.011), (-0.08, 0.011), (-0.105, 0.007), (-0.122, -0.004), (-0.116, -0.012), (-0.098, -0.021),
               (-0.06, -0.028), (-0.002, -0.031)]  # fmt: skip
    edge = [(-0.122, -0.004), (-0.116, -0.012), (-0.098, -0.021), (-0.06, -0.028), (-0.002, -0.031), (-0.002, -0.024),
            (-0.06, -0.022), (-0.095, -0.016), (-0.112, -0.009)]  # fmt: skip
    grip = swept(
        [(0.008, 0, 0, 0.0105, 0.008), (0.04, 0.001, 0, 0.0095, 0.0085), (0.085, 0, 0, 0.0105, 0.0085),
         (0.108, -0.004, 0, 0.0135, 0.0085), (0.115, -0.006, 0, 0.009, 0.0075)],
        BLACK,
    )  # fmt: skip
    rivets = [cylinder(0.0032, 0.0176, CHROME, at=(x, 0, 0)) for x in (0.026, 0.056, 0.088)]
    bolster = box((0.014, 0.023, 0.015), CHROME, at=(0.003, 0, 0))
    return SimObject(
        "kitchen_knife", "knife", "black kitchen knife",
        (part("handle", grip, rivets), part("bolster", bolster),
         part("blade", prism(outline, 0.003, STEEL), prism(edge, 0.0036, CHROME), avoid=True)),
        mass=0.18, friction=0.7, poses=((0, 0, 0), UPSIDE_DOWN), material="steel", use="cut vegetables",
    )  # fmt: skip


def spatula() -> SimObject:
    green = Paint((0.1, 0.5, 0.42), shine=0.4)
    bars = [box((0.06, 0.009, 0.003), STEEL, at=(-0.078, y, 0.0015)) for y in (-0.032, -0.016, 0, 0.016, 0.032)]
    front = prism([(-0.104, -0.0365), (-0.104, 0.0365), (-0.116, 0.034), (-0.116, -0.034)], 0.003, STEEL, z=0.0015)
    back = prism([(-0.054, -0.0365), (-0.054, 0.0365), (-0.042, 0.02), (-0.036, 0.009), (-0.036, -0.009),
                  (-0.042, -0.02)], 0.003, STEEL, z=0.0015)  # fmt: skip
    neck = swept(
        [(-0.046, 0, 0.003, 0.006, 0.002), (-0.03, 0, 0.012, 0.005, 0.0025), (0.025, 0, 0.018, 0.004, 0.003)], STEEL
    )
    grip = swept(
        [(0.018, 0, 0.0175, 0.007, 0.006), (0.04, 0, 0.0155, 0.01, 0.0075), (0.09, 0, 0.0105, 0.009, 0.0075),
         (0.118, 0, 0.0075, 0.0105, 0.007)],
        green,
    )  # fmt: skip
    hole = cylinder(0.004, 0.0135, Paint((0.03, 0.15, 0.13)), at=(0.107, 0, 0.0085))
    return SimObject(
        "spatula", "spatula", "green spatula",
        (part("head", bars, front, back), part("neck", neck), part("handle", grip, hole)),
        mass=0.11, friction=0.7, material="steel", use="turn food in a pan",
    )  # fmt: skip


def whisk() -> SimObject:
    bulge = [(0.0, 0.005), (-0.028, 0.017), (-0.06, 0.027), (-0.088, 0.0285), (-0.109, 0.019), (-0.117, 0.0)]
    wires = []
    for turn in (math.pi / 8, 3 * math.pi / 8, 5 * math.pi / 8, 7 * math.pi / 8):
        loop = [*bulge, *((x, -r) for x, r in bulge[-2::-1])]
        wires += tube([(x, r * math.sin(turn), r * math.cos(turn)) for x, r in loop], 0.0016, CHROME)
    grip = swept([(0.0, 0, 0, 0.0085, 0.0085), (0.03, 0, 0, 0.0095, 0.0095), (0.085, 0, 0, 0.0125, 0.0125),
                  (0.1, 0, 0, 0.008, 0.008)], BLACK)  # fmt: skip
    collar = swept([(-0.008, 0, 0, 0.007, 0.007), (0.006, 0, 0, 0.0093, 0.0093)], STEEL)
    eye = ring(0.009, 0.003, 0.004, CHROME, at=(0.107, 0, 0), segments=12)
    return SimObject(
        "whisk", "whisk", "black whisk", (part("handle", grip, collar, eye), part("wires", wires)),
        mass=0.1, friction=0.7, material="steel", use="beat eggs",
    )  # fmt: skip


def banana() -> SimObject:
    skin, green = Paint((0.93, 0.76, 0.14)), Paint((0.7, 0.7, 0.2))
    dark = Paint((0.24, 0.16, 0.07))
    # Along the bend: angle in radians, radius of the section.
    flesh = [(-0.78, 0.009), (-0.72, 0.0125), (-0.62, 0.0158), (-0.48, 0.018), (-0.3, 0.0192), (-0.1, 0.0196),
             (0.1, 0.0194), (0.28, 0.0185), (0.45, 0.0168), (0.58, 0.014), (0.66, 0.0108), (0.72, 0.008)]  # fmt: skip
    stem, knob, tip = (
        [(0.72, 0.008), (0.84, 0.0055)],
        [(0.84, 0.0058), (0.88, 0.0068)],
        [(-0.82, 0.0055), (-0.78, 0.009)],
    )
    spots = [
        ellipsoid(
            (0.11 * turn, 0.0015, 0.0205),
            dark,
            at=(0.11 * math.sin(a), 0.11 * (math.cos(a) - 1) + y, 0),
            turn=(0, 0, -a),
        )
        for a, y, turn in ((-0.3, 0.004, 0.03), (-0.05, -0.003, 0.05), (0.12, 0.005, 0.025), (0.3, -0.002, 0.035))
    ]
    return SimObject(
        "banana", "banana", "yellow banana",
        (part("body", _bent(flesh, skin), spots), part("stem", _bent(stem, green), _bent(knob, dark)),
         part("tip", _bent(tip, dark))),
        mass=0.14, friction=0.7, poses=((0, 0, 0), UPSIDE_DOWN), material="fruit", use="eat as a snack",
    )  # fmt: skip


def _bent(stations: Sequence[tuple[float, float]], paint: Paint, *, bend: float = 0.11) -> list[Piece]:
    """Eight-sided sections, (angle, radius) each, along an arc of radius `bend` in the x-y plane, lying flat."""
    sections: list[list[Vector]] = []
    for angle, radius in stations:
        turns = [math.radians(45 * n + 22.5) for n in range(8)]
        sections.append(
            [(math.sin(angle) * (bend + radius * math.cos(t)), math.cos(angle) * (bend + radius * math.cos(t)) - bend,
              radius * math.sin(t)) for t in turns]
        )  # fmt: skip
    return [hull(a + b, paint) for a, b in pairwise(sections)]


def lemon() -> SimObject:
    peel, leaf = Paint((0.96, 0.84, 0.14), shine=0.3), Paint((0.16, 0.42, 0.12), shine=0.3)
    belly = turned([(0.011, -0.036), (0.016, -0.033), (0.0215, -0.027), (0.026, -0.019), (0.0285, -0.009),
                    (0.0292, 0.0), (0.0285, 0.009), (0.026, 0.019), (0.0215, 0.027), (0.016, 0.033), (0.0095, 0.037)],
                   peel, segments=24)  # fmt: skip
    nub = turned([(0.003, -0.046), (0.0065, -0.043), (0.011, -0.036)], peel, segments=16)
    stem = turned([(0.0095, 0.037), (0.006, 0.04), (0.004, 0.044)], Paint((0.45, 0.5, 0.15)), segments=14)
    blade = prism([(0.038, 0), (0.05, 0.012), (0.066, 0.016), (0.082, 0.01), (0.066, 0.0), (0.05, -0.004)], 0.003, leaf)
    return SimObject(
        "lemon", "lemon", "yellow lemon",
        (part("body", moved([*belly, *nub], turn=ALONG_X)), part("stem", moved(stem, turn=ALONG_X)),
         part("leaf", blade, avoid=True)),
        mass=0.12, friction=0.6, material="fruit", use="squeeze for juice",
    )  # fmt: skip


OBJECTS: dict[str, SimObject] = {
    thing.name: thing
    for thing in (
        mug(), coffee_mug(), bottle(), soda_bottle(), can(), bowl(), spoon(), wooden_spoon(), kitchen_knife(),
        spatula(), whisk(), banana(), lemon(),
    )
}  # fmt: skip
