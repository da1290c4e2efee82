"""What operators are built with; none of it knows an operator."""
