"""Authentication, rate limits, the host key, and the algorithms of SSH."""
