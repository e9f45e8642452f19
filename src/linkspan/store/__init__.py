"""What is kept between container starts: facts, specs and ready-made edits, and how they are kept true."""
