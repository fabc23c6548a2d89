"""Serve the page where Hugging Face Spaces expects it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))  # a Space installs the requirements, not the package

from artnet.cli.main import main

if __name__ == "__main__":
    sys.argv[1:] = ["app", "--host", "0.0.0.0", "--port", "7860", *sys.argv[1:]]
    main()
