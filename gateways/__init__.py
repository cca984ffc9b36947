"""The only code that knows the Azure SDKs: domain types in and out, Azure's errors translated."""
