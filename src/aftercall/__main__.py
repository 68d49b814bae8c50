"""``python -m aftercall`` is the command ``aftercall``."""

from aftercall.interfaces.cli.main import run

if __name__ == "__main__":
    run()
