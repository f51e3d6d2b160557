"""The slow form of the status line, for a look by hand."""

import io
import json
import sys

import pytest


@pytest.fixture
def stdin(monkeypatch):
    def put(raw):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))

    return put


def test_it_prints_the_line_for_a_payload(cli, stdin, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("COLUMNS", raising=False)
    stdin(json.dumps({"model": {"id": "claude-opus-5-5"}}).encode())
    assert cli("statusline") == (0, "opus · rewrite\n", "")


@pytest.mark.parametrize("raw", [b"", b"garbage", b"\xff\x00", b"[]"])
def test_garbage_is_no_line_and_no_failure(raw, cli, stdin):
    stdin(raw)
    assert cli("statusline") == (0, "", "")
