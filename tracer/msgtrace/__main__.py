"""`python -m msgtrace`: the command line, for where its script is not on PATH."""

from msgtrace.command_line import main

main()
