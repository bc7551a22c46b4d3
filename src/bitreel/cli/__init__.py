"""One file a verb, thin: parse, call, print."""


def main() -> None:
    """Entry point. Imports late, so that `bitreel --help` starts as fast as it can."""
    from bitreel.cli.app import main as run

    run()
