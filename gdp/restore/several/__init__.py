"""Results that depend on others: of tasks in a row, and of the frames of a film."""
