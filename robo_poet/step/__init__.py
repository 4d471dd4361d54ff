"""The shared parts of all steps: the declaration of a step, and the command-line program that is built from it."""
