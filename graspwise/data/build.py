"""Build a data set of image-text samples from labelled photographs (RT-Grasp, sections IV-A and V-A.2).

The first pass over the photographs shows each workspace as it is; further passes rotate, zoom and crop. Sample i
depends on (seed, i) alone, so the same seed gives the same data set however many processes build it. In a share of the
samples the user goes on to ask for other grasps, in the words of the picture as it is shown.
"""

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from itertools import compress, zip_longest
from pathlib import Path

import numpy as np
from PIL import Image

from graspwise.answer import AnswerFormat, render_grasp
from graspwise.conversation import assistant_turn, to_llava, user_turn
from graspwise.data.card import PICTURES, picture_row, write_card
from graspwise.data.labelled import LabelledPicture
from graspwise.data.request_talk import TURNS, as_messages, check_share, name_of, talk
from graspwise.data.requests import Hold
from graspwise.data.store import CAPTIONS, FORMAT, Sample
from graspwise.data.templates import load_instructions, load_reasoning
from graspwise.errors import InputError
from graspwise.files import empty_directory, write_json
from graspwise.grasp import Grasp
from graspwise.rectangle import GraspRectangle
from graspwise.transform import LETTERBOX_GREY, Fill, Transform, workspace_picture, workspace_transform

SHARD = 10_000
JPEG_QUALITY = 92


@dataclass(frozen=True)
class BuildConfig:
    """How samples are made.

    Attributes:
        answer: Answer format of the assistant's turn.
        samples: How many.
        seed: Decides everything random.
        size: Side of the square pictures, pixels.
        zoom_low: Smallest share of the frame's side that an object's labels span.
        zoom_high: Largest share.
        near: Share of the augmented samples that keep about the photograph's own zoom.
        margin: Labels' centres stay this share of the side inside the frame.
        depth: Also write depth pictures, where the source has them.
        conversations: Share of the samples in which the user goes on to ask for changes.
    """

    answer: AnswerFormat = "reasoned"
    samples: int = 6000
    seed: int = 0
    size: int = 352
    zoom_low: float = 0.05
    zoom_high: float = 0.6
    near: float = 0.7
    margin: float = 0.03
    depth: bool = False
    conversations: float = 0.0


def build_dataset(
    pictures: Sequence[LabelledPicture],
    *,
    source: str,
    out: Path | str,
    config: BuildConfig,
    workers: int | None = None,
    besides: Sequence[str] = (),
    progress: Callable[[Iterator[Sample], int], Iterator[Sample]] = lambda samples, total: samples,
) -> Path:
    """Write a data set folder, a stream of samples that never holds more than one shard's line in memory.

    Args:
        pictures: Labelled photographs; unlabelled ones are left out.
        source: Name of where they come from, kept in dataset.json.
        out: New folder.
        config: How samples are made.
        workers: Processes; all cores by default.
        besides: What `out` may hold already, e.g. the pictures' own folder.
        progress: Wraps the stream, e.g. in a progress bar.

    Raises:
        InputError: no labelled photograph, one without a label in its workspace, or `out` holds files.
    """
    labelled = [picture for picture in pictures if picture.rectangles]
    if not labelled:
        raise InputError(f"{source}: none of {len(pictures)} pictures has grasp labels; nothing to build from")
    if config.samples < 1:
        raise InputError(f"--samples is {config.samples}; valid is 1 or more")
    if config.seed < 0:
        raise InputError(f"--seed is {config.seed}; valid is 0 or more")
    check_share(config.conversations)
    folder = empty_directory(out, besides=besides)
    (folder / "images").mkdir()
    make = partial(make_sample, pictures=labelled, folder=folder, config=config)
    with (folder / CAPTIONS).open("w", encoding="utf-8") as lines:
        for sample in caption_samples(pictures, folder=folder, config=config):
            lines.write(json.dumps(sample.to_json(), ensure_ascii=False) + "\n")
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        write_samples(progress(map(make, range(config.samples)), config.samples), folder)
    else:
        with ProcessPoolExecutor(workers) as pool:
            write_samples(progress(pool.map(make, range(config.samples), chunksize=32), config.samples), folder)
    info = {
        "format": FORMAT,
        "task": "grasp",
        "source": source,
        "sources": len(labelled),
        "objects": len({p.object_id for p in labelled}),
        "categories": len({p.category for p in labelled}),
        **asdict(config),
    }
    write_card(folder, info)
    write_json(folder / "dataset.json", info)
    return folder


