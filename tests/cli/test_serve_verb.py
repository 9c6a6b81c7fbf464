"""`graspwise serve`: what is refused before a model is loaded, and a whole server from start to Ctrl-C."""

import importlib
import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

COMMAND = [sys.executable, "-c", "from graspwise.cli import main; main()", "serve", "--model", "blob"]


@pytest.mark.parametrize(
    "arguments, why",
    [
        (["--upstream", "http://localhost:1/v1#m", "--model", "http://localhost:2/v1#m"], "valid is one of them"),
        (
            ["--upstream", "http://localhost:1/v1#m", "--model", "blob", "--port", "0"],
            "blob beside --upstream: holds no card",
        ),
        (["--upstream", "http://localhost:1/v1#m", "--model", "small", "--port", "0"], "answers with its dense head"),
        (["--upstream", "http://localhost:1/v1#m,http://localhost:2/v1#n", "--port", "0"], "found the models m, n"),
        (["--upstream", "http://localhost:1/v1,http://localhost:1/v1#n", "--port", "0"], "names a server twice"),
        (["--upstream", "localhost:8000"], "valid is http://HOST:PORT/v1#MODEL"),
        (["--model", "blob", "--queue", "0"], "--queue"),
        (["--model", "blob", "--port", "70000"], "--port"),
        (["--model", "blob", "--timeout", "0"], "limit seconds"),
        (["--model", "blob", "--timeout", "nan"], "limit seconds"),
        (["--model", "blob", "--host", "", "--port", "0"], "--host '': blank"),
        (["--model", "blob", "--host", " ", "--port", "0"], "--host ' ': blank"),
        (["--model", "blob", "--host", "192.0.2.1", "--port", "0"], "cannot listen there"),
    ],
)
def test_what_is_not_valid_is_one_line(run, arguments, why):
    code, out, err = run("serve", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert why in err


@pytest.mark.parametrize("key", ["", " "])
def test_a_blank_key_does_not_open_the_server(run, monkeypatch, key):
    monkeypatch.setenv("GRASPWISE_API_KEY", key)
    code, out, err = run("serve", "--model", "blob", "--host", "192.0.2.1", "--port", "0")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "GRASPWISE_API_KEY: set, but blank" in err


@pytest.mark.parametrize("option", ["--upstream", "--model"])
def test_an_upstream_may_take_as_long_as_a_request(run, monkeypatch, option):
    served = []

    def run_http(model, listening, **options):
        listening.close()
        served.append(model)

    # The package has the command under the module's name.
    monkeypatch.setattr(importlib.import_module("graspwise.cli.serve"), "run_http", run_http)
    assert run("serve", option, "http://localhost:1/v1#m", "--timeout", "300", "--port", "0")[0] == 0
    assert served[0]._responder.upstreams.all[0].endpoint.timeout_seconds == 300
    two = "http://localhost:1/v1,http://localhost:2/v1#m"
    assert run("serve", option, two, "--timeout", "300", "--port", "0")[0] == 0
    assert [u.endpoint.timeout_seconds for u in served[1]._responder.upstreams.all] == [150, 150]


def test_a_taken_port_is_named(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = run("serve", "--model", "blob", "--port", str(port))
    assert code == 2 and f"--port {port}" in err


def test_a_server_starts_asks_for_its_key_and_ends_by_ctrl_c():
    environment = {**os.environ, "GRASPWISE_API_KEY": "secret"}
    with subprocess.Popen([*COMMAND, "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment) as server:
        try:
            line = server.stderr.readline()
            address = re.search(r"blob on (http://127\.0\.0\.1:\d+) ", line)[1]
            # Connections wait in the listening socket until the server has started.
            assert httpx.get(f"{address}/healthz", timeout=60).json()["status"] == "ok"
            assert httpx.get(f"{address}/v1/models", timeout=60).status_code == 401
            assert httpx.get(f"{address}/examples", timeout=60).json()["examples"]
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=60) == 130
            assert server.stderr.read() == ""
        finally:
            server.kill()


def test_a_client_that_does_not_read_does_not_hold_the_end_up():
    with subprocess.Popen([*COMMAND, "--port", "0", "--timeout", "1"], stderr=subprocess.PIPE, text=True) as server:
        try:
            port = int(re.search(r" on http://127\.0\.0\.1:(\d+) ", server.stderr.readline())[1])
            assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=60).status_code == 200
            with socket.socket() as deaf:
                deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                deaf.connect(("127.0.0.1", port))
                deaf.setblocking(False)
                asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
                # More answers than the sockets hold: the server waits for them to be read.
                deaf.send(asked)
                assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=60).status_code == 200
                server.send_signal(signal.SIGINT)
                assert server.wait(timeout=60) == 130
        finally:
            server.kill()
