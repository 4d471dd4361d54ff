"""Names of persons, found by a language model: the engine of the settings, ONNX or spaCy."""
