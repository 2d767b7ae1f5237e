// Sets the chosen theme before the first paint.
