"""This tree, and how long to wait for what it makes."""

from conformance.tree import ROOT

# What PYTHONPATH names for programs that use the driver.
DRIVER = ROOT / "python"

# Wall seconds on a slow host under a sanitizer, which only a hang reaches: for one thing that a test waits for, be it the
# boot of Linux.
HANG = 600
