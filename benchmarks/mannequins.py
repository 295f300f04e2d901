"""How many mannequins one core draws in a second.

python benchmarks/mannequins.py [images a round]
"""

from __future__ import annotations

import sys
import time

from skinfw_plugins.datasets.mannequin import draw_person


def images_per_second(size: tuple[int, int], images: int, rounds: int = 12) -> float:
    """Speed in images per second of processor time; the best of some short rounds."""
    draw_person(0, size)
    times = []
    for _ in range(rounds):
        started = time.process_time()
        for seed in range(images):
            draw_person(seed, size)
        times.append(time.process_time() - started)
    return images / min(times)


def main() -> None:
    """Print the speed at the usual sizes."""
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 48
    for side, fraction in ((128, 1), (256, 3), (512, 8)):
        speed = images_per_second((side, side), max(1, images // fraction))
        print(f"{side:4d} x {side:<4d} {speed:7.1f} images/s on one core")


if __name__ == "__main__":
    main()
