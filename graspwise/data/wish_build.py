"""Build a data set of wishes: what somebody wants of a scene, the answer in words, and the right grasps.

Sample i depends on (seed, i) alone, so the same seed gives the same data set however many processes build it. A scene's
picture and masks are written once, for all its wishes.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np

from graspwise.conversation import assistant_turn, user_turn
from graspwise.data.build import write_samples
from graspwise.data.card import write_card
from graspwise.data.request_talk import check_share
from graspwise.data.store import FORMAT, Sample, WishLabel
from graspwise.data.wish_facts import SetName, Target, right_targets
from graspwise.data.wish_scenes import WishScene, WishScenes, grasps_of
from graspwise.data.wish_texts import ANY
from graspwise.data.wish_turns import next_wish
from graspwise.data.wish_views import View, write_view
from graspwise.data.wishes import (
    KINDS,
    Kind,
    Wish,
    any_wish,
    polite,
    reason_text,
    refusable_wish,
    refusal_text,
    wishes_about,
)
from graspwise.errors import InputError
from graspwise.files import empty_directory, replacing_folder, write_json
from graspwise.parallel import in_order
from graspwise.rectangle import GraspRectangle

# Samples made in one piece of work.
PIECE = 64
# Wishes drawn for one scene, and scenes tried for one sample, before it is given up.
WISHES, SCENES = 6, 200
# What a sample may ask for: a target of one of the kinds, none in particular, or (None) what nothing in view serves.
UNNAMED: Literal["unnamed"] = "unnamed"
Asked = Kind | Literal["unnamed"] | None
REFUSED = "refused"
# Share of the wishes in a polite frame.
POLITE = 0.5


@dataclass(frozen=True)
class WishConfig:
    """How wishes are drawn.

    Attributes:
        samples: How many.
        seed: Decides everything random.
        size: Side of the square pictures, pixels.
        depth: Also write depth pictures, where the source has them.
        test: Word them by the families that are for testing only; dataset.json says so, and training refuses it.
        refusals: Share of the samples that nothing in view serves.
        anything: Share of the samples that name no target, which everything serves.
        conversations: Share of the samples in which the user goes on: the other one, another part, another thing.
    """

    samples: int = 6000
    seed: int = 0
    size: int = 352
    depth: bool = False
    test: bool = False
    refusals: float = 0.12
    anything: float = 0.04
    conversations: float = 0.0


@dataclass(frozen=True)
class Drawn:
    """A wish about a scene.

    Attributes:
        number: Which scene.
        scene: The scene.
        wish: What is wished for.
        targets: All that is right, first the one to name; () where nothing is.
    """

    number: int
    scene: WishScene
    wish: Wish
    targets: tuple[Target, ...]


def build_wishes(
    scenes: WishScenes,
    *,
    out: Path | str,
    config: WishConfig,
    workers: int | None = None,
    ray: str = "",
    progress: Callable[[Iterator[Sample], int], Iterator[Sample]] = lambda samples, total: samples,
) -> Path:
    """Write a data set folder, a stream of samples of which never more than a few pieces are in memory.

    Args:
        scenes: The scenes, of any object set; dataset.json says of which.
        out: New folder; it is there when it is whole, and not before.
        config: How wishes are drawn.
        workers: Processes; all cores by default.
        ray: "local" or a cluster's address, to draw them there.
        progress: Wraps the stream, e.g. in a progress bar.

    Raises:
        InputError: a value outside its range, `out` holds files, a scene is damaged, or the scenes give no such wish.
    """
    if config.samples < 1:
        raise InputError(f"--samples is {config.samples}; valid is 1 or more")
    if config.seed < 0:
        raise InputError(f"--seed is {config.seed}; valid is 0 or more")
    if not 0 <= config.refusals < 1 - config.anything:
        most = 1 - config.anything
        raise InputError(f"--refusals is {config.refusals}; valid is 0 to below {most:g}, a share of the samples")
    check_share(config.conversations)
    folder = empty_directory(out)
    counts: Counter[str] = Counter()
    seen: dict[str, set[str]] = {"sets": set(), "categories": set(), "families": set()}

    def counted(made: Iterator[tuple[Sample, set[str]]]) -> Iterator[Sample]:
        for sample, sets in made:
            assert sample.wish is not None
            counts[asked_of(sample.wish)] += 1
            seen["sets"] |= sets
            seen["categories"] |= {sample.category} - {""}
            seen["families"].add(sample.wish.family)
            yield sample

    with replacing_folder(folder) as temporary:
        work = partial(make_samples, scenes=scenes, folder=temporary.resolve(), config=config)
        pieces = [range(start, min(start + PIECE, config.samples)) for start in range(0, config.samples, PIECE)]
        made = chain.from_iterable(in_order(work, pieces, workers=workers if len(pieces) > 1 else 1, ray=ray))
        write_samples(progress(counted(made), config.samples), temporary)
        info = {
            "format": FORMAT,
            "task": "wishes",
            "answer": "reasoned",
            "source": scenes.source,
            "sets": sorted(seen["sets"]),
            "scenes": len(scenes),
            "categories": len(seen["categories"]),
            "families": len(seen["families"]),
            "kinds": {kind: counts[kind] for kind in KINDS},
            REFUSED: counts[REFUSED],
            UNNAMED: counts[UNNAMED],
            "shares": {name: round(counts[name] / config.samples, 4) for name in (*KINDS, REFUSED, UNNAMED)},
            **asdict(config),
        }
        write_card(temporary, info)
        write_json(temporary / "dataset.json", info)
    return folder


def make_samples(
    indices: Sequence[int], *, scenes: WishScenes, folder: Path, config: WishConfig
) -> list[tuple[Sample, set[str]]]:
    """Those samples, each with the object sets of its scene."""
    return [make_sample(index, scenes=scenes, folder=folder, config=config) for index in indices]


def make_sample(index: int, *, scenes: WishScenes, folder: Path, config: WishConfig) -> tuple[Sample, set[str]]:
    """Sample number `index`: draw it from (seed, index), write its scene's pictures if they are not there."""
    rng = np.random.default_rng([config.seed, 1, index])
    kinds = KINDS if scenes.has_parts else tuple(kind for kind in KINDS if not kind.startswith("part"))
    asked = asked_at(index, kinds=kinds, refusals=config.refusals, anything=config.anything)
    drawn = draw(index, asked, scenes=scenes, config=config, rng=rng)
    scene, wish, targets = drawn.scene, drawn.wish, drawn.targets
    view = write_view(scene, number=drawn.number, folder=folder, side=config.size, depth=config.depth)
    answer = answer_text(scene, wish, targets, rng)
    text = polite(wish.text, rng) if rng.random() < POLITE else wish.text
    messages, before = [user_turn(text), assistant_turn(answer)], None
    # From a generator of its own, so that the share of conversations changes nothing else.
    rng = np.random.default_rng([config.seed, 2, index])
    if rng.random() < config.conversations:
        following = next_wish(scene, wish, targets, test=config.test, rng=rng)
        if following is not None:
            held = grasps_of(scene, targets[:1])
            first = held[int(rng.integers(len(held)))].grasp.rectangle(image_size=scene.image_size) if held else None
            before = {"asked": text, "reason": answer, "grasp": None if first is None else corners_in(view, first)}
            wish, targets = following
            answer = answer_text(scene, wish, targets, rng)
            messages += [user_turn(wish.text, image=False), assistant_turn(answer)]
    named = scene.thing(targets[0].index) if targets else None
    meant = grasps_of(scene, targets[:1])
    right = (*meant, *(grasp for grasp in grasps_of(scene, targets) if grasp not in meant))
    sample = Sample(
        id=f"{index:06d}",
        image=view.image,
        object_id=scene.group,
        category=named.category if named else "",
        description=named.description if named else "",
        source_image=scene.name,
        original=True,
        transform=view.transform,
        rectangles=tuple(
            view.transform.rectangle(grasp.grasp.rectangle(image_size=scene.image_size)) for grasp in right
        ),
        messages=messages,
        depth=view.depth,
        wish=WishLabel(
            kind=wish.kind,
            family=wish.family,
            targets=tuple(target_json(scene, target) for target in targets),
            refused=not targets,
            things=tuple({"index": thing.index, "name": thing.category} for thing in scene.things),
            objects=view.objects,
            parts=view.parts,
            named=len(meant),
            before=before,
        ),
    )
    return sample, scene.sets


