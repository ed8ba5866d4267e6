"""The OpenAI-compatible chat API: the loop itself answers there, and a model of this machine where one is served."""
