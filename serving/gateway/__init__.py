"""The HTTP API in front of the model server: access, content filter, generation requests and logs. It does not import TensorFlow."""
