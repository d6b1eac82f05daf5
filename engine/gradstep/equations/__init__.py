"""Each event of a backward pass as an equation: upstream, local derivative, operator, downstream."""
