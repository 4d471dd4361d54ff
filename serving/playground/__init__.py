"""The playground page at `/`: a browser interface to the model."""
