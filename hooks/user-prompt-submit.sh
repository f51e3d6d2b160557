#!/bin/sh
# The UserPromptSubmit hook: a directive for the prompt on stdin.
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
[ -r "$here/hook.sh" ] && exec sh "$here/hook.sh"
exit 0
