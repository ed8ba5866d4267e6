"""Run the command line as `python -m vidence.cli`."""

from vidence.cli import main

main()
