"""What is measured, not tested: `python -m tests.benchmarks` prints it and keeps it as JSON."""
