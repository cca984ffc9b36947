"""What is measured: `python -m bench`. Every module here with a `measure()` is one part of it."""
