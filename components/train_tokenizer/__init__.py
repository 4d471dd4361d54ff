"""Train the byte-level BPE tokenizer on the training split."""
