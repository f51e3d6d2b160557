"""The chain of the roadmap, as it stands there."""

RESEARCH = """\
workflow:
  name: "research-analysis"
  steps:
    - id: search
      agent: haiku-general
      prompt: "Search for papers on {topic}"
      output: search_results

    - id: analyze
      agent: sonnet-general
      depends_on: [search]
      prompt: "Analyze these papers: {search_results}"
      output: analysis

    - id: write
      agent: sonnet-general
      depends_on: [analyze]
      prompt: "Write summary based on: {analysis}"
      output: summary
"""
