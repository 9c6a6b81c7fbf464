"""Build a data set of hands on the simulator's objects: grasps by optimisation, measured, tried by physics, in words.

Each object is made by itself, from the seed and its own id, and kept as a shard as soon as it is done: the same command
goes on where it was stopped, and the result is the same for any number of processes.
"""

import json
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from graspwise.errors import InputError
from graspwise.files import empty_directory, is_begun, replacing, write_json
from graspwise.hand.captions import Facts, captions_of, force_of
from graspwise.hand.field import Field
from graspwise.hand.grasps import RECORD, HandGrasp, HandObject, write_hands
from graspwise.hand.keep import Tried, measured
from graspwise.hand.mano import load_mano
from graspwise.hand.mesh import Solid, solid_of
from graspwise.hand.model import FINGERS, REGIONS, HandModel
from graspwise.hand.open_hand import load_open_hand
from graspwise.hand.optimise import Hold, grasps_on
from graspwise.parallel import in_order

if TYPE_CHECKING:
    from graspwise.sim.shapes import SimObject

# Which fingers take part, and how often: Feix et al. 2016 see people hold about half of all things with the whole hand.
STYLES: dict[str, tuple[tuple[str, ...], float]] = {
    "whole hand": (REGIONS, 0.45),
    "fingertips": (FINGERS, 0.15),
    "three fingers": (FINGERS[:3], 0.2),
    "two fingers": (FINGERS[:2], 0.2),
}
BATCH = 8
# So many hands are tried for each that is to be kept, before the object is left with fewer.
PATIENCE = 3
# A part needs this share of the surface to be held by itself.
SMALL = 0.01
# Two grasps of an object are at least so far apart, metres, mean of all vertices.
APART = 0.005
BUILD, SHARDS = "build.json", "shards"


@dataclass(frozen=True)
class HandsConfig:
    """What is built.

    Attributes:
        objects: Names of sets, objects or families.
        each: Grasps to keep on each object.
        instances: Things of each family of `train`.
        seed: Decides everything random.
        hand: Name of the hand model, "open" or "mano".
    """

    objects: tuple[str, ...]
    each: int = 64
    instances: int = 1
    seed: int = 0
    hand: str = "open"


@dataclass(frozen=True)
class Done:
    """What became of an object.

    Attributes:
        object_id: Which.
        kept: Grasps kept.
        tried: Hands that were tried.
        lost: How many of them were not kept, by what they failed first.
    """

    object_id: str
    kept: int
    tried: int
    lost: dict[str, int]


def load_hand(name: str, *, mano: Path | None = None) -> HandModel:
    """The hand model of a name, "open" or "mano".

    Raises:
        InputError: MANO's files are not there, or there is no such hand.
    """
    if name == "open":
        return load_open_hand()
    if name == "mano":
        return load_mano(mano)
    raise InputError(f"--hand {name}: valid are open and mano")


def object_ids(config: HandsConfig) -> list[str]:
    """Ids of the objects that a configuration names, each once.

    Raises:
        InputError: there is no object or family of a name, or a number is out of its range.
    """
    from graspwise.sim.catalogue import INSTANCES, entries

    if config.each < 1:
        raise InputError(f"--each is {config.each}; valid is 1 or more")
    if not 1 <= config.instances <= INSTANCES:
        raise InputError(f"--instances is {config.instances}; valid is 1 to {INSTANCES}")
    if config.seed < 0:
        raise InputError(f"--seed is {config.seed}; valid is 0 or more")
    ids = [
        f"{entry.set}/{entry.name}{ending}"
        for entry in entries(config.objects)
        for ending in ([f"-{i:02d}" for i in range(config.instances)] if entry.set == "train" else [""])
    ]
    return list(dict.fromkeys(ids))


def build_hands(
    config: HandsConfig, out: Path | str, *, mano: Path | None = None, workers: int | None = None, ray: str = "",
    progress: Callable[[Iterator[Done], int], Iterator[Done]] = lambda stream, total: stream,
) -> list[Done]:  # fmt: skip
    """Build the data set, or go on with it.

    Args:
        config: What is built.
        out: A new folder, or one that the same configuration has begun.
        mano: Where MANO's files are, where that hand is asked for.
        workers: Processes; all cores by default.
        ray: "local" or a cluster's address, to make them there.
        progress: Wraps the stream of objects, of which it is told the count.

    Raises:
        InputError: a value out of its range, an object that is not there, `out` holds something else, or nothing at
            all was kept.
    """
    ids, hand = object_ids(config), load_hand(config.hand, mano=mano)
    folder = Path(out).resolve()
    if not is_begun(folder / BUILD, asdict(config)):
        write_json(empty_directory(folder) / BUILD, asdict(config))
    shards = folder / SHARDS
    if (folder / RECORD).is_file():
        raise InputError(f"{folder}: is built already; give a new --out")
    make = partial(build_object, config=config, shards=shards, mano=mano)
    done = list(progress(in_order(make, ids, workers=workers, ray=ray), len(ids)))
    made = [read_shard(shard_of(shards, object_id)) for object_id in ids]
    kept = [(thing, grasps) for thing, grasps, _ in made if grasps]
    write_hands(
        folder, hand=hand.name, objects=[thing for thing, _ in kept], seed=config.seed,
        grasps=[grasp for _, grasps in kept for grasp in grasps],
    )  # fmt: skip
    shutil.rmtree(shards)
    return done


