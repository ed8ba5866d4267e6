"""The server, tested as it runs: real requests, real workers, real videos."""
