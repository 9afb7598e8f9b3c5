"""MCP servers: a real one from the registry, one over HTTP, and those that misbehave."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.adapters.mcp_server import McpServer
from harness.documents.pictures import pictures_of
from harness.domain.own_servers import OwnServer
from harness.errors import ServerFailed, ToolError, ToolsNotTrusted
from harness.tools.server_results import fit

BMP = (
    b"BM"
    + struct.pack("<IHHIIiiHHIIiiII", 58, 0, 0, 54, 40, 1, 1, 1, 24, 0, 4, 1, 1, 0, 0)
    + b"AB\xff\0"
)

PNG = base64.b64encode(pictures_of("a.png", BMP)[0].png).decode()
GOOD = (
    f"""
PNG = {PNG!r}
"""
    + """
import sys
from mcp.server.fastmcp import FastMCP
server = FastMCP("good", host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)

@server.tool()
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b

@server.tool()
def secret() -> str:
    "What the environment says."
    import os
    return repr(sorted(os.environ.items()))

@server.tool()
def large(size: int) -> str:
    "A long text."
    return "x" * size

@server.tool()
def sleep(seconds: float) -> str:
    "Be slow."
    import time
    time.sleep(seconds)
    return "done"

@server.tool()
def scan(kind: str) -> list:
    "Show a page."
    import base64
    from mcp.types import AudioContent, ImageContent, ResourceLink
    data = PNG if kind == "png" else base64.b64encode(b"no picture").decode()
    return ["Page 1", ImageContent(type="image", data=data, mimeType="image/png"),
            AudioContent(type="audio", data="AAAA", mimeType="audio/wav"),
            ResourceLink(type="resource_link", uri="https://x.test/a.pdf", name="a")]

@server.tool()
def die() -> str:
    "End."
    import os, sys
    print("last words", file=sys.stderr, flush=True)
    os._exit(3)

