"""Prompts of one class of work that can step down, whichever that is for the weights of today."""

from collections import Counter

from made_users import prompts

from orchestrate.shadow import classes

ALL = prompts(300)
MEMBERS = {text: [group.name for group in classes.of(text, None)] for text in ALL}
NAME = Counter(name for names in MEMBERS.values() for name in names if name.startswith("sonnet/")).most_common(1)[0][0]
TEXTS = [text for text in ALL if NAME in MEMBERS[text]]
