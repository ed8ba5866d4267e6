"""Multimodal contextual reasoning: the closed loop from a question to a checked answer."""
