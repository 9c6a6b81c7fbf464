"""The samples of a run by their part of its split, of which places alone are held."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from statistics import median

from graspwise.data.rows import Rows, outline, read_lines
from graspwise.data.split import Split
from graspwise.data.store import Dataset, Sample

# Photographs that are enough to tell the length of the jaw plates.
PLATES = 100_000


@dataclass(frozen=True)
class Parts:
    """Samples of a run's data set by their part of the split.

    Attributes:
        training: Learned from.
        validation: Photographs that are watched.
        captions: Photographs of the training part, those without grasp labels too.
        trained_on: Object ids of `training`, prefixed by their source.
    """

    training: Rows
    validation: Rows
    captions: Rows
    trained_on: set[str]


def divide(dataset: Dataset, split: Split) -> Parts:
    """Samples by part; validation is the unaugmented photographs alone, captions one sample a training photograph.

    Every line of the data set is read once; of a sample in a part its place alone is kept.
    """
    training, validation = set(split.training), set(split.validation)
    labelled, sources = dataset.sources(), [*dataset.sources(), *dataset.caption_sources()]
    parts = Parts(Rows(sources), Rows(sources), Rows(sources), set())
    for index, source in enumerate(sources):
        for line, offset, text in read_lines(source.path):
            sample = outline(text, source=source, number=line + 1)
            group, is_caption = split.group(sample), index >= len(labelled)
            learned = group in training and not is_caption
            if learned:
                parts.trained_on.add(f"{source.origin}:{sample.object_id}")
            watched = group in validation and sample.original and not is_caption
            # Unlabelled photographs have no grasp to test, but they show objects: those of the test side stay out too.
            shown = group in training and (is_caption or sample.original)
            for rows, chosen in ((parts.training, learned), (parts.validation, watched), (parts.captions, shown)):
                rows.pass_by(index, line, offset, chosen=chosen)
    for rows in (parts.training, parts.validation, parts.captions):
        rows.close()
    return parts


def plate_length(samples: Iterable[Sample]) -> float:
    """Median length of the labels' jaw plates, fraction of the picture's side, on photographs as they were taken.

    The first `PLATES` photographs tell.
    """
    lengths = [
        label.jaw / max(sample.transform.size)
        for sample in islice(samples, PLATES)
        if sample.original
        for label in sample.rectangles
    ]
    return round(median(lengths), 4) if lengths else 0.0
