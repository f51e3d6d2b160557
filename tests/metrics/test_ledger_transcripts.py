"""Every message of the client's transcripts is taken exactly once, whatever happens to the files."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from killing import kill_each
from sessions import HAIKU, OPUS, SONNET, STAYED
from tiers import some

from metrics import transcripts
from metrics.ingest import ingest
from metrics.transcripts import Taken
from state.store import open_store

REPO = Path(__file__).resolve().parent.parent.parent
ALWAYS = ("2000-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z")


@pytest.fixture
def session(machine):
    return machine.session()


def take(place, store, chunk_bytes=1 << 20):
    ingest(place, store)
    return transcripts.take(store, chunk_bytes)


def stored(store):
    return sorted(store.served_between(*ALWAYS))


def ids(store):
    return {message.message_id for message in stored(store)}


def tokens(message):
    return message.input_tokens, message.output_tokens, message.cache_read_tokens, message.cache_write_tokens


def test_no_transcript_at_all(place, store):
    assert take(place, store) == Taken(messages=0, files=0, torn=0, unreadable=0)


def test_a_message_of_several_blocks_is_one_with_its_whole_usage(place, store, session):
    prompt = session.prompt(STAYED)
    key = session.main.answer(OPUS, blocks=("thinking", "text", "tool_use"), tokens=(10, 700, 30, 40))
    assert take(place, store) == Taken(messages=1, files=1, torn=0, unreadable=0)
    (message,) = stored(store)
    assert (message.message_id, message.session, message.prompt_id) == (key, session.name, prompt)
    assert (message.requested, message.served, message.effort) == (OPUS, OPUS, "medium")
    assert tokens(message) == (10, 700, 30, 40)
    assert (message.is_sidechain, message.is_copy, message.agent_id) == (False, False, None)


def test_only_what_came_since_is_taken(place, store, session):
    session.prompt(STAYED)
    session.main.answer(OPUS)
    assert take(place, store).messages == 1
    assert take(place, store).messages == 0
    session.main.answer(OPUS)
    assert take(place, store).messages == 1


def test_the_lines_of_a_message_may_come_in_two_readings(place, store, session):
    session.prompt(STAYED)
    key = session.main.answer(OPUS, blocks=("thinking",), tokens=(10, 1, 0, 0))
    assert take(place, store).messages == 1
    session.main.answer(OPUS, key=key, tokens=(10, 90, 0, 0))
    assert take(place, store).messages == 0
    assert [tokens(message) for message in stored(store)] == [(10, 90, 0, 0)]


def test_the_prompt_of_a_message_is_known_in_the_next_reading(place, store, session):
    prompts = []
    for _ in range(3):
        prompts.append(session.prompt(STAYED))
        take(place, store)
        session.main.answer(OPUS)
        session.main.result("x" * 100_000)
        take(place, store)
        session.main.answer(OPUS)
    take(place, store)
    assert [message.prompt_id for message in sorted(stored(store), key=lambda message: message.ts)] == [
        prompt for prompt in prompts for _ in range(2)
    ]


def test_two_that_write_one_file_at_once_keep_their_prompts(place, store, session):
    first = session.prompt(STAYED)
    mine = session.main.parent
    session.main.parent = None
    second = session.prompt(STAYED)
    theirs, expected = session.main.parent, {}
    for _ in range(3):
        session.main.parent = mine
        expected[session.main.answer(OPUS)] = first
        mine, session.main.parent = session.main.parent, theirs
        expected[session.main.answer(HAIKU)] = second
        theirs = session.main.parent
        take(place, store)
    assert {message.message_id: message.prompt_id for message in stored(store)} == expected


def test_an_agents_file_tells_who_it_is_and_who_called_it(place, store, session):
    prompt = session.prompt(STAYED)
    child = session.spawn("Explore", resolved=SONNET, served=[SONNET], meta_model="sonnet")
    assert take(place, store).files == 2
    (message,) = [message for message in stored(store) if message.agent_id]
    meta = json.loads(child.path.with_suffix(".meta.json").read_text())
    assert (message.agent_id, message.agent_type, message.spawn_model) == (child.agent, "Explore", "sonnet")
    assert (message.prompt_id, message.tool_use_id, message.is_sidechain) == (prompt, meta["toolUseId"], True)


@pytest.mark.parametrize("meta", [None, b"", b"{", b"[]", b'{"toolUseId": 7}'])
def test_an_agent_without_its_card_is_taken_all_the_same(place, store, session, meta):
    session.prompt(STAYED)
    child = session.spawn(served=[HAIKU])
    card = child.path.with_suffix(".meta.json")
    card.unlink()
    if meta is not None:
        card.write_bytes(meta)
    take(place, store)
    assert [(m.agent_id, m.tool_use_id, m.served) for m in stored(store) if m.agent_id] == [(child.agent, None, HAIKU)]


def test_the_agents_of_a_workflow_lie_deeper(place, store, session):
    session.prompt(STAYED)
    child = session.spawn(served=[HAIKU])
    deeper = child.path.parent / "workflows" / "run-1"
    deeper.mkdir(parents=True)
    for path in (child.path, child.path.with_suffix(".meta.json")):
        path.rename(deeper / path.name)
    take(place, store)
    assert [message.agent_id for message in stored(store) if message.agent_id] == [child.agent]


@pytest.mark.parametrize("fork_first", [False, True])
def test_a_fork_copies_messages_and_does_not_own_them(place, store, session, fork_first):
    prompt = session.prompt(STAYED)
    old = session.main.answer(OPUS)
    fork = session.fork()
    new = fork.main.answer(HAIKU)
    if fork_first:
        away = session.main.path.rename(session.main.path.with_suffix(".away"))
        take(place, store)
        assert {(m.message_id, m.session, m.prompt_id, m.is_copy) for m in stored(store)} == {
            (old, fork.name, None, True),
            (new, fork.name, fork.prompt_id, False),
        }
        away.rename(session.main.path)
    take(place, store)
    assert {(m.message_id, m.session, m.prompt_id, m.is_copy) for m in stored(store)} == {
        (old, session.name, prompt, False),
        (new, fork.name, fork.prompt_id, False),
    }


def test_a_line_that_says_where_it_was_forked_from_is_a_copy(place, store, session):
    session.prompt(STAYED)
    session.main.answer(OPUS, forkedFrom={"sessionId": "elsewhere", "messageUuid": "x"})
    take(place, store)
    assert [(message.is_copy, message.prompt_id) for message in stored(store)] == [(True, None)]


def test_the_agent_that_is_a_fork_begins_with_its_parents_message(place, store, session):
    session.prompt(STAYED)
    child = session.spawn("fork", resolved=OPUS, served=[OPUS], meta_model="inherit")
    lines = session.main.path.read_text().splitlines()
    copied = next(json.loads(line) for line in lines if '"tool_use"' in line)
    copied |= {"parentUuid": None, "isSidechain": True, "agentId": child.agent, "uuid": "other"}
    child.path.write_text(json.dumps(copied, separators=(",", ":")) + "\n" + child.path.read_text())
    take(place, store)
    owners = {message.message_id: message.agent_id for message in stored(store)}
    assert owners[copied["message"]["id"]] is None
    assert sorted(map(str, owners.values())) == sorted(["None", child.agent])


def test_the_fork_of_an_agent_begins_with_that_agents_message(place, store, session):
    session.prompt(STAYED)
    fork = session.spawn("fork", resolved=OPUS, served=[OPUS])
    origin = session.spawn(served=[HAIKU])
    assert fork.agent < origin.agent
    copied = json.loads(origin.path.read_text().splitlines()[-1]) | {"parentUuid": None, "agentId": fork.agent}
    fork.path.write_text(json.dumps(copied, separators=(",", ":")) + "\n" + fork.path.read_text())
    take(place, store)
    owners = {message.message_id: message.agent_id for message in stored(store)}
    assert owners[copied["message"]["id"]] == origin.agent


def test_compaction_and_resume_go_on_in_the_same_file(place, store, session):
    first = session.prompt(STAYED)
    session.main.answer(OPUS)
    session.compact()
    session.main.answer(OPUS)
    session.resume()
    second = session.prompt(STAYED)
    session.main.answer(OPUS)
    assert take(place, store) == Taken(messages=3, files=1, torn=0, unreadable=0)
    assert sorted(message.prompt_id for message in stored(store)) == sorted([first, first, second])


@pytest.mark.parametrize("error", [{}, {"isApiErrorMessage": True, "error": "rate_limit"}])
def test_what_the_client_wrote_itself_was_served_by_nobody(place, store, session, error):
    session.prompt(STAYED)
    session.main.synthetic(**error)
    take(place, store)
    assert [(message.served, tokens(message)) for message in stored(store)] == [(None, (0, 0, 0, 0))]


def test_what_a_mod_answered_was_served_by_nobody(place, store, session):
    session.prompt(STAYED)
    usage = {"input_tokens": 0, "output_tokens": 0}
    message = {"id": "msg_hook_1", "model": OPUS, "role": "assistant", "content": [], "usage": usage}
    session.main.write("assistant", message=message)
    take(place, store)
    assert [message.served for message in stored(store)] == [None]


def test_a_fallback_is_remembered_until_the_next_prompt(place, store, session):
    session.prompt(STAYED)
    session.main.falls_back(OPUS, HAIKU)
    take(place, store)
    session.main.answer(HAIKU)
    session.main.result()
    session.main.answer(HAIKU)
    session.prompt(STAYED)
    session.main.answer(OPUS)
    take(place, store)
    assert [message.fallback_from for message in sorted(stored(store), key=lambda m: m.ts)] == [OPUS, OPUS, None]


def test_an_error_is_remembered_until_a_model_answers(place, store, session):
    session.prompt(STAYED)
    for _ in range(2):
        session.main.fails()
        take(place, store)
    session.main.answer(OPUS, blocks=("thinking", "text"))
    session.main.result()
    session.main.answer(OPUS)
    session.main.fails()
    session.prompt(STAYED)
    session.main.answer(OPUS)
    take(place, store)
    assert [message.after_error for message in sorted(stored(store), key=lambda m: m.ts)] == [True, False, False]


def test_a_torn_line_waits_for_its_newline(place, store, session):
    session.prompt(STAYED)
    session.main.answer(OPUS)
    whole = session.main.path.read_bytes()
    session.main.path.write_bytes(whole[:-40])
    assert take(place, store) == Taken(messages=0, files=1, torn=1, unreadable=0)
    with session.main.path.open("ab") as file:
        file.write(whole[-40:])
    assert take(place, store) == Taken(messages=1, files=1, torn=0, unreadable=0)


GARBAGE = {
    "no JSON": b'{"parentUuid": oops "type":"assistant"',
    "another JSON": b'["parentUuid", "assistant"]',
    "no message": b'{"parentUuid":null,"type":"assistant","timestamp":"2026-11-21T12:00:00.000Z"}',
    "a message of text": b'{"parentUuid":null,"type":"assistant","message":"x","timestamp":"2026-11-21T12:00:00.000Z"}',
    "no time": b'{"parentUuid":null,"type":"assistant","message":{"id":"m","model":"x"}}',
    "no time that is one": b'{"parentUuid":null,"type":"assistant","timestamp":"soon","message":{"id":"m"}}',
    "ids that are none": b'{"parentUuid":7,"type":"assistant","uuid":[],"message":{"id":8},"timestamp":9}',
    "zeros": b"\0" * 100 + b'"parentUuid"',
    "bytes": b'\xff\xfe"parentUuid"\x00',
    "deep": b'{"parentUuid":' + b"[" * 100_000,
}


@pytest.mark.parametrize("line", GARBAGE.values(), ids=GARBAGE)
def test_garbage_between_the_lines_costs_nothing_else(place, store, session, line):
    prompt = session.prompt(STAYED)
    session.main.raw(line + b"\n")
    key = session.main.answer(OPUS)
    take(place, store)
    assert [(message.message_id, message.prompt_id) for message in stored(store)] == [(key, prompt)]
    assert store.bad_lines() == 0  # that figure is of our own logs


@pytest.mark.parametrize("count", [-1, 1.5, True, None, "7", 1 << 70])
def test_a_count_that_is_none_is_nothing(place, store, session, count):
    session.prompt(STAYED)
    session.main.answer(OPUS, tokens=(count, count, count, count))
    take(place, store)
    assert [tokens(message) for message in stored(store)] == [(0, 0, 0, 0)]


def test_half_a_character_in_an_answer_is_no_loss(place, store, session):
    session.prompt(STAYED)
    key = session.main.answer(OPUS, note="\ud83d")
    take(place, store)
    assert ids(store) == {key}


def test_a_file_that_was_cut_and_written_on_is_read_again(place, store, session):
    session.prompt(STAYED)
    kept = session.main.answer(OPUS)
    cut = session.main.path.stat().st_size
    session.main.answer(HAIKU)
    take(place, store)
    with session.main.path.open("r+b") as file:
        file.truncate(cut)
    new = {session.main.answer(SONNET), session.main.answer(OPUS)}
    take(place, store)
    assert ids(store) >= {kept, *new}


def test_a_file_that_was_replaced_is_read_from_its_beginning(place, store, session):
    session.prompt(STAYED)
    key = session.main.answer(OPUS)
    take(place, store)
    beside = session.main.path.with_suffix(".new")
    shutil.copy(session.main.path, beside)
    os.replace(beside, session.main.path)
    new = session.main.answer(OPUS)
    assert take(place, store).messages == 1
    assert ids(store) == {key, new}
    assert len(store.transcript_positions()) == 1


def test_a_file_that_vanished_leaves_what_was_read(place, store, session):
    session.prompt(STAYED)
    key = session.main.answer(OPUS)
    take(place, store)
    away = session.main.path.rename(session.main.path.with_suffix(".away"))
    assert take(place, store) == Taken(messages=0, files=0, torn=0, unreadable=0)
    assert (ids(store), store.transcript_positions()) == ({key}, {})
    away.rename(session.main.path)
    assert take(place, store).messages == 0


def test_a_pipe_or_a_folder_in_its_place_is_no_transcript(place, store, session):
    os.mkfifo(session.main.path)
    assert take(place, store).files == 0
    session.main.path.unlink()
    session.main.path.mkdir()
    assert take(place, store).files == 0


def test_the_report_reads_its_own_logs_and_leaves_the_transcripts_positions(place, store, session):
    session.prompt(STAYED)
    session.main.answer(OPUS)
    take(place, store)
    positions = store.transcript_positions()
    ingest(place, store)
    assert store.transcript_positions() == positions != {}


def test_what_is_older_than_all_that_is_known_of_a_session_has_no_prompt(place, store, machine):
    from sessions import Session

    session = Session(machine, "late")
    session.prompt()
    session.main.answer(OPUS)
    session.resume()
    prompt = session.prompt(STAYED)
    session.main.answer(OPUS)
    take(place, store)
    assert {(message.prompt_id, message.is_copy) for message in stored(store)} == {(None, True), (prompt, False)}


def busy(machine):
    """Sessions of many shapes, some of them forks of one another."""
    session = machine.session()
    for _ in range(3):
        session.prompt(STAYED)
        session.main.answer(OPUS, blocks=("thinking", "text", "tool_use"), tokens=(3, 40, 500, 6))
        session.main.result("x" * 3000)
        session.main.raw(b'garbage "parentUuid"\n\n')
        child = session.spawn("Explore", served=[SONNET, None, HAIKU], background=True)
        session.spawn(within=child, served=[HAIKU])
        session.main.falls_back(OPUS, SONNET)
        session.main.fails()
        session.main.answer(SONNET, blocks=("thinking", "text"))
        session.compact()
        session.main.answer(OPUS)
        session.resume()
        fork = session.fork()
        fork.main.answer(HAIKU)
        fork.fork().main.answer(SONNET)


@pytest.mark.parametrize("seed", some(range(40), 3))
def test_any_cuts_and_any_order_of_the_files_give_the_same(place, machine, tmp_path, seed):
    busy(machine)
    chance = random.Random(seed)
    whole = {path: path.read_bytes() for path in machine.files()}
    with open_store(place) as store:
        take(place, store)
        expected = stored(store)
        Path(place.state, "store.db").unlink()
    for path in whole:
        path.unlink()
    rest = {path: [*sorted(chance.sample(range(len(data)), 3)), len(data)] for path, data in whole.items()}
    with open_store(place) as store:
        while rest:
            for path in chance.sample(sorted(rest), chance.randint(1, len(rest))):
                written = path.stat().st_size if path.exists() else 0
                with path.open("ab") as file:
                    file.write(whole[path][written : rest[path].pop(0)])
                if not rest[path]:
                    del rest[path]
            take(place, store, chance.choice([64, 1000, 1 << 20]))
        assert stored(store) == expected
    assert len(expected) > 30


@pytest.mark.slow
def test_forty_megabytes_are_taken_in_two_seconds(place, store, session):
    session.prompt(STAYED)
    while session.main.path.stat().st_size < 40_000_000:
        for _ in range(20):
            session.main.answer(OPUS, blocks=("thinking", "text", "tool_use"))
            session.main.result("a line of output\n" * 2500)
        session.main.noise("x" * 40_000)
    started = time.process_time()
    assert take(place, store).messages > 400
    assert time.process_time() - started < 2


READ = """
import os, sys
sys.path.insert(0, sys.argv[1])
from metrics import transcripts
from metrics.ingest import ingest
from state.paths import locate
from state.store import open_store

