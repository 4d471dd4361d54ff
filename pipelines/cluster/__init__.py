"""A Kubeflow cluster as the place of a run: what its pods need, and how a run gets there, is watched and repeated (PIPE-1)."""
