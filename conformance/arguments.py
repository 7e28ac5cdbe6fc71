"""What the arguments of the scripts have in common."""


def positive(text: str) -> int:
    """An argument that is at least 1."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number