def answer_text(scene: WishScene, wish: Wish, targets: Sequence[Target], rng: np.random.Generator) -> str:
    if not targets:
        return refusal_text(wish, rng)
    return reason_text(wish, targets[0], scene.thing(targets[0].index), rng)


def corners_in(view: View, rectangle: GraspRectangle) -> list[list[float]]:
    """Corners of a scene's rectangle in its view."""
    corners: list[list[float]] = np.round(view.transform.rectangle(rectangle).corners, 3).tolist()
    return corners


def asked_of(wish: WishLabel) -> str:
    """What a sample asks for: its kind, to be refused, or no target in particular."""
    if wish.refused:
        return REFUSED
    return UNNAMED if wish.family.startswith(ANY) else wish.kind


def asked_at(index: int, *, kinds: Sequence[Kind], refusals: float, anything: float) -> Asked:
    """What sample `index` asks for: every kind as often, what is to be refused or names nothing in its share."""
    refused = math.floor(index * refusals)
    if math.floor((index + 1) * refusals) > refused:
        return None
    served, share = index - refused, anything / (1 - refusals)
    unnamed = math.floor(served * share)
    if math.floor((served + 1) * share) > unnamed:
        return UNNAMED
    return kinds[(served - unnamed) % len(kinds)]


def draw(index: int, asked: Asked, *, scenes: WishScenes, config: WishConfig, rng: np.random.Generator) -> Drawn:
    """Such a wish about the scene whose turn it is, or where that gives none about another.

    Raises:
        InputError: 200 scenes give none.
    """
    turn, place = divmod(index, len(scenes))
    number = int(np.random.default_rng([config.seed, 0, turn]).permutation(len(scenes))[place])
    for _ in range(SCENES):
        scene = scenes[number]
        if scene.things:
            found = wish_in(scene, asked, test=config.test, rng=rng)
            if found is not None:
                return Drawn(number, scene, *found)
        number = int(rng.integers(len(scenes)))
    raise InputError(
        f"{scenes.root}: {SCENES} draws of its {len(scenes)} scenes gave no wish of the kind {asked or REFUSED} "
        "with a right grasp; valid are scenes of several labelled things"
    )


