"""How many mannequins one core draws in a second.

python benchmarks/mannequins.py [pictures]
"""

from __future__ import annotations

import sys
import time

from skinfw_plugins.datasets.mannequin import draw_person


def pictures_per_second(size: tuple[int, int], pictures: int) -> float:
    """Speed in pictures per second of processor time; best of three rounds."""
    draw_person(0, size)
    rounds = []
    for _ in range(3):
        started = time.process_time()
        for seed in range(pictures):
            draw_person(seed, size)
        rounds.append(time.process_time() - started)
    return pictures / min(rounds)


def main() -> None:
    """Print the speed at the usual sizes."""
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for side, share in ((128, 1), (256, 3), (512, 8)):
        speed = pictures_per_second((side, side), max(4, pictures // share))
        print(f"{side:4d} x {side:<4d} {speed:7.1f} pictures/s on one core")


if __name__ == "__main__":
    main()
