"""The training pipeline: its KFP definition, its profiles, its images, and its execution on this machine or on a cluster."""
