"""The one outer surface of what triangles from anywhere enclose: several bodies, overlapping, open or inside out."""

from collections.abc import Sequence

import numpy as np

from graspwise.hand.surface import Surface, area_of, bodies_of, compact, filled, library, merged, volume_of

# A body with less volume than this share of its box's longest side cubed is a scrap, not a solid.
FLAT = 1e-7
# Fewer faces enclose nothing, whatever is closed over.
FEWEST = 3
# Scraps may be left away up to this share of the whole area.
SCRAPS = 0.25
# Bodies grow by this share of the whole's longest side before they are joined, or a crack would stay where they touch.
GROWTH = 1e-4
# How far beside a face it is asked what lies there, as a share of the longest side.
BESIDE = 1e-4


def outer_surface(surfaces: Sequence[Surface]) -> Surface:
    """The outside of all bodies together, what lies within another body cut away; notes are added to the given ones.

    Where a body cannot be closed, the triangles stay as they are, less those that are seen from nowhere, and what is
    inside is for the winding number to judge.

    Args:
        surfaces: Each is merged, taken apart into bodies and closed by itself.

    Raises:
        ValueError: nothing is enclosed.
    """
    surfaces = [found for surface in surfaces if len((found := merged(surface)).faces)]
    if not surfaces:
        raise ValueError("its faces have no area")
    given = tuple(note for surface in surfaces for note in surface.notes)
    closed = [closed_bodies(surface) for surface in surfaces]
    if all(bodies for bodies, _ in closed):
        bodies = [body for some, _ in closed for body in some]
        whole = joined(bodies)
        if whole is not None:
            notes = (*given, *(note for _, some in closed for note in some))
            return Surface(whole.vertices, whole.faces, whole.labels, notes)
    starts = np.cumsum([0, *(len(surface.vertices) for surface in surfaces)])
    return visible(
        Surface(
            np.concatenate([surface.vertices for surface in surfaces]),
            np.concatenate([surface.faces + start for surface, start in zip(surfaces, starts, strict=False)]),
            np.concatenate([surface.labels for surface in surfaces]),
            given,
        )
    )


def closed_bodies(surface: Surface) -> tuple[list[Surface], tuple[str, ...]]:
    """Its bodies, each closed and turned the right way out, and what was done; no bodies where one cannot be closed."""
    orient = library("igl").bfs_orient
    bodies, openings, turned, scraps, area = [], [], 0, 0.0, 0.0
    for chosen in grouped(bodies_of(surface.faces)):
        body = compact(Surface(surface.vertices, surface.faces[chosen], surface.labels[chosen]))
        if len(chosen) < FEWEST:
            scraps, area = scraps + area_of(body), area + area_of(body)
            continue
        body = Surface(body.vertices, np.ascontiguousarray(orient(body.faces)[0]), body.labels)
        own, size = area_of(body), float(np.ptp(body.vertices, axis=0).max())
        area += own
        closed, opening = filled(body)
        if closed is None:
            return [], ()
        volume = volume_of(closed)
        if abs(volume) <= FLAT * size**3:
            scraps += own
            continue
        if volume < 0:
            turned += 1
            closed = Surface(closed.vertices, closed.faces[:, ::-1], closed.labels)
        bodies.append(closed)
        openings += [opening / size] if opening else []
    if scraps > SCRAPS * area:
        return [], ()
    notes = []
    if openings:
        notes.append(f"not watertight: {counted(len(openings), 'body', 'bodies')} with openings, closed over; the "
                     f"widest opening is {100 * max(openings):.0f}% of its body's length")  # fmt: skip
    if turned:
        hollow = "; what was a closed hollow is filled" if len(bodies) > 1 else ""
        notes.append(f"inside out: {counted(turned, 'body', 'bodies')} turned{hollow}")
    if scraps:
        notes.append(f"scraps without volume left away: {100 * scraps / area:.2g}% of the surface")
    if len(bodies) > 1:
        notes.append(f"{len(bodies)} bodies: joined, what lies within another is cut away")
    return bodies, tuple(notes)


def grouped(body_of: np.ndarray) -> list[np.ndarray]:
    """Faces of each body, of the bodies (m,) that faces are of."""
    return np.split(np.argsort(body_of, kind="stable"), np.cumsum(np.bincount(body_of))[:-1])


def counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def joined(bodies: Sequence[Surface]) -> Surface | None:
    """The union's surface, or None where the bodies are not proper solids."""
    manifold3d = library("manifold3d")
    solids, sources = [], {}
    everything = np.concatenate([body.vertices for body in bodies])
    growth = GROWTH * float(np.ptp(everything, axis=0).max()) if len(bodies) > 1 else 0.0
    for body in bodies:
        number = manifold3d.Manifold.reserve_ids(1)
        sources[number] = body.labels
        # Without face numbers, flat neighbours may become one; with them, each keeps its label.
        several = body.labels.min() != body.labels.max()
        mesh = manifold3d.Mesh64(
            grown(body, by=growth), np.ascontiguousarray(body.faces, np.uint64),
            run_index=np.array([0, 3 * len(body.faces)], np.uint64), run_original_id=np.array([number], np.uint32),
            face_id=np.arange(len(body.faces), dtype=np.uint64) if several else None,
        )  # fmt: skip
        solids.append(manifold3d.Manifold(mesh))
        if solids[-1].status() != manifold3d.Error.NoError:
            return None
    union = manifold3d.Manifold.batch_boolean(solids, manifold3d.OpType.Add)
    if union.status() != manifold3d.Error.NoError or union.is_empty():
        return None
    mesh = union.to_mesh64()
    faces = np.asarray(mesh.tri_verts).astype(np.int64)
    labels, ends = np.empty(len(faces), np.int64), np.array(mesh.run_index) // 3
    origin = np.array(mesh.face_id, np.int64)
    for number, start, end in zip(mesh.run_original_id, ends[:-1], ends[1:], strict=True):
        own = sources[number]
        several = own.min() != own.max()
        labels[start:end] = own[origin[start:end]] if several else own[0]
    return Surface(np.array(mesh.vert_properties)[:, :3], faces, labels)


def grown(body: Surface, *, by: float) -> np.ndarray:
    """The body's corners (n, 3), each moved outwards along the mean normal of its faces, weighted by their angles."""
    corners = body.vertices[body.faces]
    sides = np.roll(corners, -1, axis=1) - corners
    unit = sides / np.maximum(np.linalg.norm(sides, axis=2, keepdims=True), 1e-300)
    normal = np.cross(unit[:, 0], unit[:, 1])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    angles = np.arccos(np.clip(-(unit * np.roll(unit, 1, axis=1)).sum(axis=2), -1, 1))
    ways = np.zeros(body.vertices.shape)
    np.add.at(ways, body.faces, angles[..., None] * normal[:, None])
    length = np.linalg.norm(ways, axis=1, keepdims=True)
    return np.ascontiguousarray(body.vertices + by * ways / np.where(length > 0, length, 1.0))


def visible(surface: Surface) -> Surface:
    """An open surface turned the right way out, less the faces that are inside on both sides.

    Raises:
        ValueError: nothing is enclosed.
    """
    igl = library("igl")
    faces = surface.faces.copy()
    size = float(np.ptp(surface.vertices, axis=0).max())
    for own in grouped(bodies_of(faces)):
        if len(own) < FEWEST:
            continue
        # Open bodies have no volume; about their own middle they nearly do. Scraps stay as the file has them.
        around = surface.vertices - surface.vertices[faces[own]].mean(axis=(0, 1))
        turned = igl.bfs_orient(faces[own])[0]
        volume = volume_of(Surface(around, turned, surface.labels[own]))
        if abs(volume) > FLAT * size**3:
            faces[own] = turned if volume > 0 else turned[:, ::-1]
    a, b, c = surface.vertices[faces].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    normal *= BESIDE * np.ptp(surface.vertices, axis=0).max() / np.linalg.norm(normal, axis=1, keepdims=True)
    middle = (a + b + c) / 3
    over, under = (igl.fast_winding_number(surface.vertices, faces, middle + way) > 0.5 for way in (normal, -normal))
    hidden = over & under
    if np.count_nonzero(under) < len(faces) / 10 or hidden.all():
        raise ValueError("it encloses nothing")
    notes = (*surface.notes, "not watertight and cannot be closed: what is inside is judged by the winding number")
    return compact(Surface(surface.vertices, faces[~hidden], surface.labels[~hidden], notes))
