"""Recording of one backward pass, node by node, as frozen facts."""
