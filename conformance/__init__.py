"""What proves that the engines agree, and that the machine is right."""
