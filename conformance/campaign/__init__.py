"""Long runs: random sequences by the thousand, recordings on a host that is made to misbehave."""
