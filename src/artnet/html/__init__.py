"""Render self-contained HTML reports and their SVG charts."""
