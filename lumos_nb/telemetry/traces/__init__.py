"""One run read back: its steps and tools, what was said, what was on the wire; as values, as text, as files."""
