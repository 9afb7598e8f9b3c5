"""The provider's own behaviour, over the SDKs it was made for and over bare HTTP."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request

import anthropic
import openai
import pytest

from harness.testing import (
    Fault,
    ProviderServer,
    Reasoning,
    Tokens,
    ToolCall,
    Turn,
    WordCounter,
    refuse_connections,
)

CALL = ToolCall(name="look_up", arguments={"term": "lien"}, id="call_9")
TURN = Turn(
    text="A claim on property.",
    tool_calls=(CALL,),
    reasoning=(Reasoning(text="It is land law.", seal="c2VhbA=="),),
    tokens=Tokens(input=50, cached=10, written=5, output=7, reasoning=3),
)


def openai_client(server: ProviderServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.openai_url, api_key="k", max_retries=0)


def anthropic_client(server: ProviderServer) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=server.origin, api_key="k", max_retries=0)


def asked(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


def test_chat_completions_in_one_piece():
    with ProviderServer([TURN]) as server, openai_client(server) as client:
        answer = client.chat.completions.create(model="m", messages=asked("lien?"))
    choice = answer.choices[0]
    assert choice.message.content == TURN.text
    assert choice.message.tool_calls[0].function.arguments == '{"term":"lien"}'
    assert choice.finish_reason == "tool_calls"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (50, 7)
    assert answer.usage.prompt_tokens_details.cached_tokens == 10
    assert answer.model == "m"


def test_responses_in_one_piece():
    with ProviderServer([TURN]) as server, openai_client(server) as client:
        answer = client.responses.create(model="m", input="lien?")
    assert answer.output_text == TURN.text
    assert [item.type for item in answer.output] == ["reasoning", "message", "function_call"]
    assert answer.output[0].encrypted_content == "c2VhbA=="
    assert answer.usage.input_tokens_details.cached_tokens == 10


def test_messages_in_one_piece():
    with ProviderServer([TURN]) as server, anthropic_client(server) as client:
        answer = client.messages.create(model="claude-x", max_tokens=9, messages=asked("lien?"))
    assert [block.type for block in answer.content] == ["thinking", "text", "tool_use"]
    assert answer.content[0].signature == "c2VhbA=="
    assert answer.content[2].input == {"term": "lien"}
    assert "input_text" not in answer.content[2].model_dump()
    assert answer.usage.input_tokens == 35, "Anthropic's input leaves out what is cached"
    assert answer.usage.cache_read_input_tokens == 10


def test_the_sdks_own_accumulators_agree_with_the_streams():
    """Each SDK puts a stream together by itself: an oracle for the events' shapes."""
    with ProviderServer([TURN, TURN, TURN]) as server:
        with (
            anthropic_client(server) as client,
            client.messages.stream(
                model="claude-x", max_tokens=9, messages=asked("lien?")
            ) as stream,
        ):
            message = stream.get_final_message()
        assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
        assert message.content[0].thinking == "It is land law."
        assert message.content[2].input == {"term": "lien"}
        assert message.stop_reason == "tool_use"
        with openai_client(server) as client:
            with client.responses.stream(model="m", input="lien?") as stream:
                response = stream.get_final_response()
            assert response.output_text == TURN.text
            with client.chat.completions.stream(model="m", messages=asked("lien?")) as stream:
                completion = stream.get_final_completion()
        assert completion.choices[0].message.content == TURN.text
        assert completion.choices[0].message.tool_calls[0].id == "call_9"


def test_a_turn_streams_in_as_many_pieces_as_it_says():
    turn = Turn(text="word " * 40, pieces=40)
    with ProviderServer([turn] * 3) as server:
        with openai_client(server) as client:
            stream = client.chat.completions.create(model="m", messages=asked("x"), stream=True)
            said = [one.choices[0].delta.content for one in stream if one.choices]
            chat = [text for text in said if text]
            events = client.responses.create(model="m", input="x", stream=True)
            responses = [one.delta for one in events if one.type == "response.output_text.delta"]
        with anthropic_client(server) as client:
            how = {"model": "claude-x", "max_tokens": 9, "messages": asked("x")}
            with client.messages.stream(**how) as stream:
                messages = list(stream.text_stream)
    assert chat == responses == messages == ["word "] * 40


