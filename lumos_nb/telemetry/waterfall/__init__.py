"""What happened when, as a picture of bars that open: no script, no style sheet, the same in a saved notebook."""
