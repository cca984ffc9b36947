"""The decisions of Tidemark, without I/O: they take what is known and the time, and return what follows."""