def test_reasoning_in_chat_completions_is_a_field_of_its_own():
    with ProviderServer([TURN]) as server, openai_client(server) as client:
        stream = client.chat.completions.create(model="m", messages=asked("a"), stream=True)
        deltas = [chunk.choices[0].delta for chunk in stream if chunk.choices]
    thought = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    assert thought == "It is land law."
    assert "".join(delta.content or "" for delta in deltas) == TURN.text


def test_requests_are_kept():
    with ProviderServer([TURN]) as server, openai_client(server) as client:
        client.chat.completions.create(
            model="m", messages=asked("lien?"), extra_headers={"X-Test": "yes"}
        )
        request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["x-test"] == "yes"
    assert request.body["messages"][0]["content"] == "lien?"


def test_a_script_may_be_a_function_of_the_request():
    def answer(request):
        return Turn(text=request.body["messages"][-1]["content"].upper())

    with ProviderServer(answer) as server, openai_client(server) as client:
        for word in ("lien", "tort"):
            said = client.chat.completions.create(model="m", messages=asked(word))
            assert said.choices[0].message.content == word.upper()


def test_a_script_that_ran_out_says_so():
    with (
        ProviderServer([]) as server,
        openai_client(server) as client,
        pytest.raises(openai.BadRequestError, match="no more turns"),
    ):
        client.chat.completions.create(model="m", messages=asked("a"))


def test_an_assertion_in_a_script_fails_the_test():
    def answer(request):
        raise AssertionError("not what was expected")

    with (
        pytest.raises(AssertionError, match="not what was expected"),
        ProviderServer(answer) as server,
        openai_client(server) as client,
        pytest.raises(openai.BadRequestError),
    ):
        client.chat.completions.create(model="m", messages=asked("a"))


def test_a_cut_where_there_is_nothing_to_cut_fails_the_test():
    script = [Turn(text="words", fault=Fault(kind="cut_tool_call"))]
    with (
        pytest.raises(ValueError, match="nothing of the phase"),
        ProviderServer(script) as server,
        openai_client(server) as client,
        pytest.raises(openai.BadRequestError),
    ):
        client.chat.completions.create(model="m", messages=asked("a"), stream=True)


def test_faults_where_nothing_is_streamed():
    script = [Turn(fault=Fault(kind="overloaded", retry_after=9)), Turn(text="ok")]
    with ProviderServer(script) as server, anthropic_client(server) as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            client.messages.create(model="claude-x", max_tokens=9, messages=asked("a"))
        assert caught.value.status_code == 529
        assert caught.value.response.headers["retry-after"] == "9"
        assert caught.value.body["error"]["type"] == "overloaded_error"


def test_embeddings_as_floats_and_base64():
    with ProviderServer() as server, openai_client(server) as client:
        plain = client.embeddings.create(model="e", input=["a lien"], encoding_format="float")
        packed = client.embeddings.create(model="e", input="a lien")
        tokens = client.embeddings.create(model="e", input=[[1, 2], [3]], encoding_format="float")
        flat = client.embeddings.create(model="e", input=[1, 2], encoding_format="float")
    assert plain.data[0].embedding == pytest.approx(packed.data[0].embedding)
    assert len(tokens.data) == 2
    assert flat.data[0].embedding == tokens.data[0].embedding


def test_a_path_that_is_none():
    with ProviderServer() as server, pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.openai_url}/models")
    with caught.value as answer:
        assert answer.code == 404
        assert "Nothing at GET" in json.load(answer)["error"]["message"]


def test_closing_ends_what_is_slow_or_kept_alive():
    began = time.monotonic()
    with ProviderServer([Turn(text="late", delay=60.0)]) as server:
        host, port = server.origin.removeprefix("http://").split(":")
        slow = socket.create_connection((host, int(port)))
        body = b'{"model": "m", "messages": []}'
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        slow.sendall(head.encode() + body)
        while not server.requests:
            time.sleep(0.001)
    slow.settimeout(5)
    while slow.recv(65536):
        pass
    slow.close()
    assert time.monotonic() - began < 30


def test_connections_are_refused_and_the_port_is_held():
    with refuse_connections() as url:
        host, port = url.removeprefix("http://").split(":")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)))


def test_tokens_are_counted_where_a_turn_names_none():
    script = [Turn(text="one two three")]
    with (
        ProviderServer(script, counter=WordCounter()) as server,
        openai_client(server) as client,
    ):
        said = client.chat.completions.create(model="m", messages=asked("a b c d"))
    assert said.usage.completion_tokens == 3
    assert said.usage.prompt_tokens >= 4
