"""The guests of the tests, and what makes their tables of expected results."""
