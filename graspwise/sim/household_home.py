"""Six things from about the home, of the household set: for testing only, never for training.

Long things lie along x with the end that people hold at +x; each rests on the table as its first pose has it.
"""

from collections.abc import Sequence
from itertools import pairwise

from graspwise.sim.colours import BLACK, CHROME, WHITE
from graspwise.sim.forms import ALONG_X, ALONG_Y, ON_SIDE, OTHER_SIDE, UPSIDE_DOWN, swept
from graspwise.sim.shapes import Paint, Piece, SimObject, box, cylinder, ellipsoid, hull, moved, part, rod, turned


def marker() -> SimObject:
    green, grey = Paint((0.05, 0.5, 0.22), shine=0.4), Paint((0.86, 0.87, 0.86), shine=0.4)
    ink = Paint((0.12, 0.12, 0.13))
    barrel = turned([(0.0082, -0.02), (0.0082, 0.062)], grey, segments=12)
    plug = turned([(0.0084, 0.062), (0.0084, 0.069), (0.006, 0.073)], green, segments=12)
    cap = turned([(0.0065, -0.069), (0.0092, -0.065), (0.0097, -0.02)], green, segments=12)
    lip = turned([(0.0103, -0.024), (0.0103, -0.02)], green, segments=12)
    band = turned([(0.0084, -0.012), (0.0084, 0.002)], green, segments=12)
    clip = [
        box((0.034, 0.004, 0.003), green, at=(-0.036, 0, 0.0125)),
        box((0.006, 0.004, 0.005), green, at=(-0.055, 0, 0.0105)),
    ]
    words = [box((length, *across), ink, at=(x, 0, 0)) for across in ((0.003, 0.0168), (0.0165, 0.003))
             for x, length in ((0.014, 0.012), (0.026, 0.006), (0.039, 0.014))]  # fmt: skip
    return SimObject(
        "marker", "marker", "green marker",
        (part("body", moved([*barrel, *plug, *band], turn=ALONG_X), words),
         part("cap", moved([*cap, *lip], turn=ALONG_X), clip)),
        mass=0.03, friction=0.65, poses=((0, 0, 0), ON_SIDE), material="plastic", use="write on a board",
    )  # fmt: skip


def sunglasses() -> SimObject:
    shell = Paint((0.33, 0.16, 0.07), "speckle", (0.5, 0.28, 0.1), 0.7)
    glass, glint = Paint((0.07, 0.09, 0.12), shine=1.0), Paint((0.36, 0.42, 0.48), shine=1.0)
    # The right eye's rim as one faces it, from its middle.
    outer = [(-0.024, 0.014), (-0.014, 0.0205), (0.018, 0.0215), (0.029, 0.018), (0.0285, 0.004), (0.023, -0.013),
             (0.011, -0.021), (-0.006, -0.021), (-0.018, -0.013), (-0.0235, 0.0)]  # fmt: skip
    inner = [(-0.0195, 0.011), (-0.011, 0.0155), (0.016, 0.0155), (0.023, 0.0135), (0.0225, 0.003), (0.0185, -0.01),
             (0.009, -0.0165), (-0.0045, -0.0165), (-0.0145, -0.01), (-0.019, 0.0)]  # fmt: skip
    frame: list[Piece] = []
    lenses: list[Piece] = []
    for side in (1, -1):
        place = {"by": (side * 0.036, 0.0, 0.0), "turn": (0.0, side * 0.12, 0.0)}
        frame += moved(_rim([(side * x, y) for x, y in outer], [(side * x, y) for x, y in inner], shell), **place)
        pane = [
            hull([(side * x, y, z) for x, y in inner for z in (-0.002, 0.0015)], glass),
            hull(
                [
                    (x, y, z)
                    for x, y in ((-0.004, 0.012), (0.002, 0.012), (-0.006, -0.012), (-0.012, -0.008))
                    for z in (-0.0013, 0.0018)
                ],
                glint,
            ),
        ]
        lenses += moved(pane, **place)
        frame += [box((0.008, 0.009, 0.01), shell, at=(side * 0.064, 0.0135, -0.0075))]
    bridge = [
        box((0.024, 0.0085, 0.006), shell, at=(0, 0.0085, 0.0015)),
        *(rod((s * 0.011, 0.002, 0), (s * 0.015, -0.007, -0.005), 0.0025, shell) for s in (1, -1)),
    ]
    temples = []
    for side, drop in ((1, -0.0135), (-1, -0.019)):
        arm = [(0.066, 0.0135, -0.009), (-0.02, 0.012, drop), (-0.05, 0.008, drop), (-0.062, -0.006, drop)]
        for a, b in pairwise(arm):
            temples.append(_slab((side * a[0], *a[1:]), (side * b[0], *b[1:]), shell))
    return SimObject(
        "sunglasses", "sunglasses", "brown sunglasses",
        (part("frame", frame), part("bridge", bridge), part("temples", temples), part("lenses", lenses, avoid=True)),
        mass=0.035, friction=0.6, poses=((0, 0, 0), UPSIDE_DOWN), material="plastic", use="shade the eyes",
    )  # fmt: skip


