"""Score generated text without loading the model: BLEU, diversity, coherence, safety, memorisation (EVAL-2, EVAL-3)."""
