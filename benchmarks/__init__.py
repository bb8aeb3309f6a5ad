"""What we claim about speed, memory and beauty, measured here: ``python -m benchmarks [NAME ...] [--quick]``.

Each benchmark is a module with a function `figures`, which yields the figures as it finds them. What is compared is
measured in turns, in one run, so that the drift of a busy machine cancels; times are medians, after a warm-up.
"""
