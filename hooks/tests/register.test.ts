// `claude plugin test hooks`: the mod against the engine's own host, with the files of a session in memory.
import type { HookStream, On, TurnStepChunk, TurnStepInput, TurnStepResult } from 'claude-code'
import { describe, expect, mock, test } from 'claude-code/testing'

const FOLDER = '/state/sessions/s'
const ENV = { HOME: '/home/u' }
const SESSION_MODEL = 'claude-opus-5-5'
const USAGE = {
  input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 3, cache_creation_input_tokens: 2, model: 'served',
}

type Answers = { refuses?: string; says?: string; toolUse?: boolean; hangs?: boolean }

// What lies beneath the mod: a disk, a session, an engine that answers every step; and what each was asked.
const world = (on: On, env: Record<string, string> = ENV, answers: Answers = {}) => {
  const files = new Map([['/home/u/.orchestrator/live/s.json', JSON.stringify({ folder: FOLDER })]])
  const asked: string[] = []
  const runs: { argv: readonly string[]; stdin?: string }[] = []
  const statuses: (string | undefined)[] = []
  mock.env(on, env)
  const clock = mock.clock(on)
  on('session.id', () => ({ value: 's' }))
  on('session.model', () => ({ value: SESSION_MODEL }))
  on('session.cwd', () => ({ value: '/project' }))
  on('fs.write', ($, e) => (files.set(e.path, e.text), { value: undefined }))
  on('fs.read', ($, e) => {
    if (answers.hangs) return new Promise(() => {})
    const text = files.get(e.path)
    return text === undefined ? { deny: `ENOENT ${e.path}` } : { value: text }
  })
  on('process.run', ($, e) => {
    runs.push({ argv: e.argv, stdin: e.init?.stdin })
    return { value: { exitCode: 0, stdout: answers.says ?? '', stderr: '', isStdoutTruncated: false, isStderrTruncated: false } }
  })
  on('process.hookEnv', () => ({ value: {} }))
  on('ui.status', ($, e) => (statuses.push(e.text), { value: undefined }))
  on('prompt.submit', ($, e) => ({ text: e.text }))
  on('agent.spawn', ($, e) => ({ model: e.model ?? 'inherited', agentId: 'a1' }))
  on('turn.complete', ($, e) => ({ text: e.answer }))
  on('turn.step', async function* ($, e) {
    asked.push(e.model)
    if (e.model === answers.refuses)
      return { turnId: e.turnId, index: e.index, answer: '', toolUses: [], stopReason: null, usage: null }
    yield { kind: 'text', index: 0, text: 'hello' }
    const stopReason = answers.toolUse ? 'tool_use' : 'end_turn'
    yield { kind: 'stop', stopReason, usage: USAGE }
    return { turnId: e.turnId, index: e.index, answer: 'hello', toolUses: [], stopReason, usage: USAGE }
  })
  const route = (fields: object, at = Date.now() + 1) =>
    files.set(`${FOLDER}/route.json`, JSON.stringify({ v: 1, at, main: null, answer: null, status: '', ...fields }))
  const steps = () => runs.filter(run => run.argv[0] === '/bin/sh').flatMap(run => (run.stdin ?? '').trim().split('\n'))
  return { files, asked, clock, runs, statuses, route, steps: () => steps().map(line => JSON.parse(line)) }
}

const PROMPT = { text: 'hello', wait: false, origin: { kind: 'sdk' as const } }
const NOTICE = { ...PROMPT, origin: { kind: 'task-notification' as const } }
const step = (more: Partial<TurnStepInput> = {}) => ({ turnId: 't1', index: 0, model: SESSION_MODEL, messageCount: 1, ...more })
const SPAWN = {
  tool_use_id: 'toolu_1', prompt: 'CHILD', description: 'd', subagentType: 'general-purpose',
  provider: { plugin: 'engine', tier: 'core' as const }, parentModel: SESSION_MODEL, background: true, fork: false,
}
const WORKFLOW = { ...SPAWN, subagentType: 'workflow-subagent', workflow: { runId: 'wf_1', agentIndex: 1 } }

const pass = () => {
  for (const now = Date.now(); Date.now() < now + 3; );
}

const run = async (stream: HookStream<TurnStepChunk, TurnStepResult>) => {
  const kinds: string[] = []
  for (;;) {
    const { value, done } = await stream.next()
    if (done) return { kinds, result: value }
    kinds.push(value.kind)
  }
}

