"""What is reached over a network: the web page and its API, jobs in worker processes, and models behind a chat API."""
