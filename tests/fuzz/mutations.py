"""Changing valid files into hostile ones: bytes of any format, and the structure of a few."""

from __future__ import annotations

import copy
import json
import struct
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

HOSTILE_NUMBERS: tuple[Any, ...] = (
    -1, 0, 1, 2, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -(2**31), 2**53 + 1, 2**63, 2**64, 10**18, 10**30,
    -0.0, 0.5, 1e-320, 1e308, -1e308, 1e40,
)  # fmt: skip
HOSTILE_TEXTS = (
    "", " ", ".", "..", "../x", "/etc/passwd", "~", "$HOME", "a\nb", "a\x00b", "\ud800", "\u202e", "e\u0301",
    "%s%n", "{}", "x" * 5000, "CON", "..png", "...png", "a\\b", "http://127.0.0.1:1/x.png", "file:///etc/passwd",
    "nan", "1e999", "true", "\x1b[31m", "é", "\ufeff",
)  # fmt: skip
HOSTILE_VALUES: tuple[Any, ...] = (
    *HOSTILE_NUMBERS, *HOSTILE_TEXTS, None, True, False, [], {}, [[]], [None], {"": None}, [[[[[[[[[]]]]]]]]],
    float("nan"), float("inf"), [0] * 100,
)  # fmt: skip


def mutate_bytes(random: Random, data: bytes, others: tuple[bytes, ...] = ()) -> bytes:
    """Change a few places: bits, bytes, numbers, pieces doubled, removed, cut off, or of another file."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        place = random.randrange(len(changed) + 1)
        length = min(random.choice((1, 2, 4, 8, 64, 500)), len(changed) - place)
        other = random.choice((data, *others))
        start = random.randrange(len(other) + 1)
        kind = random.choice(("bit", "byte", "number", "double", "remove", "cut", "noise", "text", "splice"))
        if kind == "bit" and length:
            changed[place] ^= 1 << random.randrange(8)
            continue
        removed, new = {
            "bit": (0, b""),
            "byte": (1, bytes([random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))])),
            "number": _number(random),
            "double": (0, bytes(changed[place : place + length]) * random.choice((1, 2, 50))),
            "remove": (length, b""),
            "cut": (len(changed), b""),
            "noise": (0, random.randbytes(length)),
            "text": (0, random.choice(HOSTILE_TEXTS).encode("utf-8", "surrogatepass")),
            "splice": (length, other[start : start + random.choice((4, 64, 1000))]),
        }[kind]
        changed[place : place + removed] = new
    return bytes(changed)


def _number(random: Random) -> tuple[int, bytes]:
    """Return a hostile whole number of two, four or eight bytes, and how many."""
    width = random.choice((2, 4, 8))
    number = random.choice((0, 1, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**63))
    return width, (number % 2 ** (8 * width)).to_bytes(width, random.choice(("little", "big")))


def mutate_value(random: Random, value: Any) -> Any:
    """Change a few places of a JSON value."""
    value = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 2, 4))):
        value = _changed(random, value)
    return value


def _changed(random: Random, value: Any) -> Any:
    if isinstance(value, dict | list) and value and random.random() < 0.85:
        key = random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
        kind = random.randrange(10)
        if kind == 0:
            del value[key]
        elif kind == 1 and isinstance(value, dict):
            value[random.choice(HOSTILE_TEXTS)] = value.pop(key)
        elif kind == 1:
            value[key:key] = [copy.deepcopy(value[key])] * random.choice((1, 3, 20))
        elif kind == 2:
            value[key] = random.choice((list, lambda part: {"": part}))([copy.deepcopy(value[key])])
        else:
            value[key] = _changed(random, value[key])
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and random.random() < 0.5:
        return random.choice((-value, value * 1000, value + 0.5, str(value), value / 1000))
    return copy.deepcopy(random.choice(HOSTILE_VALUES))


def mutate_json(random: Random, data: bytes, others: tuple[bytes, ...]) -> bytes:
    """Change the value of a JSON file, sometimes its bytes too."""
    if random.random() < 0.3:
        return mutate_bytes(random, data, others)
    text = json.dumps(mutate_value(random, json.loads(data)))
    if random.random() < 0.05:
        depth = random.choice((50, 99, 200, 5000, 100_000))
        text = text[:-1] + ", [" * depth + "]" * depth + text[-1:]
    encoded = text.encode("utf-8", "surrogatepass")
    return mutate_bytes(random, encoded, others) if random.random() < 0.2 else encoded


def mutate_lines(random: Random, data: bytes, others: tuple[bytes, ...]) -> bytes:
    """Change words and lines of a text file."""
    if random.random() < 0.3:
        return mutate_bytes(random, data, others)
    lines = data.decode("utf-8").split("\n")
    for _ in range(random.choice((1, 2, 4))):
        place = random.randrange(len(lines))
        words = lines[place].split(separator := random.choice((",", ";", " ", '"', "=", "\t")))
        word = random.randrange(len(words))
        kind = random.randrange(6)
        if kind == 0:
            words[word] = str(random.choice(HOSTILE_VALUES))
        elif kind == 1:
            del words[word]
        elif kind == 2:
            words *= random.choice((2, 30))
        elif kind == 3:
            lines[place:place] = [lines[place]] * random.choice((1, 3, 50))
        elif kind == 4:
            lines[place] = random.choice(HOSTILE_TEXTS)
            continue
        else:
            random.shuffle(words)
        lines[place] = separator.join(words)
    ending = random.choice(("\n", "\n", "\r\n", "\r", "\u2028"))
    start = random.choice((b"", b"", b"", b"\xef\xbb\xbf", b"\xff\xfe"))
    return start + ending.join(lines).encode("utf-8", "surrogatepass")


def mutate_png(random: Random, data: bytes, others: tuple[bytes, ...]) -> bytes:
    """Change chunks of a PNG and put their checksums right; other formats are changed as bytes."""
    if not data.startswith(b"\x89PNG") or random.random() < 0.3:
        return mutate_bytes(random, data, others)
    chunks = _chunks(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        index = random.randrange(len(chunks))
        place = random.randrange(len(chunks) + 1)
        kind = random.choice(("remove", "double", "new", "change", "change", "change"))
        if kind == "remove" and len(chunks) > 1:
            del chunks[index]
        elif kind == "double":
            chunks.insert(place, chunks[index])
        elif kind == "new":
            new = random.choice(
                (b"tRNS", b"PLTE", b"eXIf", b"iCCP", b"acTL", b"fdAT", b"tEXt", b"zTXt", b"gAMA")
            )
            chunks.insert(place, (new, chunks[index][1][:300]))
        else:
            chunks[index] = _changed_chunk(random, *chunks[index])
    parts = [data[:8]]
    for name, content in chunks:
        parts.append(struct.pack(">I", len(content)) + name + content)
        parts.append(struct.pack(">I", zlib.crc32(name + content)))
    return b"".join(parts)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the names and contents of a PNG's chunks."""
    chunks = []
    place = 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return chunks


