"""Our server in front of a fake that speaks vLLM's wire format, and the example for Ray Serve."""

import json
import sys
from pathlib import Path

import httpx
import pytest
from served import chat, picture_base64, running
from vllm_wire import named, several

from graspwise.model.endpoint import EndpointResponder
from graspwise.model.manner import HELD
from graspwise.predict import Model
from graspwise.server.limits import Limits

BARE = "A mug, held by its handle.\n[0.250, 0.500], +0.30"
ASKED = {"image": picture_base64(), "instruction": "Pick it up"}
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_a_vllm_behind_our_server_answers_plain_and_streams_its_reason(serve):
    servers = several(serve, 2, text=BARE)
    model = Model(EndpointResponder(named(servers), manner=HELD))
    with running(model, limits=Limits(batch=4)) as address:
        told = httpx.post(f"{address}/v1/grasp", json=ASKED, timeout=60).json()
        assert (told["mode"], told["model"], told["reasoning"]) == ("plain", "vlm", "A mug, held by its handle.")
        assert told["grasp"]["x"] == pytest.approx(0.25, abs=0.001)
        streamed = httpx.post(
            f"{address}/v1/chat/completions", json=chat("Pick up the mug", stream=True), timeout=60
        ).text
        assert httpx.get(f"{address}/openapi.json", timeout=60).json()["components"]["schemas"]["GraspAnswer"][
            "properties"
        ]["mode"]["enum"] == ["plain", "grounded"]
    events = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: {")]
    words = [event["choices"][0]["delta"].get("content") for event in events]
    # The reason comes as it is written; the numbers, of the picture's frame, at the end.
    assert len([word for word in words if word and "[" not in word]) > 2
    assert events[-1]["graspwise"]["mode"] == "plain" and events[-1]["graspwise"]["text"] == "".join(
        filter(None, words)
    )
    assert all(body["structured_outputs"] == {"regex": HELD.pattern} for fake in servers for body in fake.bodies)


def test_one_server_that_fails_costs_no_client_anything(serve):
    servers = several(serve, 2, text=BARE)
    servers[0].status = 500
    with running(Model(EndpointResponder(named(servers), manner=HELD)), limits=Limits(batch=4)) as address:
        for _ in range(3):
            assert httpx.post(f"{address}/v1/grasp", json=ASKED, timeout=60).status_code == 200


@pytest.fixture
def ray_serve(monkeypatch):
    pytest.importorskip("ray.serve", reason="needs ray[serve]", exc_type=ImportError)
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
    import ray_serve

    return ray_serve


def test_the_example_for_ray_serve_makes_so_many_copies(ray_serve):
    application = ray_serve.grasps({"model": "blob", "copies": "3"})
    (deployment,) = [application._bound_deployment]
    assert (deployment.name, deployment.num_replicas) == ("graspwise", 3)


@pytest.mark.slow
def test_the_example_for_ray_serve_answers(ray_serve):
    import ray
    from ray import serve

    paths = {"PYTHONPATH": f"{EXAMPLES.parent}:{EXAMPLES}"}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": paths})
    try:
        serve.start(http_options={"port": 8476})
        serve.run(ray_serve.grasps({"model": "blob", "copies": "2"}))
        told = httpx.post("http://127.0.0.1:8476/v1/grasp", json=ASKED, timeout=60)
        assert told.status_code == 200 and told.json()["mode"] == "plain" and told.json()["grasp"]
    finally:
        serve.shutdown()
        ray.shutdown()