def wish_in(
    scene: WishScene, asked: Asked, *, test: bool, rng: np.random.Generator
) -> tuple[Wish, tuple[Target, ...]] | None:
    """Such a wish and its targets, the one to name first; None where the scene gives none with a right grasp."""
    if asked is None:
        refused = refusable_wish(scene.things, sets=sets_to_refuse(scene, test=test), test=test, rng=rng)
        return None if refused is None else (refused, ())
    for _ in range(WISHES):
        if asked == UNNAMED:
            wish: Wish | None = any_wish(rng, test=test)
        else:
            wish = wishes_about(scene.things, kind=asked, test=test, rng=rng)
        if wish is None:
            return None
        targets = right_targets(wish.need, scene.things)
        held = {target: len(grasps_of(scene, [target])) for target in targets}
        choice = [target for target in targets if held[target]]
        if choice:
            # Of anything the easiest is named: a random one could not be told from the picture.
            named = max(choice, key=held.__getitem__) if asked == UNNAMED else choice[int(rng.integers(len(choice)))]
            return wish, (named, *(target for target in targets if target != named))
    return None


def sets_to_refuse(scene: WishScene, *, test: bool) -> set[SetName]:
    """Sets whose things a scene's source shows in other scenes: of training, or in tests of both."""
    if any(name.startswith("graspnet") for name in scene.sets):
        return {"graspnet", "graspnet-test"} if test else {"graspnet"}
    return {"train", "household"} if test else {"train"}


def target_json(scene: WishScene, target: Target) -> dict[str, object]:
    part_index = None if target.part is None else scene.part_indices[target.index, target.part]
    return {"index": target.index, "name": target.name, "part": target.part, "part_index": part_index}
