"""A workflow's script without the mod: each agent whose prompt stands in it is asked for by the model that it needs."""

import json
import time

import pytest
from payloads import ask, logged, payload, prompt

from orchestrate.request import workflow_script

EASY = "Fix the typo in README.md"
HARD = (
    "Find the cause of the intermittent deadlock between the connection pool and the cache writer: it cannot be "
    "reproduced, happens once a week under load, and we only have partial thread dumps. Prove the fix is right."
)
HEAD = "export const meta = { name: 'both', description: 'two agents' }\n"


def given(script):
    """The script with every agent that can be read asked for by a model of its own number."""
    found = [agent for agent in workflow_script.agents(script) if agent.at >= 0]
    return workflow_script.with_models(script, [(agent, str(number)) for number, agent in enumerate(found)])


@pytest.mark.parametrize(
    ("script", "changed"),
    [
        ("", ""),
        ("agent('x')", "agent('x', {model: '0'})"),
        ('agent("x",)', "agent(\"x\",{model: '0'})"),
        ("agent( `x` )", "agent( `x` , {model: '0'})"),
        ("agent('x', {})", "agent('x', { model: '0' })"),
        ("agent('x', {label: 'y'})", "agent('x', { model: '0',label: 'y'})"),
        ("agent /* who */ ( // what\n 'x')", "agent /* who */ ( // what\n 'x', {model: '0'})"),
        ("agent('x', {schema: {type: 'object'}}, )", "agent('x', { model: '0',schema: {type: 'object'}}, )"),
        (
            "await parallel([() => agent('x'), () => agent('y')])",
            "await parallel([() => agent('x', {model: '0'}), () => agent('y', {model: '1'})])",
        ),
        ("agent(`about ${agent('x')}`)", "agent(`about ${agent('x', {model: '0'})}`, {model: '1'})"),
        ("const half = items.length / 2\nagent('x')", "const half = items.length / 2\nagent('x', {model: '0'})"),
        ("// don't\nagent('x') /* can't */", "// don't\nagent('x', {model: '0'}) /* can't */"),
        ("log('agent(\"x\")'); agent('y')", "log('agent(\"x\")'); agent('y', {model: '0'})"),
        ("agent('it\\'s', {label: `}`})", "agent('it\\'s', { model: '0',label: `}`})"),
        ("agent(`--> <!-- \\\\ ${a} ${b}`)", "agent(`--> <!-- \\\\ ${a} ${b}`, {model: '0'})"),
        ("agent('x')\r\n// y\r\nagent('z')", "agent('x', {model: '0'})\r\n// y\r\nagent('z', {model: '1'})"),
        ("agent('x', {agentType: 'Explore'})", "agent('x', { model: '0',agentType: 'Explore'})"),
    ],
)
def test_what_can_be_read_gets_its_model(script, changed):
    assert given(script) == changed


@pytest.mark.parametrize(
    "script",
    [
        "agent(text)",
        "agent('x' + text)",
        "agent('x', options)",
        "agent('x', {model: 'opus'})",
        "agent('x', {...options})",
        "agent('x', {label: 'y'}.z)",
        "agent('x', {agentType: kind})",
        "agent('x', {schema: {agentType: 'y'}})",
        "mine.agent('x')",
        "agents('x'); my_agent('x'); agent2('x'); $agent('x')",
        "// agent('x')\n/* agent('y') */ 'agent()'",
        "agent()",
        "agent('x', {agentType: '' + kind})",
        "agent('x', {agentType: 'Explore'.trim()})",
        "agent('x', {label: ', agentType: \"Explore\"', agentType: 'mine'})",
        "agent('x', {schema: {a: 1, agentType: 'Explore'}, agentType: 'mine'})",
        "agent('x', {__proto__: base})",
        "agent(`${text}`)",
        "agent(`${text}\nFix the typo`)",
        "agent(`${text}\\n\\nList what you changed`)",
        "agent(`Your task: ${text}\nList what you changed`)",
        "agent(`Fix the typo\n  ${a} ${b}  `)",
    ],
)
def test_what_is_computed_or_chosen_stays(script):
    assert given(script) == script


