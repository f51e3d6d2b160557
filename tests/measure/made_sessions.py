"""Transcripts as the client writes them, of sessions that nobody had: shapes with a seed, and sessions by chance."""

import json
import random
import time
from typing import NamedTuple

START = 1795200000.0
MODELS = {"haiku": "claude-haiku-5-5", "sonnet": "claude-sonnet-5-5", "opus": "claude-opus-5-5"}
TIERS = ("haiku", "sonnet", "opus")
TTL_S = {"5m": 300.0, "1h": 3600.0}
# Prompts that the router is sure about, for sessions without labels.
TEXTS = {
    "haiku": ("Fix typo in README.md", "Bump the version in pyproject.toml to 1.4.2", "Rename foo to bar in utils.py"),
    "sonnet": ("Add a test for the date parser, run the suite and fix what fails",),
    "opus": ("Why do the two workers deadlock on the lease? Find the race and prove the fix is correct",),
}


class Turn(NamedTuple):
    """`growth`: tokens that each of its steps adds to the history; `rewritten`: to what size it is cut before."""

    gap_s: float
    wanted: str
    steps: int
    out: int = 300
    growth: int = 1200
    step_s: float = 8.0
    rewritten: int | None = None
    text: str | None = None


class Shape(NamedTuple):
    turns: list[Turn]
    main: str = "opus"
    first: int = 18_000
    ttl: str = "5m"


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"


def lines(shape):
    """The transcript of a session that ran on its main model throughout."""
    at, context, kept, last = START, shape.first, 0, START
    for number, turn in enumerate(shape.turns):
        at += turn.gap_s
        if turn.rewritten is not None:
            context, kept = turn.rewritten, min(kept, 8_000)
            yield {"type": "system", "subtype": "compact_boundary", "timestamp": stamp(at), "isSidechain": False}
        yield prompt(turn, number, at)
        for step in range(turn.steps):
            at += turn.step_s
            context += turn.growth
            read = kept if at - last < TTL_S[shape.ttl] else 0
            usage = {"input_tokens": 4, "cache_read_input_tokens": read, "output_tokens": turn.out}
            usage["cache_creation_input_tokens"] = context - 4 - read
            kept, last = context - 4, at
            more = step + 1 < turn.steps
            yield from answer(f"msg_{number}_{step}", MODELS[shape.main], at, usage, shape.ttl, more)


def prompt(turn, number, at):
    said = {"type": "user", "isSidechain": False, "promptId": f"prompt-{number}", "timestamp": stamp(at)}
    if turn.text is None:
        said["wantedTier"] = turn.wanted
    return {**said, "message": {"role": "user", "content": turn.text or f"prompt {number}"}}


def answer(name, model, at, usage, ttl="5m", more=False):
    """A line, or two as for a text and a tool call, of which the first has the usage so far, and the tool's result."""
    message = {"id": name, "role": "assistant", "model": model, "usage": usage}
    block = {"type": "assistant", "isSidechain": False, "promptCacheRequested": ttl, "timestamp": stamp(at)}
    so_far = {**usage, "output_tokens": 1} if more else usage
    yield {**block, "message": {**message, "content": [{"type": "text", "text": "so"}], "usage": so_far}}
    if more:
        use = {"type": "tool_use", "id": f"toolu_{name}", "name": "Bash", "input": {"command": "true"}}
        yield {**block, "message": {**message, "content": [use]}}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{name}", "content": "done"}
        yield {"type": "user", "isSidechain": False, "timestamp": stamp(at), "message": {"content": [result]}}


def write(path, shape):
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines(shape)))
    return path


def about(chance, value, by=0.2):
    return value * chance.uniform(1 - by, 1 + by)


def turns(chance, wants, steps, gap_s=60.0, **fields):
    """Turns of people with habits: `steps` per tier wanted, about the same pause before each."""
    return [
        Turn(about(chance, gap_s), wanted, max(1, round(about(chance, steps[wanted]))), **fields) for wanted in wants
    ]


def long_task(chance):
    """One task and a correction or two."""
    wanted = chance.choice(TIERS[1:])
    return Shape(
        [
            *turns(chance, [wanted], {wanted: chance.randint(40, 80)}),
            *turns(chance, [wanted] * chance.randint(0, 2), {wanted: 10}),
        ]
    )


def chat(chance):
    """Questions and small wishes, a call or two each."""
    wants = ["haiku"] * chance.randint(10, 25)
    wants[chance.randint(3, 8)] = "sonnet"
    return Shape(turns(chance, wants, {"haiku": 1.5, "sonnet": 2}, chance.uniform(20, 90), growth=500))


def alternating(chance):
    """Hard work, and a small thing after each piece of it."""
    wants = ["opus", "haiku"] * chance.randint(4, 8)
    return Shape(turns(chance, wants, {"haiku": 2, "opus": chance.randint(8, 15)}, chance.uniform(20, 60)))


def slow_alternating(chance):
    """The same where the cache of the model that is left runs out meanwhile."""
    wants = ["opus", "haiku"] * chance.randint(4, 8)
    return Shape(turns(chance, wants, {"haiku": 2, "opus": chance.randint(8, 15)}, chance.uniform(180, 230)))


def short_dips(chance):
    """Hard work on much that was read, and a short question of ordinary weight now and then."""
    read = Turn(30, "opus", 15, growth=chance.randint(6_000, 10_000))
    wants = ["opus", "opus", "sonnet"] * chance.randint(3, 5)
    return Shape([read, *turns(chance, wants, {"sonnet": 2, "opus": 10}, chance.uniform(30, 90))])


