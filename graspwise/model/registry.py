"""Whatever answers, by its name."""

from collections.abc import Callable

from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.plain_responders import BaselineResponder, GrConvNetResponder
from graspwise.model.responder import Responder


def open_responder(name: str, *, say: Callable[[str], None] = lambda line: None) -> Responder:
    """A responder by name.

    Args:
        name: A baseline, `http(s)://HOST:PORT/v1#MODEL`, a trained GR-ConvNet, or whatever
            `graspwise.model.load.load_model` takes.
        say: Called with a line when something slow happens.

    Raises:
        InputError: there is no such model.
    """
    from graspwise.model.baselines import BASELINES

    if name in BASELINES:
        return BaselineResponder(name)
    if name.lower().startswith(("http://", "https://")):
        from graspwise.model.endpoint import EndpointResponder

        return EndpointResponder(name)
    from graspwise.model.grconvnet import is_grconvnet
    from graspwise.model.load import load_model, model_folder

    folder = model_folder(name)
    if folder is not None and is_grconvnet(folder):
        return GrConvNetResponder(name, folder)
    return LlavaResponder(name, load_model(name, say=say))
