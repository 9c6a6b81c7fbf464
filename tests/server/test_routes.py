"""The server over HTTP: both ways to ask, what is refused and how, the key, the page's files and the facts."""

import json

import pytest
from fastapi.testclient import TestClient
from served import REASON, chat, picture_base64, picture_bytes

from graspwise.answer import parse_grasp
from graspwise.errors import InputError
from graspwise.predict import Model
from graspwise.server.app import create_app
from graspwise.server.examples import example_folder
from graspwise.server.limits import Limits
from graspwise.server.schema import ChatCompletion, GraspAnswer

ASKED = {"image": picture_base64(), "instruction": "Pick it up"}
CHAT, GRASP = "/v1/chat/completions", "/v1/grasp"


@pytest.fixture(scope="module")
def client(blob):
    with TestClient(create_app(blob, limits=Limits(body=200_000, pixels=20_000), examples=example_folder())) as opened:
        yield opened


@pytest.fixture
def writing(writer):
    with TestClient(create_app(Model(writer), limits=Limits())) as opened:
        yield opened


def part(disposition: bytes) -> bytes:
    """A form with one part."""
    return b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\nx\r\n--b--\r\n"


def same(a: dict, b: dict) -> bool:
    return {**a, "seconds": 0} == {**b, "seconds": 0}


def test_grasp_answers_the_object_of_predict_by_json_and_by_form(client, blob, tmp_path):
    path = tmp_path / "bar.png"
    path.write_bytes(picture_bytes())
    expected = {**blob.look(path, workspace=(30, 0, 80, 40)).ask("Pick it up").to_json(), "image": None}
    told = client.post(GRASP, json={**ASKED, "workspace": [30, 0, 80, 40]})
    assert told.status_code == 200
    assert list(told.json()) == list(expected)
    assert same(told.json(), expected)
    GraspAnswer.model_validate(told.json())
    form = client.post(
        GRASP, files={"image": path.read_bytes()}, data={"instruction": "Pick it up", "workspace": "30,0,80,40"}
    )
    assert same(form.json(), expected)


def test_completion_holds_the_same_object(client):
    told = client.post(CHAT, json=chat("Pick it up", graspwise={"workspace": [30, 0, 80, 40]}, model="blob")).json()
    ChatCompletion.model_validate(told)
    assert same(told["graspwise"], client.post(GRASP, json={**ASKED, "workspace": [30, 0, 80, 40]}).json())
    assert told["choices"][0]["message"]["content"] == told["graspwise"]["text"]


def test_earlier_turns_reach_the_model_either_way(writing, writer):
    texts = ["Pick it up", "Because.\n[0.500, 0.500], +0.30", "further left"]
    messages = [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts[:2])]
    writing.post(CHAT, json=chat(*texts))
    writing.post(GRASP, json={**ASKED, "instruction": texts[2], "messages": messages})
    form = {"instruction": texts[2], "messages": json.dumps(messages)}
    writing.post(GRASP, files={"image": picture_bytes()}, data=form)
    (by_chat,), (by_json,), (by_form,) = writer.asked
    assert by_chat == by_json == by_form
    assert parse_grasp(by_chat[1]["content"][0]["text"])[1].x == pytest.approx(0.5, abs=0.001)


def test_a_stream_tells_the_reasoning_and_then_the_numbers_in_the_pictures_frame(writing, writer):
    lines = [line for line in writing.post(CHAT, json=chat("a", stream=True)).text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    told = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in told]
    answer = told[-1]["graspwise"]
    assert "".join(pieces) == answer["text"]
    assert len(pieces) > 20 and "".join(pieces[:-2]) == REASON
    assert (answer["grasp"]["x"], answer["grasp"]["y"]) == (pytest.approx(0.1), pytest.approx(0.3))
    assert "0.300]" in answer["text"] and answer["model_text"] == writer.text
    assert [chunk["choices"][0]["finish_reason"] for chunk in told] == [None] * (len(told) - 1) + ["stop"]
    assert len({chunk["id"] for chunk in told}) == 1


