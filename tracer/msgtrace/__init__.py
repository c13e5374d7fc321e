"""msgtrace records every message that a Python program really publishes and consumes.

Run a program under it: `msgtrace run -- python app.py`. This package is what stands inside the traced process.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
