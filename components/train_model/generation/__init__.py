"""Text generation inside the exported graph: request, sampler, decode loop, beam search (GEN-1, GEN-2)."""
