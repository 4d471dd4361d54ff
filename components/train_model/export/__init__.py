"""The exported forms of a trained model: SavedModel, Keras files, TFLite (REG-3)."""
