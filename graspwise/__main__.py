"""`python -m graspwise`, which launchers start: the same as `graspwise`."""

from graspwise.cli import main

if __name__ == "__main__":
    main()
