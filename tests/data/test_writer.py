"""The writer against a local endpoint over real HTTP."""

import json
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from graspwise.chat import Endpoint
from graspwise.cli.templates import templates_app
from graspwise.data.templates import load_reasoning
from graspwise.data.writer import chat, check_category, read_lines, write_templates
from graspwise.errors import InputError

GOOD = (
    "This is a teapot, round with a spout. Grip its handle across the thickness, away from the spout.",
    "I see a teapot with an arched handle. Close the jaws over the handle where it clears the body.",
    "A teapot, which is bulky and smooth, should be held by its side handle, jaws square to it.",
)
NO_VERDICT = "the model gave no verdict on it"


class FakeEndpoint:
    """Answers chat completions from a list of texts or raw (status, headers, body); keeps the requests."""

    def __init__(self) -> None:
        self.answers: list[str | tuple[int, dict[str, str], bytes]] = []
        self.requests: list[dict[str, Any]] = []
        self.delay_seconds = 0.0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                fake.requests.append({"path": self.path, "key": self.headers.get("authorization"), **body})
                time.sleep(fake.delay_seconds)
                answer = fake.answers.pop(0)
                if isinstance(answer, str):
                    message = {"role": "assistant", "content": answer}
                    answer = (200, {}, json.dumps({"choices": [{"message": message}]}).encode())
                status, headers, content = answer
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def endpoint(self, **options: Any) -> Endpoint:
        return Endpoint(self.url, "fake", **options)

    def prompts(self) -> list[str]:
        return [request["messages"][0]["content"] for request in self.requests]


@pytest.fixture
def fake(serve: Callable[[ThreadingHTTPServer], None]) -> FakeEndpoint:
    server = FakeEndpoint()
    serve(server.server)
    return server


def test_good_texts_are_drafted_refined_and_verified(fake: FakeEndpoint) -> None:
    fake.answers = ["raw one\nraw two", "\n".join(GOOD[:2]), "1. yes\n2. yes"]
    result = write_templates("Teapot", count=2, endpoint=fake.endpoint(api_key="k"), existing=["An older text."])
    assert (result.accepted, result.rejected) == (GOOD[:2], ())
    draft, refine, verify = fake.prompts()
    assert "Write 2 " in draft and "teapot" in draft and "An older text." in draft
    assert "raw one\nraw two" in refine and "redundant" in refine
    assert f"1. {GOOD[0]}\n2. {GOOD[1]}" in verify
    assert {request["path"] for request in fake.requests} == {"/v1/chat/completions"}
    assert {request["key"] for request in fake.requests} == {"Bearer k"}
    assert {request["model"] for request in fake.requests} == {"fake"}


def test_without_a_key_none_is_sent(fake: FakeEndpoint) -> None:
    fake.answers = ["hello"]
    assert chat(Endpoint(fake.url + "/", "fake"), "hi") == "hello"
    assert fake.requests[0]["key"] is None
    assert "secret" not in repr(fake.endpoint(api_key="secret"))


@pytest.mark.parametrize(
    ("text", "verdicts", "reason"),
    [
        ("This is a teapot with 2 handles at its sides. Grip one of the handles crosswise.", "", "digits"),
        ("This is a teapot. Grip it.", "", "too short"),
        (
            "A cup, which is hollow, should be held by its side handle, jaws square to it.",
            "",
            "does not name",
        ),
        (
            "This is a teapot, a vessel that people use every day for their tea or coffee.",
            "",
            "no word of grasping",
        ),
        (
            "This is a teapot, round with a sp\u00f3ut. Grip its handle across the thickness, away from it.",
            "",
            "ASCII",
        ),
        (GOOD[1], "", "is a duplicate of"),
        (GOOD[1].replace("arched", "arching"), "", "nearly a duplicate"),
        (GOOD[0], "1. No, a spout is safer.", "wrong: a spout is safer."),
        (GOOD[0], "1 - no", "no reason given"),
        (GOOD[0], "All of them are right.", NO_VERDICT),
        (GOOD[0], "2. yes", NO_VERDICT),
        (GOOD[0], "1. yesterday", NO_VERDICT),
    ],
)
def test_each_rejection_has_its_reason(fake: FakeEndpoint, text: str, verdicts: str, reason: str) -> None:
    checked = [verdicts] if verdicts else []
    fake.answers = ["a draft of it", text, *checked, "a second draft", GOOD[2], "1. yes"]
    result = write_templates("teapot", count=1, endpoint=fake.endpoint(), existing=[GOOD[1]])
    assert result.accepted == (GOOD[2],)
    assert [item.text for item in result.rejected] == [text]
    assert reason in result.rejected[0].reason
    # The second round is told what was wrong with the first.
    assert text in fake.prompts()[2 + len(checked)]


