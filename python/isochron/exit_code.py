"""What the program's exit codes mean."""

import enum


class ExitCode(enum.IntEnum):
    """The table of `isochron --help`. A process that was killed by signal N has the exit code -N."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    DIFFERENCE = 3
    FATAL = 4
    LIMIT = 5
    RESET = 6
    #: Plus the number of the signal that ended the run.
    SIGNAL = 128
