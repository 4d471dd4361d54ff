"""Step `train_tokenizer`: trains the byte-level BPE tokenizer on the training split (DATA-5)."""
