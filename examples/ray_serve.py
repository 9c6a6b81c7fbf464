"""Graspwise on Ray Serve: the whole server (page, chat completions, /v1/grasp) in several copies behind one address.

    pip install "graspwise[ray-serve]"
    serve run ray_serve:grasps model=small copies=2         # in this folder; then http://127.0.0.1:8000/

Each copy loads the model once and answers what waits together; Ray spreads requests over the copies, starts one again
that died, and with `serve.deployment(autoscaling_config=...)` makes more of them under load.
"""

from fastapi import FastAPI
from ray import serve

from graspwise.predict import load
from graspwise.server.app import create_app
from graspwise.server.limits import Limits


def grasps(arguments: dict[str, str]) -> serve.Application:
    """An application of Ray Serve.

    Args:
        arguments: `model`: a name as for `graspwise serve --model`, by default small. `copies`: how many, by default 2.
    """
    model, copies = arguments.get("model", "small"), int(arguments.get("copies", "2"))

    def server() -> FastAPI:
        """Made in each copy, which then owns its model."""
        return create_app(load(model), limits=Limits())

    deployed = serve.deployment(serve.ingress(server)(), name="graspwise", num_replicas=copies, max_ongoing_requests=72)
    return deployed.bind()
