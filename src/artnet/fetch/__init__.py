"""GET untrusted URLs without reaching private networks."""
