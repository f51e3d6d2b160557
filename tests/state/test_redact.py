"""What is taken out of a log line and what is left alone: two tables, and what must hold for any text."""

import json
import time

import pytest

from state import log
from state.redact import redact, redact_value

HEX40 = "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567"
B64 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PEM = "-----BEGIN {0}PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END {0}PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"

# In pieces, so that no scanner of repositories takes them for real ones.
SECRETS = {
    "anthropic": ("key sk-ant-" + "api03-AbCd_1234-xyz refused", "key [redacted:anthropic-key] refused"),
    "anthropic oauth": ("sk-ant-" + "oat01-AbCdEf123456", "[redacted:anthropic-key]"),
    "openai": ("using sk-" + "a1B2" * 10, "using [redacted:openai-key]"),
    "openai project": ("sk-proj-" + "a1_B2-" * 6 + "x", "[redacted:openai-key]"),
    "openrouter": ("sk-or-v1-" + HEX40, "[redacted:openai-key]"),
    "github classic": ("ghp_" + "a1B2" * 9, "[redacted:github-token]"),
    "github server": ("token ghs_" + "a1B2" * 9 + ".", "token [redacted:github-token]."),
    "github fine-grained": ("github_pat_" + "11ABCDE_" * 5, "[redacted:github-token]"),
    "gitlab": ("glpat-" + "a1B2c3D4e5F6g7H8i9J0", "[redacted:gitlab-token]"),
    "aws key id": ("aws AKIA" + "IOSFODNN7EXAMPLE ok", "aws [redacted:aws-key-id] ok"),
    "aws session key id": ("ASIA" + "IOSFODNN7EXAMPLE", "[redacted:aws-key-id]"),
    "aws secret": (f"aws_secret_access_key = {B64}", "aws_secret_access_key = [redacted:secret]"),
    "google": ("AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", "[redacted:google-key]"),
    "google oauth": ("ya29." + "a0AfH6SMBx_1234-abcdefgh", "[redacted:google-key]"),
    "slack": ("xoxb-" + "123456789012-abcdefABCDEF", "[redacted:slack-token]"),
    "slack webhook": (
        "https://hooks.slack.com/services/" + "T00000000/B00000000/XXXXabcd1234",
        "https://hooks.slack.com/services/[redacted:slack-webhook]",
    ),
    "discord webhook": (
        "https://discord.com/api/webhooks/" + "123456/abcdefghij_KLMNOPQRST",
        "https://discord.com/api/webhooks/[redacted:discord-webhook]",
    ),
    "stripe": ("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "[redacted:stripe-key]"),
    "sendgrid": ("SG." + "ngeVfQFYQlKU0ufo8x5d1A" + ".TwL2iGABf9DHoTf-09kqeF8tAmbihYzr", "[redacted:sendgrid-key]"),
    "npm": (
        "//registry.npmjs.org/:_authToken=npm_" + "a1B2" * 9,
        "//registry.npmjs.org/:_authToken=[redacted:npm-token]",
    ),
    "pypi": ("pypi-" + "AgEIcHlwaS5vcmcCJ" * 4, "[redacted:pypi-token]"),
    "hugging face": ("hf_" + "aBcD" * 9, "[redacted:huggingface-token]"),
    "digitalocean": ("dop_v1_" + HEX40 + HEX40[:24], "[redacted:digitalocean-token]"),
    "telegram": ("bot 123456789:AA" + "HdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "bot [redacted:telegram-token]"),
    "azure storage": (
        "AccountName=a;AccountKey=" + "a1B2" * 12 + "==;",
        "AccountName=a;AccountKey=[redacted:azure-key];",
    ),
    "age": ("AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2, "[redacted:age-key]"),
    "pem": (f"a\n{PEM.format('RSA ')}\nb", "a\n[redacted:private-key]\nb"),
    "pem of openssh in json": (
        json.dumps({"text": PEM.format("OPENSSH ")}),
        '{"text": "[redacted:private-key]"}',
    ),
    "pem cut off": ("x " + PEM.format("")[:50], "x [redacted:private-key]"),
    "jwt": (f"id={JWT};", "id=[redacted:jwt];"),
    "bearer": ("sent Bearer abcdef0123456789abcdef", "sent Bearer [redacted:bearer]"),
    "authorization basic": ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [redacted:authorization]"),
    "authorization of curl": (
        f"curl -H 'Authorization: Bearer {JWT}' https://x",
        "curl -H 'Authorization: [redacted:authorization]' https://x",
    ),
    "authorization in json": ('{"authorization":"Bearer abc"}', '{"authorization":"[redacted:authorization]"}'),
    "api key header": ("x-api-key: 12ab34cd56", "x-api-key: [redacted:secret]"),
    "cookie": ("< Set-Cookie: sid=a1b2c3; HttpOnly", "< Set-Cookie: [redacted:cookie]"),
    "url": ("postgresql://app:s3cr:et@db:5432/x", "postgresql://app:[redacted:url-password]@db:5432/x"),
    "url without user": ("redis://:hunter2@cache/0", "redis://:[redacted:url-password]@cache/0"),
    "url with a token": (
        "git clone https://" + "a1b2c3d4e5f6a7b8c9d0" + "@git.example.com/r",
        "git clone https://[redacted:url-token]@git.example.com/r",
    ),
    "url parameter": ("GET /v1?page=2&api_key=abcd1234&x=1", "GET /v1?page=2&api_key=[redacted:url-parameter]&x=1"),
    "password=": ("password=hunter", "password=[redacted:password]"),
    "password in a sentence's end": ("with password: correcthorse.", "with password: [redacted:password]"),
    "password in json": (
        '{"user":"u","password":"a\\"b c","x":1}',
        '{"user":"u","password":"[redacted:password]","x":1}',
    ),
    "password in json in json": (
        '"{\\"db_password\\":\\"hun ter\\"}"',
        '"{\\"db_password\\":\\"[redacted:password]\\"}"',
    ),
    "password in yaml": ("  passwd: 'it is a phrase'", "  passwd: '[redacted:password]'"),
    "password in python": ('PASSWORD = "tr0ub4dor"', 'PASSWORD = "[redacted:password]"'),
    "password of a connection": ("Server=db;Uid=sa;Pwd=secret1;", "Server=db;Uid=sa;Pwd=[redacted:password];"),
    "password of a flag": ("mysql --password hunter2 -h db", "mysql --password [redacted:password] -h db"),
    "password cut off": ('{"password": "hunter2 is lo', '{"password": "[redacted:password]'),
    "token of a flag": ("tool --auth-token=abc123def", "tool --auth-token=[redacted:secret]"),
    ".env": (
        "A=1\nDB_PASSWORD=x!\nexport API_TOKEN=abc123\n",
        "A=1\nDB_PASSWORD=[redacted:password]\nexport API_TOKEN=[redacted:secret]\n",
    ),
    "camel case": (
        '{"clientSecret": "0a1b2c", "accessToken": "zz9"}',
        '{"clientSecret": "[redacted:secret]", "accessToken": "[redacted:secret]"}',
    ),
}
HARMLESS = [
    "Fix typo in README.md",
    "commit 0f1e2d3c4b5a69788796a5b4c3d2e1f001234567",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "session 9e401858-cd5a-4d55-ae9d-331d16fe93d0 ended",
    "run r-20261121-101500-a1b2c3 finished: 4 turns, 1200 tokens",
    '{"input_tokens": 1200, "output_tokens": 88, "max_tokens": 32000}',
    "max_token=4096",
    "def login(password: str, token: str | None = None) -> bool:",
    "password = getpass.getpass()",
    'token = request.headers["x-token"]',
    "self.api_key = api_key",
    "api_key=settings.api_key,",
    "API_KEY=${API_KEY}",
    'password: "<your password>"',
    'token: "{{ secrets.DEPLOY_TOKEN }}"',
    "password: ********",
    "the password is required, the token has expired",
    "password: required",
    "tokenizer: cl100k_base",
    "the tokens: 512 of them",
    "secrets.py:12: unused import",
    "PWD=/home/me/project",
    "a bearer of bad news, and the bearer certificates_of_deposit",
    "https://example.com/users/me@example.com",
    "see https://docs.python.org/3/library/re.html?highlight=token#re.sub",
    "git@github.com:owner/repository.git",
    "mailto:someone@example.com at 10:15:00",
    "claude-haiku-4-5-20251001",
    "sk-learn and sk-image are imported",
    "risk-assessment-of-the-new-architecture-and-more",
    "C:\\Users\\me\\AppData, D:\\work",
    "cookie: the new banner",
    "authorization: see RFC 9110",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "key: value, primary_key=id, foreign key: user_id, keyboard=de",
    '{"type": "string", "name": "token_type", "token_type": "bearer"}',
    "error: --password is missing",
    "",
]


@pytest.mark.parametrize(("text", "expected"), SECRETS.values(), ids=SECRETS)
def test_a_secret_is_taken_out_and_nothing_else(text, expected):
    assert redact(text) == expected


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


@pytest.mark.parametrize(("text", "expected"), SECRETS.values(), ids=SECRETS)
def test_redacting_again_changes_nothing(text, expected):
    assert redact(expected) == expected


def test_the_secrets_of_a_long_text_all_go():
    lines = [text for text, _ in SECRETS.values() if "\n" not in text and "cut off" not in text]
    text = "\n".join(line for line in lines if "BEGIN" not in line)
    assert redact(text) == "\n".join(redact(line) for line in text.split("\n"))


def test_a_json_value_keeps_its_form():
    value = {
        "password": "x",
        "pin_password": 1234,
        "token": 7,
        "secret": True,
        "api_key": None,
        "empty_token": "",
        "dbSecret": "plain",
        "list": ["password=hunter2", 1, None, {"apiKey": "k"}],
        "credentials": {"user": "me", "password": "p"},
        "sk-ant-" + "api03-abcdefgh": 1.5,
    }
    assert redact_value(value) == {
        "password": "[redacted:password]",
        "pin_password": "[redacted:password]",
        "token": 7,
        "secret": True,
        "api_key": None,
        "empty_token": "",
        "dbSecret": "[redacted:secret]",
        "list": ["password=[redacted:password]", 1, None, {"apiKey": "[redacted:secret]"}],
        "credentials": {"user": "me", "password": "[redacted:password]"},
        "[redacted:anthropic-key]": 1.5,
    }


@pytest.mark.parametrize(
    "text",
    [
        "a-" * 50_000,
        "password" * 12_500,
        "-----BEGIN " * 9_000,
        "-----BEGIN PRIVATE KEY-----" * 4_000,
        "x://" * 25_000,
        "A" * 100_000,
        "eyJ" * 33_000,
        'password="' + "\\" * 100_000,
        "bearer " * 14_000,
        "cookie:" * 14_000,
        "?key=" * 20_000,
        "authorization: basic " * 5_000,
    ],
    ids=lambda text: text[:20],
)
def test_no_text_takes_long(text):
    def took_s():
        started = time.process_time()
        redact(text)
        return time.process_time() - started

    assert any(took_s() < 2 for _ in range(3))


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_story_on_stderr_is_redacted(capsys, form):
    log.want(form, "info")
    try:
        log.get().info("run.failed", detail="password=hunter2", token="abc123", tries=[{"apiKey": "k9"}], run="r-1")
    finally:
        log.want("text", "warning")
    err = capsys.readouterr().err
    assert [word for word in ("hunter2", "abc123", "k9") if word in err] == []
    assert [err.count(word) for word in ("[redacted:password]", "[redacted:secret]", "run.failed", "r-1")] == [
        1,
        2,
        1,
        1,
    ]
