"""What JSON values had in common: summaries that merge in any order, and what is judged from them. Pure."""
