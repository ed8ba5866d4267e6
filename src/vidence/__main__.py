"""`python -m vidence`, as launchers such as torchrun start it."""

from vidence.cli import main

if __name__ == "__main__":
    main()
