"""msgtrace."""