def write_samples(samples: Iterator[Sample], folder: Path) -> None:
    """Write the stream as `samples-*.jsonl`, and twice more for other tools.

    `llava.json` is one JSON list of LLaVA's conversations; `metadata.jsonl` has a short line each, as `datasets` reads.
    """
    with ExitStack() as stack, ExitStack() as shard:
        llava, pictures = (
            stack.enter_context((folder / name).open("w", encoding="utf-8")) for name in ("llava.json", PICTURES)
        )
        lines = None
        for count, sample in enumerate(samples):
            if count % SHARD == 0:
                shard.close()
                path = folder / f"samples-{count // SHARD:05d}.jsonl"
                lines = shard.enter_context(path.open("w", encoding="utf-8"))
            assert lines is not None
            lines.write(json.dumps(sample.to_json(), ensure_ascii=False) + "\n")
            pictures.write(json.dumps(picture_row(sample), ensure_ascii=False) + "\n")
            llava.write(",\n" if count else "[\n")
            llava.write(json.dumps(to_llava(sample.id, sample.image, sample.messages), ensure_ascii=False))
        llava.write("\n]\n")


def make_sample(index: int, *, pictures: Sequence[LabelledPicture], folder: Path, config: BuildConfig) -> Sample:
    """Sample number `index`: draw it from (seed, index), write its picture, return its line."""
    epoch, position = divmod(index, len(pictures))
    order = np.random.default_rng([config.seed, epoch]).permutation(len(pictures))
    source = pictures[order[position]]
    rng = np.random.default_rng([config.seed, epoch, int(order[position])])
    picture = source.open(depth=config.depth)
    base = workspace_transform(image_size=picture.size, workspace=source.workspace, size=(config.size,) * 2)
    # The workspace is cut first, so that nothing outside it can enter through a zoom or a rotation.
    x0, y0, x1, y1 = source.workspace or (0, 0, *picture.size)
    cut = Transform.crop(box=(x0, y0, x1, y1), source_size=picture.size)
    inside = [is_inside(cut.rectangle(r).center, size=cut.size, margin=0.0) for r in source.rectangles]
    labels = list(compress(source.rectangles, inside))
    parts = tuple(compress(source.parts, inside))
    if not labels:
        raise InputError(
            f"{source.path}: all {len(source.rectangles)} labels lie outside the workspace {x0},{y0},{x1},{y1}"
        )
    fill: Fill = LETTERBOX_GREY
    transform = base
    if epoch:
        transform = augmentation(labels, base=base, rng=rng, config=config)
        if rng.random() < 0.7:
            fill = "edge"
        else:
            red, green, blue = rng.integers(60, 220, 3).tolist()
            fill = (red, green, blue)
    shown = workspace_picture(picture, workspace=source.workspace, transform=transform, fill=fill)
    rectangles = tuple(transform.rectangle(r) for r in labels)

    name = f"{index:06d}"
    image = f"images/{name[:3]}/{name}.jpg"
    (folder / image).parent.mkdir(exist_ok=True)
    Image.fromarray(shown.rgb).save(folder / image, quality=JPEG_QUALITY)
    depth = None
    if shown.depth is not None:
        depth = f"images/{name[:3]}/{name}d.png"
        Image.fromarray(np.nan_to_num(shown.depth * 1000).round().astype(np.uint16)).save(folder / depth)

    grasp = Grasp.from_rectangle(rectangles[rng.integers(len(rectangles))], image_size=shown.size)
    # Every other photograph of a pass, and every other pass of a photograph, is asked for by name.
    named = source.among_others or (int(order[position]) + epoch) % 2 == 0
    answer = render_grasp(grasp, answer_format=config.answer, reasoning=reasoning_for(source.category, rng))
    messages = [user_turn(instruction_for(source, named=named, rng=rng)), assistant_turn(answer)]
    # From a generator of its own, so that the share of conversations changes nothing else.
    rng = np.random.default_rng([config.seed, epoch, int(order[position]), 1])
    if rng.random() < config.conversations:
        grasps = [Grasp.from_rectangle(r, image_size=shown.size) for r in rectangles]
        holds = [Hold(g, part or None) for g, part in zip_longest(grasps, parts)]
        turns = int(rng.choice(TURNS))
        exchanges = talk(holds, grasp, turns=turns, image_size=shown.size, name=name_of(source.category), rng=rng)
        messages += as_messages(exchanges, answer_format=config.answer)
    return Sample(
        id=name,
        image=image,
        object_id=source.object_id,
        category=source.category,
        description=source.description,
        source_image=source.name,
        original=epoch == 0,
        transform=transform,
        rectangles=rectangles,
        messages=messages,
        depth=depth,
        parts=parts,
    )


