"""The way back: what a stack and its studios have left in an account, and its removal."""
