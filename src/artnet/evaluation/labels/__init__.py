"""Labels that look wrong: the audit of a dataset's labels, and its table and page."""
