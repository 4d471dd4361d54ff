"""Judge what a model wrote, without the model: BLEU, diversity, coherence, safety, memorisation (EVAL-2, EVAL-3)."""