@pytest.mark.parametrize(
    "path, body, status, why",
    [
        (GRASP, {**ASKED, "image": "https://example.com/a.png"}, 400, "never opened"),
        (GRASP, {**ASKED, "image": 3}, 400, "image: Input should be a valid string"),
        (GRASP, {**ASKED, "instruction": " "}, 400, "instruction is empty"),
        (GRASP, {**ASKED, "instruction": None}, 400, "instruction"),
        (GRASP, {**ASKED, "workspace": [0, 0, 0, 0]}, 400, "does not fit the picture"),
        (GRASP, {**ASKED, "workspace": [0, 0, 1]}, 400, "workspace"),
        (GRASP, {**ASKED, "workspace": [0, 0, 10**400, 5]}, 400, "workspace"),
        (GRASP, {**ASKED, "messages": [{"role": "user", "content": "a"}]}, 400, "turn 2 is the user's"),
        (GRASP, {**ASKED, "image": picture_base64((200, 101))}, 413, "at most 20000"),
        (GRASP, {**ASKED, "image": "A" * 200_000}, 413, "larger than 200000 bytes"),
        (GRASP, [], 400, "body: "),
        (CHAT, chat("a", model="gpt-4o"), 404, "valid is 'blob'"),
        (CHAT, chat("a", n=2), 400, "n: "),
        (CHAT, chat("a", "b"), 400, "not the user's"),
        (CHAT, {"messages": []}, 400, "messages"),
        (CHAT, {"messages": [{"role": "user", "content": "a"}]}, 400, "found 0 pictures"),
        (CHAT, {"messages": [{"role": "tool", "content": "a"}]}, 400, "role"),
        (CHAT, chat("a", graspwise={"workspace": "0,0,1,1"}), 400, "workspace"),
        (CHAT, chat("\ud800"), 400, "Invalid JSON"),
        (GRASP, {**ASKED, "instruction": "\udfff"}, 400, "surrogate"),
    ],
)
def test_bad_requests_are_refused_in_openais_shape(client, path, body, status, why):
    told = client.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
    assert told.status_code == status
    error = told.json()["error"]
    assert why in error["message"] and "\n" not in error["message"]
    assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    "content, kind, status",
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"", "application/json", 400),
        (b"x", "text/plain", 415),
        (b"x", "multipart/form-data", 400),
        (b"x", "multipart/form-data; boundary=b", 400),
        (part(b'name="image"'), "multipart/form-data; boundary=b", 400),
        (part(b'name="image"; filename="a"'), "multipart/form-data; boundary=b", 400),
        (part(b'name="\xff\xfe"; filename="\xff"'), "multipart/form-data; boundary=b", 400),
    ],
)
def test_bodies_that_are_none_are_refused(client, content, kind, status):
    told = client.post(GRASP, content=content, headers={"content-type": kind})
    assert (told.status_code, "error" in told.json()) == (status, True)


def test_a_body_of_unsaid_length_is_cut_off_too(client):
    told = client.post(GRASP, content=(b"x" * 50_000 for _ in range(10)), headers={"content-type": "application/json"})
    assert told.status_code == 413


def test_a_form_may_not_hold_more_than_is_asked_for(client):
    assert client.post(GRASP, files=[("image", b"a"), ("image", b"b")]).status_code == 400
    assert client.post(GRASP, files={"image": b"a"}, data={f"f{i}": "x" for i in range(20)}).status_code == 400


