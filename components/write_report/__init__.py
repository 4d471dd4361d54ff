"""Step `write_report`: writes the model card, the report on one model for its users."""
