"""Looking at answers and at the machine that gives them."""