def mixed(chance):
    """Some asides are worth a switch, others are not."""
    read = Turn(30, "opus", 12, growth=chance.randint(4_000, 8_000))
    wants = ["opus", "haiku", "opus", "sonnet"] * chance.randint(2, 4) + ["haiku"] * 4
    return Shape([read, *turns(chance, wants, {"haiku": 5, "sonnet": 2, "opus": 8}, chance.uniform(15, 40))])


def small_edits(chance):
    """Much is read, then come small edits."""
    read = Turn(30, "opus", 15, growth=chance.randint(8_000, 12_000))
    wants = [chance.choice(TIERS[:2])] * chance.randint(8, 20)
    return Shape([read, *turns(chance, wants, {"haiku": 3, "sonnet": 3}, chance.uniform(30, 120), out=250, growth=400)])


def nights(chance):
    """Three days of the same work."""
    wanted = chance.choice(TIERS[:2])
    days = []
    for _ in range(3):
        first, *rest = turns(chance, ["opus", *[wanted] * chance.randint(3, 6)], {"opus": 10, wanted: 8}, 60)
        days += [first._replace(gap_s=chance.uniform(4, 14) * 3600), *rest]
    return Shape(days)


def tool_loops(chance):
    wants = [chance.choice(TIERS[:2])] * chance.randint(4, 8)
    return Shape(turns(chance, wants, dict.fromkeys(TIERS, 25), chance.uniform(20, 240), growth=900))


def compaction(chance):
    """Work that fills the context three times."""
    parts = []
    for part in range(3):
        wants = ["opus", *[chance.choice(TIERS[:2])] * chance.randint(4, 7)]
        first, *rest = turns(chance, wants, dict.fromkeys(TIERS, 10), 70, growth=3_500)
        parts += [first._replace(rewritten=22_000 if part else None), *rest]
    return Shape(parts)


def growing(chance):
    """Every step reads much."""
    wants = ["opus"] * chance.randint(1, 3) + [chance.choice(TIERS[:2])] * chance.randint(4, 8)
    return Shape(turns(chance, wants, dict.fromkeys(TIERS, 7), 80, growth=5_000))


def hour_cache(chance):
    wants = ["opus", *[chance.choice(TIERS[:2])] * chance.randint(2, 4)] * 3
    return Shape(turns(chance, wants, dict.fromkeys(TIERS, 8), chance.uniform(60, 900)), ttl="1h")


def stretches(chance):
    """Hard work, then a long run of ordinary one, then hard again, then easy."""
    runs = [("opus", 2), ("sonnet", chance.randint(5, 9)), ("opus", 1), ("haiku", chance.randint(4, 8))]
    wants = [wanted for wanted, count in runs for _ in range(count)]
    return Shape(turns(chance, wants, dict.fromkeys(TIERS, 10), chance.uniform(20, 150)))


def coffee_breaks(chance):
    """Every wait is longer than the cache lives."""
    wants = chance.choices(TIERS, (4, 3, 3), k=chance.randint(8, 14))
    return Shape(turns(chance, wants, {"haiku": 3, "sonnet": 6, "opus": 10}, chance.uniform(500, 1200)))


def texts(chance):
    """The router reads the prompts itself."""
    wants = [*["opus"] * chance.randint(1, 2), *["haiku"] * chance.randint(4, 8), "sonnet", "sonnet"]
    made = turns(chance, wants, {"haiku": 4, "sonnet": 8, "opus": 12}, chance.uniform(20, 120))
    return Shape([turn._replace(text=chance.choice(TEXTS[turn.wanted])) for turn in made])


def cheap_main(chance):
    """The main model is less than some of the work needs."""
    wants = chance.choices(TIERS, (5, 3, 2), k=chance.randint(6, 14))
    steps = {"haiku": 4, "sonnet": 8, "opus": 12}
    return Shape(turns(chance, [*wants, "opus"], steps, chance.uniform(20, 200)), main=chance.choice(TIERS[:2]))


SHAPES = {
    shape.__name__: shape
    for shape in (
        long_task,
        chat,
        alternating,
        slow_alternating,
        short_dips,
        mixed,
        small_edits,
        nights,
        tool_loops,
        compaction,
        growing,
        hour_cache,
        stretches,
        coffee_breaks,
        texts,
    )
}


def shape(name, seed):
    return SHAPES[name](random.Random(f"{name} {seed}"))


def by_chance(seed):
    """A session whose habits are drawn first, and its turns from these."""
    chance = random.Random(f"chance {seed}")
    sticky = chance.uniform(0.2, 0.95)
    weights = [chance.uniform(0.2, 1) for _ in TIERS]
    mean_steps = {"haiku": chance.uniform(1, 5), "sonnet": chance.uniform(1, 14), "opus": chance.uniform(3, 25)}
    pause_s, spread = chance.uniform(20, 400), chance.uniform(0.3, 1.6)
    wanted, made = chance.choices(TIERS, weights)[0], []
    for _ in range(chance.randint(2, 40)):
        if chance.random() > sticky:
            wanted = chance.choices(TIERS, weights)[0]
        steps = 1 + int(chance.expovariate(1 / mean_steps[wanted]))
        out, growth = int(chance.uniform(80, 900)), int(chance.lognormvariate(7, 0.8))
        cut = chance.randint(15_000, 30_000) if made and chance.random() < 0.03 else None
        gap_s = pause_s * chance.lognormvariate(0, spread)
        made.append(Turn(gap_s, wanted, min(steps, 60), out, growth, chance.uniform(3, 20), cut))
    main = chance.choices(TIERS, (1, 2, 7))[0]
    ttl = "1h" if chance.random() < 0.15 else "5m"
    first = min(400_000, int(chance.lognormvariate(10.3, 0.9)))
    return Shape(made, main, first, ttl)
