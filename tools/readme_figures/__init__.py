"""What tools/readme-figures makes the figures and the output in the pages with."""
