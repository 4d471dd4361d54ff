"""The base library, shared by pipelines, steps, serving and command line. It imports nothing from them."""
