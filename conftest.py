"""What the tests of the server and of the plugins share."""

pytest_plugins = ["tests.serving"]
