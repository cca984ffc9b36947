"""Runs a Python function app with Durable Functions where the Azure Functions host is not installed."""