def build_object(object_id: str, *, config: HandsConfig, shards: Path, mano: Path | None) -> Done:
    """Grasps on one object, as a shard; or what the shard says, where it is there."""
    from graspwise.sim.catalogue import thing_of

    shard = shard_of(shards, object_id)
    if shard.is_file():
        return read_shard(shard)[2]
    threads = torch.get_num_threads()
    # Sums over several threads depend on how many there are.
    torch.set_num_threads(1)
    try:
        thing, hold = thing_of(object_id), hold_of(config.hand, mano)
        rng = np.random.default_rng([config.seed, zlib.crc32(object_id.encode())])
        solid = solid_of(thing)
        grasps, done = grasps_of(object_id, thing, solid, hold, count=config.each, rng=rng)
    finally:
        torch.set_num_threads(threads)
    set_name = object_id.partition("/")[0]
    seen = HandObject.of(solid, object_id=object_id, name=thing.category, set_name=set_name, rng=rng)
    write_shard(shard, seen, grasps, done)
    return done


@cache
def hold_of(name: str, mano: Path | None) -> Hold:
    """What of a hand the optimiser needs; the same for all objects."""
    return Hold.of(load_hand(name, mano=mano))


def grasps_of(
    object_id: str, thing: "SimObject", solid: Solid, hold: Hold, *, count: int, rng: np.random.Generator
) -> tuple[list[HandGrasp], Done]:
    """Up to so many grasps on a thing, by all of its parts that may be held and in all styles."""
    whole, hand = Field.of(solid), hold.hand
    parts = holdable(thing, solid)
    fields = {part: Field.to_parts(solid, [part]) for part, _ in parts if part is not None}
    avoid = {part.name for part in thing.parts if part.avoid}
    tried = Tried.of(solid, hand, [piece.cloud() for part in thing.parts for piece in part.pieces])
    grasps: list[HandGrasp] = []
    kept = np.zeros((0, 0, 3))
    lost: dict[str, int] = {}
    total = 0
    for part, fingers in mixture(parts, batches=-(-PATIENCE * count // BATCH), rng=rng):
        if len(grasps) == count:
            break
        found = grasps_on(
            solid, hold, parts=None if part is None else [part], fingers=fingers, count=BATCH, rng=rng,
            fields=(whole, fields.get(part) if part is not None else None),
        )  # fmt: skip
        with torch.no_grad():
            hands = hand.pose(*hand.layout.split(found)).vertices.double().numpy()
        for parameters, vertices in zip(found.numpy(), hands, strict=True):
            if len(grasps) == count:
                break
            total += 1
            near = len(kept) and np.linalg.norm(kept - vertices, axis=-1).mean(-1).min() < APART
            result = measured(tried, vertices, part=part, avoid=avoid) if not near else "like another"
            if isinstance(result, str):
                lost[result] = lost.get(result, 0) + 1
                continue
            kept = np.concatenate([kept.reshape(-1, *vertices.shape), vertices[None]])
            facts = Facts(thing.category, solid.parts, thing.use, result, force_of(result))
            captions = captions_of(facts, rng=np.random.default_rng([*rng.integers(2**31, size=2)]))
            grasps.append(HandGrasp(object_id, parameters, result, facts.force, captions))
    return grasps, Done(object_id, len(grasps), total, lost)


def holdable(thing: "SimObject", solid: Solid) -> list[tuple[str | None, float]]:
    """Parts that may be held and how often they are; None for a thing that is one part."""
    a, b, c = solid.vertices[solid.faces].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    shares = [area[solid.face_parts == number].sum() / area.sum() for number in range(len(solid.parts))]
    parts: list[tuple[str | None, float]] = [
        (part.name, float(np.sqrt(share)))
        for part, share in zip(thing.parts, shares, strict=True)
        if share > SMALL and not part.avoid
    ]
    return parts or [(None, 1.0)]


def mixture(
    parts: Sequence[tuple[str | None, float]], *, batches: int, rng: np.random.Generator
) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    """A part and fingers for each batch: each pair as often as its share, spread evenly."""
    pairs = [(part, fingers, a * b) for part, a in parts for fingers, b in STYLES.values()]
    shares = np.array([share for *_, share in pairs]) / sum(share for *_, share in pairs)
    # The pair that lags most behind its share is next; a random start decides among equals.
    done = 0.3 * rng.uniform(size=len(pairs))
    for number in range(1, batches + 1):
        chosen = int((shares * number - done).argmax())
        done[chosen] += 1
        yield pairs[chosen][:2]


def shard_of(shards: Path, object_id: str) -> Path:
    return shards / f"{object_id.replace('/', '--')}.npz"


def write_shard(path: Path, thing: HandObject, grasps: Sequence[HandGrasp], done: Done) -> None:
    about = {"thing": thing.to_json(), "grasps": [grasp.to_json() for grasp in grasps], "done": asdict(done)}
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary, about=np.array(json.dumps(about, ensure_ascii=False)), cloud=thing.cloud, normals=thing.normals,
            cloud_parts=thing.cloud_parts, parameters=np.array([grasp.parameters for grasp in grasps]),
        )  # fmt: skip


def read_shard(path: Path) -> tuple[HandObject, list[HandGrasp], Done]:
    """What `write_shard` wrote.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        with np.load(path) as held:
            about = json.loads(str(held["about"]))
            seen = about["thing"]
            thing = HandObject(
                seen["object_id"], seen["name"], seen["set"], held["cloud"], held["normals"], tuple(seen["parts"]),
                held["cloud_parts"], seen["size"],
            )  # fmt: skip
            rows = zip(about["grasps"], held["parameters"], strict=True)
            return thing, [HandGrasp.from_json(value, row) for value, row in rows], Done(**about["done"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: cannot be read ({error}); remove it, and the same command makes it anew") from error
