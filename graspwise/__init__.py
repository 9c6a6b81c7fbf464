"""Graspwise: say what you want, get a grasp and the reason for it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graspwise.errors import InputError
    from graspwise.grasp import Grasp
    from graspwise.picture import Picture
    from graspwise.predict import Answer, Model, View, load
    from graspwise.rectangle import GraspRectangle
    from graspwise.transform import Transform

__version__ = "0.1.0"
__all__ = ["Answer", "Grasp", "GraspRectangle", "InputError", "Model", "Picture", "Transform", "View", "load"]

# Looked up when first used, so that `import graspwise` stays quick and needs no deep-learning library.
_HOMES = {
    "Answer": "predict",
    "Grasp": "grasp",
    "GraspRectangle": "rectangle",
    "InputError": "errors",
    "Model": "predict",
    "Picture": "picture",
    "Transform": "transform",
    "View": "predict",
    "load": "predict",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graspwise' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"graspwise.{_HOMES[name]}"), name)
