"""What is reached over a network: so far a model behind the OpenAI-compatible chat API (`vidence serve`)."""
