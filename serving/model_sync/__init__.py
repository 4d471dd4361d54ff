"""Keeps the folder and the configuration of a model server in step with the registry: load first, move labels, unload last."""
