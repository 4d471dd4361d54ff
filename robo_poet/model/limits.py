"""Limits of a completion, and the reasons why one ends (GEN-1, GEN-2)."""

from enum import IntEnum

MAX_LENGTH = 512  # tokens, including the prompt
MIN_PROMPT = 3  # tokens
MAX_TOP_K = 100
MAX_BEAMS = 5


class StopReason(IntEnum):
    """Why a completion ended."""

    LENGTH = 0  # the requested length
    END = 1  # the model ended the document
    STOP = 2  # a stop text
    CONTEXT = 3  # prompt and completion reached 512 tokens before the requested length
