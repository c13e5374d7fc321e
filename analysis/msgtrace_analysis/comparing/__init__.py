"""Compares two runs, each as its report tells it. Pure: knows neither traces nor files."""
