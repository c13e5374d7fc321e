"""Reaches into running Python processes: which can be reached, how, and what it costs them. Nothing here runs inside of one."""
