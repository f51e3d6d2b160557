import os


def test_demo_shows_five_prompts_and_todays_report_and_leaves_nothing(cli, home, project):
    code, out, err = cli("demo")
    assert (code, err) == (0, "")
    assert out.count("  decision  ") == 5
    assert "degraded: cli_missing" in out
    assert "Routing report for" in out
    assert "orchestrate install" in out
    assert os.listdir(home) == []
    assert os.listdir(project) == [".git"]
