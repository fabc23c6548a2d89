"""ASGI middleware: limits, access log and problem details."""
