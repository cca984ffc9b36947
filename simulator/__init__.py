"""The part of Azure that Tidemark uses, simulated below the real Azure SDKs."""
