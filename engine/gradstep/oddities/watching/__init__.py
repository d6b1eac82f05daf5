"""The watch over a few rounds of a loop: every call, pass and step goes into a diary."""