def _rim(outer: Sequence[tuple[float, float]], inner: Sequence[tuple[float, float]], paint: Paint) -> list[Piece]:
    """Segments between two outlines of as many corners, 6 mm thick about z = 0."""
    count = len(outer)
    return [
        hull(
            [(x, y, z) for n in (a, (a + 1) % count) for x, y in (outer[n], inner[n]) for z in (-0.0025, 0.0035)], paint
        )
        for a in range(count)
    ]


def _slab(start: Sequence[float], end: Sequence[float], paint: Paint) -> Piece:
    """A bar between two points, 6 mm across in y and 5 mm along z."""
    return hull(
        [
            (x + dx, y + dy, z + dz)
            for x, y, z in (start, end)
            for dx, dy in ((0.002, 0), (-0.002, 0), (0, 0.003), (0, -0.003))
            for dz in (-0.0025, 0.0025)
        ],
        paint,
    )


def remote_control() -> SimObject:
    case, face = Paint((0.13, 0.13, 0.14), shine=0.3), Paint((0.2, 0.2, 0.22), shine=0.2)
    key, ring_ = Paint((0.85, 0.85, 0.86), shine=0.2), Paint((0.55, 0.56, 0.58), shine=0.4)
    shell = swept([(-0.086, 0, 0.009, 0.019, 0.007), (-0.08, 0, 0.009, 0.0225, 0.009),
                   (0.076, 0, 0.009, 0.0225, 0.009), (0.086, 0, 0.009, 0.018, 0.007)], case)  # fmt: skip
    plate = box((0.155, 0.037, 0.003), face, at=(0.0, 0, 0.017))
    keys = [cylinder(0.0052, 0.004, Paint((0.85, 0.08, 0.06)), at=(-0.069, 0.011, 0.019))]
    keys += [box((0.007, 0.009, 0.003), key, at=(-0.069, -0.011, 0.019))]
    keys += [box((0.0065, 0.0085, 0.004), key, at=(-0.054 + 0.0105 * row, -0.0115 + 0.0115 * column, 0.0185))
             for row in range(4) for column in range(3)]  # fmt: skip
    keys += [cylinder(0.0155, 0.003, ring_, at=(0.007, 0, 0.018)), cylinder(0.0085, 0.004, face, at=(0.007, 0, 0.0185)),
             cylinder(0.0065, 0.005, key, at=(0.007, 0, 0.0185))]  # fmt: skip
    keys += [box((0.018, 0.008, 0.004), key, at=(0.036, side * 0.012, 0.0185)) for side in (1, -1)]
    keys += [cylinder(0.004, 0.004, ring_, at=(0.036, 0, 0.0185))]
    keys += [
        box((0.005, 0.0065, 0.004), Paint(colour), at=(0.054, y, 0.0185))
        for colour, y in (
            ((0.8, 0.1, 0.08), -0.0135),
            ((0.1, 0.6, 0.2), -0.0045),
            ((0.95, 0.8, 0.1), 0.0045),
            ((0.1, 0.3, 0.8), 0.0135),
        )
    ]
    brand = box((0.003, 0.018, 0.003), ring_, at=(0.07, 0, 0.0175))
    window = box((0.004, 0.016, 0.008), Paint((0.3, 0.02, 0.04), shine=0.9), at=(-0.0855, 0, 0.01))
    return SimObject(
        "remote_control", "remote control", "black remote control",
        (part("body", shell, plate, brand, window), part("buttons", keys)),
        mass=0.12, friction=0.65, material="plastic", use="switch channels",
    )  # fmt: skip


