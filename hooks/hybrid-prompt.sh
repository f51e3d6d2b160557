#!/bin/sh
# The UserPromptSubmit hook for batch and overnight runs, which are orchestrated; anything else gets a directive.
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
if [ "${CLAUDE_BATCH_MODE:-}" = 1 ] || [ "${CLAUDE_OVERNIGHT:-}" = 1 ]; then
  record=${HOME:+$HOME/.orchestrator/install/interpreter}
  [ -f "$record" ] && [ -r "$record" ] || exit 0
  { IFS= read -r python && IFS= read -r home; } <"$record" || exit 0
  [ -f "$python" ] && [ -x "$python" ] && [ -r "$home/orchestrate/cli.py" ] || exit 0
  "$python" -E -P -c 'import sys; sys.path.insert(0, sys.argv.pop(1)); from orchestrate.cli import request; request()' \
    "$home" --interactive
  exit 0 # whatever came of it: an exit code of 2 would block the prompt
fi
[ -r "$here/user-prompt-submit.sh" ] && exec sh "$here/user-prompt-submit.sh"
exit 0
