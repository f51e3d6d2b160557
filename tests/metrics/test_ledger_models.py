import pytest

from metrics.ledger_models import OTHER, SAME, UNKNOWN, VERSION, fit, short


@pytest.mark.parametrize(
    ("asked", "served", "expected"),
    [
        ("haiku", "claude-haiku-5-5", SAME),
        ("haiku", "claude-haiku-4-5-20251001", SAME),
        ("haiku", "claude-3-5-haiku-latest", SAME),
        ("haiku", "us.anthropic.claude-haiku-4-5-20251001-v1:0", SAME),
        ("sonnet[1m]", "claude-sonnet-5-5", SAME),
        ("haiku", "claude-opus-5-5", OTHER),
        ("opus", "claude-fable-5-2", OTHER),
        ("fable", "claude-fable-5-2", SAME),
        ("haiku", "gateway/llama-9", UNKNOWN),
        ("haiku", "", UNKNOWN),
        ("inherit", "claude-opus-5-5", UNKNOWN),
        ("gateway/llama-9", "gateway/llama-9", SAME),
        ("gateway/llama-9", "claude-opus-5-5", UNKNOWN),
        ("claude-haiku-5-5", "claude-haiku-5-5", SAME),
        ("claude-haiku-5-5", "claude-haiku-5-5[1m]", SAME),
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001", SAME),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5", SAME),
        ("claude-haiku-4-5-20251001", "anthropic.claude-haiku-4-5-20251001-v1:0", SAME),
        ("claude-haiku-4-5-20251001", "arn:aws:bedrock:eu:1:p/eu.anthropic.claude-haiku-4-5-20251001-v2:0", SAME),
        ("claude-haiku-4-5@20251001", "claude-haiku-4-5-20251001", SAME),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022", SAME),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20260101", VERSION),
        ("claude-haiku-4-5-20251001", "claude-haiku-5-5", VERSION),
        ("claude-haiku-4-5", "claude-haiku-5-5", VERSION),
        ("claude-haiku-4-5", "claude-sonnet-4-5", OTHER),
    ],
)
def test_an_alias_asks_for_a_tier_and_an_id_for_a_version(asked, served, expected):
    assert fit(asked, served) == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("haiku", "haiku"),
        ("claude-opus-5-5", "opus-5-5"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "haiku-4-5-20251001"),
        ("gateway/llama-9", "gateway/llama-9"),
    ],
)
def test_a_model_is_said_shortly(model, expected):
    assert short(model) == expected
