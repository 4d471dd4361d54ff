"""Figures that bound a completion, and how it may have ended (GEN-1, GEN-2)."""

from enum import IntEnum

MAX_LENGTH = 512  # tokens, the prompt among them
MIN_PROMPT = 3  # tokens
MAX_TOP_K = 100
MAX_BEAMS = 5


class StopReason(IntEnum):
    """Why a completion ended."""

    LENGTH = 0  # the length that was asked for
    END = 1  # the model's own end of a document
    STOP = 2  # a stop token
    CONTEXT = 3  # prompt and completion are 512 tokens, less than was asked for
