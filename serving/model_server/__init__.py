"""A Python server with TensorFlow Serving's protocol, so that a laptop does not need the `tensorflow_model_server` binary.

A cluster runs `tensorflow/serving` instead.
"""
