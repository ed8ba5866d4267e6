"""Benchmarks of video understanding: loaders, systems under test, scores that say how sure they are, reports."""
