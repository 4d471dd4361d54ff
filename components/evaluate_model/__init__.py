"""Step `evaluate_model`: measures a trained model on the test split. Uses only the exported signatures."""
