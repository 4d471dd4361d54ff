"""The page at `/`: write with the model in a browser."""
