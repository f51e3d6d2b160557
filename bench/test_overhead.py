"""All hooks of one prompt together stay under 500 ms, and what they would cost if written naively."""

from gates import kept

from orchestrate.measure import cases
from orchestrate.measure.overhead import BUDGET_MS, PROMPT, measure


def test_all_hooks_of_one_prompt(package, tmp_path, benchmark):
    found = benchmark.pedantic(measure, (tmp_path / "overhead", 15, str(package)), rounds=1)
    ratios = {row.name: row.floor_ratio for row in found.rows}
    benchmark.extra_info["x floor"] = ratios
    kept(benchmark, found.one_prompt_ms, BUDGET_MS)
    assert found.form == "bundle"
    assert found.is_within_budget
    assert ratios[cases.NAIVE] > 5 * ratios[PROMPT]


def test_a_hook_that_sleeps_exceeds_the_budget(slowed, tmp_path):
    package = slowed("orchestrate/request/prompt.py", "submitted", "time.sleep(0.6)").package
    found = measure(tmp_path / "overhead", 1, package)
    assert found.one_prompt_ms >= BUDGET_MS
    assert not found.is_within_budget
