"""The library as tools of agents, over the Model Context Protocol: by HTTP at /mcp, or by standard input and output."""
