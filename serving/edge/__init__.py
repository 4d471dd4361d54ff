"""The small runner: a version's TFLite model writes, where there is no TensorFlow (SERVE-6)."""