def caption_samples(pictures: Sequence[LabelledPicture], *, folder: Path, config: BuildConfig) -> Iterator[Sample]:
    """The unlabelled photographs of known things, workspace as it is, each asked what it shows."""
    (folder / "images" / "unlabelled").mkdir()
    for source in pictures:
        if source.rectangles or source.category == "object":
            continue
        picture = source.open()
        fit = workspace_transform(image_size=picture.size, workspace=source.workspace, size=(config.size,) * 2)
        image = f"images/unlabelled/{source.name}.jpg"
        Image.fromarray(workspace_picture(picture, workspace=source.workspace, transform=fit).rgb).save(
            folder / image, quality=JPEG_QUALITY
        )
        yield Sample(
            id=f"unlabelled-{source.name}",
            image=image,
            object_id=source.object_id,
            category=source.category,
            description=source.description,
            source_image=source.name,
            original=True,
            transform=fit,
            rectangles=(),
            messages=[user_turn("What is in the picture?"), assistant_turn(f"A {source.description}.")],
        )


def augmentation(
    labels: Sequence[GraspRectangle], *, base: Transform, rng: np.random.Generator, config: BuildConfig
) -> Transform:
    """A random rotation, mirror, zoom and crop after `base` that keeps all label centres inside the frame."""
    side = config.size
    corners = np.concatenate([base.rectangle(r).corners for r in labels])
    low, high = corners.min(axis=0), corners.max(axis=0)
    share = float(max(high - low)) / side
    middle = (float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2)
    for attempt in range(20):
        theta = rng.uniform(-math.pi, math.pi)
        if rng.random() < config.near:
            zoom = math.exp(rng.uniform(math.log(0.8), math.log(1.25)))
        else:
            zoom = math.exp(rng.uniform(math.log(config.zoom_low), math.log(config.zoom_high))) / share
        # Later tries put the object nearer to the middle of the frame.
        reach = 0.4 * side * (1 - attempt / 20)
        target = (side / 2 + rng.uniform(-reach, reach), side / 2 + rng.uniform(-reach, reach))
        drawn = Transform.about(
            source=middle, target=target, scale=zoom,
            theta=theta, source_size=base.size, size=base.size,
        )  # fmt: skip
        transform = base.then(drawn)
        if rng.random() < 0.5:
            transform = transform.then(Transform.flip(size=base.size, axis="horizontal"))
        if all(is_inside(transform.rectangle(r).center, size=base.size, margin=config.margin) for r in labels):
            return transform
    return base


def is_inside(point: tuple[float, float], *, size: tuple[int, int], margin: float) -> bool:
    """Whether a point in pixels lies in a picture of `size`, `margin` (share of each side) away from its border."""
    return all(margin <= (value + 0.5) / side <= 1 - margin for value, side in zip(point, size, strict=True))


def reasoning_for(category: str, rng: np.random.Generator) -> str:
    texts = load_reasoning()
    choices = texts.get(category, texts["object"])
    return choices[rng.integers(len(choices))]


def instruction_for(source: LabelledPicture, *, named: bool, rng: np.random.Generator) -> str:
    instructions = load_instructions()
    if not named:
        return instructions.unnamed[rng.integers(len(instructions.unnamed))]
    name = source.category if rng.random() < 0.5 else source.description
    return instructions.named[rng.integers(len(instructions.named))].format(object=name)
