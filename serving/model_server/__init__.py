"""TensorFlow Serving's protocol, spoken from Python: a laptop needs no binary, and a cluster runs `tensorflow/serving` in its place."""
