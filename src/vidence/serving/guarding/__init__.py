"""Who may come in, and how often: hosts, origins, tokens, rates, sizes; and the headers that keep browsers safe."""
