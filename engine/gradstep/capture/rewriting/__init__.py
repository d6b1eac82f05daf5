"""A learner's file as it is compiled: with calls of gradstep's own, and every position kept."""
