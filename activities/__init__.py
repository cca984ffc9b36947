"""The steps of the orchestrations: each short, each safe to repeat, each over the gateways."""
