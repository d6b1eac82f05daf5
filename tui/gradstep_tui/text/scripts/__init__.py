"""What is said about a learner's script: obstacles, particularities, oddities, notes."""
