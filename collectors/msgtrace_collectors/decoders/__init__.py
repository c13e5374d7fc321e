"""Reads bodies in the formats that messages come in: one file a format, each pure; `choice` picks among them."""
