"""Charts of what was recorded."""
