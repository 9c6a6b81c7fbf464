"""What a model could have learnt from: objects it has seen, categories of which it has seen enough."""

from collections import Counter
from collections.abc import Iterable, Sequence

from graspwise.data.split import Split
from graspwise.data.store import Dataset, Sample
from graspwise.files import read_json

LEAST_OBJECTS = 2


def seen_objects(model: str, source: str) -> frozenset[str]:
    """Object ids of a data set's source that a model's card says it was trained on; none without a card.

    Args:
        model: A run folder, a published name, or any other name of a model.
        source: Name of the data set's source, e.g. "cornell".
    """
    from graspwise.model.load import model_folder
    from graspwise.model.weights import CARD

    folder = model_folder(model)
    trained_on = read_json(folder / CARD).get("trained_on", ()) if folder else ()
    prefix = f"{source}:"
    return frozenset(name.removeprefix(prefix) for name in trained_on if name.startswith(prefix))


def training_photographs(dataset: Dataset, split: Split) -> Sequence[Sample]:
    """The photographs that a model can learn names from: those without grasp labels too."""
    from graspwise.train.parts import divide

    return divide(dataset, split).captions


def known_categories(samples: Iterable[Sample]) -> frozenset[str]:
    """Categories of which the samples show two objects or more: one object alone teaches nothing about others."""
    objects = {(sample.category, sample.object_id) for sample in samples}
    counts = Counter(category for category, _ in objects)
    return frozenset(category for category, count in counts.items() if count >= LEAST_OBJECTS)
