"""Stored histories, one of each orchestration: what is under way when a version is deployed must go on."""
