"""What the OpenAPI document promises is kept, and no JSON and no form is the end of the server."""

import json

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from served import chat, picture_base64

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]
EXAMPLES = 6


@pytest.fixture(scope="module")
def client(live):
    with httpx.Client(base_url=live, timeout=60) as opened:
        yield opened


def statuses(operation, mode):
    """Cases of an operation that keep its promises, each with the status it was answered with."""
    found = []

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def keeps(case):
        found.append((case, case.call_and_validate(checks=CHECKS).status_code))
        if mode is GenerationMode.POSITIVE and isinstance(case.body, dict) and case.path in GOOD:
            # No picture comes of a schema; with one, whatever else was drawn may be answered.
            case.body |= {key: GOOD[case.path][key] for key in ("image", "messages") if key in GOOD[case.path]}
            case.body.pop("model", None)
            # Whole and streamed, where that is asked for: chance alone would seldom draw both.
            for asked in ({"stream": False}, {"stream": True}) if "stream" in GOOD[case.path] else ({},):
                case.body |= asked
                found.append((case, case.call_and_validate(checks=CHECKS).status_code))

    keeps()
    return found


def test_every_route_keeps_what_the_document_promises(live):
    schema = schemathesis.openapi.from_url(f"{live}/openapi.json")
    tried, answered = set(), set()
    for found in schema.get_all_operations():
        operation = found.ok()
        # Without a body there is nothing to get wrong.
        for mode in GenerationMode if operation.body else [GenerationMode.POSITIVE]:
            answered |= {case.path for case, status in statuses(operation, mode) if status == 200}
            tried.add((operation.method, operation.path, mode))
    for path in ("/v1/grasp", "/v1/chat/completions"):
        assert {("post", path, mode) for mode in GenerationMode} <= tried
        assert path in answered


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
GOOD = {
    "/v1/grasp": {"image": picture_base64(), "instruction": "a", "messages": [], "workspace": [0, 0, 80, 40]},
    "/v1/chat/completions": chat("a", "b", "c", stream=True, model="blob", graspwise={"workspace": [0, 0, 80, 40]}),
}


@settings(max_examples=60)
@given(data=st.data(), path=st.sampled_from(sorted(GOOD)))
def test_a_good_request_with_any_part_replaced_is_answered_or_refused(client, data, path):
    body = json.loads(json.dumps(GOOD[path]))
    place, key = body, data.draw(st.sampled_from(sorted(body)))
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = data.draw(JSON)
    told = client.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
    assert told.status_code in (200, 400, 404), told.text


@settings(max_examples=40)
@given(
    files=st.dictionaries(st.sampled_from(["image", "instruction", "x"]), st.binary(max_size=200), max_size=2),
    fields=st.dictionaries(st.sampled_from(["instruction", "messages", "workspace", "image"]), st.text(max_size=30)),
)
def test_any_form_is_answered_or_refused(client, files, fields):
    told = client.post("/v1/grasp", files=files or {"x": b""}, data=fields)
    assert told.status_code == 400, told.text


@settings(max_examples=40)
@given(body=st.binary(max_size=200), kind=st.sampled_from(["application/json", "multipart/form-data; boundary=b"]))
def test_any_body_is_refused(client, body, kind):
    told = client.post("/v1/grasp", content=b"--b\r\n" + body, headers={"content-type": kind})
    assert told.status_code == 400, told.text
