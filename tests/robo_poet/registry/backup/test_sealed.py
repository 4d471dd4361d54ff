"""The encrypted stream, against a second implementation with the primitives only."""

import hashlib
import hmac
import io

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.registry.backup.sealed import CHUNK, HEADER_BYTES, TAG_BYTES, Opener, Sealer
from robo_poet.registry.backup.secret import Secret

SECRET = Secret(bytes(range(32)), False, "backup.key")
PIECE = CHUNK + TAG_BYTES
sizes = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17])


def seal(data: bytes, secret: Secret = SECRET, step: int = 10_240) -> bytes:
    target = io.BytesIO()
    sealer = Sealer(target, secret)
    for start in range(0, len(data), step):
        sealer.write(data[start : start + step])
    sealer.finish()
    return target.getvalue()


def unseal(archive: bytes, secret: Secret = SECRET, step: int = 10_000) -> bytes:
    opener = Opener(io.BytesIO(archive), secret, "a.backup")
    return b"".join(iter(lambda: opener.read(step), b""))


def pattern(size: int) -> bytes:
    return hashlib.shake_128(b"pattern").digest(size)


@given(sizes, st.integers(1, 3 * CHUNK), st.integers(1, 3 * CHUNK))
def test_what_was_sealed_is_opened_in_any_pieces(size: int, written: int, read: int) -> None:
    data = pattern(size)
    archive = seal(data, step=max(written, 1000))
    assert unseal(archive, step=max(read, 1000)) == data
    assert len(archive) == HEADER_BYTES + size + TAG_BYTES * max(1, -(-size // CHUNK))


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 for at most 32 bytes."""
    extracted = hmac.new(salt, secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()[:length]


def test_the_format_is_what_the_docstring_says() -> None:
    data = pattern(2 * CHUNK + 5)
    archive = seal(data)
    header, check, body = archive[:49], archive[49:65], archive[65:]
    assert header.startswith(b"robo-poet bak 1\nk") and check == hkdf(SECRET.value, header[17:], b"check " + header, 16)
    cipher = AESGCM(hkdf(SECRET.value, header[17:], b"chunks " + header, 32))
    plain = [
        cipher.decrypt(number.to_bytes(11, "big") + bytes([number == 2]), body[number * PIECE : (number + 1) * PIECE], None)
        for number in range(3)
    ]
    assert b"".join(plain) == data


def test_two_archives_of_the_same_content_differ_everywhere() -> None:
    first, second = seal(pattern(CHUNK)), seal(pattern(CHUNK))
    assert first[49:] != second[49:] and first[HEADER_BYTES : HEADER_BYTES + 64] != second[HEADER_BYTES : HEADER_BYTES + 64]


@given(st.integers(0, HEADER_BYTES + 3 * PIECE + 16), st.integers(0, 7))
def test_every_changed_bit_is_noticed(position: int, bit: int) -> None:
    archive = bytearray(ARCHIVE)
    archive[position % len(archive)] ^= 1 << bit
    with pytest.raises(BadInput):
        unseal(bytes(archive))


ARCHIVE = seal(pattern(3 * CHUNK + 17))
BODY = [ARCHIVE[HEADER_BYTES + number * PIECE : HEADER_BYTES + (number + 1) * PIECE] for number in range(4)]
HEADER = ARCHIVE[:HEADER_BYTES]


@given(st.integers(0, len(ARCHIVE) - 1))
def test_every_cut_is_noticed(length: int) -> None:
    with pytest.raises(BadInput, match="cut"):
        unseal(ARCHIVE[:length])


@pytest.mark.parametrize(
    "parts",
    [BODY[:3], BODY[:1], [], BODY[1:], [BODY[1], BODY[0], *BODY[2:]], [*BODY[:2], BODY[1], *BODY[2:]], [BODY[0], *BODY[2:]],
     [*BODY, BODY[3]], [*BODY, b"x"], [*BODY[:3], BODY[2], BODY[3]], [BODY[3]]],
)  # fmt: skip
def test_chunks_that_are_moved_repeated_left_out_or_added_are_noticed(parts: list[bytes]) -> None:
    with pytest.raises(BadInput, match="the backup was changed or cut, at or after byte"):
        unseal(HEADER + b"".join(parts))


def test_chunks_of_another_archive_with_the_same_secret_are_noticed() -> None:
    other = seal(pattern(3 * CHUNK + 17))
    with pytest.raises(BadInput, match="changed or cut"):
        unseal(ARCHIVE[: HEADER_BYTES + PIECE] + other[HEADER_BYTES + PIECE :])


@pytest.mark.parametrize(
    ("archive", "secret", "message"),
    [
        (ARCHIVE, Secret(bytes(32), False, "other.key"), "the secret in other.key does not open this backup"),
        (ARCHIVE, Secret(b"correct horse battery", True, "words"), "another kind of secret; give --key-file or --key-variable"),
        (b"PK\x03\x04" + bytes(100), SECRET, "is not a backup of a registry"),
        (b"", SECRET, "is not a backup of a registry"),
    ],
)
def test_another_secret_or_file_is_one_line(archive: bytes, secret: Secret, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        unseal(archive, secret)


def test_a_passphrase_opens_its_archive() -> None:
    words = Secret(b"correct horse battery staple", True, "words")
    archive = seal(b"O rose", words)
    assert unseal(archive, words) == b"O rose"
    with pytest.raises(BadInput, match="does not open this backup"):
        unseal(archive, Secret(b"correct horse battery stable", True, "words"))
    with pytest.raises(BadInput, match="another kind of secret; give --passphrase-file"):
        unseal(archive)
