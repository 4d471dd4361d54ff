"""The HTTP API in front of the model server: everything that concerns people, and no TensorFlow."""