describe('a prompt', () => {
  test('is signed before its hook runs, and handed through', async ($, on) => {
    const { files } = world(on)
    expect(await $.prompt.submit(PROMPT)).toEqual({ text: 'hello' })
    const beat = JSON.parse(files.get(`${FOLDER}/mod.json`) ?? '')
    expect(beat).toEqual({ v: 1, at: expect.any(Number), mod: '0.1.0' })
  })

  for (const [name, env] of [
    ['ORCHESTRATOR_DISABLED', { ...ENV, ORCHESTRATOR_DISABLED: '1' }],
    ['ORCHESTRATOR_DEPTH', { ...ENV, ORCHESTRATOR_DEPTH: '2' }],
    ['no HOME', {}],
  ] as const)
    test(`leaves no trace under ${name}`, async ($, on) => {
      const { files, asked, route, runs } = world(on, env)
      await $.prompt.submit(PROMPT)
      route({ main: { model: 'haiku' } })
      await run($.turn.step(step()))
      expect([files.has(`${FOLDER}/mod.json`), asked, runs]).toEqual([false, [SESSION_MODEL], []])
    })

  test('waits 80 ms at most for a disk that hangs', async ($, on) => {
    const { clock } = world(on, ENV, { hangs: true })
    const submitted = $.prompt.submit(PROMPT)
    await clock.advance(80)
    expect(await submitted).toEqual({ text: 'hello' })
  })

  test('that joins a running turn takes the sign away, and the turn keeps its model', async ($, on) => {
    const { asked, route, runs } = world(on)
    await $.prompt.submit(PROMPT)
    route({ main: { model: 'haiku' } })
    await run($.turn.step(step()))
    await $.prompt.submit({ ...PROMPT, turnId: 't1' })
    expect(runs.at(-1)?.argv).toEqual(['/bin/rm', '-f', `${FOLDER}/mod.json`])
    await run($.turn.step(step({ index: 1 })))
    expect(asked).toEqual(['haiku', 'haiku'])
  })

  test('of the machine keeps what the last prompt of the user decided', async ($, on) => {
    const { asked, route } = world(on)
    await $.prompt.submit(PROMPT)
    route({ main: { model: 'haiku' } })
    pass()
    await $.prompt.submit(NOTICE)
    await run($.turn.step(step({ turnId: 't2' })))
    expect(asked).toEqual(['haiku'])
  })

  test('that was not seen in time gets nothing that an earlier one decided', async ($, on) => {
    const answers: Answers = {}
    const { asked, clock, route } = world(on, ENV, answers)
    await $.prompt.submit(PROMPT)
    route({ main: { model: 'haiku' } })
    pass()
    answers.hangs = true
    const submitted = $.prompt.submit(PROMPT)
    await clock.advance(80)
    await submitted
    answers.hangs = false
    await run($.turn.step(step()))
    expect(asked).toEqual([SESSION_MODEL])
  })
})

describe('a step', () => {
  test('gets the model decided, and is written down', async ($, on) => {
    const { asked, route, statuses, steps } = world(on)
    await $.prompt.submit(PROMPT)
    route({ main: { model: 'haiku' }, status: 'haiku' })
    expect((await run($.turn.step(step()))).kinds).toEqual(['text', 'stop'])
    expect([asked, statuses]).toEqual([['haiku'], ['haiku']])
    expect(steps()).toEqual([{
      at: expect.any(Number), turn: 't1', index: 0, agent: null, engine: SESSION_MODEL, asked: 'haiku', served: 'served',
      input: 10, output: 5, cache_read: 3, cache_write: 2, error: null,
    }])
  })

  test('never changes its model within a turn', async ($, on) => {
    const { asked, route } = world(on, ENV, { toolUse: true })
    await $.prompt.submit(PROMPT)
    route({ main: { model: 'haiku' } })
    await run($.turn.step(step()))
    route({ main: { model: 'sonnet' } })
    await run($.turn.step(step({ index: 1 })))
    expect(asked).toEqual(['haiku', 'haiku'])
  })

  for (const [name, more] of [
    ['of an agent', { agentId: 'a1' }],
    ['in which the engine fell back', { model: 'claude-sonnet-5-5' }],
    ['of a turn that began before the mod', { index: 3 }],
  ] as const)
    test(`${name} keeps its model`, async ($, on) => {
      const { asked, route } = world(on)
      await $.prompt.submit(PROMPT)
      route({ main: { model: 'haiku' } })
      await run($.turn.step(step(more)))
      expect(asked).toEqual([step(more).model])
    })

  test('knows no decision from before the prompt', async ($, on) => {
    const { asked, route } = world(on)
    route({ main: { model: 'haiku' } }, Date.now() - 1)
    await $.prompt.submit(PROMPT)
    await run($.turn.step(step()))
    expect(asked).toEqual([SESSION_MODEL])
  })

  for (const text of ['', 'null', '{"at":"x"}', '{"at":9e15}', '{"at":9e15,"main":{"model":4}}', '{"at":9e15,"main":7}'])
    test(`takes nothing from a file that says ${text || 'nothing'}`, async ($, on) => {
      const { asked, files } = world(on)
      await $.prompt.submit(PROMPT)
      files.set(`${FOLDER}/route.json`, text)
      expect((await run($.turn.step(step()))).kinds).toEqual(['text', 'stop'])
      expect(asked).toEqual([SESSION_MODEL])
    })

  test('whose model is not to be had goes to the session\'s own, and so does the rest of the turn', async ($, on) => {
    const { asked, route, steps } = world(on, ENV, { refuses: 'gone' })
    await $.prompt.submit(PROMPT)
    route({ main: { model: 'gone' } })
    const { kinds, result } = await run($.turn.step(step()))
    expect([kinds, result]).toEqual([['text', 'stop'], expect.objectContaining({ answer: 'hello' })])
    await run($.turn.step(step({ index: 1 })))
    expect(asked).toEqual(['gone', SESSION_MODEL, SESSION_MODEL])
    expect(steps().map(line => [line.asked, line.error])).toEqual([['gone', 'no response'], [null, null], [null, null]])
  })
})

