"""What workers do: one function a task, (task, tell) → what came of it. They alone open media."""
