"""A worker's first line: `python -m bench.worker`, as `process.py` starts it.

No garbage is collected from here on but between cases. Torch's import makes so much that stays that
looking through it again and again takes a sixth of the import's time.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()

    from bench.worker.serving import main

    main()
