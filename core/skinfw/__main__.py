"""``python -m skinfw`` is the command ``skinfw``."""

from skinfw.cli import main

main(prog_name="skinfw")
