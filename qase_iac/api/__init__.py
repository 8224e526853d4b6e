"""The border to Qase's REST API: everything odd about it is undone here. Only this folder imports httpx."""

import sys

# httpx imports its own command line if it can, with rich and pygments: 50 ms that every plan would pay for nothing.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
