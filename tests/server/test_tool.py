"""The tool for agents: what it says of itself, the same answer as everywhere, and errors in words."""

import anyio
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from served import WRITTEN, picture_base64

from graspwise.conversation import text_of
from graspwise.predict import Model
from graspwise.server.limits import Limits
from graspwise.server.mcp import create_mcp
from graspwise.server.schema import GraspAnswer


def call(server, arguments):
    async def main():
        async with Client(server) as client:
            tools = (await client.list_tools()).tools
            return tools, await client.call_tool("grasp", arguments)

    return anyio.run(main)


def test_the_tool_answers_the_object_of_predict(blob):
    arguments = {"image": picture_base64(), "instruction": "Pick it up", "workspace": [30, 0, 80, 40]}
    tools, result = call(create_mcp(blob, limits=Limits()), arguments)
    assert [tool.name for tool in tools] == ["grasp"]
    assert set(tools[0].input_schema["required"]) == {"image", "instruction"}
    assert not result.is_error
    answer = GraspAnswer.model_validate(result.structured_content)
    assert answer.model == "blob" and answer.image_size == [80, 40]
    assert answer.grasp_px.x == pytest.approx(42.5, abs=1)


@pytest.mark.parametrize(
    "arguments, why",
    [
        ({"image": "/etc/passwd", "instruction": "a"}, "base64"),
        ({"image": picture_base64(), "instruction": " "}, "instruction is empty"),
        ({"image": picture_base64((300, 300)), "instruction": "a"}, "at most 20000"),
        ({"image": picture_base64(), "instruction": "a", "workspace": [0, 0, 1]}, "workspace"),
    ],
)
def test_what_is_wrong_is_said_in_words(blob, arguments, why):
    _, result = call(create_mcp(blob, limits=Limits(pixels=20_000)), arguments)
    assert result.is_error and why in result.content[0].text


def test_an_answer_back_reaches_the_model_with_what_was_said(writer):
    first = {"image": picture_base64(), "instruction": "Pick it up"}
    answer = call(create_mcp(Model(writer), limits=Limits()), first)[1].structured_content
    earlier = [
        {"role": "user", "content": "Pick it up"},
        {"role": "assistant", "content": answer["text"], "model_text": answer["model_text"]},
    ]
    arguments = {**first, "instruction": "further left", "messages": earlier}
    _, result = call(create_mcp(Model(writer), limits=Limits()), arguments)
    assert not result.is_error
    assert [text_of(turn) for turn in writer.asked[1][0]] == ["Pick it up", WRITTEN, "further left"]


def test_the_command_line_is_a_server_on_stdin_and_stdout(tmp_path):
    import sys

    command = StdioServerParameters(
        command=sys.executable,
        args=["-c", "from graspwise.cli import main; main()", "serve", "--mcp", "--model", "blob"],
    )
    _, result = call(stdio_client(command), {"image": picture_base64(), "instruction": "a"})
    assert result.structured_content["model"] == "blob"