def _changed_chunk(random: Random, name: bytes, content: bytes) -> tuple[bytes, bytes]:
    if random.random() < 0.5:
        return name, mutate_bytes(random, content)
    if name == b"IHDR":
        sides = [random.choice((0, 1, 7, 48, 5000, 20_000, 2**31 - 1)) for _ in range(2)]
        flags = [random.choice((0, 1, 2, 3, 4, 6, 8, 16)) for _ in range(5)]
        return name, struct.pack(">IIBBBBB", *sides, *flags)
    if name == b"IDAT":
        try:
            raw = zlib.decompressobj().decompress(content, 2**20)
        except zlib.error:  # it was changed before
            raw = content
        return name, zlib.compress(mutate_bytes(random, raw) * random.choice((1, 1, 100)))
    return name, content[: len(content) // 2]


def mutate_safetensors(random: Random, data: bytes, others: tuple[bytes, ...]) -> bytes:
    """Change the header of a safetensors file: its tensors, or the JSON in its metadata."""
    if random.random() < 0.2:
        return mutate_bytes(random, data, others)
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    if random.random() < 0.8:
        about = mutate_value(random, json.loads(header["__metadata__"]["skinfw"]))
        header["__metadata__"]["skinfw"] = json.dumps(about)
    else:
        header = mutate_value(random, header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def mutate_tar(random: Random, data: bytes, others: tuple[bytes, ...]) -> bytes:
    """Change the header of a member of a tar and put its checksum right, or change bytes."""
    if data[257:262] != b"ustar" or random.random() < 0.4:
        return mutate_bytes(random, data, others)
    changed = bytearray(data)
    starts = [place for place in range(0, len(data), 512) if data[place + 257 : place + 262] == b"ustar"]
    start = random.choice(starts)
    header = changed[start : start + 512]
    kind = random.randrange(4)
    if kind == 0:
        name = random.choice((*HOSTILE_TEXTS, "/tmp/x", "a/../../b.png")).encode("utf-8", "surrogatepass")[
            :100
        ]
        header[:100] = name.ljust(100, b"\0")
    elif kind == 1:
        header[156:157] = random.choice(
            (b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"S", b"x", b"g", b"L", b"K")
        )
    elif kind == 2:
        header[124:136] = random.choice(
            (b"77777777777\0", b"00000000000\0", b"\x80" + b"\xff" * 11, b"-1".ljust(12))
        )
    else:
        place = random.randrange(148)
        header[place] = random.randrange(256)
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    changed[start : start + 512] = header
    return bytes(changed)


Mutation = Callable[[Random, bytes, tuple[bytes, ...]], bytes]
