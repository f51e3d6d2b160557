"""Why a night ends, in words: for what it says as it ends, for the jobs that were left, and for the morning."""

from orchestrate.overnight import night

SIGNAL = "stopped"  # by the user, a service manager, a closed terminal
HALTED = "halted"  # no job of any project could run
UNREAD = "nobody tells how much of the limits is used: see overnight.blind_jobs (`orchestrate config set --global`)"
INTERRUPTED = "the night was interrupted"
NOT_OURS = "it is not this night's any more"
NEAR_FLOOR = "the limits came near the floor"
ENDS = {
    night.OVER: "its time is over",
    night.ACTIVITY: "you were at work yourself",
    night.DONE: "there was nothing more to do",
    night.FLOOR: "nothing more fits above the floor",
    night.BLIND: UNREAD,
    SIGNAL: "it was interrupted",
}
# Of a job in flight that the night itself has ended.
LANDED = {night.OVER: "the night was over", night.ACTIVITY: "you were at work yourself"}
# Of a job that was still queued; with the other stops the plan knows.
LEFT = {
    night.OVER: "the night was over before its turn",
    night.ACTIVITY: "you were at work yourself",
    night.BLIND: UNREAD,
    SIGNAL: INTERRUPTED,
    HALTED: "the night was halted before its turn",
}
