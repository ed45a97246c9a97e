"""Two runs beside each other: which parts belong together, what is different in them, and how that is shown."""
