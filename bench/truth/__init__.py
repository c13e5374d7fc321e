"""Generated systems whose true answers are known, and what the analysis makes of them: `python -m bench.truth`."""
