// The mod: obeys, in the client itself, what the hooks decided and wrote into the session's folder. It decides nothing,
// and whatever goes wrong here leaves the client's own request as it was. See docs/enforcement.md.
import type {
  AgentSpawnInput, EngineInterface, HookStream, Register, TurnStepChunk, TurnStepInput, TurnStepResult,
} from 'claude-code'

const VERSION = '0.1.0'
const WAIT_MS = 80 // no prompt, spawn or turn waits longer for a file or a process of ours
const NAP_MS = 10
const LINES_MOST = 32
const LINES_MS = 1000
const UNNAMED = 'workflow-subagent' // the type of an agent for which the script names none
const APPEND = 'umask 077; cat >>"$0"'
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/ // what the hooks name a file by

// `at`: when the user last asked. What was decided before that does not count.
type Session = { id: string; folder: string; at: number }
type Route = { at: number; main?: { model?: unknown } | null; answer?: unknown; status?: unknown }
type Turn = { id: string; model?: string; answer?: string; base?: string }

let session: Session | undefined
let turn: Turn | undefined
let answered = 0 // the `at` of the last answer given: it is given once
let shown: string | undefined
let written = 0
let lines: string[] = []
const given = new Map<string, string>() // agent id: the model that we set

// In naps: a machine that has no time for us has none for the naps either, and what it is slow with is not lost.
const within = async <T>($: EngineInterface, work: Promise<T>): Promise<T | undefined> => {
  const over = new AbortController()
  const late = async () => {
    for (let left = WAIT_MS; left > 0; left -= NAP_MS) await $.clock.sleep(NAP_MS, { signal: over.signal })
    return undefined
  }
  return Promise.race([work, late()]).catch(() => undefined).finally(() => over.abort())
}

const name = (model: unknown) => (typeof model === 'string' && model ? model : undefined)

const read = async ($: EngineInterface, path: string) => JSON.parse(await $.fs.read(path))

// The heartbeat, which the hook of the same prompt looks for. A prompt that joins a running turn gets none, as that
// turn goes on as it began.
const begin = async ($: EngineInterface, joins: boolean) => {
  const at = Date.now()
  if (session) session = { ...session, at }
  const [off, depth, home, id] = await Promise.all([
    $.env.get('ORCHESTRATOR_DISABLED'), $.env.get('ORCHESTRATOR_DEPTH'), $.env.get('HOME'), $.session.id(),
  ])
  const isOff = off === '1' || (depth !== undefined && depth !== '' && depth !== '0') || !home
  const pointer = isOff ? undefined : await read($, `${home}/.orchestrator/live/${id}.json`).catch(() => undefined)
  session = pointer && { id, folder: pointer.folder, at }
  if (!session) return
  const path = `${session.folder}/mod.json`
  if (joins) await $.process.run(['/bin/rm', '-f', path])
  else await $.fs.write(path, JSON.stringify({ v: 1, at, mod: VERSION }))
}

// Read once, at a turn's first step: no model changes between a tool's call and its result.
const turnOf = async ($: EngineInterface, e: TurnStepInput): Promise<Turn | undefined> => {
  if (e.index === 0 && turn?.id !== e.turnId) {
    const found: Route | undefined = session && (await within($, read($, `${session.folder}/route.json`)))
    const route = session && found && found.at >= session.at ? found : undefined
    turn = { id: e.turnId, model: name(route?.main?.model) }
    if (typeof route?.answer === 'string' && route.at > answered) {
      turn.answer = route.answer
      answered = route.at
    }
    const status = name(route?.status)
    if (shown !== status) $.ui.status((shown = status))
  }
  return turn?.id === e.turnId ? turn : undefined
}

// Where the engine itself left the session's model, as in a fallback, it knows why. Asked anew only of a model that is
// new to the turn.
const isOwn = async ($: EngineInterface, e: TurnStepInput, own: Turn) =>
  e.model === own.base || e.model === (own.base = await $.session.model())

// The engine tells that a model is not to be had by its last chunk, and answers nothing. So its chunks go on one late
// until something of the answer is there, and that last one does not.
async function* unlessRefused(stream: HookStream<TurnStepChunk, TurnStepResult>, signal: AbortSignal) {
  let held: TurnStepChunk | undefined
  let speaks = false
  for await (const chunk of stream) {
    if (held) yield held
    held = undefined
    speaks ||= chunk.kind !== 'engine'
    if (speaks) yield chunk
    else held = chunk
  }
  const result = await stream.result
  if (result.stopReason === null && !speaks && !signal.aborted) return undefined
  if (held) yield held
  return result
}

