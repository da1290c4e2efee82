"""What a result is worth: scores, the user's own truth, and what each term of guidance came to."""