def test_duplicates_within_one_answer_and_too_many_texts(fake: FakeEndpoint) -> None:
    repeated = GOOD[0].replace(",", ";")
    fake.answers = ["a draft", "\n".join([GOOD[0], repeated, *GOOD[1:]]), "1. yes\n2. yes\n3. yes"]
    result = write_templates("teapot", count=2, endpoint=fake.endpoint())
    assert result.accepted == GOOD[:2]
    assert [item.text for item in result.rejected] == [repeated]


def test_rounds_are_bounded(fake: FakeEndpoint) -> None:
    fake.answers = ["a draft", "This is no good."] * 3
    result = write_templates("teapot", count=1, endpoint=fake.endpoint())
    assert result.accepted == () and len(result.rejected) == 3 and len(fake.requests) == 6


def test_an_answer_without_texts_counts_as_a_round(fake: FakeEndpoint) -> None:
    fake.answers = ["```\n```", "1.", "a draft", GOOD[0], "**1.** Yes."]
    assert write_templates("teapot", count=1, endpoint=fake.endpoint()).accepted == GOOD[:1]


@pytest.mark.parametrize(
    "form",
    [
        "- {}",
        "* {}",
        "\u2022 {}",
        "1. {}",
        "12) {}",
        "(3) {}",
        "- 4. {}",
        '"{}"',
        '5. "{}",',
        "\u201c{}\u201d",
        "**1.** {}",
        "  {}  ",
        "Here are the texts:\n\n{}",
        "```yaml\n- {}\n```",
        "[\n{}\n]",
        "<think>\n1. Let me think about it.\n</think>\n{}",
        "{0}\n{0}",
    ],
)
def test_lines_are_read_whatever_their_dress(form: str) -> None:
    assert read_lines(form.format(GOOD[0])) == [GOOD[0]]


def test_typographic_marks_become_plain() -> None:
    assert read_lines("1. It\u2019s a teapot \u2014 round.") == ["It's a teapot, round."]


@pytest.mark.parametrize("category", ["", " ", "mug!", "mug2", "mug\x00", "a" * 41, "[mug]", "mug: cup", "-mug"])
def test_bad_category_asks_nothing(fake: FakeEndpoint, category: str) -> None:
    with pytest.raises(InputError, match="valid is a name of letters"):
        write_templates(category, count=1, endpoint=fake.endpoint())
    assert fake.requests == []


def test_category_is_folded() -> None:
    assert check_category("  TV \n Remote ") == "tv remote"


@pytest.mark.parametrize("count", [0, -1, 51])
def test_bad_count_asks_nothing(fake: FakeEndpoint, count: int) -> None:
    with pytest.raises(InputError, match="valid is 1 to 50"):
        write_templates("mug", count=count, endpoint=fake.endpoint())
    assert fake.requests == []


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (
            (401, {}, b'{"error": {"message": "Incorrect API key: sk-sec**"}}'),
            r"not accepted \(401\); set OPENAI_API_KEY$",
        ),
        ((403, {}, b""), r"not accepted \(403\)"),
        ((404, {}, b"<html>\n"), r"not found \(404"),
        ((400, {}, b"line one\nsk-secret"), r"answered 400 \(line one \.\.\.\)"),
        ((302, {"location": "http://localhost/"}, b""), "answered 302"),
        ((200, {}, b"<html>hello</html>"), "not JSON"),
        ((200, {}, b"\xff\xfe\xfd"), "not JSON"),
        ((200, {}, b""), "not JSON"),
        ((200, {}, b"[]"), "no choices"),
        ((200, {}, body({"error": "x"})), "no choices"),
        ((200, {}, body({"choices": []})), "no choices"),
        ((200, {}, body({"choices": {"a": 1}})), "no choices.0..message.content"),
        ((200, {}, body({"choices": [{"text": "x"}]})), "no choices.0..message.content"),
        ((200, {}, body({"choices": [{"message": {"content": None}}]})), "model fake answered with no text"),
        ((200, {}, body({"choices": [{"message": {"content": " \n"}}]})), "model fake answered with no text"),
    ],
)
def test_each_failure_is_one_clear_line(fake: FakeEndpoint, answer: Any, found: str) -> None:
    fake.answers = [answer]
    with pytest.raises(InputError, match=found) as error:
        chat(fake.endpoint(api_key="sk-secret"), "hi")
    message = str(error.value)
    assert message.startswith(fake.url) and "\n" not in message and "sk-sec" not in message
    assert len(fake.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_endpoint_is_asked_again(fake: FakeEndpoint, status: int) -> None:
    fake.answers = [
        (status, {"retry-after": "0"}, b""),
        (status, {"retry-after": "Wed, 21 Oct 2026"}, b""),
        "hello",
    ]
    assert chat(fake.endpoint(), "hi") == "hello"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_endpoint_is_given_up_on(fake: FakeEndpoint, status: int) -> None:
    fake.answers = [(status, {}, b"")] * 9
    with pytest.raises(InputError, match=rf"answered {status} after 3 tries"):
        chat(fake.endpoint(), "hi")
    assert len(fake.requests) == 3


def test_the_wait_is_what_the_server_asks_for_within_a_bound(
    fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("graspwise.chat.BACKOFF_SECONDS", 1.0)
    monkeypatch.setattr("graspwise.chat.time.sleep", waits.append)
    fake.answers = [
        (429, {"retry-after": "7"}, b""), (429, {"retry-after": "9999"}, b""), "hello",
        (429, {}, b""), (429, {}, b""), "hello",
    ]  # fmt: skip
    for _ in range(2):
        chat(fake.endpoint(), "hi")
    # The fake's own pauses, of zero seconds, go through the same function.
    assert [wait for wait in waits if wait] == [7.0, 30.0, 1.0, 2.0]


def test_timeout(fake: FakeEndpoint) -> None:
    fake.answers, fake.delay_seconds = ["late"], 0.4
    with pytest.raises(InputError, match=r"no answer within 0\.05 s"):
        chat(fake.endpoint(timeout_seconds=0.05), "hi")


def test_refused_connection(fake: FakeEndpoint) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=f"127.0.0.1:{port}/v1/chat/completions: cannot be reached"):
        chat(Endpoint(f"http://127.0.0.1:{port}/v1", "fake"), "hi")


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "ftp://localhost", "http://[", "http://", "v1", "http://a:99999999"]
)
def test_bad_url(fake: FakeEndpoint, url: str) -> None:
    with pytest.raises(InputError, match=r"valid is a URL such as|cannot be reached"):
        chat(Endpoint(url, "fake"), "hi")