const note = (
  $: EngineInterface, e: TurnStepInput, asked: string | null, signal: AbortSignal, result?: TurnStepResult,
) => {
  if (!session) return
  const usage = result?.usage
  const isWell = signal.aborted || (result && result.stopReason !== null)
  lines.push(JSON.stringify({
    at: Date.now(), turn: e.turnId, index: e.index, agent: e.agentId ?? null, engine: e.model, asked,
    served: usage?.model ?? null, input: usage?.input_tokens ?? null, output: usage?.output_tokens ?? null,
    cache_read: usage?.cache_read_input_tokens ?? null, cache_write: usage?.cache_creation_input_tokens ?? null,
    error: isWell ? null : 'no response',
  }))
  const goesOn = result?.stopReason === 'tool_use' && lines.length < LINES_MOST && Date.now() - written < LINES_MS
  if (!goesOn) void flush($)
}

const flush = async ($: EngineInterface) => {
  if (!session || !lines.length) return
  const stdin = lines.join('\n') + '\n'
  lines = []
  written = Date.now()
  await $.process.run(['/bin/sh', '-c', APPEND, `${session.folder}/steps.jsonl`], { stdin }).catch(() => undefined)
}

// An agent that a workflow starts has no hook of its own: the hooks' program is asked here.
const ask = async ($: EngineInterface, e: AgentSpawnInput, of: Session) => {
  const kind = e.subagentType === UNNAMED ? undefined : e.subagentType
  const payload = {
    hook_event_name: 'PreToolUse', tool_name: 'WorkflowAgent', tool_use_id: e.tool_use_id, session_id: of.id,
    cwd: await $.session.cwd(), permission_mode: e.permissionMode, workflow: e.workflow,
    tool_input: { prompt: e.prompt, description: e.description, subagent_type: kind, model: e.model },
  }
  const env = await $.process.hookEnv()
  const { stdout } = await $.process.run(['/bin/sh', `${$.plugin.root}/hook.sh`], { stdin: JSON.stringify(payload), env })
  return JSON.parse(stdout)
}

const modelOf = async ($: EngineInterface, e: AgentSpawnInput): Promise<string | undefined> => {
  if (!session || e.fork || e.resume) return undefined
  if (!e.workflow && !NAME.test(e.tool_use_id)) return undefined
  const told = e.workflow ? ask($, e, session) : read($, `${session.folder}/spawns/${e.tool_use_id}`)
  return name((await within($, told))?.model)
}

export const register: Register = on => {
  on('prompt.submit', async ($, e, next) => {
    if (e.origin.kind !== 'task-notification') await within($, begin($, e.turnId !== undefined))
    return next(e)
  }).catch(($, e, next) => next(e))

  on('turn.step', async function* ($, e, next) {
    if (!session) return yield* next(e)
    const own = e.agentId === undefined ? await turnOf($, e) : undefined
    if (own?.answer !== undefined) {
      const text = own.answer
      own.answer = undefined
      yield { kind: 'text', index: 0, text }
      yield { kind: 'stop', stopReason: 'end_turn', usage: null }
      return { turnId: e.turnId, index: e.index, answer: text, toolUses: [], stopReason: 'end_turn', usage: null }
    }
    if (own?.model && (await isOwn($, e, own))) {
      const result = yield* unlessRefused(next({ ...e, model: own.model }), next.signal)
      note($, e, own.model, next.signal, result)
      if (result) return result
      own.model = undefined
    }
    const result = yield* next(e)
    note($, e, (e.agentId && given.get(e.agentId)) ?? null, next.signal, result)
    return result
  }).catch(async function* ($, e, next) { return yield* next(e) })

  on('agent.spawn', async ($, e, next) => {
    const model = await modelOf($, e)
    if (!model) return next(e)
    const started = await next({ ...e, model })
    if (started.deny === undefined && started.agentId) given.set(started.agentId, model)
    return started
  }).catch(($, e, next) => next(e))

  on('turn.complete', async ($, e, next) => {
    await within($, flush($))
    return next(e)
  }).catch(($, e, next) => next(e))
}