server.run("streamable-http" if len(sys.argv) > 1 else "stdio")
"""
)

ANSWER = """
import json, sys
def say(**said): print(json.dumps({"jsonrpc": "2.0", **said}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("method") == "initialize":
        say(id=asked["id"], result={"protocolVersion": asked["params"]["protocolVersion"],
            "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}})
    elif asked.get("method") == "tools/list":
        TOOLS
    elif asked.get("method") == "tools/call":
        CALL
"""


def local(script: str, *words: str, **more: object) -> OwnServer:
    return OwnServer(name="x", command=sys.executable, args=("-c", script, *words), **more)


def answering(tools: str = "say(id=asked['id'], result={'tools': []})", call: str = "pass"):
    return local(ANSWER.replace("TOOLS", tools).replace("CALL", call), timeout=2)


async def closing(server: McpServer, work):
    try:
        return await work
    finally:
        await server.aclose()


def test_a_real_server_tells_the_time(tmp_path: Path):
    """mcp-server-time, as anyone installs it."""
    server = McpServer(
        OwnServer(name="time", command="mcp-server-time", args=("--local-timezone", "UTC")),
        tmp_path,
    )

    async def work():
        names = [one.name for one in await server.tools()]
        given = {
            "source_timezone": "Europe/Berlin",
            "time": "12:00",
            "target_timezone": "Asia/Tokyo",
        }
        text, _ = await server.call("convert_time", given)
        with pytest.raises(ToolError, match="Nowhere"):
            await server.call("get_current_time", {"timezone": "Nowhere/At_All"})
        again, _ = await server.call("get_current_time", {"timezone": "UTC"})
        return names, json.loads(text), json.loads(again)

    names, converted, again = asyncio.run(closing(server, work()))
    assert names == ["get_current_time", "convert_time"]
    assert converted["target"]["timezone"] == "Asia/Tokyo"
    assert converted["time_difference"] in ("+7.0h", "+8.0h")
    assert again["timezone"] == "UTC"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-c", GOOD, str(port)], stderr=subprocess.DEVNULL
    ) as process:
        for _ in range(200):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
        process.kill()


def test_a_server_over_http(address: str, tmp_path: Path):
    server = McpServer(OwnServer(name="web", url=address), tmp_path)

    async def work():
        names = {one.name for one in await server.tools()}
        return names, (await server.call("add", {"a": 2, "b": 40}))[0]

    names, text = asyncio.run(closing(server, work()))
    assert names == {"add", "secret", "large", "sleep", "scan", "die"}
    assert text == "42"


def test_pictures_come_as_pictures_and_what_else_is_no_text_in_words(tmp_path: Path):
    server = McpServer(local(GOOD, timeout=20), tmp_path)

    async def work():
        good, _ = await server.call("scan", {"kind": "png"})
        bad, _ = await server.call("scan", {"kind": "none"})
        return await fit(good), await fit(bad)

    good, bad = asyncio.run(closing(server, work()))
    assert isinstance(good, list)
    words = [one.get("text", one["type"]) for one in good]
    sound, link = "[sound (audio/wav), not played]", "[file: https://x.test/a.pdf, not fetched]"
    assert words == ["Page 1", "image", sound, link]
    assert base64.b64decode(good[1]["base64"])[:8] == b"\x89PNG\r\n\x1a\n"
    assert isinstance(bad, str)
    first, said, *more = bad.split("\n")
    assert (first, more) == ("Page 1", [sound, link])
    assert said.startswith("[a picture, not shown: `picture.png` is a picture that can't be opened")


def test_a_local_server_lives_dies_and_is_started_anew(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-servers")
    monkeypatch.setenv("TIME_TOKEN", "for-this-one")
    server = McpServer(local(GOOD, env={"TOKEN": "secret:TIME_TOKEN"}, timeout=20), tmp_path)

    async def work():
        environment, _ = await server.call("secret", {})
        with pytest.raises(ServerFailed, match="last words"):
            await server.call("die", {})
        text, _ = await server.call("add", {"a": 1, "b": 1})
        return environment, text

    environment, text = asyncio.run(closing(server, work()))
    assert "sk-not-for-servers" not in environment
    assert "for-this-one" in environment
    assert text == "2"


def test_a_tool_that_is_too_slow_is_given_up_and_the_server_lives(tmp_path: Path):
    server = McpServer(local(GOOD, timeout=1), tmp_path)

    async def work():
        await server.tools()
        with pytest.raises(ServerFailed, match="within 1 seconds"):
            await server.call("sleep", {"seconds": 1.5})
        await asyncio.sleep(1)
        return await server.call("add", {"a": 1, "b": 1})

    assert asyncio.run(closing(server, work()))[0] == "2"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("import time; time.sleep(100)", "did not give its list of tools within"),
        ("import sys; sys.exit('no license')", "no license"),
        ("print('{\"jsonrpc\": nonsense', flush=True)\nimport time; time.sleep(9)", "no message"),
        ("while True: print('log line')", "no message"),
        ("import sys\nwhile True: sys.stdout.write('x' * 100_000)", "a line of more than 8 MB"),
        ("import sys\nsys.stdout.buffer.write(b'\\xff\\xfe{\\n' * 100)", "no message"),
    ],
)
def test_a_server_that_hangs_dies_floods_or_talks_nonsense(tmp_path: Path, script: str, says: str):
    server = McpServer(local(script), tmp_path, start_timeout=1 if "within" in says else 10)
    with pytest.raises(ServerFailed, match=says):
        asyncio.run(closing(server, server.tools()))


def test_some_lines_that_are_no_messages_are_passed_over(tmp_path: Path):
    chatty = "print('starting up', flush=True)\n" + GOOD
    server = McpServer(local(chatty), tmp_path)
    assert asyncio.run(closing(server, server.call("add", {"a": 1, "b": 1})))[0] == "2"


def test_answers_that_make_no_sense(tmp_path: Path):
    for tools, says in (
        ("say(id=asked['id'], result={'tools': [{'nome': 1}]})", "failed"),
        ("say(id=asked['id'], result='none')", "failed"),
        ("say(id=asked['id'], error={'code': -1, 'message': 'not today'})", "not today"),
    ):
        server = McpServer(answering(tools), tmp_path, start_timeout=3)
        with pytest.raises(ServerFailed, match=says):
            asyncio.run(closing(server, server.tools()))


def test_a_flood_of_messages_ends_the_connection(tmp_path: Path):
    flood = (
        "while True: say(method='notifications/message',"
        " params={'level': 'info', 'data': 'x' * 500_000})"
    )
    server = McpServer(answering(flood), tmp_path, start_timeout=20)
    with pytest.raises(ServerFailed, match="more than 64 MB"):
        asyncio.run(closing(server, server.tools()))


def test_ten_thousand_tools_are_listed_without_harm(tmp_path: Path):
    many = (
        "say(id=asked['id'], result={'tools': [{'name': f't{n}', 'inputSchema': {}}"
        " for n in range(10_000)]})"
    )
    server = McpServer(answering(many), tmp_path)
    assert len(asyncio.run(closing(server, server.tools()))) == 10_000


def test_a_tool_that_is_described_otherwise_is_not_called(tmp_path: Path):
    server = McpServer(local(GOOD), tmp_path)

    async def work():
        with pytest.raises(ServerFailed, match="describes differently"):
            await server.call("add", {"a": 1, "b": 1}, expect=lambda _: False)
        with pytest.raises(ServerFailed, match="no longer offers"):
            await server.call("subtract", {})

    asyncio.run(closing(server, work()))


def test_what_can_not_be_started(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    for server, says in (
        (OwnServer(name="x", command="no-such-program"), "no program `no-such-program`"),
        (OwnServer(name="x", command="./missing.py"), "no program"),
        (local(GOOD, env={"TOKEN": "secret:NO_SUCH_TOKEN"}), "NO_SUCH_TOKEN"),
        (OwnServer(name="x", url="http://127.0.0.1:9/mcp"), "failed"),
    ):
        made = McpServer(server, tmp_path)
        with pytest.raises(ServerFailed, match=says):
            asyncio.run(closing(made, made.tools()))


def test_it_is_asked_before_each_start_whether_it_may(tmp_path: Path):
    def refuse() -> None:
        raise ToolsNotTrusted("They have changed.")

    server = McpServer(local(GOOD), tmp_path, before_start=refuse)
    with pytest.raises(ToolsNotTrusted):
        asyncio.run(server.tools())


def test_another_event_loop_gets_a_connection_of_its_own(tmp_path: Path):
    server = McpServer(local(GOOD), tmp_path)

    async def add() -> str:
        return (await server.call("add", {"a": 1, "b": 1}))[0]

    first = asyncio.new_event_loop()
    assert first.run_until_complete(add()) == "2"
    assert asyncio.run(closing(server, add())) == "2"
    first.run_until_complete(asyncio.sleep(0.5))
    pending = asyncio.all_tasks(first)
    if pending:
        first.run_until_complete(asyncio.wait(pending, timeout=5))
    first.close()