test('a turn in which the engine falls back gets its own model back', async ($, on) => {
  const { asked, route } = world(on, ENV, { toolUse: true })
  await $.prompt.submit(PROMPT)
  route({ main: { model: 'haiku' } })
  for (const [index, model] of [SESSION_MODEL, 'claude-sonnet-5-5', SESSION_MODEL].entries())
    await run($.turn.step(step({ index, model })))
  expect(asked).toEqual(['haiku', 'claude-sonnet-5-5', 'haiku'])
})

test('a step of the engine\'s own that fails is written down as failed', async ($, on) => {
  const { steps } = world(on, ENV, { refuses: SESSION_MODEL })
  await $.prompt.submit(PROMPT)
  await run($.turn.step(step()))
  expect(steps().map(line => [line.asked, line.served, line.error])).toEqual([[null, null, 'no response']])
})

describe('an answer', () => {
  test('is given once, without a request', async ($, on) => {
    const { asked, route } = world(on)
    await $.prompt.submit(PROMPT)
    route({ answer: 'the whole\nanswer' })
    const { kinds, result } = await run($.turn.step(step()))
    expect([kinds, asked]).toEqual([['text', 'stop'], []])
    expect(result).toEqual(expect.objectContaining({ answer: 'the whole\nanswer', stopReason: 'end_turn' }))
    await $.prompt.submit(NOTICE)
    await run($.turn.step(step({ turnId: 't2' })))
    expect(asked).toEqual([SESSION_MODEL])
  })
})

describe('an agent', () => {
  test('gets the model that its file names', async ($, on) => {
    const { files } = world(on)
    await $.prompt.submit(PROMPT)
    files.set(`${FOLDER}/spawns/toolu_1`, '{"model":"claude-haiku-4-5","tier":"haiku"}')
    expect(await $.agent.spawn(SPAWN)).toEqual({ model: 'claude-haiku-4-5', agentId: 'a1' })
  })

  for (const [name, more] of [
    ['without a file', { tool_use_id: 'toolu_2' }],
    ['that is a fork', { fork: true }],
    ['that is resumed', { resume: { agentId: 'a0' } }],
    ['whose call has the name of a path', { tool_use_id: '../route.json' }],
  ] as const)
    test(`${name} keeps its model`, async ($, on) => {
      const { files, route } = world(on)
      await $.prompt.submit(PROMPT)
      route({ model: 'haiku' })
      files.set(`${FOLDER}/spawns/toolu_1`, '{"model":"haiku"}')
      files.set(`${FOLDER}/spawns/../route.json`, '{"model":"haiku"}')
      expect(await $.agent.spawn({ ...SPAWN, ...more })).toEqual({ model: 'inherited', agentId: 'a1' })
    })

  test('of a workflow gets the model that the hook says', async ($, on) => {
    const { runs } = world(on, ENV, { says: '{"model":"haiku"}' })
    await $.prompt.submit(PROMPT)
    expect(await $.agent.spawn(WORKFLOW)).toEqual({ model: 'haiku', agentId: 'a1' })
    expect(JSON.parse(runs[0]?.stdin ?? '')).toEqual({
      hook_event_name: 'PreToolUse', tool_name: 'WorkflowAgent', tool_use_id: 'toolu_1', session_id: 's', cwd: '/project',
      workflow: { runId: 'wf_1', agentIndex: 1 }, tool_input: { prompt: 'CHILD', description: 'd' },
    })
  })

  test('of a workflow keeps its model where the hook says nothing', async ($, on) => {
    world(on)
    await $.prompt.submit(PROMPT)
    expect(await $.agent.spawn(WORKFLOW)).toEqual({ model: 'inherited', agentId: 'a1' })
  })
})

test('what was not yet written down is at the end of the turn', async ($, on) => {
  const { steps } = world(on, ENV, { toolUse: true })
  await $.prompt.submit(PROMPT)
  await run($.turn.step(step()))
  await run($.turn.step(step({ index: 1 })))
  await $.turn.complete({ turnId: 't1', answer: '', durationMs: 1, isAborted: false, reason: 'answer' })
  expect(steps().map(line => line.index)).toEqual([0, 1])
})
