"""A workflow being run: each step as soon as what it waits for is over, each recorded by whoever makes it durable.

Every step is handed to the engine at once and in the order of the file, and waits within: so the engine numbers them
alike in every life of the run, however long each one took.
"""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextlib import nullcontext, suppress
from typing import Any

from orchestrate.agents.stop import Stop
from orchestrate.workflow import conditions, runs, steps, values
from orchestrate.workflow.runs import CANCELLED, FAILED, FINISHED, SKIPPED, STOPPED, Header, Result
from orchestrate.workflow.scope import Scope, all_of, last, together
from orchestrate.workflow.spec import AGENT, GATE, ROUTE, WORKFLOW, Step, Value, Workflow
from orchestrate.workflow.steps import Task
from orchestrate.workflow.telling import Telling
from orchestrate.workflow.world import World
from state.errors import FAILED as FAILED_CODE
from state.errors import INTERRUPTED, OK, UserError
from state.paths import Place

AT_ONCE = 8  # steps, unless --max-parallel says otherwise; agents are bounded by run.at_once as well
Body = Callable[[], Coroutine[Any, Any, dict[str, Any]]]  # Any: what JSON holds
Durably = Callable[[str, Body], Awaitable[dict[str, Any]]]  # Any: as above


class Flow:
    def __init__(self, header: Header, workflow: Workflow, world: World, pool: Executor) -> None:
        self.header = header
        self.workflow = workflow
        self.world = world
        self.pool = pool
        self.telling = Telling(header)
        self.room = asyncio.Semaphore(header.max_parallel or AT_ONCE)
        self.is_cancelled = runs.is_cancelled(header)
        self.is_ending = False  # the runner goes: nothing is recorded of what it takes down
        self.scope = Scope(workflow, header.inputs, "", None)
        self._loop = asyncio.get_running_loop()
        self._stops: set[Stop] = set()

    async def run(self, durably: Durably) -> dict[str, Any]:  # Any: what JSON holds
        if self.header.is_over:  # an earlier life has written it down, and was killed before the engine knew
            return dataclasses.asdict(self.telling.finish(self.header))
        self.telling.begin()
        scope = self.scope
        made = [asyncio.create_task(self._durable(scope, step, durably)) for step in self.workflow.steps]
        try:
            await asyncio.gather(*made)
        except BaseException:
            self.stop("the run ends")
            for one in made:
                one.cancel()
            raise
        return dataclasses.asdict(self._finish())

    def cancel(self) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._cancel)

    def stop(self, why: str, in_haste: bool = False) -> None:
        """All that works is told to end; from any thread."""
        for one in list(self._stops):
            one.ask(why, in_haste)

    def _cancel(self) -> None:
        self.is_cancelled = True
        self.stop("cancelled")

    async def _durable(self, scope: Scope, step: Step, durably: Durably) -> None:
        async def body() -> dict[str, Any]:  # Any: what JSON holds
            return await self._body(scope, step)

        result = Result.from_dict(await durably(step.id, body))
        for name in scope.waits[step.id]:  # in a later life its record may be read before theirs
            await asyncio.shield(scope.done[name])
        scope.heed(step, result)

    async def _body(self, scope: Scope, step: Step) -> dict[str, Any]:  # Any: what JSON holds
        result = await self._ended(scope, step)
        if self.is_ending:
            await asyncio.Event().wait()  # what the runner takes down is begun again by the next one
        return result.as_dict()

    async def _ended(self, scope: Scope, step: Step) -> Result:
        before = {name: await asyncio.shield(scope.done[name]) for name in scope.waits[step.id]}
        unit = f"{scope.prefix}{step.id}"
        result = await self._come_of(unit, self._due(scope, step, before, unit))
        if not self.is_ending:
            self.telling.ended(unit, step, result)
        return result

    async def _come_of(self, unit: str, made: Awaitable[Result]) -> Result:
        try:
            result = await made
        except UserError as error:
            result = Result(FAILED, detail=str(error), exit_code=error.code)
        except Exception as error:  # noqa: BLE001  a bug in one step ends that step, not the runner of all
            result = Result(FAILED, detail=self.telling.bug(unit, error), exit_code=FAILED_CODE)
        return result if result.generation else dataclasses.replace(result, generation=self.header.generation)

    async def _due(self, scope: Scope, step: Step, before: Mapping[str, Result], unit: str) -> Result:
        return self._needless(scope, step, before) or await self._made(scope, step, unit)

    def _ended_meanwhile(self, scope: Scope) -> Result | None:
        """Why nothing more is begun."""
        if self.is_cancelled:
            return Result(CANCELLED, detail="the run was cancelled", exit_code=INTERRUPTED)
        failed = scope.failed or self.scope.failed
        return Result(STOPPED, detail=f"{failed[0]} failed") if failed else None

    def _needless(self, scope: Scope, step: Step, before: Mapping[str, Result]) -> Result | None:
        """Why this step is not begun."""
        if why := self._ended_meanwhile(scope):
            return why
        owner = scope.owner.get(step.id)
        if owner and before[owner].status != FAILED:
            return Result(SKIPPED, detail=f"{owner} did not fail")
        waited = [before[name] for name in step.depends_on if name in before]
        if waited and all(each.status == SKIPPED for each in waited):
            return Result(SKIPPED, detail="what it waits for was skipped")
        try:
            is_wanted = not step.when or conditions.holds(step.when, scope.known(), scope.statuses())
        except UserError as error:
            return Result(FAILED, detail=f"when: {error}", exit_code=error.code)
        return None if is_wanted else Result(SKIPPED, detail=f"when: {step.when}")

    async def _made(self, scope: Scope, step: Step, unit: str) -> Result:
        known = scope.known()
        if step.kind == GATE:
            is_open = conditions.holds(step.gate, known, scope.statuses())
            return Result(FINISHED) if is_open else Result(FAILED, detail=f"gate: {step.gate}", exit_code=FAILED_CODE)
        if step.foreach:
            return await self._each(scope, step, unit, known)
        return await self._one(scope, step, unit, known)

    async def _each(self, scope: Scope, step: Step, unit: str, known: Mapping[str, Value]) -> Result:
        items = values.items(step, known)
        over = 0

        async def one(number: int, item: Value) -> Result:
            nonlocal over
            part = f"{unit}/{number}"
            result = await self._come_of(part, self._one(scope, step, part, {**known, values.ITEM: item}))
            over += 1
            if step.kind == WORKFLOW and not self.is_ending:  # its items are told as its own
                self.telling.ended(part, step, result)
            self.telling.progress(unit, {"items": len(items), "items_over": over})
            return result

        made = await asyncio.gather(*(one(number, item) for number, item in enumerate(items)))
        return together(list(made))

    async def _one(self, scope: Scope, step: Step, unit: str, known: Mapping[str, Value]) -> Result:
        epoch = scope.epoch or self.header.epochs.get(step.id, 1)
        path = runs.unit_folder(self.header, unit, epoch)
        if kept := runs.kept(path, self.header.generation):
            return kept
        if step.kind == WORKFLOW:
            result = await self._nested(scope, step, unit, known, epoch)
        else:
            result = await self._worked(scope, step, unit, known, path)
        if result.status in (FINISHED, FAILED) and not self.is_ending:
            result = dataclasses.replace(result, generation=self.header.generation)
            with suppress(OSError):  # a full disk: the engine has it, or says that it has not
                runs.keep(path, result)
        return result

    async def _nested(self, scope: Scope, step: Step, unit: str, known: Mapping[str, Value], epoch: int) -> Result:
        child = self.workflow.children[step.workflow]
        told = {name: values.fill(template, known).text for name, template in step.given.items()}
        whole = dataclasses.replace(child, children=self.workflow.children)
        inner = Scope(whole, values.given(child, told), f"{unit}/", epoch)
        for name in dict.fromkeys((f"{scope.prefix}{step.id}", unit)):  # the step itself, and its item
            self.telling.started(name, step, {})
        began = time.monotonic()

        async def one(below: Step) -> None:
            inner.heed(below, await self._ended(inner, below))

        await asyncio.gather(*(one(below) for below in child.steps))
        took_s = round(time.monotonic() - began, 3)
        if self.is_cancelled:
            return Result(CANCELLED, detail="the run was cancelled", exit_code=INTERRUPTED)
        if inner.failed:
            name, result = inner.failed
            return Result(FAILED, detail=f"{name}: {result.detail}", exit_code=result.exit_code, took_s=took_s)
        made = list(inner.over().values())
        if stopped := next((each for each in made if each.status == STOPPED), None):
            return Result(STOPPED, detail=stopped.detail)
        return dataclasses.replace(all_of(made), value=last(inner), took_s=took_s)

    async def _worked(self, scope: Scope, step: Step, unit: str, known: Mapping[str, Value], path: str) -> Result:
        async with self.room, self.world.agents if step.kind in (AGENT, ROUTE) else nullcontext():
            if why := self._ended_meanwhile(scope):
                return why
            task = self._task(scope, step, unit, known, path)  # what cannot be worked on is not begun
            self.telling.started(f"{scope.prefix}{step.id}", step, {"agent": step.agent} if step.agent else {})
            return await self._in_thread(task)

    async def _in_thread(self, task: Task) -> Result:
        stop = Stop()
        self._stops.add(stop)
        if self.is_ending:  # the runner's own thread has asked all that there were before
            stop.ask("the runner ends")
        working = self._loop.run_in_executor(self.pool, steps.work, task, stop)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            stop.ask("cancelled")
            await asyncio.wait([working])
            raise
        finally:
            self._stops.discard(stop)
            stop.close()

    def _task(self, scope: Scope, step: Step, unit: str, known: Mapping[str, Value], path: str) -> Task:
        place = self._place(step)
        before = [scope.done[name].result() for name in scope.waits[step.id]]

        def tell(told: Mapping[str, object]) -> None:
            self._loop.call_soon_threadsafe(self.telling.progress, f"{scope.prefix}{step.id}", told)

        return Task(
            header=self.header,
            step=step,
            unit=unit,
            folder=path,
            place=place,
            env={**self.world.env, **self.header.env},
            settings=self.world.settings(place, self.header.env),
            known=known,
            before=[folder for result in before for folder in result.runs],
            handed=[file for result in before for file in result.files],
            tell=tell,
            admitted=self.world.admitted,
        )

    def _place(self, step: Step) -> Place:
        return self.world.locate(step.repo, self.header.place) if step.repo else self.header.place

    def _finish(self) -> Header:
        status, code, detail = FINISHED, OK, ""
        if any(result.status == CANCELLED for result in self.scope.over().values()):
            status, code, detail = CANCELLED, INTERRUPTED, "cancelled"
        elif self.scope.failed:
            name, result = self.scope.failed
            status, code, detail = FAILED, result.exit_code or FAILED_CODE, f"{name}: {result.detail}"
        self.header = dataclasses.replace(self.header, status=status, exit_code=code, detail=detail)
        self.header = self.telling.finish(self.header)
        return self.header