def test_the_key_is_asked_for_where_answers_and_figures_are(blob):
    with TestClient(create_app(blob, limits=Limits(), api_key="secret")) as client:
        for path in ("/healthz", "/limits", "/openapi.json", "/docs", "/examples"):
            assert client.get(path).status_code == 200
        assert client.get("/limits").json()["key"] is True
        document = client.get("/openapi.json").json()
        assert document["paths"]["/v1/grasp"]["post"]["security"] == [{"key": []}]
        assert "security" not in document["paths"]["/healthz"]["get"]
        for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "secret"}):
            for told in (
                client.get("/v1/models", headers=headers),
                client.get("/metrics", headers=headers),
                client.post(GRASP, json=ASKED, headers=headers),
            ):
                assert told.status_code == 401
                assert told.json()["error"]["code"] == "invalid_api_key"
        told = client.post(GRASP, json=ASKED, headers={"Authorization": "Bearer secret"})
        assert told.status_code == 200


def test_facts_and_metrics(client):
    assert client.get("/healthz").json() == {"status": "ok", "model": "blob", "waiting": 0}
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["blob"]
    client.post(GRASP, json=ASKED)
    client.get("/made/up")
    text = client.get("/metrics").text
    assert 'graspwise_requests_total{path="/v1/grasp",status="200"}' in text
    assert "made" not in text
    assert "graspwise_seats 0.0" in text


def test_examples_are_those_of_the_folder_and_nothing_beside_it(client):
    listed = client.get("/examples").json()["examples"]
    assert {"name": "desk", "url": "examples/desk.jpg"} in listed
    for entry in listed:
        assert client.get(f"/{entry['url']}").headers["content-type"].startswith("image/")
    for name in ("CREDITS.md", "..%2FREADME.md", "%2e%2e/README.md", "nothing.jpg"):
        assert client.get(f"/examples/{name}").status_code == 404


def test_the_page_and_the_documents_need_nothing_from_elsewhere(client):
    page = client.get("/")
    assert page.status_code == 200 and "default-src 'self'" in page.headers["content-security-policy"]
    documents = client.get("/docs").text
    for line in documents.splitlines():
        if "src=" in line or "href=" in line:
            assert "//" not in line
    static = [part.split('"')[0] for part in documents.split('"/static')[1:]]
    assert static
    for rest in static:
        assert client.get(f"/static{rest}").status_code == 200


def test_other_methods_and_paths_are_errors_of_the_same_shape(client):
    assert client.get(GRASP).status_code == 405
    assert client.get("/nowhere").json()["error"]["type"] == "invalid_request_error"


def test_a_model_that_needs_depth_is_not_served(writer):
    writer.takes_depth = True
    with pytest.raises(InputError, match="needs depth"):
        create_app(Model(writer), limits=Limits())


@pytest.mark.parametrize("name", ["http://10.0.0.7:8000/v1#writer", "{folder}/writer"])
def test_neither_an_address_nor_a_path_is_given_out(writer, tmp_path, name):
    (tmp_path / "writer").mkdir()
    writer.name = name.format(folder=tmp_path)
    with TestClient(create_app(Model(writer), limits=Limits())) as client:
        assert client.get("/healthz").json()["model"] == "writer"
        assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["writer"]
        assert client.post(GRASP, json=ASKED).json()["model"] == "writer"
        told = client.post(CHAT, json=chat("a", model="writer")).json()
        assert told["model"] == told["graspwise"]["model"] == "writer"
        assert "valid is 'writer'" in client.post(CHAT, json=chat("a", model=writer.name)).json()["error"]["message"]

        def respond(*args, **options):
            raise InputError(f"valid for model {writer.name} is less")

        writer.respond = respond
        assert client.post(GRASP, json=ASKED).json()["error"]["message"] == "valid for model writer is less"


def test_an_answer_given_back_as_it_came_reaches_the_model_as_it_wrote_it(writing, writer):
    first = writing.post(CHAT, json=chat("a")).json()
    body = chat("a", first["choices"][0]["message"]["content"], "b")
    body["messages"][1]["graspwise"] = first["graspwise"]
    assert writing.post(CHAT, json=body).status_code == 200
    assert writer.asked[1][0][1]["content"][0]["text"] == writer.text
