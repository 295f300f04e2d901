"""What a request may cost. Light: standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of a server.

    Attributes:
        megabytes: maximum size of a request, in units of 1,000,000 bytes; checked before it is read.
        megapixels: maximum size of an image, in millions of pixels; checked before it is decoded.
        waiting: jobs that may wait for a model while it works on another.
        header_seconds: time in which a connection must send the headers of a request.
        body_seconds: time in which a request must send its body.
        min_bytes_per_second: a client that reads its response more slowly is disconnected.
        requests: requests at once; a further one gets the status 503. Of twice as many connections, further
            ones are closed.
    """

    megabytes: float = 60
    megapixels: float = 50
    waiting: int = 8
    header_seconds: float = 10
    body_seconds: float = 60
    min_bytes_per_second: float = 50_000
    requests: int = 64

    @property
    def max_bytes(self) -> int:
        """Maximum size of a request in bytes."""
        return round(self.megabytes * 1_000_000)

    @property
    def max_pixels(self) -> int:
        """Maximum number of pixels of an image."""
        return round(self.megapixels * 1_000_000)
