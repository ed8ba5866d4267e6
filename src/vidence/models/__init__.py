"""Models that Vidence runs itself. Nothing is imported here: torch loads with the model that needs it."""
