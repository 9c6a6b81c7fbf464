"""Time and memory of one answer at a time, taken in a process of its own: nothing that ran before counts.

The process is `python -m graspwise.evaluation.alone`, which is told by stdin what to open and to ask.
"""

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from graspwise.conversation import Message
from graspwise.model.responder import Responder
from graspwise.picture import Picture

PICTURES = 5


def measure_alone(
    opener: Callable[[], Responder], pictures: Sequence[Picture], conversation: Sequence[Message]
) -> dict[str, Any]:
    """`seconds_single`, the median time of an answer with the model loaded, and `memory_mib` of the process after them.

    Args:
        opener: Opens the model; importable by name, as the new process opens it again.
        pictures: Square pictures of the model's size; each is answered alone.
        conversation: What is asked of each.
    """
    told = pickle.dumps((opener, list(pictures), list(conversation)))
    done = subprocess.run([sys.executable, "-m", __name__], input=told, stdout=subprocess.PIPE, check=True)
    # Whatever a library may print comes before.
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def answer_alone(
    opener: Callable[[], Responder], pictures: Sequence[Picture], conversation: Sequence[Message]
) -> dict[str, Any]:
    """What `measure_alone` measures, in this process."""
    responder, seconds = opener(), []
    for picture in pictures:
        started = time.perf_counter()
        responder.respond([picture], [conversation])
        seconds.append(time.perf_counter() - started)
    return {"seconds_single": round(median(seconds), 4), "memory_mib": round(resident_mib(), 1)}


def resident_mib() -> float:
    """Memory that this process holds, MiB; without psutil the most that it ever held."""
    try:
        from psutil import Process  # type: ignore[import-untyped]
    except ImportError:
        import resource

        # Bytes on macOS, KiB elsewhere.
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
    return float(Process().memory_info().rss / 2**20)


if __name__ == "__main__":
    print("\n" + json.dumps(answer_alone(*pickle.load(sys.stdin.buffer))))
