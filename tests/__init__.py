"""What the tests import is compiled once, for all workers and for every program that they start, though the environment
may say that it isn't to be kept: to compile all of it anew takes each worker longer than most folders of tests."""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
