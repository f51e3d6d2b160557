from calling import cli  # noqa: F401 # a fixture
