"""`robo-poet …`: one small file a command group; what is heavy to import is imported inside the command."""