def toothbrush() -> SimObject:
    teal, grip = Paint((0.05, 0.62, 0.62), shine=0.5), Paint((0.95, 0.95, 0.96), shine=0.2)
    stem = swept([(-0.092, 0, 0.008, 0.004, 0.003), (-0.088, 0, 0.008, 0.0065, 0.003),
                  (-0.066, 0, 0.008, 0.0065, 0.003), (-0.056, 0, 0.008, 0.0038, 0.003)], teal)  # fmt: skip
    neck = swept(
        [(-0.056, 0, 0.008, 0.0038, 0.003), (-0.025, 0, 0.0085, 0.0036, 0.0036), (0.0, 0, 0.008, 0.0058, 0.006)], teal
    )
    handle = swept([(0.0, 0, 0.008, 0.0058, 0.006), (0.02, 0, 0.008, 0.0075, 0.0075),
                    (0.06, 0, 0.0075, 0.0062, 0.0065), (0.085, 0, 0.0072, 0.0068, 0.0068),
                    (0.094, 0, 0.007, 0.0045, 0.0045)], teal)  # fmt: skip
    thumb = swept(
        [(0.006, 0, 0.0125, 0.0035, 0.002), (0.022, 0, 0.0145, 0.0048, 0.002), (0.045, 0, 0.0132, 0.0035, 0.002)], grip
    )
    stripes = [box((0.003, 0.0128, 0.0132), grip, at=(x, 0, 0.0074)) for x in (0.062, 0.068, 0.074)]
    blue = Paint((0.12, 0.3, 0.85))
    tufts = [box((0.0032, 0.0034, 0.011), blue if n in (0, 1, 5) else WHITE, at=(-0.0875 + 0.0038 * n, y, 0.0158))
             for n in range(6) for y in (-0.0042, 0.0, 0.0042)]  # fmt: skip
    return SimObject(
        "toothbrush", "toothbrush", "teal toothbrush",
        (part("handle", handle, thumb, stripes), part("neck", neck), part("head", stem),
         part("bristles", tufts, avoid=True)),
        mass=0.02, friction=0.7, poses=((0, 0, 0), ON_SIDE, OTHER_SIDE), material="plastic", use="brush teeth",
    )  # fmt: skip


def hairbrush() -> SimObject:
    cushion, pin = Paint((0.16, 0.12, 0.13), shine=0.2), Paint((0.93, 0.55, 0.6), shine=0.3)
    paddle = [(-0.112, 0.011), (-0.106, 0.0205), (-0.09, 0.0285), (-0.065, 0.0315), (-0.04, 0.029), (-0.022, 0.021),
              (-0.008, 0.0115)]  # fmt: skip
    wood = Paint((0.74, 0.52, 0.31), shine=0.3)
    head = swept([(x, 0, 0.0085, w, 0.0065) for x, w in paddle], wood)
    handle = swept([(-0.01, 0, 0.0085, 0.0125, 0.0068), (0.02, 0, 0.0085, 0.0095, 0.0078),
                    (0.07, 0, 0.0085, 0.0125, 0.0085), (0.1, 0, 0.0085, 0.0125, 0.0085),
                    (0.112, 0, 0.0085, 0.008, 0.0065)], wood)  # fmt: skip
    pad = ellipsoid((0.042, 0.0245, 0.006), cushion, at=(-0.064, 0, 0.0145))
    pins = []
    for column in range(7):
        x = -0.064 + 0.011 * (column - 3)
        for row in range(-2, 3):
            y = 0.0088 * row + (0.0022 if column % 2 else -0.0022)
            if (x + 0.064) ** 2 / 0.037**2 + y**2 / 0.021**2 < 1:
                spread = (1.25 * (x + 0.064) - 0.064, 1.3 * y, 0.032)
                pins.append(rod((x, y, 0.017), spread, 0.0015, pin))
    hole = cylinder(0.003, 0.0175, cushion, at=(0.1, 0, 0.0085))
    return SimObject(
        "hairbrush", "brush", "wooden hairbrush",
        (part("handle", handle, hole), part("head", head), part("bristles", pad, pins, avoid=True)),
        mass=0.1, friction=0.7, material="wood", use="brush hair",
    )  # fmt: skip


