"""The edge runner: text generation with a version's TFLite model, without TensorFlow (SERVE-6)."""
