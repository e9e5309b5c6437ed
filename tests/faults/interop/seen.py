"""What one end of each call saw of it, as JSON lines on stdout (seen.h reads them)."""

import json
import os
import zlib

RUN, CALL = "x-interop-run", "x-interop-call"  # metadata by which a server knows which call it serves
PATTERN = bytes((i * 31 // 7 + i // 1000) & 255 for i in range(400_000))


def payload(size):
    return PATTERN[:size]


def message(one):
    """Size and CRC-32 of its bytes; grpcio does not tell whether it came compressed."""
    raw = one.SerializeToString()
    return [len(raw), zlib.crc32(raw), None]


def fields(metadata):
    """Name and value, of binary values the hexadecimal digits."""
    return [[name, value.hex() if isinstance(value, bytes) else value] for name, value in metadata or ()]


def tell(**line):
    os.write(1, (json.dumps(line) + "\n").encode())  # one write, one line