def toy_car() -> SimObject:
    red, tyre = Paint((0.85, 0.08, 0.07), shine=0.8), Paint((0.09, 0.09, 0.09))
    glass, lamp = Paint((0.12, 0.2, 0.28), shine=1.0), Paint((1.0, 0.93, 0.6), shine=0.8)
    body = swept([(-0.042, 0, 0.0125, 0.0135, 0.0055), (-0.037, 0, 0.013, 0.0175, 0.0075),
                  (-0.012, 0, 0.0145, 0.0185, 0.0095), (0.03, 0, 0.015, 0.0185, 0.01),
                  (0.04, 0, 0.0145, 0.0165, 0.008)], red)  # fmt: skip
    cabin = hull([*((x, y, 0.023) for x in (-0.016, 0.03) for y in (-0.0165, 0.0165)),
                  *((x, y, 0.0345) for x in (-0.004, 0.019) for y in (-0.0125, 0.0125))], glass)  # fmt: skip
    roof = hull(
        [
            (x, y, z)
            for z, grow in ((0.0335, 0.0008), (0.0365, 0.0))
            for x in (-0.0055 - grow, 0.0195 + grow)
            for y in (-0.013 - grow, 0.013 + grow)
        ],
        red,
    )
    posts = [rod((0.0085, side * 0.0168, 0.0235), (0.0085, side * 0.0128, 0.034), 0.0016, red) for side in (1, -1)]
    stripes = [
        box((length, 0.004, 0.004), WHITE, at=(x, y, z), turn=(0, tilt, 0))
        for y in (-0.0035, 0.0035)
        for length, x, z, tilt in (
            (0.025, 0.007, 0.0349, 0.0),
            (0.024, -0.0255, 0.0206, -0.13),
            (0.009, 0.034, 0.0218, 0.18),
        )
    ]
    lamps = [ellipsoid((0.0035, 0.0042, 0.0035), lamp, at=(-0.0385, side * 0.0115, 0.0165)) for side in (1, -1)]
    lamps += [
        box((0.003, 0.007, 0.004), Paint((0.45, 0.02, 0.02), shine=0.8), at=(0.0395, side * 0.0115, 0.017))
        for side in (1, -1)
    ]
    bumper = box((0.004, 0.032, 0.004), CHROME, at=(-0.0415, 0, 0.009))
    wheels = []
    for x in (-0.025, 0.025):
        for side in (1, -1):
            wheels += [cylinder(0.009, 0.008, tyre, at=(x, side * 0.0175, 0.009), turn=ALONG_Y),
                       cylinder(0.0048, 0.0088, CHROME, at=(x, side * 0.0175, 0.009), turn=ALONG_Y)]  # fmt: skip
    floor = [
        box((0.076, 0.027, 0.004), BLACK, at=(0, 0, 0.0048)),
        box((0.03, 0.009, 0.004), CHROME, at=(0, 0, 0.0042)),
        *(rod((x, -0.014, 0.0045), (x, 0.014, 0.0045), 0.0024, CHROME) for x in (-0.025, 0.025)),
    ]
    return SimObject(
        "toy_car", "toy", "red toy car",
        (part("body", body, stripes, lamps, bumper, floor), part("roof", roof, posts),
         part("windows", cabin), part("wheels", wheels)),
        mass=0.06, friction=0.65, poses=((0, 0, 0), UPSIDE_DOWN), material="metal", use="play with",
    )  # fmt: skip


OBJECTS: dict[str, SimObject] = {
    thing.name: thing for thing in (marker(), sunglasses(), remote_control(), toothbrush(), hairbrush(), toy_car())
}
