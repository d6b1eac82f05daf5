"""What instrumented loops call: they find the loop of the first `backward`, and park the script there."""
