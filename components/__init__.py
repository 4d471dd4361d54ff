"""What is done: one folder a step, one step a program, one program an image. A step never imports another step."""
