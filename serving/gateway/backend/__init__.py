"""Access to the model server, and the versions that are served."""