@pytest.mark.parametrize("key", ["k\u00e9y", "a\nb", "a\x00"])
def test_bad_key_is_not_shown(key: str) -> None:
    with pytest.raises(InputError, match="OPENAI_API_KEY") as error:
        Endpoint("http://localhost", "fake", api_key=key)
    assert key not in str(error.value)


# ------------------------------------------------------------------------------------------- the command

Run = Callable[..., Any]


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    app.add_typer(templates_app, name="templates")
    return lambda *arguments: CliRunner().invoke(app, ["templates", "write", *arguments])


def test_command_prints_yaml_and_nothing_else_on_stdout(
    fake: FakeEndpoint, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", fake.url)
    monkeypatch.setenv("OPENAI_API_KEY", " sk-secret\n")
    fake.answers = ["a draft", f"{GOOD[0]}\nThis is no good.", "1. yes", *["a draft", "This is no good."] * 2]
    result = run("teapot", "--model", "fake", "--count", "2")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"teapot:\n- {GOOD[0]}\n"
    assert "too short" in result.stderr and "only 1 of 2 texts" in result.stderr
    assert fake.requests[0]["key"] == "Bearer sk-secret" and "sk-secret" not in result.output


def test_command_adds_to_a_file_and_keeps_its_other_categories(fake: FakeEndpoint, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"# mine\nlid:\n- Grip the knob.\nteapot:\n- {GOOD[0]}\ncup:\n- Grip the rim.\n")
    fake.answers = ["a draft", "\n".join(GOOD), "1. yes\n2. yes"]
    result = run("teapot", "--endpoint", fake.url, "--model", "fake", "--count", "2", "--out", str(path))
    assert result.exit_code == 0 and result.stdout == "", result.output
    texts = {"lid": ("Grip the knob.",), "teapot": GOOD, "cup": ("Grip the rim.",)}
    assert load_reasoning(path) == texts and path.read_text().startswith("# mine\n")
    assert list(tmp_path.iterdir()) == [path]


def test_command_differs_from_the_shipped_texts(fake: FakeEndpoint, run: Run) -> None:
    shipped = load_reasoning()["mug"]
    fake.answers = ["a draft", shipped[0]] * 3
    result = run("mug", "--endpoint", fake.url, "--model", "fake", "--count", "1")
    assert isinstance(result.exception, InputError) and "none of the model's 3 texts" in str(result.exception)
    assert "is a duplicate of" in result.stderr and shipped[1] in fake.prompts()[0]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), "no endpoint"),
        (("--endpoint", "http://127.0.0.1:1"), "no model"),
        (
            ("--endpoint", "http://127.0.0.1:1", "--model", "m", "--timeout", "0"),
            "positive number of seconds",
        ),
        (("--endpoint", "http://127.0.0.1:1", "--model", "m", "--count", "0"), "valid is 1 to 50"),
        (("--endpoint", "http://127.0.0.1:1", "--model", "m"), "cannot be reached"),
    ],
)
def test_command_failures(fake: FakeEndpoint, run: Run, arguments: tuple[str, ...], found: str) -> None:
    result = run("mug", *arguments)
    assert isinstance(result.exception, InputError) and found in str(result.exception)


def test_command_reads_the_file_before_it_asks(fake: FakeEndpoint, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("mug: 3\n")
    result = run("mug", "--endpoint", fake.url, "--model", "fake", "--out", str(path))
    assert isinstance(result.exception, InputError) and fake.requests == []
    assert path.read_text() == "mug: 3\n"