@pytest.mark.parametrize(
    "script",
    [
        "const run = agent",
        "const agent = mine; agent('x')",
        "function agent(x) {}",
        "list.map(agent)",
        "(agent) => agent('x')",
        "text.replace(/'/g, ''); agent('x')",
        "return /agent('x')/",
        "(a + b) / 2; agent('x')",
        "let found\n/'/.test(\"); agent('x'); //'\")",
        "debugger /* \n */ /'/.test(\"); agent('x'); //'\")",
        "export default /'/.test(\"); agent('x'); //'\")",
        "const \\u0061gent = mine; agent('x')",
        "class A { #agent() {} run() { this.#agent('x') } }",
        "function* agent(x) {}; agent('x')",
        "// one\r`\nagent('x') // \r`",
        "// one\u2028`\nagent('x') // \u2028`",
        "// one\u2029`\nagent('x') // \u2029`",
        "<!-- `\nagent('x')\n<!-- `",
        "one\n  --> `\nagent('x')\n--> `",
        "agent('x'",
        "agent('x'))",
        "agent('x\n')",
        "agent(`x${'y'`)",
        "[agent('x'})",
        "/* agent('x')",
        "\N{LATIN SMALL LETTER E WITH ACUTE}agent('x')",
        "(" * 60 + ")" * 60,
        " " * 40_000 + "agent('x')",
    ],
    ids=lambda script: script[:30].strip() or "long",
)
def test_what_may_mean_anything_is_not_read(script):
    with pytest.raises(workflow_script.Unread):
        workflow_script.agents(script)


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        (r"'a\nb'", "a\nb"),
        (r"'it\'s'", "it's"),
        (r"'a\\nb'", "a\\nb"),
        ("'a\\\nb'", "ab"),
        (r"'\q'", "q"),
        ("''", ""),
        ("`Fix ${one(`it's ${two}`)} in ${three}\\nnow`", "Fix ${} in ${}\nnow"),
    ],
)
def test_the_prompt_is_what_the_script_means(quoted, text):
    assert [agent.prompt for agent in workflow_script.agents(f"agent({quoted})")] == [text]


@pytest.mark.parametrize(("opened", "closed"), [("agent(`of ${", "}`)"), ("agent('x', {a: () => ", "})")])
def test_agents_within_agents_are_read_in_a_moment(opened, closed):
    """Reading each of them once more for the one around it would take minutes."""
    deepest = next(deep for deep in range(30, 0, -1) if is_read(opened * deep + closed * deep))
    script = opened * deepest + " " * 30_000 + closed * deepest
    before = time.process_time()
    assert len(workflow_script.agents(script)) == deepest >= 10
    assert time.process_time() - before < 2  # 0.05 where nothing is traced


def is_read(script):
    try:
        workflow_script.agents(script)
    except workflow_script.Unread:
        return False
    return True


def workflow(script, **fields):
    asked = {"script": HEAD + script, **fields}
    return payload("PreToolUse", tool_name="Workflow", tool_input=asked)


def ruled(place):
    return [record["payload"] for record in logged(place) if record["type"] == "orchestration.spawn.requested"][-1]


def test_each_agent_of_a_workflow_gets_the_model_that_its_own_prompt_needs(project, place):
    call = workflow(f"await agent({json.dumps(EASY)})\nreturn agent({json.dumps(HARD)}, {{label: 'b'}})", args=[1])
    assert json.loads(ask(project, call)) == {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "updatedInput": {
                "script": f"{HEAD}await agent({json.dumps(EASY)}, {{model: 'haiku'}})\n"
                f"return agent({json.dumps(HARD)}, {{ model: 'opus',label: 'b'}})",
                "args": [1],
            },
        }
    }
    found = ruled(place)
    assert (found["rung"], found["tier"], found["rung_reason"]) == ("rewrite", None, "the mod gave no sign of life")
    assert [(one["tier"], one["model_set"]) for one in found["agents"]] == [("haiku", "haiku"), ("opus", "opus")]
    assert EASY not in json.dumps(found)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (workflow("agent('hm')"), "its agents stay as they were asked for"),
        (workflow("agent(text)"), "its agents stay as they were asked for"),
        (workflow(f"agent('{EASY}', {{agentType: 'tester'}})"), "its agents stay as they were asked for"),
        (workflow("return /x/"), "its script cannot be read here"),
        (workflow(f"agent('{EASY}')", resumeFromRunId="wf_1"), "a workflow that goes on keeps its script"),
        (payload("PreToolUse", tool_name="Workflow", tool_input={"name": "review"}), "its script is kept elsewhere"),
        (workflow(f"agent('{EASY}')", scriptPath="/tmp/review.js"), "its script is kept elsewhere"),
        (
            {**workflow(f"agent('{EASY}')"), "permission_mode": "plan"},
            "the mod gave no sign of life; in plan mode a rewritten call may be refused",
        ),
    ],
)
def test_a_workflow_that_is_left_as_it_is(call, why, project, place):
    assert ask(project, call) == b""
    assert (ruled(place)["rung"], ruled(place)["rung_reason"]) == ("none", why)


