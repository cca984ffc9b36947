"""What Tidemark does, step by step: deterministic, and read like prose."""
