"""A client for both parts: it works as $WORK_<TIER> says (a line for the shell), and judges as $JUDGES says."""

from python_program import python_program

PROGRAM = r"""
import json, os, re, subprocess, sys
argv, asked = sys.argv[1:], sys.stdin.read()
words = dict(zip(argv, argv[1:]))
model = words["--model"]
is_judge = "Two coding agents" in words.get("--system-prompt", "")
with open(os.environ["CALLS"], "a") as file:
    file.write(json.dumps({"model": model, "judges": is_judge, "asked": asked, "cwd": os.getcwd(), "words": argv,
                           "env": dict(os.environ)}) + "\n")


def better():
    how = os.environ.get("JUDGES", "honest")
    if how != "honest":
        return how
    parts = re.findall(r"\[\w{16} what the (first|second) changed\]\n(.*?)\n\[", asked, re.S)
    worth = {who: ("GOOD" in changed) - ("BAD" in changed) for who, changed in parts}
    return "equal" if worth["first"] == worth["second"] else max(worth, key=worth.get)


def say(kind, **more):
    print(json.dumps({"type": kind, **more}), flush=True)


text = json.dumps({"better": better(), "reason": "it is"}) if is_judge else f"I, {model}, have done it in {os.getcwd()}"
line = "" if is_judge else os.environ.get("WORK_" + model.upper(), "echo GOOD > done.txt")
code = subprocess.run(["sh", "-c", line]).returncode
if code == 75:
    say("assistant", message={"id": "m", "model": "<synthetic>", "content": [], "usage": {}}, parent_tool_use_id=None,
        error="rate_limit", is_api_error_message=True, api_error_status=429)
    say("result", subtype="success", is_error=True, api_error_status=429, terminal_reason="api_error", result="429",
        modelUsage={})
    sys.exit(1)
if code == 76:
    say("result", subtype="error_max_turns", is_error=True, terminal_reason="max_turns", errors=["m"], modelUsage={})
    sys.exit(1)
served = os.environ.get("SERVED", f"claude-{model}-5-5")
usage = {served: {"inputTokens": 10, "outputTokens": 5, "costUSD": 0.25}}
if os.environ.get("USED"):
    say("rate_limit_event", rate_limit_info={"status": "allowed", "rateLimitType": "five_hour", "unifiedWindows": {
        "five_hour": {"utilization": float(os.environ["USED"]), "resetsAt": int(os.environ["RESETS"])}}})
say("system", subtype="init", apiKeySource=os.environ.get("KEY", "none"))
say("assistant", message={"id": "m", "model": served, "content": [{"type": "text", "text": text}], "usage": {}},
    parent_tool_use_id=None)
say("result", subtype="success", is_error=False, result=text, modelUsage=usage)
"""


def install(folder):
    folder.mkdir()
    return python_program(folder / "claude", PROGRAM)
