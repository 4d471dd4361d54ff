"""Which way a metric is better. A metric that is not here cannot be compared with the champion's: its gate fails closed."""

from typing import Literal

Direction = Literal["lower", "higher"]

DIRECTIONS: dict[str, Direction] = {
    "bits_per_byte": "lower",
    "perplexity": "lower",
    "bits_saved_over_unigram": "higher",
    "token_accuracy": "higher",
    "top5_accuracy": "higher",
    "bleu": "higher",
    "bleu_to_people": "higher",
    "edge_bits_per_byte_loss": "lower",
    "edge_megabytes": "lower",
    "saved_model_compressed_megabytes": "lower",
}


def better(metric: str) -> Direction | None:
    """The direction of a metric, None if nobody has said."""
    return DIRECTIONS.get(metric)
