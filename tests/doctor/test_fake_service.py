import json
from contextlib import closing
from http.client import HTTPConnection

import pytest

from orchestrate.doctor.fake_service import AGENT_HEADER, Asked, Service

KEY = "k"
SPAWN = {"description": "d", "prompt": "p"}
TOOLS = [{"name": "Bash"}, {"name": "Agent"}]


@pytest.fixture
def service():
    with closing(Service(KEY, SPAWN)) as running:
        yield running


@pytest.fixture
def ask(service):
    """Send a request: (status, the JSON that came back, or the events of a stream)."""

    def send(body, path="/v1/messages?beta=true", method="POST", **headers):
        connection = HTTPConnection("127.0.0.1", service.server_address[1], timeout=60)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, raw, {"x-api-key": KEY, **headers})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.headers["content-type"] == "text/event-stream":
            return answer.status, [json.loads(line[6:]) for line in data.decode().splitlines() if line[:6] == "data: "]
        return answer.status, json.loads(data) if data else None

    return send


def said(text):
    return [{"role": "user", "content": [{"type": "text", "text": text}]}]


def content(answer):
    return answer[1]["content"]


def test_the_main_thread_is_had_start_one_agent(service, ask):
    first = {"model": "big", "tools": TOOLS, "messages": said("hello")}
    (use,) = content(ask(first))
    assert (use["type"], use["name"], use["input"]) == ("tool_use", "Agent", SPAWN)
    result = {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "done"}]}]}
    assert content(ask({**first, "messages": [*said("hello"), result]})) == [{"type": "text", "text": "ok"}]
    assert service.asked == [Asked("big", False, "hello"), Asked("big", False, "hello\ndone")]


def test_an_older_name_of_the_tool_is_called_by_it(ask):
    (use,) = content(ask({"model": "big", "tools": [{"name": "Task"}], "messages": said("hello")}))
    assert use["name"] == "Task"


def test_an_agent_and_a_request_without_the_tool_get_a_word(service, ask):
    body = {"model": "small", "tools": TOOLS, "messages": said("p")}
    assert content(ask(body, **{AGENT_HEADER: "a-1"})) == [{"type": "text", "text": "ok"}]
    assert content(ask({"model": "tiny", "messages": "title?"})) == [{"type": "text", "text": "ok"}]
    assert service.asked == [Asked("small", True, "p"), Asked("tiny", False, "title?")]


def test_a_stream_says_the_same_in_parts(ask):
    status, events = ask({"model": "big", "stream": True, "tools": TOOLS, "messages": said("hello")})
    assert (status, [event["type"] for event in events]) == (
        200,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ],
    )
    assert json.loads(events[2]["delta"]["partial_json"]) == SPAWN
    assert events[4]["delta"]["stop_reason"] == "tool_use"
    _, events = ask({"model": "big", "stream": True, "messages": said("hello")})
    assert (events[2]["delta"]["text"], events[4]["delta"]["stop_reason"]) == ("ok", "end_turn")


@pytest.mark.parametrize("headers", [{"x-api-key": "of the user"}, {"authorization": "Bearer of-the-user"}])
def test_another_credential_is_turned_away_and_not_kept(headers, service, ask):
    assert ask({"model": "big", "messages": said("hello")}, **headers)[0] == 401
    assert (service.asked, service.strangers) == ([], 1)


@pytest.mark.parametrize(
    ("body", "path", "method", "status"),
    [
        ({}, "/v1/other", "POST", 404),
        (b"{", "/v1/messages", "POST", 404),
        (b"[]", "/v1/messages", "POST", 404),
        (b"", "/", "GET", 404),
        (b"", "/", "HEAD", 200),
    ],
)
def test_what_is_no_request_for_a_message(body, path, method, status, service, ask):
    assert ask(body, path, method)[0] == status
    assert service.asked == []