place = locate(sys.argv[2], os.environ)
with open_store(place) as store:
    ingest(place, store)
    print("ready", flush=True)
    print(transcripts.take(store, 2048).messages)
"""
STEPS = """
import os, sys
sys.path.insert(0, sys.argv[1])
from metrics import transcripts
from metrics.ingest import ingest
from state.paths import locate
from state.store import open_store

place = locate(sys.argv[2], os.environ)
with open_store(place) as store:
    ingest(place, store)
    add = store.add_served

    def step(*stretch):
        added = add(*stretch)
        print("step", flush=True)
        sys.stdin.readline()
        return added

    store.add_served = step
    transcripts.take(store, 2048)
"""


@pytest.fixture
def long_session(session):
    session.prompt(STAYED)
    return {session.main.answer(OPUS, blocks=("thinking", "text")) for _ in range(1500)}


def reader(project):
    command = [sys.executable, "-c", READ, str(REPO), str(project)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)


@pytest.mark.slow
def test_a_reader_killed_at_any_moment_loses_and_doubles_nothing(project, place, long_session):
    kill_each([sys.executable, "-c", STEPS, str(REPO), str(project)], 12, random.Random(4))
    with open_store(place) as store:
        before = len(stored(store))
        assert transcripts.take(store).messages == len(long_session) - before
        assert ids(store) == long_session
        assert {tokens(message) for message in stored(store)} == {(10, 5, 0, 0)}


def test_readers_at_the_same_time_share_the_work(project, place, long_session):
    readers = [reader(project) for _ in range(3)]
    told = [process.communicate(timeout=100)[0].split() for process in readers]
    assert [process.returncode for process in readers] == [0] * 3
    assert sum(int(line[1]) for line in told) == len(long_session)
    with open_store(place) as store:
        assert ids(store) == long_session