ASKED = f"agent('{EASY}')\nagent(text)\nagent('hm', {{label: 'b'}})\nagent('{EASY}', {{label: 'c'}})"
GIVEN = (
    f"agent('{EASY}', {{model: 'haiku'}})\nagent(text)\nagent('hm', {{label: 'b'}})\n"
    f"agent('{EASY}', {{ model: 'opus',label: 'c'}})"
)


@pytest.fixture
def resumed(tmp_path):
    """The call that goes on with a run which was given the script `earlier`."""

    def made(script, earlier, run="wf_1-a"):
        folder = tmp_path / "talk" / "workflows" / "scripts"
        folder.mkdir(parents=True)
        (folder / "both-wf_2.js").write_text("another")
        (folder / "both-wf_1-a.js").write_text(earlier)
        return {**workflow(script, resumeFromRunId=run), "transcript_path": str(tmp_path / "talk.jsonl")}

    return made


@pytest.mark.parametrize(
    ("script", "changed"),
    [
        (ASKED, GIVEN),
        (ASKED + "\nagent('Fix the typo')", GIVEN + "\nagent('Fix the typo')"),
        (ASKED.replace("text", "other"), GIVEN.partition("text")[0] + ASKED.partition("text")[2].join(["other", ""])),
    ],
    ids=["the same", "more at its end", "another in the middle"],
)
def test_a_workflow_that_goes_on_asks_for_what_it_was_given(script, changed, resumed, project, place):
    """The client keeps an agent's answer where prompt and options are as before, up to the first that is not."""
    answer = json.loads(ask(project, resumed(script, HEAD + GIVEN)))["hookSpecificOutput"]["updatedInput"]
    assert answer == {"script": HEAD + changed, "resumeFromRunId": "wf_1-a"}
    found = ruled(place)
    assert (found["rung"], found["rung_reason"]) == ("rewrite", "as in the run that goes on")
    assert [one["model_set"] for one in found["agents"]] == [*["haiku", "opus"][: changed.count("model: ")], None]


@pytest.mark.parametrize(
    ("earlier", "run"),
    [(ASKED, "wf_1-a"), (GIVEN, "wf_3"), (GIVEN, "../both-wf_1-a"), (GIVEN, 7), ("", "wf_1-a"), ("\0\ud7ff", "wf_1-a")],
)
def test_what_the_run_was_not_given_it_does_not_get(earlier, run, resumed, project, place):
    assert ask(project, resumed(ASKED, HEAD + earlier, run)) == b""
    assert (ruled(place)["rung"], ruled(place)["rung_reason"]) == ("none", "a workflow that goes on keeps its script")


@pytest.mark.parametrize(
    ("script", "models"),
    [
        (f"agent('{EASY}')", ["haiku"]),
        (f"agent('{EASY}'); mine.agent(text)", ["haiku"]),
        (f"agent('{EASY}'); agent(text)", ["haiku", None]),
        (f"agent('{EASY}'); agent('x', {{model: 'opus'}}); agent('y', options)", ["haiku", None, None]),
        (f"agent('{EASY}'); agent(`${{text}}`)", ["haiku", None]),
        (f"agent('{EASY}'); await workflow('other')", ["haiku", None]),
        (f"agent('{EASY}')\n" * 40 + f"agent({json.dumps(HARD)})", ["haiku", "opus", *["haiku"] * 30]),
        ("return /x/", [None]),
    ],
)
def test_the_record_tells_of_agents_that_nothing_was_decided_for(script, models, project, place):
    """Whoever looks for the model that served could take them for those that were decided."""
    ask(project, workflow(script))
    assert [agent["model_set"] for agent in ruled(place)["agents"]] == models


def test_the_user_s_own_choice_stands_for_a_workflow_too(project, place):
    ask(project, prompt(f"use opus for this: {EASY}"))
    assert ask(project, workflow(f"agent('{EASY}')")) == b""
    (agent,) = ruled(place)["agents"]
    assert (agent["model_set"], agent["rung_reason"]) == (None, "the user chose the model of this prompt")


def test_a_script_of_the_longest_kind_is_read_in_a_moment(project, place):
    script = "".join(f"agent('{EASY} {number}', {{label: 'n{number}'}})\n" for number in range(400))
    assert len(HEAD + script) < workflow_script.MOST
    assert (
        json.loads(ask(project, workflow(script)))["hookSpecificOutput"]["updatedInput"]["script"].count("haiku") == 400
    )
