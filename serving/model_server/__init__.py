"""A Python server with TensorFlow Serving's protocol. A laptop then needs no binary; a cluster runs `tensorflow/serving` instead."""
