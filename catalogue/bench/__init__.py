"""How fast it is: made-up catalogues of realistic shape, the line and the pages over them, and what others need for the same."""
