"""The model server and the versions that it has loaded."""
