"""Simulation on MuJoCo: objects, scenes, what a camera sees of them, and robots that try grasps on them."""

import os
import sys

from graspwise.errors import InputError

# Rendering without a screen; what the user has chosen stays. MuJoCo reads it on its first import.
if sys.platform == "linux":
    os.environ.setdefault("MUJOCO_GL", "egl")

try:
    import mujoco  # noqa: F401
except ImportError as error:
    raise InputError(
        f"simulation needs MuJoCo and a way to draw without a screen ({error}); valid: pip install 'graspwise[sim]', "
        "and on Linux the library libegl1"
    ) from error
