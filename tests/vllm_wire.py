"""A server that speaks vLLM's wire format, for tests: its models, its structured outputs, its streams."""

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = "A mug, held by its handle.\nGrasp point coordinates: [0.250, 0.500]\nRotation angle in radians: +0.30"


class FakeVllm:
    """Writes `text`, word by word where it is asked to stream; a text that its grammar does not allow is a 500.

    Attributes:
        bodies: What chat completions were asked for.
        checks: How often its models were asked for.
        status: Other than 200: what it answers with.
        breaks_after: Words after which it closes the connection; None for none.
        gate: Held back until it is set, once the request is there.
    """

    def __init__(self, text: str = GOOD, *, model: str = "vlm", owner: str = "vllm") -> None:
        self.text, self.status, self.breaks_after = text, 200, None
        self.bodies: list[dict[str, Any]] = []
        self.checks = 0
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Semaphore(0)
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fake.checks += 1
                self.tell({"object": "list", "data": [{"id": model, "object": "model", "owned_by": owner}]})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                fake.bodies.append(body)
                fake.arrived.release()
                assert fake.gate.wait(timeout=60)
                pattern = body.get("structured_outputs", {}).get("regex", ".*")
                if not re.fullmatch(pattern, fake.text, re.DOTALL):
                    self.tell({"error": {"message": "the fake cannot write that"}}, 500)
                elif body.get("stream"):
                    self.stream()
                else:
                    message = {"role": "assistant", "content": fake.text, "reasoning_content": None}
                    self.tell({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

            def tell(self, value: Any, status: int = 200) -> None:
                content = json.dumps(value if fake.status == 200 else {"message": "not now"}).encode()
                self.send_response(status if fake.status == 200 else fake.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def stream(self) -> None:
                if fake.status != 200:
                    self.tell({})
                    return
                self.send_response(200)
                self.send_header("content-type", "text/event-stream; charset=utf-8")
                self.send_header("connection", "close")
                self.end_headers()
                self.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
                for number, word in enumerate(re.findall(r"\S+\s*", fake.text)):
                    if number == fake.breaks_after:
                        self.close_connection = True
                        return
                    self.event({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
                self.event({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]})
                self.event({"choices": [], "usage": {"completion_tokens": 9}})
                self.wfile.write(b"data: [DONE]\n\n")
                self.close_connection = True

            def event(self, value: Any) -> None:
                self.wfile.write(f"data: {json.dumps(value)}\n\n".encode())

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"


def several(serve: Callable[[ThreadingHTTPServer], None], count: int, **options: Any) -> list[FakeVllm]:
    """Running servers of one model."""
    found = [FakeVllm(**options) for _ in range(count)]
    for fake in found:
        serve(fake.server)
    return found


def named(servers: list[FakeVllm], model: str = "vlm") -> str:
    return f"{','.join(fake.url for fake in servers)}#{model}"
