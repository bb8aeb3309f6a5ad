"""What runs in an account just now, and what it costs."""
