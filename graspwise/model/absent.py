"""Whether what an answer names is in view at all: if it is not, that is said and nothing is grasped.

The language model names what a wish is about, and may name what is not there. The names at the cells of the picture
know better, where they know several things in it; of a single thing, or of a name that they do not know, they say
nothing.
"""

import re
from collections.abc import Sequence

from torch import Tensor

from graspwise.model.scene_names import SceneNames

# A name that no cell believes in as much as this is not in view; so many things must be. Chosen on validation scenes.
UNSEEN, THINGS = 0.03, 3
# Words of a wish that names no target. Whoever says no others is never refused.
FREE = frozenset({
    "a", "all", "and", "any", "anything", "are", "at", "be", "best", "can", "care", "choose", "could", "do",
    "easiest", "for", "from", "get", "give", "grab", "grasp", "grip", "here", "hold", "i", "in", "is", "it", "item",
    "items", "just", "like", "lift", "me", "my", "need", "not", "now", "object", "objects", "of", "on", "one",
    "ones", "or", "out", "pick", "piece", "please", "reach", "robot", "show", "some", "something", "table", "take",
    "that", "the", "them", "there", "these", "thing", "things", "this", "those", "to", "up", "want", "whatever",
    "which", "whichever", "will", "with", "would", "you", "your",
})  # fmt: skip


def names_something(wish: str) -> bool:
    """Whether a wish has a word beyond those of "Pick up any object, please"."""
    return any(word not in FREE for word in re.findall(r"[^\W\d_]+", wish.lower()))


def is_absent(names: SceneNames, likely: Tensor, target: str) -> bool:
    """Whether several things are in view, and surely none that is called so.

    Args:
        names: The names.
        likely: (1, N, h, w) how likely each is at each cell.
        target: What the answer names.
    """
    place = names.place(target)
    if place is None or float(likely[0, place].max()) >= UNSEEN:
        return False
    return len(names.in_view(likely)[0]) >= THINGS


def refusal(target: str, in_view: Sequence[str]) -> str:
    """What is said instead of a grasp."""
    *listed, last = in_view[:THINGS]
    return f"That would take the {target}, and I see none here, only {', '.join(listed)} and {last}."
