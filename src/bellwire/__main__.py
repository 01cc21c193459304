"""`python -m bellwire`."""

from bellwire.cli import main

if __name__ == "__main__":
    main()
