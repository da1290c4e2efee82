"""Whether what was taken for noise was noise, by what a restoration made of it."""
